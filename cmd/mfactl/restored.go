package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/mfa"
	"oathkit/pkg/store"
)

// A tally is what a command did to many users. Several work at once, for each
// waits for the disk most of the time.
type tally struct {
	mu     sync.Mutex
	ids    []string
	done   int
	failed int
}

// workers is how many users are worked on at a time.
const workers = 16

// everyone calls fn with each user, several at a time. fn says whether there was
// something to do. What went wrong with a user is told, and does not stop the
// others.
func (s *session) everyone(fn func(ctx context.Context, id string) (bool, error)) (*tally, error) {
	t := &tally{}
	ids, err := s.Store.List(context.Background())
	switch {
	case err != nil && !partial(err):
		return nil, advise(err)
	case err != nil:
		s.c.Warn("%v", err)
		t.failed++
	}
	t.ids = ids
	var wait sync.WaitGroup
	for range min(workers, len(ids)) {
		wait.Go(func() {
			for id, ok := t.next(); ok; id, ok = t.next() {
				ctx, cancel := context.WithTimeout(context.Background(), storeWait)
				did, err := fn(ctx, id)
				cancel()
				t.count(s.c, did, err)
			}
		})
	}
	wait.Wait()
	return t, nil
}

func (t *tally) next() (id string, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.ids) == 0 {
		return "", false
	}
	id, t.ids = t.ids[0], t.ids[1:]
	return id, true
}

func (t *tally) count(c *cli.Context, did bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case errors.Is(err, store.ErrNotFound): // disabled a moment ago
	case err != nil:
		t.failed++
		c.Warn("%v", err)
	case did:
		t.done++
	}
}

func (o *options) runRestored(c *cli.Context) error {
	s, err := o.open(c, false)
	if err != nil {
		return err
	}
	var found struct {
		sync.Mutex
		counter, codes int
		wait           time.Duration
	}
	t, err := s.everyone(func(ctx context.Context, id string) (bool, error) {
		var record mfa.Record
		err := s.Store.Rebuild(ctx, id, func(r mfa.Record) mfa.State {
			record = r
			return mfa.Rebuild(r, time.Now(), s.Config.Verify.Window) // the clock is read under the user's lock
		})
		if err != nil {
			return false, err
		}
		found.Lock()
		defer found.Unlock()
		for _, cr := range record.Credentials {
			switch cr.Kind {
			case mfa.TOTP:
				found.wait = max(found.wait, time.Duration(cr.Period*(s.Config.Verify.Window+1))*time.Second)
			case mfa.HOTP:
				found.counter++
			}
		}
		if len(record.Recovery.Hashes) > 0 {
			found.codes++
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	s.now = time.Now()
	unrecorded := s.record(target{}, "restored", "", "", "state-rebuilt")
	c.Say("%s: the state is new, for which codes were used since the backup is not known", plural(t.done, "user"))
	if found.wait > 0 {
		c.Say("Codes that follow the clock are good again in %d seconds at the latest", found.wait/time.Second)
	}
	if found.counter > 0 {
		c.Say("%s with a counter: each has to give two codes in a row, the first is refused, the next one is good", plural(found.counter, "token"))
	}
	if found.codes > 0 {
		c.Say("The recovery codes of %s are void: 'mfactl codes USER' makes new ones", plural(found.codes, "user"))
	}
	c.Say("Failed tries and locks are forgotten")
	c.Say("Whoever was enabled, activated, reset or disabled since the backup is as he was then: look through 'mfactl list'")
	if t.failed > 0 {
		return errors.Join(cli.Unsure("not everybody has a new state, see the warnings above").
			Hint("mend what they name and run 'mfactl restored' again"), unrecorded)
	}
	return unrecorded
}
