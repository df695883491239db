package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A Dir is an open folder. Its names are plain names, without a slash. It is
// safe for concurrent use until it is closed.
type Dir struct {
	fd   int
	path string
	hook Hook
}

// OpenDir opens a folder; symbolic links in path are followed. hook may be nil.
func OpenDir(path string, hook Hook) (*Dir, error) {
	return openDir(unix.AT_FDCWD, path, path, 0, hook)
}

func openDir(at int, name, path string, flags int, hook Hook) (*Dir, error) {
	d := &Dir{path: path, hook: hook}
	err := hook.try(func() Call { return Call{Op: "openat", Path: path} }, func() (err error) {
		d.fd, err = unix.Openat(at, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|flags, 0)
		return err
	})
	if err != nil {
		return nil, failure("open the folder", path, err)
	}
	return d, nil
}

// OpenDir opens the folder name in d; a symbolic link is an error.
func (d *Dir) OpenDir(name string) (*Dir, error) {
	return openDir(d.fd, name, d.Path(name), unix.O_NOFOLLOW, d.hook)
}

// Path returns where name is, for messages; with "" the folder itself.
func (d *Dir) Path(name string) string {
	if name == "" {
		return d.path
	}
	return d.path + "/" + name
}

// Close closes the folder.
func (d *Dir) Close() error { return unix.Close(d.fd) }

// Open opens a file with the given flags of open(2); O_CLOEXEC, O_NOFOLLOW and
// O_NONBLOCK (which keeps a FIFO from hanging it) are added.
func (d *Dir) Open(name string, flags int, perm os.FileMode) (*File, error) {
	f := &File{dir: d.path, name: name, hook: d.hook}
	err := d.hook.try(func() Call {
		return Call{Op: "openat", Path: d.Path(name), New: flags&unix.O_CREAT != 0}
	}, func() (err error) {
		f.fd, err = unix.Openat(d.fd, name, flags|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK, uint32(perm.Perm()))
		return err
	})
	if err == unix.ELOOP {
		return nil, fmt.Errorf("cannot open %q: it is a symbolic link: %w", d.Path(name), err)
	}
	if err != nil {
		return nil, failure("open", d.Path(name), err)
	}
	return f, nil
}

// Mkdir makes the folder name in d; one that is there is unix.EEXIST. It is
// durable after the next Sync.
func (d *Dir) Mkdir(name string, perm os.FileMode) error {
	err := d.do("mkdirat", name, "", func() error { return unix.Mkdirat(d.fd, name, uint32(perm.Perm())) })
	if err != nil {
		return failure("make the folder", d.Path(name), err)
	}
	return nil
}

// Rename gives the file old the name new, in the place of a file of that name.
// It is durable after the next Sync.
func (d *Dir) Rename(old, new string) error {
	err := d.do("renameat", old, new, func() error { return unix.Renameat(d.fd, old, d.fd, new) })
	if err != nil {
		return failure("rename to "+new, d.Path(old), err)
	}
	return nil
}

// Link gives the file old a second name, which nothing must have yet. It is
// durable after the next Sync.
func (d *Dir) Link(old, new string) error {
	err := d.do("linkat", old, new, func() error { return unix.Linkat(d.fd, old, d.fd, new, 0) })
	if err != nil {
		return failure("name it "+new, d.Path(old), err)
	}
	return nil
}

// Remove unlinks the file name. It is durable after the next Sync.
func (d *Dir) Remove(name string) error {
	err := d.do("unlinkat", name, "", func() error { return unix.Unlinkat(d.fd, name, 0) })
	if err != nil {
		return failure("remove", d.Path(name), err)
	}
	return nil
}

// Sync makes the folder's names durable.
func (d *Dir) Sync() error {
	if err := d.do("fsync", "", "", func() error { return unix.Fsync(d.fd) }); err != nil {
		return failure("sync the folder", d.path, err)
	}
	return nil
}

// Chown gives the folder itself to uid and gid.
func (d *Dir) Chown(uid, gid uint32) error {
	err := d.do("fchown", "", "", func() error { return unix.Fchown(d.fd, int(uid), int(gid)) })
	if err != nil {
		return failure("change the owner of", d.path, err)
	}
	return nil
}

// Info tells of the folder itself.
func (d *Dir) Info() (Info, error) {
	var st unix.Stat_t
	if err := d.do("fstat", "", "", func() error { return unix.Fstat(d.fd, &st) }); err != nil {
		return Info{}, failure("look at", d.path, err)
	}
	return newInfo(&st), nil
}

// Lookup tells of what has the name, itself a symbolic link or not.
func (d *Dir) Lookup(name string) (Info, error) {
	var st unix.Stat_t
	err := d.do("fstatat", name, "", func() error { return unix.Fstatat(d.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) })
	if err != nil {
		return Info{}, failure("look at", d.Path(name), err)
	}
	return newInfo(&st), nil
}

// Names returns the names in the folder, in no order, without "." and "..".
func (d *Dir) Names() ([]string, error) {
	var fd int
	err := d.do("openat", "", "", func() (err error) {
		fd, err = unix.Openat(d.fd, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, failure("read the folder", d.path, err)
	}
	f := os.NewFile(uintptr(fd), d.path)
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return nil, failure("read the folder", d.path, err)
	}
	return names, nil
}

func (d *Dir) do(op, name, to string, sys func() error) error {
	return d.hook.try(func() Call {
		c := Call{Op: op, Path: d.Path(name)}
		if to != "" {
			c.To = d.Path(to)
		}
		return c
	}, sys)
}

// Mkdir makes the folder path, whose parent must be there, and makes it
// durable. A folder that is there already is no error, and is made durable too:
// whoever made it may have died before he could.
func Mkdir(path string, perm os.FileMode, hook Hook) error {
	path = filepath.Clean(path)
	parent, err := OpenDir(filepath.Dir(path), hook)
	if err != nil {
		return err
	}
	defer parent.Close()
	if err := parent.Mkdir(filepath.Base(path), perm); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return parent.Sync()
}
