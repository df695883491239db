// Package oathconf opens oathkit.toml: it finds the file, proves that only its
// owner can write it, and reads its [oath] table for the programs that need no
// more.
package oathconf

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"oathkit/pkg/config/oathtable"
)

// DefaultPath is the file that is read when no -c names another. It may be
// missing.
const DefaultPath = "/etc/oathkit/oathkit.toml"

// maxSize bounds a file that is surely no configuration, in bytes.
const maxSize = 1 << 20

// Values is the [oath] table.
type Values = oathtable.Table

// Load reads the [oath] table of the file at path. named says that somebody
// asked for this file: then it must exist, while a default file that is missing
// means the defaults.
func Load(path string, named bool) (Values, error) {
	b, err := Read(path, named)
	if err != nil {
		return Values{}, err
	}
	return oathtable.Parse(path, b)
}

// Read returns the bytes of the configuration at path, and none for a default
// file that is missing. A file that somebody else than root or the caller owns,
// or that its group or others can write, is refused: who writes it decides who
// gets in.
func Read(path string, named bool) ([]byte, error) {
	if path == os.DevNull {
		return nil, nil
	}
	// Without O_NONBLOCK the opening of a named pipe would wait for a writer.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if !named && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the configuration: %w", err)
	}
	defer f.Close()
	if err := trusted(f); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read the configuration: %w", err)
	}
	if len(b) > maxSize {
		return nil, fmt.Errorf("%s: is larger than %d bytes", path, maxSize)
	}
	return b, nil
}

// trusted looks at the opened file, not at its name, which could change.
func trusted(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("cannot be looked at: %w", err)
	}
	if !info.Mode().IsRegular() {
		return errors.New("is no regular file")
	}
	if perm := info.Mode().Perm(); perm&0o022 != 0 {
		return fmt.Errorf("has mode %04o, so others than its owner can write it; run: chmod go-w %s", perm, f.Name())
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("belongs to uid %d, neither root nor you (uid %d); run: chown root %s", st.Uid, os.Geteuid(), f.Name())
	}
	return nil
}
