package durable

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// A File is an open file. It is for one goroutine.
type File struct {
	fd        int
	dir, name string
	hook      Hook
}

// Info is what is told of a file or folder.
type Info struct {
	Mode     os.FileMode // type and permission bits
	UID, GID uint32
	Size     int64  // bytes
	Links    uint64 // 0 when it was removed while open
}

func newInfo(st *unix.Stat_t) Info {
	mode := os.FileMode(st.Mode & 0o777)
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
	case unix.S_IFDIR:
		mode |= os.ModeDir
	case unix.S_IFLNK:
		mode |= os.ModeSymlink
	default:
		mode |= os.ModeIrregular
	}
	if st.Mode&unix.S_ISUID != 0 {
		mode |= os.ModeSetuid
	}
	if st.Mode&unix.S_ISGID != 0 {
		mode |= os.ModeSetgid
	}
	if st.Mode&unix.S_ISVTX != 0 {
		mode |= os.ModeSticky
	}
	return Info{Mode: mode, UID: st.Uid, GID: st.Gid, Size: st.Size, Links: uint64(st.Nlink)}
}

// unixMode is the mode as fchmod takes it.
func unixMode(m os.FileMode) uint32 {
	bits := uint32(m.Perm())
	for _, b := range [...]struct {
		mode os.FileMode
		bit  uint32
	}{{os.ModeSetuid, unix.S_ISUID}, {os.ModeSetgid, unix.S_ISGID}, {os.ModeSticky, unix.S_ISVTX}} {
		if m&b.mode != 0 {
			bits |= b.bit
		}
	}
	return bits
}

// Path returns the file's name, for messages.
func (f *File) Path() string { return f.dir + "/" + f.name }

// Info tells of the file.
func (f *File) Info() (Info, error) {
	var st unix.Stat_t
	if err := f.do("fstat", 0, nil, func() error { return unix.Fstat(f.fd, &st) }); err != nil {
		return Info{}, failure("look at", f.Path(), err)
	}
	return newInfo(&st), nil
}

// ReadAt reads from offset off until b is full or the file ends, which is no
// error; it returns the number of bytes.
func (f *File) ReadAt(b []byte, off int64) (int, error) {
	total := 0
	for total < len(b) {
		var n int
		err := f.do("pread", off+int64(total), nil, func() (err error) {
			n, err = unix.Pread(f.fd, b[total:], off+int64(total))
			return err
		})
		if err != nil {
			return total, failure("read", f.Path(), err)
		}
		if n == 0 {
			break
		}
		total += n
	}
	return total, nil
}

// WriteAt writes all of b at offset off, or returns an error.
func (f *File) WriteAt(b []byte, off int64) error {
	for len(b) > 0 {
		var n int
		err := f.do("pwrite", off, b, func() (err error) {
			n, err = unix.Pwrite(f.fd, b, off)
			return err
		})
		if err == nil && n <= 0 {
			err = io.ErrShortWrite
		}
		if err != nil {
			return failure("write", f.Path(), err)
		}
		b, off = b[n:], off+int64(n)
	}
	return nil
}

// Sync makes the file's bytes and attributes durable; its name is the folder's.
func (f *File) Sync() error {
	if err := f.do("fsync", 0, nil, func() error { return unix.Fsync(f.fd) }); err != nil {
		return failure("sync", f.Path(), err)
	}
	return nil
}

// Datasync makes the file's bytes durable, and what is needed to read them.
func (f *File) Datasync() error {
	if err := f.do("fdatasync", 0, nil, func() error { return unix.Fdatasync(f.fd) }); err != nil {
		return failure("sync", f.Path(), err)
	}
	return nil
}

// Chown gives the file to uid and gid.
func (f *File) Chown(uid, gid uint32) error {
	err := f.hook.try(func() Call { return Call{Op: "fchown", Path: f.Path(), UID: uid, GID: gid} },
		func() error { return unix.Fchown(f.fd, int(uid), int(gid)) })
	if err != nil {
		return failure("change the owner of", f.Path(), err)
	}
	return nil
}

// Chmod sets the permission bits, whatever the umask.
func (f *File) Chmod(mode os.FileMode) error {
	err := f.hook.try(func() Call { return Call{Op: "fchmod", Path: f.Path(), Mode: mode} },
		func() error { return unix.Fchmod(f.fd, unixMode(mode)) })
	if err != nil {
		return failure("change the mode of", f.Path(), err)
	}
	return nil
}

// Close closes the file and lets go of its locks. After a wait for a lock that
// was given up it does nothing.
func (f *File) Close() error {
	if f.fd < 0 {
		return nil
	}
	fd := f.fd
	f.fd = -1
	return unix.Close(fd)
}

func (f *File) do(op string, off int64, data []byte, sys func() error) error {
	return f.hook.try(func() Call { return Call{Op: op, Path: f.Path(), Off: off, Data: data} }, sys)
}

// unwrap returns the system's error below err, or err itself.
func unwrap(err error) error {
	var errno unix.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}
