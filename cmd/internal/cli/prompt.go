package cli

import (
	"bufio"
	"errors"
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

// AskSecret asks on /dev/tty without echo. The terminal is raw before the
// question is on it, so that what is typed ahead does not show, and is restored
// also after an interrupt, which is an error here.
func AskSecret(prompt string) (string, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return "", fmt.Errorf("no terminal to ask on: %w", err)
	}
	defer tty.Close()
	fd := int(tty.Fd())
	before, err := term.MakeRaw(fd)
	if err != nil {
		return "", fmt.Errorf("cannot turn off the terminal's echo: %w", err)
	}
	defer term.Restore(fd, before)
	answer, err := term.NewTerminal(tty, "").ReadPassword(prompt)
	switch {
	case err == io.EOF:
		return "", errors.New("the question was not answered")
	case err != nil:
		return "", fmt.Errorf("cannot read from the terminal: %w", err)
	case len(answer) > maxAnswer:
		return "", fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
	}
	return answer, nil
}

// IsTerminal says whether the file is a terminal.
func IsTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
