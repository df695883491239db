package login

import (
	"context"
	"crypto/rand"
	"errors"

	"oathkit/pkg/audit"
	"oathkit/pkg/mfa"
	"oathkit/pkg/verify"
)

// Sent is the verdict on somebody to whom a code was sent: a no, with a code on
// its way.
const Sent verify.Verdict = "sent"

// Notice is what a person is told of it.
const Notice = "a code has been sent to you: log in with it"

// The reasons in the audit log of what became of a code to be sent.
const (
	reasonSent      = "code-sent"
	reasonStillGood = "sent-before" // moments ago, and it is still good
	reasonTooSoon   = "too-soon"    // one was sent moments ago, but it is not good
	reasonNoMethod  = "no-such-method"
)

// SendFirst sends a code to whoever has nothing else, before he is asked for it.
// Where that fails he may still have a recovery code, so the error is for the
// log of the host.
func (l *Login) SendFirst() (sent bool, err error) {
	u, err := l.Site.Store.View(context.Background(), l.ID)
	if err != nil || onlySent(u) == nil {
		return false, nil // the decision says what is wrong
	}
	r, err := l.send(onlySent)
	return err == nil && r.Verdict == Sent, err
}

// Send sends a code of the kind, email or sms.
func (l *Login) Send(kind mfa.Kind) (verify.Result, error) {
	r, err := l.send(func(u mfa.User) *mfa.Credential { return ofKind(u, kind) })
	if err != nil {
		return verify.Result{Verdict: verify.Error}, l.Fail(err)
	}
	return r, nil
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
func (l *Login) send(which func(mfa.User) *mfa.Credential) (verify.Result, error) {
	var r verify.Result
	var cr mfa.Credential
	var code string
	err := l.Update(func(u mfa.User) (mfa.User, error) {
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
		if err := l.Site.SendCode(cr, code, l.now); err != nil {
			rerr := l.Update(func(u mfa.User) (mfa.User, error) { return mfa.RevokeSent(u, code), nil })
			return r, errors.Join(err, rerr)
		}
	}
	return r, l.Site.Record(l.c, l.sendEvent(r))
}

// newCode makes a code, unless the user must not get one now.
func (l *Login) newCode(u mfa.User, cr mfa.Credential) (verify.Result, string, mfa.User, error) {
	st, err := verify.Status(u, l.now, l.Policy)
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
			r.Verdict, r.Reason = Sent, reasonStillGood
		}
		return r, "", u, nil
	case err != nil:
		return verify.Result{}, "", u, err
	}
	return verify.Result{Verdict: Sent, Reason: reasonSent}, code, after, nil
}

// sendEvent is for a code that was asked for.
func (l *Login) sendEvent(r verify.Result) audit.Event {
	e := l.event(r)
	e.Event = "send"
	return e
}
