package main

import (
	"crypto/rand"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/audit"
	"oathkit/pkg/deliver"
	"oathkit/pkg/mfa"
	"oathkit/pkg/verify"
)

// runRemove takes away everything that the user has, for whoever can give a
// current code, the password and a token that was mailed to the user.
func (o *options) runRemove(c *cli.Context) error {
	s, u, err := o.openEnrolled(c)
	if err != nil {
		return err
	}
	if why, required := s.Realms.Required(s.who.realm); required {
		return cli.Refused("removing it would lock %s out: %s", s.who.id, why).
			Hint("'oathenroll mk' adds another factor; only the administrator can take away the last one")
	}
	if err := s.CanSend(mfa.Email); err != nil {
		return err
	}
	address, err := s.address(u)
	if err != nil {
		return err
	}
	if s.talk, err = o.openTalk(c, nil); err != nil {
		return err
	}
	defer s.close()
	if err := s.allow(u, true); err != nil {
		return err
	}
	if err := s.sendToken(address, u.Record.Epoch); err != nil {
		return err
	}
	if err := s.say("You should have received an email with a confirmation token."); err != nil {
		return err
	}
	token, err := s.ask("Please, paste the token to continue: ")
	if err != nil {
		return err
	}
	return s.confirmRemoval(token)
}

// sendToken makes the token that removes, keeps its hash, and mails it once the
// user's lock is given up. One that cannot be sent is revoked.
func (s *session) sendToken(address string, epoch [16]byte) error {
	issuer, err := s.issuer()
	if err != nil {
		return err
	}
	var token string
	err = s.update(func(u mfa.User) (after mfa.User, err error) {
		if u.Record.Epoch != epoch || u.Activated() && !s.proved {
			return u, changedMeanwhile()
		}
		if token, after, err = mfa.RequestRemoval(u, s.now, rand.Reader); err != nil {
			return u, sendRefusal(err)
		}
		return after, nil
	})
	if err != nil {
		return err
	}
	body := "Somebody asked for the second factor of " + s.who.id + " at " + issuer + "\n" +
		"to be disabled. The token that does it is\n\n    " + token + "\n\n" +
		"It is good for 15 minutes, once. If it was not you who asked, give it to\nnobody and tell your administrator.\n"
	if err := s.SendMail(deliver.Mail{To: address, Subject: "Confirmation token", Body: body, Date: s.now, Secret: token}); err != nil {
		return s.undo(err, "removal-token", mfa.Credential{}, func(u mfa.User) mfa.User { return mfa.RevokeRemoval(u, token) })
	}
	if err := s.done("removal-token", "", "removal", ""); err != nil {
		return err
	}
	return s.say("Confirmation email sent.")
}

// confirmRemoval judges the token: a right one removes, a wrong one is counted.
func (s *session) confirmRemoval(token string) error {
	var r verify.Result
	err := s.update(func(u mfa.User) (after mfa.User, err error) {
		if u.Activated() && !s.proved {
			return u, changedMeanwhile()
		}
		r, after = verify.ConfirmRemoval(u, token, s.now, s.policy(mfa.ForChange))
		return after, nil
	})
	if err != nil {
		return err
	}
	e := audit.Event{Event: "disable", Verdict: "done", Kind: "removal", Reason: r.Reason}
	if !r.OK {
		e.Event, e.Verdict = "removal", string(r.Verdict)
	}
	recorded := s.record(e)
	switch {
	case r.OK && recorded != nil:
		return cli.Unsure("%w; the change was made all the same", recorded)
	case recorded != nil:
		return recorded
	case r.OK:
		return s.say("TOTP has been disabled")
	case r.Reason == "expired-token":
		return cli.Refused("the token is too old: it was good for 15 minutes").Hint("begin again")
	}
	return cli.Refused("wrong token, or too many tries").Hint("nothing was removed")
}
