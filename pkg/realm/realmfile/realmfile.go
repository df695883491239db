// Package realmfile is the domains file on disk: it finds it, reads it, and
// replaces it so that no other edit is lost and a power cut leaves the old file
// or the new one.
//
// An edit is optimistic. The bytes are read without a lock and the new ones made
// of them; then, under the lock, it is proved that the file still holds what was
// read, and otherwise the edit is made again of what is there. The lock is flock
// on FILE.lock, a permanent empty file; it keeps two programs of this kind apart.
// A program that knows no lock and renames a file of its own into place is
// noticed as well, see [durable.Dir.Swap]. What was replaced becomes FILE~.
//
// Below /etc/pve, the cluster file system of Proxmox VE (pmxcfs), other rules
// hold: the lock is a folder that is made, see [durable.MkdirLock], chmod, chown,
// fsync and the exchange of two names may be refused, and a file has at most 1 MiB.
// Without a majority of the cluster's nodes it is read-only. Where it is not
// mounted, what lies in its place is nothing that Proxmox VE reads, and is not
// edited.
//
// What the bytes mean is the business of package realm.
package realmfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"oathkit/pkg/internal/durable"
)

// maxFile bounds what is read, in bytes.
const maxFile = 256 << 20

// Info is what is told of a file besides its bytes.
type Info = durable.Info

// A File is a domains file that can be replaced.
type File struct {
	path string // as it was given
	real string // where it is, without links
	root string // of the cluster file system it is in; "" for any other

	lenient bool // see Tolerate

	seen durable.Seen // what Read read last
	hook durable.Hook // for tests
}

// A LinkError means that a symbolic link was not followed.
type LinkError struct{ Path, Folder string }

func (e *LinkError) Error() string {
	return fmt.Sprintf("%s: a symbolic link leads through folder %q, which others can write; it is not followed to be replaced", e.Path, e.Folder)
}

// Open finds the file to replace. Proxmox VE's cluster file system is at the
// folder pve. A link is followed only when nobody but root and the caller can
// write the folder that it is in and the folder that it leads to: anybody else
// could make root replace a file of his choice. The error wraps fs.ErrNotExist
// when there is no such file, or is a *LinkError.
func Open(path, pve string) (*File, error) {
	real, err := follow(path)
	if err != nil {
		return nil, err
	}
	f := &File{path: path, real: real}
	if Below(real, pve) {
		f.root = resolve(pve)
	}
	return f, nil
}

// Path is the name that the file was opened by.
func (f *File) Path() string { return f.path }

// PVE says whether Proxmox VE reads the file.
func (f *File) PVE() bool { return f.root != "" }

// Read reads the file.
func (f *File) Read() ([]byte, error) {
	b, _, seen, err := read(f.real)
	f.seen = seen
	return b, err
}

// Read reads a whole regular file of at most 256 MiB. Links are followed; a FIFO
// does not hang it.
func Read(path string) ([]byte, Info, error) {
	b, info, _, err := read(path)
	return b, info, err
}

func read(path string) ([]byte, Info, durable.Seen, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, Info{}, durable.Seen{}, readError(path, err)
	}
	d, err := durable.OpenDir(filepath.Dir(real), nil)
	if err != nil {
		return nil, Info{}, durable.Seen{}, readError(path, err)
	}
	defer d.Close()
	b, info, seen, err := d.ReadFile(filepath.Base(real), maxFile)
	if err != nil {
		return nil, info, seen, readError(path, err)
	}
	return b, info, seen, nil
}

// readError names the file as it was given, with the system's error.
func readError(path string, err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return fmt.Errorf("cannot read %q: %w", path, errno)
	}
	return err
}

// Backup reads FILE~. It decides who gets in as soon as it is put back, so a
// backup that others than the owner of the file could have written is a
// *BackupOwnerError; one that is not there wraps fs.ErrNotExist.
func (f *File) Backup() ([]byte, error) {
	d, err := durable.OpenDir(filepath.Dir(f.real), nil)
	if err != nil {
		return nil, readError(f.path, err)
	}
	defer d.Close()
	base := filepath.Base(f.real)
	b, info, _, err := d.ReadFile(base+"~", maxFile)
	if err != nil {
		return nil, readError(f.path+"~", err)
	}
	file, err := d.Lookup(base)
	if err != nil {
		return nil, readError(f.path, err)
	}
	if info.UID != file.UID && info.UID != 0 || info.Mode.Perm()&0o022&^file.Mode.Perm() != 0 {
		return nil, &BackupOwnerError{f.path}
	}
	return b, nil
}

// A BackupOwnerError means that FILE~ may be anybody's work.
type BackupOwnerError struct{ Path string }

func (e *BackupOwnerError) Error() string {
	return fmt.Sprintf("%s~: others than the owner of %s could have written it, so it is not put back", e.Path, e.Path)
}

// Below says whether a file is in or below a folder, wherever links lead.
func Below(path, folder string) bool {
	abs, err := filepath.Abs(path)
	return err == nil && strings.HasPrefix(resolve(abs), resolve(folder)+"/")
}

// resolve is a path without symbolic links, as far as it exists.
func resolve(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		return filepath.Join(dir, filepath.Base(path))
	}
	return filepath.Clean(path)
}

// follow finds what a path names, see Open.
func follow(path string) (string, error) {
	at, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	for links := 0; links < 40; links++ {
		// The folder's own links must be gone before ".." in a link means
		// what it means to the kernel.
		dir, err := filepath.EvalSymlinks(filepath.Dir(at))
		if err != nil {
			return "", readError(path, err)
		}
		at = filepath.Join(dir, filepath.Base(at))
		info, err := os.Lstat(at)
		if err != nil {
			return "", readError(path, err)
		}
		link := info.Mode()&fs.ModeSymlink != 0
		if (link || links > 0) && !safe(dir) {
			return "", &LinkError{path, dir}
		}
		if !link {
			return at, nil
		}
		to, err := os.Readlink(at)
		if err != nil {
			return "", readError(path, err)
		}
		if !filepath.IsAbs(to) {
			to = dir + "/" + to
		}
		at = to
	}
	return "", fmt.Errorf("cannot read %q: %w", path, syscall.ELOOP)
}

// safe says whether nobody but root and the caller can change the names in a
// folder.
func safe(dir string) bool {
	info, err := os.Stat(dir)
	if err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && (st.Uid == 0 || int(st.Uid) == os.Geteuid()) && info.Mode().Perm()&0o022 == 0
}
