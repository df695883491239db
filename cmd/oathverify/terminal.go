package main

import (
	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/login"
)

// A terminal is the person at /dev/tty.
type terminal struct{ d *cli.Dialogue }

func (t terminal) Tell(text string) error            { return t.d.Say("%s", text) }
func (t terminal) Warn(text string) error            { return t.d.Say("%s", text) }
func (t terminal) Ask(prompt string) (string, error) { return t.d.AskSecret(prompt) }

// talkAtTerminal is a login at Duo by hand: what can be done is listed there.
func (o *options) talkAtTerminal(c *cli.Context, l *login.Login) error {
	d, err := cli.OpenDialogue()
	if err != nil {
		return o.unsure(c, l, l.Fail(err))
	}
	defer d.Close()
	r, err := l.Converse(terminal{d}, login.Talk{})
	if err != nil {
		return o.unsure(c, l, err)
	}
	if o.explain {
		c.Say("%s", askedDuo(r))
	}
	// The person has been told.
	if o.json {
		if err := c.JSON(verdictOf(l, r)); err != nil {
			return err
		}
	}
	if !r.OK {
		return cli.ErrNo
	}
	return nil
}
