// Package oathconf opens oathkit.toml: it finds the file, proves that only its
// owner can write it, and reads its [oath] table for the programs that need no
// more.
package oathconf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"oathkit/cmd/internal/trusted"
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
	b, err := trusted.ReadFile(path, maxSize)
	if !named && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the configuration: %w", err)
	}
	return b, nil
}
