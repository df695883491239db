package main

import (
	"context"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/audit"
	"oathkit/pkg/mfa"
	"oathkit/pkg/password"
	"oathkit/pkg/verify"
)

// allow asks for what a change needs: a current code or a recovery code of
// whoever has an activated factor, so that a session that somebody left open is
// not enough, and the password where the site can judge it.
func (s *session) allow(u mfa.User, withPassword bool) error {
	if u.Activated() {
		if err := s.askCode(u); err != nil {
			return err
		}
		s.proved = true
	}
	if withPassword && len(s.Config.Login.Password) > 0 {
		return s.askPassword()
	}
	return nil
}

// askCode asks for a current code or a recovery code. Where no code can be
// sent, because of a lock or of the command that should, the recovery codes are
// left.
func (s *session) askCode(u mfa.User) error {
	if c := onlySent(u); c != nil {
		if err := s.sendCode(c.ID, mfa.ForChange); err != nil {
			s.c.Warn("%v", err)
		}
	}
	prompt := "Current code or recovery code: "
	if onlyDuo(u) {
		// A passcode of Duo's would be counted as a wrong code.
		if u.Record.Recovery.Left(u.State.For(u.Record).RecoveryUsed) == 0 {
			return cli.Refused("your factor is Duo, which is not asked here, and you have no recovery codes").
				Hint("the administrator can change your factors, or make recovery codes: mfactl codes %s", u.ID)
		}
		prompt = "Recovery code: "
	}
	code, err := s.secret(prompt)
	if err != nil {
		return err
	}
	_, err = s.judge("confirm", code, mfa.ForChange)
	return err
}

// onlySent is the credential to which a code must be sent before the user can
// give one: the first activated one, if none makes codes by itself.
func onlySent(u mfa.User) *mfa.Credential {
	var first *mfa.Credential
	for i := range u.Record.Credentials {
		c := &u.Record.Credentials[i]
		switch {
		case !c.Activated, c.Kind == mfa.Duo:
		case !c.Kind.Sent():
			return nil
		case first == nil:
			first = c
		}
	}
	return first
}

// onlyDuo says whether the user has nothing else that is activated.
func onlyDuo(u mfa.User) bool {
	duo := false
	for i := range u.Record.Credentials {
		if c := &u.Record.Credentials[i]; c.Activated {
			if c.Kind != mfa.Duo {
				return false
			}
			duo = true
		}
	}
	return duo
}

// judge holds an answer against what the user has, in a transaction: a right
// one is used up, a wrong one counted.
func (s *session) judge(event, answer string, purpose mfa.Purpose) (verify.Result, error) {
	var r verify.Result
	err := s.update(func(u mfa.User) (after mfa.User, err error) {
		r, after = verify.Decide(u, answer, s.now, s.policy(purpose))
		return after, nil
	})
	if err != nil {
		return r, err
	}
	err = s.record(audit.Event{
		Event: event, Verdict: string(r.Verdict), Reason: r.Reason,
		Credential: r.Credential, Kind: r.Kind, Offset: r.Offset,
	})
	switch {
	case err != nil:
		return r, err
	case !r.OK:
		return r, cli.Refused(refusal)
	}
	if r.Kind == "recovery" && r.RecoveryLeft <= fewCodes {
		s.c.Warn("%d recovery codes are left", r.RecoveryLeft)
	}
	return r, nil
}

// fewCodes is from how many recovery codes left on a person is warned.
const fewCodes = 3

// askPassword asks for the password, twice as people know it from here, and has
// the administrator's program judge it.
func (s *session) askPassword() error {
	given, err := s.secret("Password: ")
	if err != nil {
		return err
	}
	again, err := s.secret("Repeat for confirmation: ")
	if err != nil {
		return err
	}
	if given != again {
		return cli.Refused("the two entered passwords do not match").Hint("nothing was changed")
	}
	ok, err := password.Check(context.Background(), s.Config.Login.Password, s.who.name, given)
	if err != nil {
		return cli.Unsure("%w", err)
	}
	if !ok {
		if err := s.refused("confirm", "password", "wrong-password"); err != nil {
			return err
		}
		return cli.Refused("wrong password")
	}
	return s.record(audit.Event{Event: "confirm", Verdict: "accepted", Kind: "password", Reason: "right-password"})
}
