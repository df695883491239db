package durable

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// ErrChanged means that a file did not hold the bytes that it was said to hold.
var ErrChanged = errors.New("somebody else changed it meanwhile")

// A BackupError means that the new bytes are in place for good, but the old
// ones could not be kept.
type BackupError struct{ Err error }

func (e *BackupError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *BackupError) Unwrap() error { return e.Err }

// Swap puts data in the place of the file name as [Dir.Replace] does, but only
// while that file holds the bytes old, and gives the displaced file, as it is,
// the name backup in the place of a file of that name. When the file holds
// something else the error is [ErrChanged] and it is left alone; a *BackupError
// means done, but without a backup.
//
// The new file and the old one change names in one step (renameat2(2) with
// RENAME_EXCHANGE), and only then the old one is looked at: a program that knows
// no lock and renames a file of its own into place a moment before is noticed,
// and its file gets the name back. A file system without that call, such as
// pmxcfs, has its file compared before a plain rename, and the bytes old written
// as the backup.
func (d *Dir) Swap(name, backup string, was Seen, old, data []byte, o ReplaceOptions) error {
	info, err := d.Lookup(name)
	switch {
	case err != nil:
		return err
	case !info.Mode.IsRegular():
		return fmt.Errorf("cannot replace %q: it is no regular file", d.Path(name))
	}
	if o.Keep {
		o.Mode, o.UID, o.GID = info.Mode, info.UID, info.GID
	}
	if o.Mode == 0 {
		o.Mode = 0o600
	}
	is, err := d.Open(name, unix.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer is.Close()
	if err := is.unchanged(was, old); err != nil {
		return err
	}
	f, err := d.temporary(o.Temp)
	if err != nil {
		return err
	}
	defer f.Close() // written to the medium by fill
	if err := f.fill(data, o); err != nil {
		_ = d.Remove(f.name)
		return err
	}
	// The exchange would notice as well, but for a moment the new file would
	// have the name.
	err = d.still(name, is)
	if err == nil {
		// While it is open, a FUSE file system would keep the displaced file
		// under a name of its own, for everybody to see.
		is.Close()
		err = d.swap(f, name, backup, old, o)
	}
	var kept *BackupError
	var stranded *strandedError
	if err != nil && !errors.As(err, &stranded) {
		_ = d.Remove(f.name)
	}
	if err != nil && !errors.As(err, &kept) {
		return err
	}
	if serr := o.excuse(d.Sync()); serr != nil {
		return serr
	}
	return err
}

// unchanged says whether the file is the one that was seen, or at least holds the
// bytes old: one that was only touched, or a file system with fleeting numbers.
func (f *File) unchanged(was Seen, old []byte) error {
	now, err := f.seen()
	if err != nil || now == was {
		return err
	}
	same, err := f.holds(old)
	if err == nil && !same {
		err = fmt.Errorf("cannot replace %q: %w", f.Path(), ErrChanged)
	}
	return err
}

// A strandedError means that the temporary holds somebody's file, which must not
// be removed.
type strandedError struct {
	err  error
	path string
}

func (e *strandedError) Error() string {
	return fmt.Sprintf("%v; what somebody else wrote meanwhile is in %q", e.err, e.path)
}

func (e *strandedError) Unwrap() error { return e.err }

// swap gives the written temporary f the name, and the file of that name the
// name backup.
func (d *Dir) swap(f *File, name, backup string, old []byte, o ReplaceOptions) error {
	err := d.exchange(f.name, name)
	switch unwrap(err) {
	case nil:
		if err := d.examine(f, name, old); err != nil {
			return err
		}
		if err := d.Rename(f.name, backup); err != nil {
			return &BackupError{err}
		}
		return nil
	case unix.EINVAL, unix.ENOSYS, unix.ENOTSUP:
	default:
		return err
	}
	same, err := d.holds(name, old)
	if err != nil {
		return err
	}
	if !same {
		return fmt.Errorf("cannot replace %q: %w", d.Path(name), ErrChanged)
	}
	keep := o
	keep.Keep, keep.Chown = false, o.Chown || o.Keep
	if o.Temp != "" { // another name, for which the same holds
		keep.Temp = o.Temp + "~"
	}
	kept := d.Replace(backup, old, keep)
	if err := d.Rename(f.name, name); err != nil {
		return err
	}
	if kept != nil {
		return &BackupError{kept}
	}
	return nil
}

// examine looks at what the temporary f and the file name were exchanged for.
// When that was not old it gets its name back, and if yet another file came in
// between, that one does.
func (d *Dir) examine(f *File, name string, old []byte) error {
	same, err := d.holds(f.name, old)
	if err == nil && same {
		return nil
	}
	if err == nil {
		err = fmt.Errorf("cannot replace %q: %w", d.Path(name), ErrChanged)
	}
	for placed := f; ; {
		next, done, berr := d.putBack(f.name, name, placed)
		switch {
		case berr != nil:
			return &strandedError{berr, d.Path(f.name)}
		case done:
			return err
		}
		defer next.Close() // open, so that no new file gets its inode number
		placed = next
	}
}

// putBack exchanges the file temp, which is somebody's, with the file name, where
// placed was put. It is done when that was still there; otherwise what came in
// between is in temp now, and what was put is returned.
func (d *Dir) putBack(temp, name string, placed *File) (put *File, done bool, err error) {
	put, err = d.Open(temp, unix.O_PATH, 0)
	if err != nil {
		return nil, false, err
	}
	if err = d.exchange(temp, name); err == nil {
		var out *File
		if out, err = d.Open(temp, unix.O_PATH, 0); err == nil {
			done, err = sameFile(out, placed)
			out.Close()
		}
	}
	if err != nil || done {
		put.Close()
		put = nil
	}
	return put, done, err
}

// still says whether the file that was opened has the name.
func (d *Dir) still(name string, f *File) error {
	now, err := d.Open(name, unix.O_PATH, 0)
	if err != nil {
		return err
	}
	defer now.Close()
	same, err := sameFile(now, f)
	if err == nil && !same {
		err = fmt.Errorf("cannot replace %q: %w", d.Path(name), ErrChanged)
	}
	return err
}

// exchange lets two names of the folder change places.
func (d *Dir) exchange(a, b string) error {
	err := d.do("renameat2", a, b, func() error { return unix.Renameat2(d.fd, a, d.fd, b, unix.RENAME_EXCHANGE) })
	if err != nil {
		return failure("exchange with "+b, d.Path(a), err)
	}
	return nil
}

// holds says whether the file name is a regular file of exactly these bytes.
func (d *Dir) holds(name string, want []byte) (bool, error) {
	f, err := d.Open(name, unix.O_RDONLY, 0)
	if err != nil {
		return false, err
	}
	defer f.Close()
	return f.holds(want)
}

// holds says whether the file is a regular one of exactly these bytes.
func (f *File) holds(want []byte) (bool, error) {
	info, err := f.Info()
	if err != nil || !info.Mode.IsRegular() || info.Size != int64(len(want)) {
		return false, err
	}
	got := make([]byte, min(len(want), 64<<10))
	for off := 0; off < len(want); {
		n, err := f.ReadAt(got[:min(len(got), len(want)-off)], int64(off))
		if err != nil || n == 0 || !bytes.Equal(got[:n], want[off:off+n]) {
			return false, err
		}
		off += n
	}
	return true, nil
}

func sameFile(a, b *File) (bool, error) {
	var x, y unix.Stat_t
	for f, st := range map[*File]*unix.Stat_t{a: &x, b: &y} {
		if err := unix.Fstat(f.fd, st); err != nil {
			return false, failure("look at", f.Path(), err)
		}
	}
	return x.Dev == y.Dev && x.Ino == y.Ino, nil
}

// A Seen tells a file, as it was when it was read, from another one of that name
// and from itself after most changes.
type Seen struct {
	dev, ino     uint64
	size         int64
	mtime, ctime unix.Timespec
}

func (f *File) seen() (Seen, error) {
	var st unix.Stat_t
	if err := f.do("fstat", 0, nil, func() error { return unix.Fstat(f.fd, &st) }); err != nil {
		return Seen{}, failure("look at", f.Path(), err)
	}
	return Seen{st.Dev, st.Ino, st.Size, st.Mtim, st.Ctim}, nil
}

// ReadFile reads the regular file name whole, up to limit bytes. A symbolic link
// is not followed, and a FIFO does not hang it.
func (d *Dir) ReadFile(name string, limit int64) ([]byte, Info, Seen, error) {
	f, err := d.Open(name, unix.O_RDONLY, 0)
	if err != nil {
		return nil, Info{}, Seen{}, err
	}
	defer f.Close()
	seen, err := f.seen()
	if err != nil {
		return nil, Info{}, Seen{}, err
	}
	info, err := f.Info()
	switch {
	case err != nil:
		return nil, Info{}, seen, err
	case !info.Mode.IsRegular():
		return nil, info, seen, fmt.Errorf("cannot read %q: it is no regular file", f.Path())
	case info.Size > limit:
		return nil, info, seen, fmt.Errorf("cannot read %q: it is longer than %d bytes", f.Path(), limit)
	}
	b := make([]byte, info.Size+1)
	if len(b) > hugeFile {
		_ = unix.Madvise(b[:len(b)&^4095], unix.MADV_HUGEPAGE) // only for speed
	}
	n, err := f.ReadAt(b, 0)
	switch {
	case err != nil:
		return nil, info, seen, err
	case int64(n) != info.Size:
		return nil, info, seen, fmt.Errorf("cannot read %q: %w", f.Path(), ErrChanged)
	}
	return b[:n], info, seen, nil
}

// hugeFile is from how many bytes on it pays to ask for large pages.
const hugeFile = 4 << 20
