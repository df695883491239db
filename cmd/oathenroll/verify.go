package main

import (
	"oathkit/cmd/internal/cli"
	"oathkit/pkg/mfa"
)

// runVerify judges a code as a login does: a right one is used up, a wrong one
// counted.
func (o *options) runVerify(c *cli.Context) error {
	s, _, err := o.openEnrolled(c)
	if err != nil {
		return err
	}
	if s.talk, err = o.openTalk(c, nil); err != nil {
		return err
	}
	defer s.close()
	code, err := s.secret("Code: ")
	if err != nil {
		return err
	}
	r, err := s.judge("verify", code, mfa.ForLogin)
	if err != nil {
		return err
	}
	if r.Activated {
		return s.say("The code is right, and your enrolment is verified now")
	}
	return s.say("The code is right")
}
