package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"syscall"
	"time"

	"oathkit/cmd/internal/caller"
	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/site"
	"oathkit/pkg/audit"
	"oathkit/pkg/mfa"
	"oathkit/pkg/store"
	"oathkit/pkg/verify"
)

// storeWait bounds how long a command waits for logins of the same user.
const storeWait = 10 * time.Second

// refusal is what a person is told of every code that does not let him on,
// whatever the reason. The audit log has the reason.
const refusal = "wrong code, or too many tries"

// A session is one person's command at work on a site.
type session struct {
	*options
	*site.Site
	*talk
	c   *cli.Context
	who person
	now time.Time

	proved bool // a current code or a recovery code was given
}

// open opens what the configuration names and finds out who is there.
func (o *options) open(c *cli.Context) (*session, error) {
	if err := o.checkSudo(); err != nil {
		return nil, err
	}
	if caller.UnderSudo() {
		// sudo passes the user's limits on. With this one he could have his
		// factors changed and the audit log not written, which is the longest file.
		_ = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: unlimited, Max: unlimited})
	}
	s, err := site.Open(o.config, o.named, c.Name)
	if err != nil {
		return nil, advise(err)
	}
	who, err := o.person(s.Realms)
	if err != nil {
		return nil, err
	}
	return &session{options: o, Site: s, c: c, who: who, now: time.Now()}, nil
}

// unlimited is RLIM_INFINITY.
const unlimited = ^uint64(0)

// view reads the user, also to find out, before anything is asked, whether it
// can be read.
func (s *session) view() (mfa.User, error) {
	ctx, cancel := context.WithTimeout(context.Background(), storeWait)
	defer cancel()
	u, err := s.Store.View(ctx, s.who.id)
	if err != nil {
		return u, advise(err)
	}
	judged, err := s.Judged(u, time.Now())
	if err != nil || u.Enrolled() || !judged.Enrolled() {
		return judged, err
	}
	// His record is made now, for a command goes by its epoch from here on.
	err = s.update(func(u mfa.User) (mfa.User, error) {
		judged = u
		return u, nil
	})
	return judged, err
}

// update changes the user in one transaction. An error that fn makes is
// returned as it is.
func (s *session) update(fn func(mfa.User) (mfa.User, error)) error {
	ctx, cancel := context.WithTimeout(context.Background(), storeWait)
	defer cancel()
	var said error
	err := s.Store.Update(ctx, s.who.id, func(stored mfa.User) (mfa.User, error) {
		s.now = time.Now() // read under the user's lock, which may have taken a while
		u, err := s.Judged(stored, s.now)
		if err != nil {
			return stored, err
		}
		after, err := fn(u)
		said = err
		return site.Keep(stored, u, after), err
	})
	if err == nil || said != nil {
		return said
	}
	return advise(err)
}

// policy is what the site asks of an answer here: one must be given, whatever
// the realm asks, and a sent code must be one for that purpose.
func (s *session) policy(purpose mfa.Purpose) verify.Policy {
	p := s.Policy(s.who.realm)
	p.Required, p.Grace, p.Purpose = true, 0, purpose
	return p
}

// advise adds what to do about an error of the store or the configuration.
func advise(err error) error {
	var f *cli.Failure
	switch {
	case errors.As(err, &f):
		return err
	case errors.Is(err, store.ErrNoStore):
		return cli.Unsure("%w", err).Hint("the administrator's first 'mfactl enable' makes a store")
	case errors.Is(err, store.ErrBusy):
		return cli.Unsure("%w", err).Hint("is there another login or enrolment of yours under way?")
	case errors.Is(err, store.ErrStateLost):
		return cli.Unsure("%w", err).Hint("ask the administrator for 'mfactl unlock'")
	case errors.Is(err, fs.ErrPermission), os.Geteuid() != 0 && !caller.UnderSudo():
		return cli.Unsure("%w", err).Hint("users run this through sudo: sudo oathenroll ...")
	}
	return cli.Unsure("%w", err)
}

// record writes what happened to the audit log. With done set it is a change
// that was made.
func (s *session) record(e audit.Event) error {
	e.Time, e.User, e.Realm, e.Service = s.now, s.who.id, s.who.realm, s.c.Name
	e.By, e.Login = strconv.Itoa(os.Getuid()), site.LoginUID()
	if s.who.sudo != nil {
		e.By = strconv.FormatUint(uint64(s.who.sudo.UID), 10)
	}
	return s.Record(s.c, e)
}

// done records a change that was made.
func (s *session) done(event, credential, kind, reason string) error {
	e := audit.Event{Event: event, Verdict: "done", Credential: credential, Kind: kind, Reason: reason}
	if err := s.record(e); err != nil {
		return cli.Unsure("%w; the change was made all the same", err)
	}
	return nil
}

// refused records what was not done, and why.
func (s *session) refused(event, kind, reason string) error {
	return s.record(audit.Event{Event: event, Verdict: "refused", Kind: kind, Reason: reason})
}

// openEnrolled is open for whoever has a factor already.
func (o *options) openEnrolled(c *cli.Context) (*session, mfa.User, error) {
	s, err := o.open(c)
	if err != nil {
		return nil, mfa.User{}, err
	}
	u, err := s.view()
	if err == nil && !u.Enrolled() {
		err = cli.Refused("you have no second factor, %s", s.who.id).Hint("'oathenroll mk AUTHENTICATOR' makes one")
	}
	return s, u, err
}
