package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/realm/realmfile"
)

// refusesAttributes says whether a write failed as it does on a file system that
// knows no owners, no modes or no flush, such as those of other systems, of
// networks and of containers.
func refusesAttributes(err error) bool {
	for _, errno := range []syscall.Errno{syscall.EPERM, syscall.EACCES, syscall.EINVAL, syscall.ENOSYS, syscall.ENOTSUP} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// writeAnyhow writes the file without what its file system refuses: a factor that
// locks everybody out is worse than a file with another owner. What differs in the
// end it says.
func (t *tool) writeAnyhow(c *cli.Context, doc *realmfile.File, make plan, said *[]string, first error) error {
	_, was, err := realmfile.Read(doc.Path())
	if err != nil {
		return first
	}
	old, err := doc.Read()
	if err != nil {
		return first
	}
	edited, more, err := make(doc, old)
	if err != nil {
		return first
	}
	*said = more
	doc.Tolerate()
	if err := t.write(c, doc, make, old, edited, said); err != nil {
		return first
	}
	c.Warn("the file system does not take all that belongs to a file (%v): written without it", cause(first))
	_, is, err := realmfile.Read(doc.Path())
	if err == nil && (is.Mode != was.Mode || is.UID != was.UID || is.GID != was.GID) {
		c.Warn("%s had owner %d:%d and mode %04o, and has %d:%d and %04o now: see that who has to read it still can", doc.Path(),
			was.UID, was.GID, was.Mode.Perm(), is.UID, is.GID, is.Mode.Perm())
	}
	return nil
}

// cause is what failed, without the words around it.
func cause(err error) error {
	var f *cli.Failure
	if errors.As(err, &f) {
		if inner := errors.Unwrap(f.Err); inner != nil {
			return inner
		}
	}
	return err
}

// writeError puts a failure to lock or to write in words, with the way out, step
// by step.
func writeError(doc *realmfile.File, err error) error {
	f := cli.Unsure("%w; nothing was changed", err)
	switch {
	case errors.Is(err, realmfile.ErrBusy) && doc.PVE():
		f.Hint("another program edits it; a lock whose owner died is free after two minutes")
	case errors.Is(err, realmfile.ErrBusy):
		f.Hint("another realmctl edits it: look for it with ps, and try again")
	case errors.Is(err, realmfile.ErrUnstable):
		f.Hint("find the program that writes it, and try again")
	case errors.Is(err, realmfile.ErrNoQuorum):
		f.Hint("1. pvecm status shows which nodes are missing: start them, or mend the network between them")
		f.Hint("2. when they are surely down, on this node: pvecm expected 1, and try again")
		f.Hint("3. when corosync does not run: systemctl stop pve-cluster; pmxcfs -l; try again; killall pmxcfs; systemctl start pve-cluster")
	case errors.Is(err, realmfile.ErrNotMounted):
		f.Hint("1. systemctl start pve-cluster, and try again")
		f.Hint("2. when that fails, for this node alone: pmxcfs -l, and try again")
	case errors.Is(err, syscall.EROFS):
		f.Hint("1. mount -o remount,rw %s, and try again", mountPoint(doc.Path()))
		f.Hint("2. when that fails, dmesg says why; in a rescue system mount the disk elsewhere, and name the file there with -f")
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		f.Hint("the disk is full: make room on %s, and try again", mountPoint(doc.Path()))
	case errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.EISDIR):
		f.Hint("look at what lies there, and move it out of the way")
	case errors.Is(err, fs.ErrPermission) && os.Geteuid() == 0:
		f.Hint("1. root may not either: lsattr -d %s %s shows an i or a where chattr -i -a helps", doc.Path(), filepath.Dir(doc.Path()))
		f.Hint("2. on a disk of another machine, or in a container, do it there, or on the host")
	case errors.Is(err, fs.ErrPermission):
		f.Hint("1. run it as root, or as who may write in the folder of %s: sudo realmctl …", doc.Path())
		f.Hint("2. when sudo itself asks for the factor: at the console as root, or boot with systemd.unit=rescue.target")
	}
	return f
}

// mountPoint is where the file system of a file is mounted: the folder above it
// from which on the device is another. It needs no /proc.
func mountPoint(path string) string {
	real, err := filepath.Abs(resolved(path))
	if err != nil {
		return filepath.Dir(path)
	}
	dir := filepath.Dir(real)
	for dev, ok := device(dir); ok && dir != "/"; dir = filepath.Dir(dir) {
		if above, ok := device(filepath.Dir(dir)); !ok || above != dev {
			break
		}
	}
	return dir
}

func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

func device(dir string) (uint64, bool) {
	var st syscall.Stat_t
	err := syscall.Stat(dir, &st)
	return st.Dev, err == nil
}
