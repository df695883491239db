package durable

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// ReplaceOptions say how a file is replaced. The zero value makes a file 0600
// of whoever runs the program.
type ReplaceOptions struct {
	// Mode is the new file's permission bits, whatever the umask; 0 means 0600.
	Mode os.FileMode
	// Chown gives the new file to UID and GID; without it the file is the
	// process's own.
	Chown    bool
	UID, GID uint32
	// Keep takes mode and owner from the file that is replaced, and only where
	// there is none from Mode and Chown. Extended attributes and ACLs are not
	// kept.
	Keep bool
	// Lenient goes on when fchmod, fchown or fsync are refused with EPERM,
	// EACCES, EINVAL, ENOSYS or ENOTSUP, as Proxmox VE's pmxcfs does.
	Lenient bool
	// New refuses to replace: where there is a file of that name already, even
	// one made a moment ago, it stays, and the error is fs.ErrExist.
	New bool
	// Temp names the temporary. A caller who holds a lock that keeps others
	// from using the same name can set it, and a leftover of a crash is then
	// removed at the next write; otherwise the name is random.
	Temp string
	// Hook is for tests.
	Hook Hook
}

// Replace puts data in the place of the file path, or makes it. The error says
// which step failed. When it is not nil the old file is untouched, except after
// a failed fsync of the folder, when the new bytes are there but may not survive
// a power cut. A path that is a symbolic link, or no regular file, is refused:
// the caller knows which links are safe to follow.
func Replace(path string, data []byte, o ReplaceOptions) error {
	path = filepath.Clean(path)
	d, err := OpenDir(filepath.Dir(path), o.Hook)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Replace(filepath.Base(path), data, o)
}

// Replace is the function [Replace] for the file name in d; o.Hook is not used.
func (d *Dir) Replace(name string, data []byte, o ReplaceOptions) error {
	old, err := d.Lookup(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		o.Keep = false
	case err != nil:
		return err
	case old.Mode&os.ModeSymlink != 0:
		return fmt.Errorf("cannot replace %q: it is a symbolic link", d.Path(name))
	case !old.Mode.IsRegular():
		return fmt.Errorf("cannot replace %q: it is no regular file", d.Path(name))
	}
	if o.Mode == 0 {
		o.Mode = 0o600
	}
	if o.Keep {
		o.Mode, o.UID, o.GID = old.Mode, old.UID, old.GID
	}
	f, err := d.temporary(o.Temp)
	if err != nil {
		return err
	}
	err = f.fill(data, o)
	if cerr := f.Close(); err == nil && cerr != nil {
		err = failure("close", f.Path(), cerr)
	}
	switch {
	case err != nil:
	case o.New:
		err = d.Link(f.name, name)
	default:
		err = d.Rename(f.name, name)
	}
	if err != nil || o.New {
		_ = d.Remove(f.name) // what stays lies there, and harms nobody
	}
	if err != nil {
		return err
	}
	return o.excuse(d.Sync())
}

// fill writes a temporary so that it can take the other file's place.
func (f *File) fill(data []byte, o ReplaceOptions) error {
	if o.Chown || o.Keep {
		// Only where it changes something: a file system that knows no
		// owners refuses even the call that changes nothing.
		own, err := f.Info()
		if err != nil {
			return err
		}
		if own.UID != o.UID || own.GID != o.GID {
			if err := o.excuse(f.Chown(o.UID, o.GID)); err != nil {
				return err
			}
		}
	}
	if err := o.excuse(f.Chmod(o.Mode)); err != nil {
		return err
	}
	if err := f.WriteAt(data, 0); err != nil {
		return err
	}
	return o.excuse(f.Sync())
}

// temporary makes a new file 0600 in d, with the given name or a random one.
func (d *Dir) temporary(name string) (*File, error) {
	const flags = unix.O_RDWR | unix.O_CREAT | unix.O_EXCL
	if name != "" {
		if err := d.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		return d.Open(name, flags, 0o600)
	}
	for try := 0; ; try++ {
		name, err := randomName()
		if err != nil {
			return nil, err
		}
		f, err := d.Open(name, flags, 0o600)
		if err == nil || try == 10 || !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}

// randomName names a temporary. The kernel is asked directly: this is no
// secret, O_EXCL decides, and a generator would cost every start.
func randomName() (string, error) {
	var b [8]byte
	for {
		_, err := unix.Getrandom(b[:], 0)
		if err == nil {
			return ".oathkit-" + hex.EncodeToString(b[:]) + ".tmp", nil
		}
		if err != unix.EINTR {
			return "", fmt.Errorf("cannot name a temporary file: %w", err)
		}
	}
}

// excuse drops an error that a lenient write takes.
func (o ReplaceOptions) excuse(err error) error {
	if err == nil || !o.Lenient {
		return err
	}
	switch unwrap(err) {
	case unix.EPERM, unix.EACCES, unix.EINVAL, unix.ENOSYS, unix.ENOTSUP:
		return nil
	}
	return err
}
