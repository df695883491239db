package main

import (
	"context"
	"crypto/rand"
	"errors"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/mfa"
	"oathkit/pkg/verify"
)

// sent is the verdict of --method email and --method sms: a no, with a code on
// its way.
const sent verify.Verdict = "sent"

// notice is what a person is told of it.
const notice = "a code has been sent to you: log in with it"

// The reasons in the audit log of what became of a code to be sent.
const (
	reasonSent      = "code-sent"
	reasonStillGood = "sent-before" // moments ago, and it is still good
	reasonTooSoon   = "too-soon"    // one was sent moments ago, but it is not good
	reasonNoMethod  = "no-such-method"
)

// runSend sends a code to the person, and answers no: nobody is let in by that.
func (o *options) runSend(c *cli.Context) error {
	l, err := o.begin(c)
	if err != nil {
		return err
	}
	if err := l.resolve(); err != nil {
		return l.refuseName(err)
	}
	r, err := l.send(func(u mfa.User) *mfa.Credential { return ofKind(u, mfa.Kind(o.method)) })
	if err != nil {
		return l.fail(err)
	}
	if o.json {
		if err := c.JSON(l.verdict(r)); err != nil {
			return err
		}
	}
	if r.Verdict == sent {
		c.Say("%s", notice)
	} else {
		c.Say("%s", refusal)
	}
	return cli.ErrNo
}

// sendAtPrompt sends a code to whoever has nothing else, before he is asked for
// it. Where that fails he may still have a recovery code.
func (l *login) sendAtPrompt() {
	u, err := l.site.Store.View(context.Background(), l.id)
	if err != nil || onlySent(u) == nil {
		return // the decision says what is wrong
	}
	switch r, err := l.send(onlySent); {
	case err != nil:
		l.c.Warn("%v", err)
	case r.Verdict == sent:
		l.c.Say("%s", notice)
	}
}

// ofKind is the user's credential of a kind, an activated one if he has it.
func ofKind(u mfa.User, kind mfa.Kind) *mfa.Credential {
	var found *mfa.Credential
	for i := range u.Record.Credentials {
		if c := &u.Record.Credentials[i]; c.Kind == kind && (found == nil || c.Activated && !found.Activated) {
			found = c
		}
	}
	return found
}

// onlySent is the credential whose codes are sent, for a user who has no device
// that makes any.
func onlySent(u mfa.User) *mfa.Credential {
	for i := range u.Record.Credentials {
		if c := &u.Record.Credentials[i]; !c.Kind.Sent() && (c.Activated || !u.Activated()) {
			return nil
		}
	}
	if c := ofKind(u, mfa.Email); c != nil && (c.Activated || !u.Activated()) {
		return c
	}
	return ofKind(u, mfa.SMS)
}

// send makes a code for the credential that which finds, keeps its hash, gives
// the user's lock up, and only then hands the code to the administrator's
// command. One that cannot be delivered is revoked.
func (l *login) send(which func(mfa.User) *mfa.Credential) (verify.Result, error) {
	var r verify.Result
	var cr mfa.Credential
	var code string
	err := l.update(func(u mfa.User) (mfa.User, error) {
		after, err := u, error(nil)
		r, cr, code = verify.Result{Verdict: verify.NotEnrolled, Reason: reasonNoMethod}, mfa.Credential{}, ""
		if found := which(u); found != nil {
			cr = *found
			r, code, after, err = l.newCode(u, cr)
		}
		return after, err
	})
	if err != nil {
		return r, err
	}
	r.Credential, r.Kind = cr.ID, string(cr.Kind)
	if code != "" {
		if err := l.site.SendCode(cr, code, l.now); err != nil {
			rerr := l.update(func(u mfa.User) (mfa.User, error) { return mfa.RevokeSent(u, code), nil })
			return r, errors.Join(err, rerr)
		}
	}
	return r, l.site.Record(l.c, l.sendEvent(r))
}

// newCode makes a code, unless the user must not get one now.
func (l *login) newCode(u mfa.User, cr mfa.Credential) (verify.Result, string, mfa.User, error) {
	st, err := verify.Status(u, l.now, l.policy)
	if err != nil {
		return verify.Result{}, "", u, err
	}
	if st.Locked {
		return verify.Result{Verdict: verify.Locked, Reason: st.Reason, RetryAfter: st.RetryAfter}, "", u, nil
	}
	code, after, err := mfa.Send(u, cr.ID, mfa.ForLogin, l.now, rand.Reader)
	var soon *mfa.TooSoonError
	switch {
	case errors.As(err, &soon):
		r := verify.Result{Verdict: verify.Locked, Reason: reasonTooSoon, RetryAfter: soon.Wait}
		if last := u.State.For(u.Record).Sent; last.Open(l.now) && last.Purpose == mfa.ForLogin {
			r.Verdict, r.Reason = sent, reasonStillGood
		}
		return r, "", u, nil
	case err != nil:
		return verify.Result{}, "", u, err
	}
	return verify.Result{Verdict: sent, Reason: reasonSent}, code, after, nil
}
