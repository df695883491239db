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
		st, err := s.standing(u)
		if err != nil {
			return u, err
		}
		waited = st.Locked
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

// standing is how the user stands under the policy of his realm.
func (s *session) standing(u mfa.User) (verify.Standing, error) {
	_, realm, _ := mfa.SplitID(u.ID)
	return verify.Status(u, s.now, s.Policy(realm))
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
