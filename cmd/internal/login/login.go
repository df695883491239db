// Package login is one person's attempt to log in, whatever host he comes from:
// who is meant, what his realm asks, whether the password and the code hold, and
// the line in the audit log. A host's program says who knocks and what he
// answered, and tells him the verdict.
//
// An answer is judged by Judge, where the host has seen to the password or asks
// for none, or by JudgeWhole, where this login is all that there is. Both return
// only when the decision is durable and, where the configuration wants it,
// audited.
package login

import (
	"context"
	"errors"
	"time"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/site"
	"oathkit/pkg/audit"
	"oathkit/pkg/config"
	"oathkit/pkg/mfa"
	"oathkit/pkg/store"
	"oathkit/pkg/verify"
)

// Refusal is what a person is told of every refusal, whatever its reason.
const Refusal = "wrong code, or too many tries"

// Fault is what a person is told where it could not be found out.
const Fault = "the code cannot be checked now"

// Invitation is what a person is told whose password alone still opens.
const Invitation = "a second factor is waiting for you: scan its QR code, and log in with the code that your app shows"

// An Attempt is what a host knows of the person at its door.
type Attempt struct {
	Name     string // as he gave it
	Realm    string // the one that is judged; empty where the name may say it, and else the default one is meant
	AnyRealm bool   // the name may end in another realm than Realm

	Service string // the program that asks, as it calls itself
	RHost   string // where the person is, as the host says
	TTY     string // his terminal, as the host says

	// OwnWord says that RHost is the person's own word, which is for the audit
	// log and decides nothing: Duo lets some in by where they are.
	OwnWord bool
}

// A Login is an attempt and what is known of it. It is not for concurrent use.
type Login struct {
	Attempt Attempt
	Site    *site.Site
	ID      string // name@realm; until Resolve what the person gave
	Realm   string
	Policy  verify.Policy
	User    mfa.User // after a decision

	// Look, if it is not nil, is shown the user and the answer that is about to
	// be judged, under his lock.
	Look func(u mfa.User, answer string, now time.Time)

	// Said is what Duo said to the person, on one line; empty where it was not
	// asked, or said nothing.
	Said string

	c        *cli.Context
	config   string // the configuration's file, and whether somebody named it
	named    bool
	begun    time.Time // see refresh
	now      time.Time
	password string // what became of the password, for the audit log
	alone    bool   // this answer is all that there is: nobody checks a password
	warning  string // for the audit log, too
	duoAsked string // the id of the credential by which Duo was asked, if it was one
}

// Begin opens the site that the configuration names for one attempt, so that it
// is judged by what the files say now. Where no site can be opened there is no
// login; where only the store cannot be, the failure is in the audit log.
func Begin(c *cli.Context, config string, named bool, a Attempt) (*Login, error) {
	s, err := site.Open(config, named, c.Name)
	if s == nil {
		return nil, err
	}
	l := &Login{Attempt: a, Site: s, ID: a.Name, Realm: a.Realm, c: c, config: config, named: named, begun: time.Now()}
	if err != nil {
		return l, l.Fail(err)
	}
	return l, nil
}

// Close gives back what Begin opened, for a process that judges more than one
// attempt.
func (l *Login) Close() {
	if l.Site.Store != nil {
		_ = l.Site.Store.Close()
	}
}

// Resolve finds out who is meant and what his realm asks. An error is for
// RefuseName.
func (l *Login) Resolve() error {
	id, realm, err := l.Site.Realms.Resolve(l.Attempt.Name, l.Attempt.Realm)
	if errors.Is(err, site.ErrRealm) && l.Attempt.AnyRealm {
		id, realm, err = l.Site.Realms.Resolve(l.Attempt.Name, "")
	}
	if err != nil {
		return err
	}
	l.ID, l.Realm = id, realm
	l.ask()
	return nil
}

// ask finds out what the realm asks. One with another factor than codes asks
// everybody.
func (l *Login) ask() {
	l.Policy = l.Site.Policy(l.Realm)
	if l.Site.Config.Factor(l.Realm) != config.FactorOATH {
		l.Policy.Required, l.Policy.RequiredBy = true, l.Site.FactorWhy(l.Realm)
	}
}

// RefuseName turns away a name that cannot be a user's, for the reason that
// Resolve gave. That is a no, not a fault: names come from whoever knocks.
func (l *Login) RefuseName(cause error) (verify.Result, error) {
	if errors.Is(cause, site.ErrNoDefault) {
		return verify.Result{Verdict: verify.Error}, l.Fail(cause)
	}
	return l.record(verify.Result{Verdict: verify.Rejected, Reason: "bad name: " + cause.Error()})
}

// Refuse turns a person away who was not judged, for a reason of the audit log.
func (l *Login) Refuse(reason string) (verify.Result, error) {
	return l.record(verify.Result{Verdict: verify.Rejected, Reason: reason})
}

// Judge decides on a code. Whether the person has given a password is the
// host's business.
func (l *Login) Judge(code string) (verify.Result, error) { return l.JudgeBy("", code) }

// JudgeBy decides on a code, or by a method that needs none: one of Duo's, for
// somebody of whom it is asked. For anybody else email and sms send a code of our
// own, and the other methods are a no.
func (l *Login) JudgeBy(method, code string) (verify.Result, error) {
	return l.judge(method, []string{code}, nil)
}

