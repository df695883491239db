package cli

import (
	"os"

	"golang.org/x/term"
)

// TerminalSize is the columns and rows of the terminal that the file is. ok is
// false where it is none, or one that does not know its size, such as a serial
// line.
func TerminalSize(f *os.File) (columns, rows int, ok bool) {
	columns, rows, err := term.GetSize(int(f.Fd()))
	if err != nil || columns <= 0 || rows <= 0 {
		return 0, 0, false
	}
	return columns, rows, true
}
