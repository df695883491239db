package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/site"
	"oathkit/pkg/audit"
	"oathkit/pkg/config"
	"oathkit/pkg/mfa"
	"oathkit/pkg/store"
)

// storeWait bounds how long a command waits for logins of the same user.
const storeWait = 10 * time.Second

// A session is a command at work on a site.
type session struct {
	*options
	*site.Site
	c   *cli.Context
	now time.Time

	leftOut int // users with a factor that an export does not have
}

// open opens what the configuration names. With creating set the store may be
// missing: see makeStore.
func (o *options) open(c *cli.Context, creating bool) (*session, error) {
	s, err := site.Open(o.config, o.named, c.Name)
	if err != nil && !(creating && errors.Is(err, store.ErrNoStore)) {
		return nil, advise(err)
	}
	return &session{options: o, Site: s, c: c, now: time.Now()}, nil
}

// openFor does that for a command about the user that its first operand names.
func (o *options) openFor(c *cli.Context, creating bool) (*session, target, error) {
	s, err := o.open(c, creating)
	if err != nil {
		return nil, target{}, err
	}
	t, err := s.target(c.Args[0], creating)
	return s, t, err
}

// makeStore makes the store if there is none. That is said aloud, for perhaps
// there is one on a disk that is not mounted.
func (s *session) makeStore(t target) error {
	if s.Store != nil {
		ctx, cancel := context.WithTimeout(context.Background(), storeWait)
		defer cancel()
		if _, err := s.Store.View(ctx, t.id); !errors.Is(err, store.ErrNoStore) {
			return nil // what else is wrong the update will say
		}
	}
	folder := s.Config.Paths.Store
	if err := s.CreateStore(); err != nil {
		return advise(err)
	}
	s.c.Warn("there was no store in %q: a new one has been made", folder)
	return nil
}

// A target is the user that a command is about.
type target struct {
	id       string // name@realm
	realm    string
	required bool   // the realm asks everybody for a factor
	why      string // which line says so, or why it is so
	factor   string // the type of the realm's factor
}

// byRecord says whether the realm's factor is what a record holds. Elsewhere no
// change of a record lets anybody in or locks him out.
func (t target) byRecord() bool { return t.factor == config.FactorOATH }

// asksRecord says whether who has no usable record is locked out.
func (t target) asksRecord() bool { return t.required && t.byRecord() }

// warnFactor says, of a realm whose factor is another one, what a record there is
// worth.
func (s *session) warnFactor(t target) {
	switch {
	case t.byRecord():
	case t.factor == config.FactorDuo:
		s.c.Warn("the factor of realm %q is Duo, which is asked about everybody there: no code of user %q is", t.realm, t.id)
	default:
		s.c.Warn("the factor of realm %q is %q, which this version does not know: nobody gets in there", t.realm, t.factor)
	}
}

// target finds the user that is meant. With creating set a realm file that
// cannot be read is an error, since it says how names of a realm are spelled.
func (s *session) target(name string, creating bool) (target, error) {
	if err := s.Realms.Err(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		if creating || !strings.Contains(name, "@") {
			return target{}, advise(cli.Unsure("cannot tell which user %q is: %w", name, err))
		}
		s.c.Warn("%v", err)
	}
	id, realm, err := s.Realms.Resolve(name, "")
	if err != nil {
		return target{}, cli.Misused("%w", err).Hint("a USER is NAME@REALM, such as alice@pam")
	}
	t := target{id: id, realm: realm}
	t.why, t.required = s.Realms.Required(realm)
	if t.factor = s.Config.Factor(realm); !t.byRecord() {
		t.why, t.required = s.Site.FactorWhy(realm), true
	}
	if creating && s.Realms.Err() == nil && !s.Realms.Has(realm) {
		s.c.Warn("realm %q is not in %s: is it spelled rightly?", realm, s.Config.Paths.Domains)
	}
	return t, nil
}