// judge decides on the first of some readings of an answer that is accepted, or
// else on the first one. The result is changed by amend, if there is one, before
// it is recorded. What Duo judges is the first reading alone.
func (l *Login) judge(method string, readings []string, amend func(*verify.Result)) (verify.Result, error) {
	l.refresh()
	duo, err := l.realmFactor()
	switch {
	case err != nil:
		return verify.Result{Verdict: verify.Error}, l.Fail(err)
	case duo:
		return l.judgeDuo(method, readings[0], amend)
	}
	r, err := l.decide(method, readings)
	switch {
	case errors.Is(err, errAskDuo):
		return l.judgeDuo(method, readings[0], amend)
	case errors.Is(err, errSend):
		return l.Send(mfa.Kind(method))
	case err != nil:
		return verify.Result{Verdict: verify.Error}, l.Fail(err)
	}
	if amend != nil {
		amend(&r)
	}
	return l.record(r)
}

// judgeOwn decides on a code of a user of whom Duo is asked, too.
func (l *Login) judgeOwn(code string) (verify.Result, error) {
	r, err := l.decide(ByPasscode, []string{code})
	if err != nil {
		return verify.Result{Verdict: verify.Error}, l.Fail(err)
	}
	return l.record(r)
}

// errSend ends a transaction without a change: a code of ours is to be sent.
var errSend = errors.New("a code is to be sent")

// decide is the decision on readings of a code, in a transaction, unless it is
// not to be made here.
func (l *Login) decide(method string, readings []string) (verify.Result, error) {
	var result verify.Result
	err := l.Update(func(stored mfa.User) (mfa.User, error) {
		u, err := l.Site.Judged(stored, l.now)
		switch {
		case err != nil:
			return stored, err
		case forDuo(u, method, readings[0]):
			l.User = u
			return stored, errAskDuo
		case method == string(mfa.Email), method == string(mfa.SMS):
			return stored, errSend
		case method != "" && method != ByPasscode:
			result, l.User = verify.Result{Verdict: verify.Rejected, Reason: reasonNoMethod}, u
			return stored, nil
		}
		if l.Look != nil {
			l.Look(u, readings[0], l.now)
		}
		result, l.User = verify.Decide(u, readings[0], l.now, l.Policy)
		for _, other := range readings[1:] {
			if result.Verdict == verify.Accepted {
				break
			}
			if r, after := verify.Decide(u, other, l.now, l.Policy); r.Verdict == verify.Accepted {
				result, l.User = r, after
			}
		}
		return site.Keep(stored, u, l.User), nil
	})
	if err == nil {
		l.warning = weakKey(l.User, result)
	}
	return result, err
}

// warningWeak is of a login by a key of a user.cfg that is shorter than RFC 4226
// asks for. A record's own keys are looked through by mfactl audit.
const warningWeak = "weak-key"

func weakKey(u mfa.User, r verify.Result) string {
	if i := u.Record.Find(r.Credential); i >= 0 && r.OK && u.Record.Source == mfa.UserFile && u.Record.Credentials[i].Key.Weak() {
		return warningWeak
	}
	return ""
}

// view is the user as he would be judged now.
func (l *Login) view() (mfa.User, error) {
	u, err := l.Site.Store.View(context.Background(), l.ID)
	if err != nil {
		return u, err
	}
	return l.Site.Judged(u, time.Now())
}

// Update is one transaction on the user. The clock is read under his lock: a
// process that waited for another login must not judge by the time of its arrival.
// The store bounds that wait itself; a deadline here would cost every login a
// timer.
func (l *Login) Update(fn func(mfa.User) (mfa.User, error)) error {
	return l.Site.Store.Update(context.Background(), l.ID, func(u mfa.User) (mfa.User, error) {
		l.now = time.Now()
		return fn(u)
	})
}

// record writes the result to the audit log. Where no event may be lost, one
// that is lost makes it a failure.
func (l *Login) record(r verify.Result) (verify.Result, error) {
	if err := l.Site.Record(l.c, l.event(r)); err != nil {
		return verify.Result{Verdict: verify.Error}, err
	}
	return r, nil
}

func (l *Login) event(r verify.Result) audit.Event {
	return audit.Event{
		Time: l.now, Event: "login", User: l.ID, Realm: l.Realm, RequiredBy: l.Policy.RequiredBy,
		Service: l.Attempt.Service, RHost: l.Attempt.RHost, TTY: l.Attempt.TTY, Password: l.password,
		Verdict: string(r.Verdict), Reason: r.Reason, Credential: r.Credential, Kind: r.Kind, Offset: r.Offset, Warning: l.warning,
	}
}

// Fail records a decision that could not be made or kept: nobody gets in, and
// the reason is for the administrator.
func (l *Login) Fail(err error) error {
	var f *cli.Failure
	switch {
	case errors.As(err, &f):
	case errors.Is(err, store.ErrStateLost):
		err = cli.Unsure("%w", err).Hint("mfactl unlock %s builds a new one, in which old codes stay refused", l.ID)
	case errors.Is(err, store.ErrBusy):
		err = cli.Unsure("%w", err).Hint("another login of %q holds the lock for too long: see with fuser or lslocks who it is", l.ID)
	}
	e := l.event(verify.Result{Verdict: verify.Error, Reason: err.Error()})
	if rerr := l.Site.Record(l.c, e); rerr != nil {
		err = errors.Join(err, rerr)
	}
	return err
}
