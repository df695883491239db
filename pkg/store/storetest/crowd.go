package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"oathkit/pkg/mfa"
	"oathkit/pkg/store"
)

// If View waited it would wait for ever.
func viewWhileUpdating(t *testing.T, s store.Store) {
	const id = "alice@pam"
	update(t, s, id, func(u mfa.User) (mfa.User, error) {
		same(t, view(t, s, id), mfa.User{ID: id})
		return Enable(u)
	})
	update(t, s, id, func(u mfa.User) (mfa.User, error) {
		same(t, view(t, s, id), u)
		list(t, s, id)
		return Count(u)
	})
}

func ended(t *testing.T, s store.Store) {
	const id = "alice@pam"
	update(t, s, id, Enable)
	over, cancel := context.WithCancel(ctx)
	cancel()
	never := func(u mfa.User) (mfa.User, error) { return mfa.Disable(u) }
	is(t, s.Update(over, id, never), context.Canceled)
	is(t, s.Delete(over, id), context.Canceled)
	if _, err := s.View(over, id); !errors.Is(err, context.Canceled) {
		t.Errorf("View: %v", err)
	}
	// It ends while another update holds the user.
	update(t, s, id, func(u mfa.User) (mfa.User, error) {
		soon, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
		defer cancel()
		is(t, s.Update(soon, id, never), context.DeadlineExceeded)
		return Count(u)
	})
	// It ends while the function decides.
	during, cancel := context.WithCancel(ctx)
	is(t, s.Update(during, id, func(u mfa.User) (mfa.User, error) { cancel(); return mfa.Disable(u) }), context.Canceled)
	if n := Counted(t, s, id); n != 1 {
		t.Fatalf("counted %d, want 1", n)
	}
	update(t, s, id, Count)
}

// together runs fn for 0..n-1, all at once, and waits.
func together(n int, fn func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() { <-start; fn(i) })
	}
	close(start)
	wg.Wait()
}

func oneUser(t *testing.T, s store.Store) {
	const id, workers, each = "alice@pam", 64, 5
	update(t, s, id, Enable)
	seen := make([]bool, workers*each+1)
	var mu sync.Mutex
	together(workers, func(int) {
		for range each {
			var got uint64
			err := s.Update(ctx, id, func(u mfa.User) (mfa.User, error) {
				u, err := Count(u)
				if err == nil {
					c, _ := u.State.Counter(u.Record.Credentials[0].ID)
					got = c.Next
				}
				return u, err
			})
			mu.Lock()
			switch {
			case err != nil:
				t.Error(err)
			case got >= uint64(len(seen)) || seen[got]:
				t.Errorf("two updates made the counter %d", got)
			default:
				seen[got] = true
			}
			mu.Unlock()
		}
	})
	if n := Counted(t, s, id); n != workers*each {
		t.Errorf("counted %d, want %d: lost updates", n, workers*each)
	}
}

func manyUsers(t *testing.T, s store.Store) {
	const workers, each = 64, 5
	name := func(i int) string { return fmt.Sprintf("user%d@pam", i) }
	together(workers, func(i int) {
		if err := s.Update(ctx, name(i), Enable); err != nil {
			t.Error(err)
		}
		for range each {
			if err := s.Update(ctx, name(i), Count); err != nil {
				t.Error(err)
			}
		}
	})
	for i := range workers {
		if n := Counted(t, s, name(i)); n != each {
			t.Errorf("%s: counted %d, want %d", name(i), n, each)
		}
	}
}

// A new name is locked as well as an old one.
func enableRace(t *testing.T, s store.Store) {
	for round := range 5 {
		id := fmt.Sprintf("user%d@pam", round)
		var mu sync.Mutex
		made := 0
		together(32, func(int) {
			err := s.Update(ctx, id, Enable)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				made++
			} else if !errors.Is(err, mfa.ErrEnrolled) {
				t.Error(err)
			}
		})
		if made != 1 {
			t.Errorf("%s was enabled %d times", id, made)
		}
	}
}