// current is a user as he is now. Whose keys are those of the file of users has
// the ones that he has there, and is without a record where he has none: a key
// that was taken from him there must not come back with a change of his record.
func (s *session) current(u mfa.User) (mfa.User, error) {
	if !u.Enrolled() || u.Record.Source == mfa.OwnKeys {
		return u, nil
	}
	return s.JudgedWhereAsked(u, s.now)
}

// update changes the user in one transaction. What fn answers is put into
// words by refusal; all other errors are the store's, or the file of users'.
func (s *session) update(t target, fn func(mfa.User) (mfa.User, error)) error {
	ctx, cancel := context.WithTimeout(context.Background(), storeWait)
	defer cancel()
	var said error
	err := s.Store.Update(ctx, t.id, func(stored mfa.User) (mfa.User, error) {
		s.now = time.Now() // read under the user's lock, which may have taken a while
		u, err := s.current(stored)
		if err != nil {
			return stored, err
		}
		after, err := fn(u)
		said = err
		return site.Keep(stored, u, after), err
	})
	switch {
	case err == nil:
		return nil
	case said != nil:
		return refusal(t, said)
	}
	return fault(t, err)
}

// view reads the user.
func (s *session) view(t target) (mfa.User, error) {
	ctx, cancel := context.WithTimeout(context.Background(), storeWait)
	defer cancel()
	u, err := s.Store.View(ctx, t.id)
	if err != nil {
		return u, fault(t, err)
	}
	if u, err = s.current(u); err != nil {
		return u, advise(cli.Unsure("%w", err))
	}
	return u, nil
}

// refusal puts into words why a change is not a legal one.
func refusal(t target, err error) error {
	var f *cli.Failure
	switch {
	case errors.As(err, &f):
		return err
	case errors.Is(err, mfa.ErrEnrolled):
		return cli.Refused("user %q is enabled already", t.id).
			Hint("'mfactl show %s' shows what there is, 'mfactl add %s' adds another key", t.id, t.id)
	case errors.Is(err, mfa.ErrNotEnrolled):
		return notEnabled(t)
	case errors.Is(err, mfa.ErrTooMany), errors.Is(err, mfa.ErrSameKey), errors.Is(err, mfa.ErrSameKind):
		return cli.Refused("user %q: %w", t.id, err).Hint("'mfactl show %s' shows what there is", t.id)
	}
	return cli.Misused("user %q: %w", t.id, err)
}

func notEnabled(t target) error {
	return cli.Refused("user %q is not enabled", t.id).Hint("'mfactl list' shows who is")
}

// fault says what to do about an error of the store.
func fault(t target, err error) error {
	switch {
	case errors.Is(err, store.ErrNotFound):
		return notEnabled(t)
	case errors.Is(err, store.ErrBusy):
		return cli.Unsure("%w", err).Hint("see with fuser or lslocks which process holds it")
	}
	return advise(err)
}

// advise adds what to do about an error that is nobody's in particular.
func advise(err error) error {
	var f *cli.Failure
	switch {
	case errors.As(err, &f) && len(f.Hints) > 0:
		return err
	case errors.Is(err, store.ErrNoStore):
		return cli.Unsure("%w", err).Hint("the first 'mfactl enable' or 'mfactl add' makes a store")
	case errors.Is(err, fs.ErrPermission):
		return cli.Unsure("%w", err).Hint("run this as root or as the owner of the store")
	}
	return err
}

// record writes a change that was made to the audit log.
func (s *session) record(t target, event, credential, kind, reason string) error {
	e := audit.Event{
		Time: s.now, Event: event, User: t.id, Realm: t.realm, By: strconv.Itoa(os.Getuid()), Login: site.LoginUID(),
		Verdict: "done", Credential: credential, Kind: kind, Reason: reason,
	}
	if err := s.Record(s.c, e); err != nil {
		return cli.Unsure("%w; the change was made all the same", err)
	}
	return nil
}

// lockedOut is what a user without a factor meets in a realm that asks for one.
func (s *session) lockedOut(t target, what, instead string) error {
	return cli.Refused("%s would lock user %q out: %s", what, t.id, t.why).
		Hint("%s, or say --lock-out-anyway", instead)
}
