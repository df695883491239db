package main

import (
	"bufio"
	"errors"
	"io"

	"oathkit/cmd/internal/cli"
)

// A talk is the conversation with the person: on the terminal, or, in a batch,
// with a script that has its secrets in standard input and wants its data on
// standard output.
type talk struct {
	c     *cli.Context
	d     *cli.Dialogue // nil in a batch, and where nothing has to be asked
	lines *bufio.Reader // the batch's
	batch bool
}

// maxLine bounds a line of a batch, in bytes.
const maxLine = 4096

// openTalk begins a conversation. needed are the options that a batch must
// give, because they answer what would be asked for.
func (o *options) openTalk(c *cli.Context, needed map[string]answer) (*talk, error) {
	if o.batch {
		for _, name := range [...]string{"scan", "show-key", "save"} {
			if a, asked := needed[name]; asked && !a.given {
				return nil, cli.Misused("option %q is needed with %q", "--"+name, "--batch")
			}
		}
		return &talk{c: c, batch: true, lines: bufio.NewReaderSize(c.Stdin, maxLine)}, nil
	}
	d, err := cli.OpenDialogue()
	if err != nil {
		return nil, cli.Misused("%w", err).
			Hint("without a terminal every answer must be given: --batch, and see oathenroll(1)")
	}
	return &talk{c: c, d: d}, nil
}

// openQuiet begins a conversation in which nothing is asked, so that it needs no
// terminal.
func (o *options) openQuiet(c *cli.Context) *talk {
	if d, err := cli.OpenDialogue(); err == nil && !o.batch {
		return &talk{c: c, d: d}
	}
	return &talk{c: c}
}

func (t *talk) close() {
	if t.d != nil {
		t.d.Close()
	}
}

// page turns to a screen that leaves nothing behind, if it has as many rows.
func (t *talk) page(rows int) error {
	if t.d == nil {
		return nil
	}
	if _, have, ok := t.d.Size(); ok && have < rows {
		return nil
	}
	return unsure(t.d.Page())
}

// pause holds a page where the question that would do so was answered by an
// option.
func (t *talk) pause(a answer) error {
	if t.d == nil || !a.given {
		return nil
	}
	_, err := t.d.Ask("Press Enter to go on ")
	t.endPage()
	return unsure(err)
}

func (t *talk) endPage() {
	if t.d != nil {
		t.d.EndPage()
	}
}

// say tells the person something that is no secret.
func (t *talk) say(line string) error {
	if t.d == nil {
		t.c.Say("%s", line)
		return nil
	}
	return unsure(t.d.Say("%s", line))
}

// show gives the person, or the script, what nobody else may see.
func (t *talk) show(lines ...string) error {
	for _, line := range lines {
		if t.d != nil {
			if err := t.d.Say("%s", line); err != nil {
				return unsure(err)
			}
			continue
		}
		if _, err := t.c.Stdout.WriteString(line + "\n"); err != nil {
			return cli.StdoutError(err)
		}
	}
	return nil
}

// explain puts what shows next into words; a script needs none.
func (t *talk) explain(lines ...string) error {
	if t.d == nil {
		return nil
	}
	return t.show(lines...)
}

// ask asks a question whose answer shows; secret is for one that does not.
func (t *talk) ask(prompt string) (string, error) {
	if t.d == nil {
		return t.line()
	}
	s, err := t.d.Ask(prompt)
	return s, unsure(err)
}

func (t *talk) secret(prompt string) (string, error) {
	if t.d == nil {
		return t.line()
	}
	s, err := t.d.AskSecret(prompt)
	return s, unsure(err)
}

// yes asks a question of yes or no, unless an option has answered it. Without
// a terminal an answer that is not given is no.
func (t *talk) yes(question string, a answer) (bool, error) {
	if a.given || t.d == nil {
		return a.yes, nil
	}
	yes, err := t.d.AskYes(question)
	return yes, unsure(err)
}

// line is the next line of the batch. What was printed so far is given to the
// script first, for the answer may depend on it.
func (t *talk) line() (string, error) {
	if err := t.c.Stdout.Flush(); err != nil {
		return "", cli.StdoutError(err)
	}
	line, err := t.lines.ReadSlice('\n')
	switch {
	case errors.Is(err, io.EOF) && len(line) == 0:
		return "", cli.Unsure("standard input ended where an answer was due")
	case errors.Is(err, bufio.ErrBufferFull):
		return "", cli.Unsure("a line of standard input is longer than %d bytes", maxLine)
	case err != nil && !errors.Is(err, io.EOF):
		return "", cli.Unsure("cannot read standard input: %w", err)
	}
	s := string(line)
	for _, end := range [...]string{"\n", "\r"} {
		if n := len(s); n > 0 && s[n-1:] == end {
			s = s[:n-1]
		}
	}
	return s, nil
}

func unsure(err error) error {
	if err == nil {
		return nil
	}
	return cli.Unsure("%w", err)
}
