package cli

import (
	"bufio"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// maxAnswer bounds a line that a person or a host gives as an answer.
const maxAnswer = 4096

// ReadLine reads one line from r, without its line ending. End of file before
// any byte is an empty answer. A line beyond 4096 bytes is an error.
func ReadLine(r io.Reader) (string, error) {
	line, err := bufio.NewReaderSize(io.LimitReader(r, maxAnswer+1), maxAnswer+1).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", err
	}
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = line[:n-1]
	} else if n > maxAnswer {
		return "", fmt.Errorf("line is longer than %d bytes", maxAnswer)
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line, nil
}

// AskSecret asks one question on /dev/tty, without echo. An interrupt is an
// error here, not the end of the program.
func AskSecret(prompt string) (string, error) {
	d, err := OpenDialogue()
	if err != nil {
		return "", err
	}
	defer d.Close()
	return d.AskSecret(prompt)
}

// IsTerminal says whether the file is a terminal.
func IsTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
