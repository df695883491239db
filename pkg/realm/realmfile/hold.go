package realmfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"oathkit/pkg/internal/durable"
)

// A Hold is the lock of a file: while it is held no other edit of this kind is
// made. Below /etc/pve it is lost after two minutes.
type Hold struct {
	f      *File
	unlock func()
}

// Hold takes the lock, for which it waits at most wait.
func (f *File) Hold(ctx context.Context, wait time.Duration) (*Hold, error) {
	unlock, err := f.lock(ctx, wait)
	if err != nil {
		return nil, f.readOnly(err)
	}
	return &Hold{f, unlock}, nil
}

// Release lets go of the lock.
func (h *Hold) Release() { h.unlock() }

// Replace is [File.Replace] for who holds the lock.
func (h *Hold) Replace(old, edited []byte, again func(now []byte) ([]byte, error)) error {
	f := h.f
	for range maxTries {
		if bytes.Equal(old, edited) {
			return nil
		}
		err := f.swap(old, edited)
		if !errors.Is(err, durable.ErrChanged) {
			return f.readOnly(err)
		}
		if old, err = f.Read(); err != nil {
			return err
		}
		if edited, err = again(old); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s: %w", f.path, ErrUnstable)
}

// WriteNote writes a small file beside the file, which has its name and an ending
// such as ".trial". Who can read the file can read the note; its owner is whoever
// runs the program.
func (h *Hold) WriteNote(ending string, text []byte) error {
	f := h.f
	d, err := durable.OpenDir(filepath.Dir(f.real), f.hook)
	if err != nil {
		return err
	}
	defer d.Close()
	base := filepath.Base(f.real)
	info, err := d.Lookup(base)
	if err != nil {
		return err
	}
	o := durable.ReplaceOptions{Mode: 0o600 | info.Mode.Perm()&0o044, Lenient: f.PVE() || f.lenient, Temp: base + ".realmctl.tmp"}
	return f.readOnly(d.Replace(base+ending, text, o))
}

// RemoveNote removes a note; one that is not there is no error.
func (h *Hold) RemoveNote(ending string) error {
	f := h.f
	d, err := durable.OpenDir(filepath.Dir(f.real), f.hook)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Remove(filepath.Base(f.real) + ending); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return f.readOnly(err)
	}
	if err := d.Sync(); err != nil && !f.PVE() && !f.lenient {
		return err
	}
	return nil
}

// maxNote bounds a note, in bytes.
const maxNote = 64 << 10

// Note reads a note; it needs no lock. A note that others than root and the owner
// of the file could have written is a *NoteOwnerError; one that is not there wraps
// fs.ErrNotExist.
func (f *File) Note(ending string) ([]byte, error) {
	d, err := durable.OpenDir(filepath.Dir(f.real), f.hook)
	if err != nil {
		return nil, readError(f.path, err)
	}
	defer d.Close()
	base := filepath.Base(f.real)
	b, info, _, err := d.ReadFile(base+ending, maxNote)
	if err != nil {
		return nil, readError(f.path+ending, err)
	}
	file, err := d.Lookup(base)
	switch {
	case errors.Is(err, fs.ErrNotExist): // no such file is not no such note
		return nil, fmt.Errorf("%s: there is no %s beside it", f.path+ending, base)
	case err != nil:
		return nil, readError(f.path, err)
	}
	if info.UID != file.UID && info.UID != 0 || info.Mode.Perm()&0o022&^file.Mode.Perm() != 0 {
		return nil, &NoteOwnerError{f.path + ending, f.path}
	}
	return b, nil
}

// A NoteOwnerError means that a note may be anybody's work.
type NoteOwnerError struct{ Note, Path string }

func (e *NoteOwnerError) Error() string {
	return fmt.Sprintf("%s: others than root and the owner of %s could have written it, so it is not believed", e.Note, e.Path)
}

// Tolerate makes edits go on where the file system refuses owner, mode or flush,
// as one that knows no owners does. It is for an emergency: the new file may then
// belong to whoever runs the program, with mode 0600.
func (f *File) Tolerate() { f.lenient = true }
