// Package trusted reads files that decide over logins: a configuration, a realm
// file, a file of keys. One that somebody besides root and the caller could have
// written is refused: who writes it decides who gets in.
package trusted

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// ReadFile returns the bytes of the file at path, which must be a regular one of
// root or of the effective user, that neither its group nor others can write,
// and at most limit bytes long. Errors of the system are *fs.PathError.
//
// Package os would set up the runtime's poller for a file that never waits, at
// the cost of four system calls in every login.
func ReadFile(path string, limit int64) ([]byte, error) { return read(path, limit, 0) }

// ReadSecret is ReadFile for a file that nobody but its owner may be able to
// read.
func ReadSecret(path string, limit int64) ([]byte, error) { return read(path, limit, 0o077) }

// Program says why a program must not be run: it is not there, or somebody
// besides root and the caller could have put it there. A link is followed.
func Program(path string) error {
	var st syscall.Stat_t
	if err := again(func() error { return syscall.Stat(path, &st) }); err != nil {
		return &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	if err := check(path, &st); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func read(path string, limit int64, without uint32) ([]byte, error) {
	// Without O_NONBLOCK the opening of a named pipe would wait for a writer.
	var fd int
	err := again(func() (err error) {
		fd, err = syscall.Open(path, syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC|syscall.O_NOCTTY, 0)
		return err
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer syscall.Close(fd)
	// The opened file is looked at, not its name, which could change.
	var st syscall.Stat_t
	if err := syscall.Fstat(fd, &st); err != nil {
		return nil, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	if err := check(path, &st); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if st.Mode&without != 0 {
		return nil, fmt.Errorf("%s: has mode %04o, so others than its owner can read a secret in it; run: chmod 0600 %s, and make a new secret", path, st.Mode&0o777, path)
	}
	// A little more than the size, so that the end of the file is seen.
	b := make([]byte, 0, min(st.Size, limit)+512)
	for {
		var n int
		err := again(func() (err error) {
			n, err = syscall.Read(fd, b[len(b):cap(b)])
			return err
		})
		if err != nil {
			return nil, &fs.PathError{Op: "read", Path: path, Err: err}
		}
		b = b[:len(b)+n]
		switch {
		case int64(len(b)) > limit:
			return nil, fmt.Errorf("%s: is larger than %d bytes", path, limit)
		case n == 0:
			return b, nil
		case len(b) == cap(b):
			b = append(b, 0)[:len(b)]
		}
	}
}

// again makes a system call until no signal interrupts it.
func again(call func() error) error {
	for {
		if err := call(); err != syscall.EINTR {
			return err
		}
	}
}

func check(path string, st *syscall.Stat_t) error {
	switch euid := os.Geteuid(); {
	case st.Mode&syscall.S_IFMT != syscall.S_IFREG:
		return errors.New("is no regular file")
	case st.Mode&0o022 != 0:
		return fmt.Errorf("has mode %04o, so others than its owner can write it; run: chmod go-w %s", st.Mode&0o777, path)
	case st.Uid != 0 && int(st.Uid) != euid:
		return fmt.Errorf("belongs to uid %d, neither root nor you (uid %d); run: chown root %s", st.Uid, euid, path)
	}
	return nil
}
