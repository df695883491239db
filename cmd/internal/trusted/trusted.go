// Package trusted reads files that decide over logins: a configuration, a realm
// file, a file of keys. One that somebody besides root and the caller could have
// written is refused: who writes it decides who gets in.
package trusted

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// ReadFile returns the bytes of the file at path, which must be a regular one of
// root or of the effective user, that neither its group nor others can write,
// and at most limit bytes long. Errors of opening are *fs.PathError.
func ReadFile(path string, limit int64) ([]byte, error) {
	// Without O_NONBLOCK the opening of a named pipe would wait for a writer.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// The opened file is looked at, not its name, which could change.
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := check(path, info); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	// A little more than the size, so that one read sees the end of the file.
	b := make([]byte, 0, min(info.Size(), limit)+512)
	for {
		n, err := f.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case int64(len(b)) > limit:
			return nil, fmt.Errorf("%s: is larger than %d bytes", path, limit)
		case errors.Is(err, io.EOF):
			return b, nil
		case err != nil:
			return nil, err
		case len(b) == cap(b):
			b = append(b, 0)[:len(b)]
		}
	}
}

func check(path string, info os.FileInfo) error {
	if !info.Mode().IsRegular() {
		return errors.New("is no regular file")
	}
	if perm := info.Mode().Perm(); perm&0o022 != 0 {
		return fmt.Errorf("has mode %04o, so others than its owner can write it; run: chmod go-w %s", perm, path)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("belongs to uid %d, neither root nor you (uid %d); run: chown root %s", st.Uid, os.Geteuid(), path)
	}
	return nil
}
