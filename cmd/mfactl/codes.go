package main

import (
	"crypto/rand"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/mfa"
)

func (o *options) runCodes(c *cli.Context) error {
	s, t, err := o.openFor(c, false)
	if err != nil {
		return err
	}
	var codes []string
	var left int
	err = s.update(t, func(u mfa.User) (after mfa.User, err error) {
		left = u.Record.Recovery.Left(u.State.For(u.Record).RecoveryUsed)
		codes, after, err = mfa.NewRecoveryCodes(u, s.Config.Enroll.RecoveryCodes, rand.Reader)
		return after, err
	})
	if err != nil {
		return err
	}
	unrecorded := s.record(t, "codes", "", "recovery", "")
	if err := s.printCodes(codes); err != nil {
		return cli.Unsure("%w", err).
			Hint("user %q has new recovery codes that nobody saw: run 'mfactl codes %s' again", t.id, t.id)
	}
	c.Say("User %s has %d new recovery codes, each good once instead of a code", c.Args[0], len(codes))
	if left > 0 {
		c.Say("The older ones, of which %d were left, are void", left)
	}
	return unrecorded
}

func (s *session) printCodes(codes []string) error {
	if s.json {
		if err := s.c.JSON(struct {
			Codes []string `json:"codes"`
		}{codes}); err != nil {
			return err
		}
	} else {
		for _, code := range codes {
			if _, err := s.c.Stdout.WriteString(code + "\n"); err != nil {
				return cli.StdoutError(err)
			}
		}
	}
	if err := s.c.Stdout.Flush(); err != nil {
		return cli.StdoutError(err)
	}
	return nil
}
