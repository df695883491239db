package main

import (
	"context"
	"errors"
	"os"
	"time"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/site"
	"oathkit/pkg/audit"
	"oathkit/pkg/mfa"
	"oathkit/pkg/store"
	"oathkit/pkg/verify"
)

// A login is one person's attempt.
type login struct {
	o      *options
	c      *cli.Context
	site   *site.Site
	id     string
	realm  string
	policy verify.Policy
	answer string
	now    time.Time
	user   mfa.User // after the decision
}

func (o *options) runLogin(c *cli.Context) error {
	if o.explain && os.Geteuid() != 0 {
		return cli.Unsure("--explain tells what a person must not know, so only root may ask for it")
	}
	l, err := o.begin(c)
	if err != nil {
		return err
	}
	name := l.resolve()
	if name == nil && cli.IsTerminal(c.Stdin) {
		l.sendAtPrompt()
	}
	if l.answer, err = answer(c); err != nil {
		return l.fail(err)
	}
	if name != nil {
		return l.refuseName(name)
	}
	return l.judge()
}

// begin opens the site for one person's attempt.
func (o *options) begin(c *cli.Context) (*login, error) {
	s, err := site.Open(o.config, o.flags.Given("config"), c.Name)
	l := &login{o: o, c: c, site: s, id: c.Args[0], realm: o.realm}
	switch {
	case s == nil:
		return nil, o.unsure(c, l.id, l.realm, err)
	case err != nil:
		return nil, l.fail(err)
	}
	return l, nil
}

// resolve finds out who is meant and what his realm asks.
func (l *login) resolve() error {
	id, realm, err := l.site.Realms.Resolve(l.c.Args[0], l.o.realm)
	if err != nil {
		return err
	}
	l.id, l.realm, l.policy = id, realm, l.site.Policy(realm)
	return nil
}

// judge decides, and answers only when the decision is durable and, where the
// configuration wants it, audited.
func (l *login) judge() error {
	var result verify.Result
	var explained []string
	err := l.update(func(u mfa.User) (mfa.User, error) {
		if l.o.explain {
			explained = verify.Explain(u, l.answer, l.now, l.policy)
		}
		result, l.user = verify.Decide(u, l.answer, l.now, l.policy)
		return l.user, nil
	})
	if err != nil {
		return l.fail(err)
	}
	if err := l.site.Record(l.c, l.event(result)); err != nil {
		return l.o.unsure(l.c, l.id, l.realm, err)
	}
	for _, line := range explained {
		if l.o.json {
			l.c.Say("%s", line)
			continue
		}
		if _, err := l.c.Stdout.WriteString(line + "\n"); err != nil {
			return cli.StdoutError(err)
		}
	}
	return l.tell(result)
}

// update is one transaction on the user. The clock is read under his lock: a
// process that waited for another login must not judge by the time of its arrival.
// The store bounds that wait itself; a deadline here would cost every login a
// timer.
func (l *login) update(fn func(mfa.User) (mfa.User, error)) error {
	return l.site.Store.Update(context.Background(), l.id, func(u mfa.User) (mfa.User, error) {
		l.now = time.Now()
		return fn(u)
	})
}

// tell gives the verdict to the one who asked.
func (l *login) tell(r verify.Result) error {
	offer, err := l.offer(r)
	if err != nil {
		return err
	}
	switch {
	case l.o.json:
		v := l.verdict(r)
		v.Enrol = offer
		err = l.c.JSON(v)
	case offer != nil:
		err = offer.print(l.c.Stdout)
	}
	if err != nil {
		return err
	}
	switch {
	case !r.OK:
		l.c.Say("%s", refusal)
		return cli.ErrNo
	case r.Verdict == verify.Pending:
		l.c.Say("%s", invitation)
	case r.Kind == "recovery" && r.RecoveryLeft <= fewCodes:
		l.c.Warn("%d recovery codes are left", r.RecoveryLeft)
	}
	return nil
}

// fewCodes is from how many recovery codes left on a person is warned.
const fewCodes = 3

func (l *login) event(r verify.Result) audit.Event {
	return audit.Event{
		Time: l.now, Event: "login", User: l.id, Realm: l.realm, RequiredBy: l.policy.RequiredBy,
		Service: l.o.service, RHost: l.o.rhost,
		Verdict: string(r.Verdict), Reason: r.Reason, Credential: r.Credential, Kind: r.Kind, Offset: r.Offset,
	}
}

// sendEvent is for a code that was asked for.
func (l *login) sendEvent(r verify.Result) audit.Event {
	e := l.event(r)
	e.Event = "send"
	return e
}

// fail is a decision that could not be made or kept: nobody gets in, and the
// reason is for the administrator.
func (l *login) fail(err error) error {
	var f *cli.Failure
	switch {
	case errors.As(err, &f):
	case errors.Is(err, store.ErrStateLost):
		err = cli.Unsure("%w", err).Hint("mfactl unlock %s builds a new one, in which old codes stay refused", l.id)
	case errors.Is(err, store.ErrBusy):
		err = cli.Unsure("%w", err).Hint("another login of %q holds the lock for too long: see with fuser or lslocks who it is", l.id)
	}
	e := l.event(verify.Result{Verdict: verify.Error, Reason: err.Error()})
	if rerr := l.site.Record(l.c, e); rerr != nil {
		err = errors.Join(err, rerr)
	}
	return l.o.unsure(l.c, l.id, l.realm, err)
}

// refuseName turns away a name that cannot be a user's. That is a no, not a
// fault: names come from whoever knocks.
func (l *login) refuseName(cause error) error {
	if errors.Is(cause, site.ErrNoDefault) {
		return l.fail(cause)
	}
	r := verify.Result{Verdict: verify.Rejected, Reason: "bad name: " + cause.Error()}
	if err := l.site.Record(l.c, l.event(r)); err != nil {
		return l.o.unsure(l.c, l.id, l.realm, err)
	}
	if l.o.explain {
		l.c.Say("%v", cause)
	}
	return l.tell(r)
}
