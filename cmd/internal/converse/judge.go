package converse

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// A Judge is the side that asks. It is not for concurrent use.
type Judge struct {
	in   *bufio.Reader
	out  io.Writer
	gone bool // there is nobody to ask any more
}

// NewJudge listens to a host and returns what it says of the person.
func NewJudge(in io.Reader, out io.Writer) (*Judge, Head, error) {
	j := &Judge{in: bufio.NewReaderSize(in, MaxLine), out: out}
	head, err := readHead(j.in)
	if err != nil {
		return j, Head{}, fmt.Errorf("what the host says of the person cannot be read: %w", err)
	}
	return j, head, nil
}

// Tell shows a text to the person, line by line.
func (j *Judge) Tell(text string) error { return j.lines("tell", text) }

// Warn shows a text as an error.
func (j *Judge) Warn(text string) error { return j.lines("warn", text) }

// Ask asks a question whose answer does not show.
func (j *Judge) Ask(prompt string) (string, error) { return j.ask("ask", prompt) }

// AskShown asks a question whose answer may show.
func (j *Judge) AskShown(prompt string) (string, error) { return j.ask("ask-shown", prompt) }

// Say gives the verdict, after which there is nothing more to say.
func (j *Judge) Say(v Verdict) error { return j.line("verdict", string(v)) }

func (j *Judge) lines(word, text string) error {
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		if err := j.line(word, line); err != nil {
			return err
		}
	}
	return nil
}

func (j *Judge) line(word, text string) error {
	b, err := appendLine(nil, word, text)
	if err == nil {
		_, err = j.out.Write(b)
	}
	clear(b)
	if err != nil {
		return fmt.Errorf("cannot talk to the host: %w", err)
	}
	return nil
}

func (j *Judge) ask(word, prompt string) (string, error) {
	if j.gone {
		return "", ErrCancelled
	}
	if err := j.line(word, prompt); err != nil {
		return "", err
	}
	line, err := readLine(j.in)
	if err == nil && line == "cancel" {
		return "", ErrCancelled // and perhaps another question
	}
	text, ok := strings.CutPrefix(line, "answer ")
	switch {
	case err == io.EOF:
		err = ErrCancelled
	case err == nil && !ok:
		err = errLine
	case err == nil:
		return text, nil
	}
	j.gone = true
	return "", err
}
