package main

import (
	"crypto/rand"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/mfa"
)

// codeCount is how many recovery codes an enrolment gives, as vss-cli does. The
// configuration's number is for those that an administrator makes.
const codeCount = 8

// runCodes makes a new set of recovery codes for whoever has an activated
// factor; the key stays.
func (o *options) runCodes(c *cli.Context) error {
	s, u, err := o.openEnrolled(c)
	switch {
	case err != nil:
		return err
	case !u.Activated():
		return cli.Refused("none of your factors has been verified yet").
			Hint("'oathenroll verify' does it; recovery codes come after that")
	}
	issuer, err := s.issuer()
	if err != nil {
		return err
	}
	if s.talk, err = o.openTalk(c, map[string]answer{"save": o.save}); err != nil {
		return err
	}
	defer s.close()
	if err := s.allow(u, false); err != nil {
		return err
	}
	var codes []string
	err = s.update(func(now mfa.User) (after mfa.User, err error) {
		if now.Record.Epoch != u.Record.Epoch {
			return now, changedMeanwhile()
		}
		codes, after, err = mfa.NewRecoveryCodes(now, codeCount, rand.Reader)
		return after, err
	})
	if err != nil {
		return err
	}
	unrecorded := s.done("codes", "", "recovery", "")
	if err := s.page(len(codes) + 3); err != nil {
		return err
	}
	if err := s.printCodes(codes); err != nil {
		return err
	}
	if _, err := s.offerToSave(issuer, codes); err != nil {
		return err
	}
	return unrecorded
}

func changedMeanwhile() error {
	return cli.Refused("your factors have been changed meanwhile").Hint("begin again")
}
