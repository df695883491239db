package pmxcfstest

import (
	"os"
	"strings"
	"syscall"

	"oathkit/pkg/internal/durable"
)

// Layer stands before an ordinary folder: it makes the system calls of package
// durable on what is below root fail as they would on pmxcfs. A folder has no
// modes of links, so that "local" has to be a file, whose write bit [FS.SetQuorum]
// does not change.
func (f *FS) Layer(root string) durable.Hook {
	return func(c durable.Call) error {
		name, ok := strings.CutPrefix(c.Path, root+"/")
		if !ok && c.Path != root {
			return nil
		}
		if errno := f.judge(name, c); errno != 0 {
			return errno
		}
		return nil
	}
}

func (f *FS) judge(name string, c durable.Call) syscall.Errno {
	switch c.Op {
	case "fchmod":
		return f.chmod(name, uint32(c.Mode.Perm()))
	case "fchown":
		return f.chown(name, c.UID, c.GID)
	case "fsync", "fdatasync":
		return syscall.ENOSYS
	case "flock", "fcntl":
		return f.never(syscall.ENOSYS, c.Op, name)
	case "linkat", "symlinkat":
		return f.never(syscall.ENOSYS, c.Op, name)
	case "renameat2":
		return f.never(syscall.EINVAL, c.Op, name)
	case "pwrite":
		return f.write(name, c.Off+int64(len(c.Data)))
	case "openat":
		if c.New {
			return f.change("create", name)
		}
	case "renameat", "unlinkat", "rmdir":
		return f.change(c.Op, name)
	case "mkdir", "mkdirat":
		return f.made(name, c)
	case "utimes":
		return f.timed(name, c)
	}
	return 0
}

// made notes a folder that is about to be made.
func (f *FS) made(name string, c durable.Call) syscall.Errno {
	if errno := f.change("mkdir", name); errno != 0 {
		return errno
	}
	if _, err := os.Lstat(c.Path); err != nil {
		f.lock(name)
	}
	return 0
}

// timed removes a lock that is old enough.
func (f *FS) timed(name string, c durable.Call) syscall.Errno {
	if errno := f.change("utime", name); errno != 0 || !isLock(name) {
		return errno
	}
	gone, errno := f.release(name)
	if gone {
		_ = os.Remove(c.Path) // and then the call itself finds nothing
	}
	return errno
}
