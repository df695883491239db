package main

import (
	"context"
	"errors"
	"time"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/mfa"
	"oathkit/pkg/store"
	"oathkit/pkg/verify"
)

func (o *options) runUnlock(c *cli.Context) error {
	s, t, err := o.openFor(c, false)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), storeWait)
	_, err = s.Store.View(ctx, t.id)
	cancel()
	if errors.Is(err, store.ErrStateLost) {
		return s.rebuild(t)
	}
	var waited bool
	err = s.update(t, func(u mfa.User) (mfa.User, error) {
		waited, _ = s.waits(u, t.realm)
		return mfa.Unlock(u)
	})
	if err != nil {
		return err
	}
	unrecorded := s.record(t, "unlock", "", "", "")
	if waited {
		c.Say("User %s is unlocked; codes that were used stay used", c.Args[0])
	} else {
		c.Say("User %s was not locked; failed tries are forgotten", c.Args[0])
	}
	return unrecorded
}

// waits says whether the user is delayed or locked, so that even a right code
// does not let him in, and how long. It asks the decision itself, about no
// answer in a realm that lets nobody in without one; what the user would be
// after that is dropped.
func (s *session) waits(u mfa.User, realm string) (bool, time.Duration) {
	p := s.Policy(realm)
	p.Required, p.Grace = true, 0
	r, _ := verify.Decide(u, "", s.now, p)
	return r.Verdict == verify.Locked, r.RetryAfter
}

// rebuild makes a state for a record that has none, and says what it means for
// the user.
func (s *session) rebuild(t target) error {
	ctx, cancel := context.WithTimeout(context.Background(), storeWait)
	defer cancel()
	var record mfa.Record
	err := s.Store.Rebuild(ctx, t.id, func(r mfa.Record) mfa.State {
		s.now, record = time.Now(), r // the clock is read under the user's lock
		return mfa.Rebuild(r, s.now, s.Config.Verify.Window)
	})
	if err != nil {
		return fault(t, err)
	}
	unrecorded := s.record(t, "unlock", "", "", "state-rebuilt")
	s.c.Say("User %s has a new state; the old one was lost, and with it which codes were used", s.c.Args[0])
	var clock, counter int
	for _, cr := range record.Credentials {
		if cr.Kind == mfa.HOTP {
			counter++
		} else {
			clock = max(clock, cr.Period*(s.Config.Verify.Window+1))
		}
	}
	if clock > 0 {
		s.c.Say("Codes that follow the clock are good again in %d seconds at the latest", clock)
	}
	if counter > 0 {
		s.c.Say("A token with a counter has to give two codes in a row: the first is refused, the next one is good")
	}
	if len(record.Recovery.Hashes) > 0 {
		s.c.Say("The recovery codes are void")
	}
	return unrecorded
}
