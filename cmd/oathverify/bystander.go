package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"oathkit/cmd/internal/cli"
)

// A bystander is the person at the other end of a session: on his terminal, or
// behind the pipes that sshd makes for scp and the like. The terminal is opened
// when there is something to ask, so that who is not asked needs none.
type bystander struct {
	c     *cli.Context
	stdin bool // without a terminal, the first line of standard input is the answer

	tried bool
	tty   *cli.Dialogue // nil without a terminal
	err   error         // why there was no answer
}

var (
	errNoTerminal = errors.New("a code is asked for, and there is no terminal to ask on")
	errNoCode     = errors.New("standard input does not begin with a line that could be a code")
)

func (p *bystander) terminal() *cli.Dialogue {
	if !p.tried {
		p.tried = true
		p.tty, _ = cli.OpenDialogue()
	}
	return p.tty
}

func (p *bystander) close() {
	if p.tty != nil {
		p.tty.Close()
	}
}

// Tell shows a text, without a terminal as an error, which ssh shows too.
func (p *bystander) Tell(text string) error {
	if tty := p.terminal(); tty != nil {
		return tty.Say("%s", cli.Printable(text))
	}
	p.c.Say("%s", cli.Printable(text))
	return nil
}

// Warn shows a text as an error.
func (p *bystander) Warn(text string) error { return p.Tell(text) }

// Ask asks on the terminal, or takes the answer from standard input.
func (p *bystander) Ask(prompt string) (string, error) {
	return p.answer(func(tty *cli.Dialogue) (string, error) { return tty.AskSecret(cli.Printable(prompt)) })
}

// AskShown asks for what may show.
func (p *bystander) AskShown(prompt string) (string, error) {
	return p.answer(func(tty *cli.Dialogue) (string, error) { return tty.Ask(cli.Printable(prompt)) })
}

func (p *bystander) answer(ask func(tty *cli.Dialogue) (string, error)) (answer string, err error) {
	switch tty := p.terminal(); {
	case tty != nil:
		answer, err = ask(tty)
	case p.stdin:
		answer, err = codeLine(p.c.Stdin)
	default:
		err = errNoTerminal
	}
	p.err = err
	return answer, err
}

// maxCodeLine is longer than a recovery code, in bytes.
const maxCodeLine = 64

// codeLine reads one line and not a byte more, for the rest belongs to the
// command. What cannot be a code is none: the first bytes of somebody's file must
// not count as a wrong answer.
func codeLine(in *os.File) (string, error) {
	var line []byte
	for b := make([]byte, 1); len(line) <= maxCodeLine; {
		switch _, err := in.Read(b); {
		case err == io.EOF:
			return "", errNoCode
		case err != nil:
			return "", fmt.Errorf("cannot read standard input: %w", err)
		}
		c := b[0]
		switch {
		case c == '\n' && len(line) > 0:
			return string(line), nil
		case c >= '0' && c <= '9', c|0x20 >= 'a' && c|0x20 <= 'z', c == '-', c == ' ':
			line = append(line, c)
		default:
			return "", errNoCode
		}
	}
	return "", errNoCode
}
