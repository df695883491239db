package main

import (
	"crypto/rand"
	"errors"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/mfa"
	"oathkit/pkg/verify"
)

// runGetToken sends a code to whoever gets his codes so.
func (o *options) runGetToken(c *cli.Context) error {
	s, u, err := o.openEnrolled(c)
	if err != nil {
		return err
	}
	cr := sentTo(u)
	if cr == nil {
		return cli.Refused("your codes are not sent: your own device makes them")
	}
	s.talk = o.openQuiet(c)
	defer s.close()
	return s.sendCode(cr.ID, mfa.ForLogin)
}

// sentTo is the credential whose codes are sent: an activated one before
// another.
func sentTo(u mfa.User) *mfa.Credential {
	var found *mfa.Credential
	for i := range u.Record.Credentials {
		if c := &u.Record.Credentials[i]; c.Kind.Sent() && c.Kind != mfa.Duo && (found == nil || c.Activated && !found.Activated) {
			found = c
		}
	}
	return found
}

// sendCode makes a code, keeps its hash, and sends it once the user's lock is
// given up. A code that cannot be sent is revoked.
func (s *session) sendCode(credID string, purpose mfa.Purpose) error {
	var cr mfa.Credential
	var code string
	err := s.update(func(u mfa.User) (mfa.User, error) {
		standing, err := verify.Status(u, s.now, s.policy(purpose))
		switch {
		case err != nil:
			return u, cli.Unsure("%w", err)
		case standing.Locked:
			return u, cli.Refused("no code is sent: too many tries").Hint("a recovery code opens the lock")
		}
		var after mfa.User
		if code, after, err = mfa.Send(u, credID, purpose, s.now, rand.Reader); err != nil {
			return u, sendRefusal(err)
		}
		cr = after.Record.Credentials[after.Record.Find(credID)]
		return after, nil
	})
	if err != nil {
		return err
	}
	if err := s.SendCode(cr, code, s.now); err != nil {
		return s.undo(err, "send", cr, func(u mfa.User) mfa.User { return mfa.RevokeSent(u, code) })
	}
	if err := s.done("send", cr.ID, string(cr.Kind), purpose.String()); err != nil {
		return err
	}
	return s.say("Verification code requested")
}

// undo revokes what could not be delivered, and records it.
func (s *session) undo(cause error, event string, cr mfa.Credential, revoke func(mfa.User) mfa.User) error {
	err := s.update(func(u mfa.User) (mfa.User, error) { return revoke(u), nil })
	if err != nil {
		s.c.Warn("what was not delivered could not be revoked, and is good until it is too old: %v", err)
	}
	if err := s.refused(event, string(cr.Kind), "not-delivered: "+cause.Error()); err != nil {
		return errors.Join(cause, err)
	}
	return cause
}

func sendRefusal(err error) error {
	var soon *mfa.TooSoonError
	switch {
	case errors.As(err, &soon):
		return cli.Refused("%w", err)
	case errors.Is(err, mfa.ErrNoCredential):
		return cli.Refused("your factors have been changed meanwhile").Hint("begin again")
	}
	return cli.Unsure("%w", err)
}

// address is where the person gets mail: what the record says, else his line
// of the file of users.
func (s *session) address(u mfa.User) (string, error) {
	if u.Record.Email != "" {
		return u.Record.Email, nil
	}
	email, err := s.EmailOf(s.who.id)
	switch {
	case err != nil:
		return "", cli.Unsure("%w", err)
	case email == "":
		return "", cli.Refused("no e-mail address of %s is known", s.who.id).
			Hint("the administrator can name one in user.cfg, or with 'mfactl enable --email'")
	}
	if err := mfa.CheckEmail(email); err != nil {
		return "", cli.Unsure("%s: %w", s.UsersFile(), err)
	}
	return email, nil
}
