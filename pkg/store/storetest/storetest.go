// Package storetest is the suite that every store passes: [Run] holds a
// [store.Store] to each sentence of its documentation. What a store does when
// its process or its machine dies is for the store's own tests.
package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"oathkit/pkg/mfa"
	"oathkit/pkg/store"
)

// Run runs the suite. open makes an empty store that is closed at the end of
// the test it is given.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for _, tt := range []struct {
		name string
		run  func(t *testing.T, s store.Store)
	}{
		{"nobody", nobody},
		{"enable, view, delete, enable again", life},
		{"an error writes nothing", failedUpdate},
		{"an update of another user is refused", otherUser},
		{"an unchanged update", unchanged},
		{"what changes is kept", changes},
		{"a new epoch voids the state", newEpoch},
		{"a new recovery set voids the old one's marks", newCodes},
		{"a removed credential", removed},
		{"rebuild", rebuild},
		{"odd ids", oddIDs},
		{"bad ids", badIDs},
		{"view does not wait for an update", viewWhileUpdating},
		{"a context that ended", ended},
		{"one user, many at once", oneUser},
		{"many users at once", manyUsers},
		{"enabled by many at once", enableRace},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, open(t)) })
	}
}

var ctx = context.Background()

// Enable gives the user an HOTP credential, as a function for Update.
func Enable(u mfa.User) (mfa.User, error) {
	u, _, err := mfa.Enable(u, mfa.EnableOptions{Kind: mfa.HOTP, Now: time.Unix(1_700_000_000, 0), Random: rand.Reader})
	return u, err
}

// Count moves the user's first counter by one, as a login does, as a function
// for Update.
func Count(u mfa.User) (mfa.User, error) {
	if !u.Enrolled() {
		return u, fmt.Errorf("user %q is not there", u.ID)
	}
	c, ok := u.State.Counter(u.Record.Credentials[0].ID)
	if !ok {
		return u, fmt.Errorf("user %q has no counter", u.ID)
	}
	c.Next++
	u.State = u.State.WithCounter(c)
	return u, nil
}

// Counted is what Count has counted.
func Counted(t *testing.T, s store.Store, id string) uint64 {
	t.Helper()
	u := view(t, s, id)
	if !u.Enrolled() {
		t.Fatalf("user %q is not there", id)
	}
	c, ok := u.State.Counter(u.Record.Credentials[0].ID)
	if !ok || c.Lost {
		t.Fatalf("user %q: the counter is lost", id)
	}
	return c.Next
}

func update(t *testing.T, s store.Store, id string, fn func(mfa.User) (mfa.User, error)) {
	t.Helper()
	if err := s.Update(ctx, id, fn); err != nil {
		t.Fatalf("Update(%q): %v", id, err)
	}
}

func view(t *testing.T, s store.Store, id string) mfa.User {
	t.Helper()
	u, err := s.View(ctx, id)
	if err != nil {
		t.Fatalf("View(%q): %v", id, err)
	}
	if u.ID != id {
		t.Fatalf("View(%q): user %q", id, u.ID)
	}
	return u
}

func list(t *testing.T, s store.Store, want ...string) {
	t.Helper()
	ids, err := s.List(ctx)
	if err != nil || !slices.Equal(ids, want) {
		t.Fatalf("List: %q, %v; want %q", ids, err, want)
	}
}

func same(t *testing.T, got, want mfa.User) {
	t.Helper()
	if got.ID != want.ID || !got.Record.Equal(want.Record) || got.State != want.State {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
}

func is(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("error %v, want %v", got, want)
	}
}

func nobody(t *testing.T, s store.Store) {
	const id = "nobody@pam"
	list(t, s)
	for range 2 {
		if u := view(t, s, id); u.Enrolled() {
			t.Fatalf("there is a record: %+v", u)
		}
		update(t, s, id, func(u mfa.User) (mfa.User, error) {
			same(t, u, mfa.User{ID: id})
			return u, nil
		})
		is(t, s.Delete(ctx, id), store.ErrNotFound)
		is(t, s.Rebuild(ctx, id, func(mfa.Record) mfa.State { t.Error("called for nobody"); return mfa.State{} }), store.ErrNotFound)
	}
	list(t, s)
}

func life(t *testing.T, s store.Store) {
	const id = "alice@pam"
	var epochs [][16]byte
	for range 3 {
		var want mfa.User
		update(t, s, id, func(u mfa.User) (mfa.User, error) {
			var err error
			want, err = Enable(u)
			return want, err
		})
		same(t, view(t, s, id), want)
		list(t, s, id)
		if slices.Contains(epochs, want.Record.Epoch) {
			t.Fatal("the same epoch twice")
		}
		epochs = append(epochs, want.Record.Epoch)
		update(t, s, id, Count)
		update(t, s, id, Count)
		if n := Counted(t, s, id); n != 2 {
			t.Fatalf("the counter is %d, want 2: of a user of the same name before?", n)
		}
		if len(epochs) == 1 {
			update(t, s, id, mfa.Disable)
		} else if err := s.Delete(ctx, id); err != nil {
			t.Fatal(err)
		}
		if u := view(t, s, id); u.Enrolled() {
			t.Fatal("the record is there after it was deleted")
		}
		list(t, s)
		is(t, s.Delete(ctx, id), store.ErrNotFound)
		update(t, s, id, func(u mfa.User) (mfa.User, error) { same(t, u, mfa.User{ID: id}); return u, nil })
	}
}

func failedUpdate(t *testing.T, s store.Store) {
	const id = "alice@pam"
	no := errors.New("no")
	fail := func(change func(mfa.User) (mfa.User, error)) {
		t.Helper()
		err := s.Update(ctx, id, func(u mfa.User) (mfa.User, error) {
			u, err := change(u)
			if err != nil {
				t.Fatal(err)
			}
			return u, no
		})
		if err != no { // as it is, not wrapped
			t.Fatalf("error %v, want the function's own", err)
		}
	}
	fail(Enable)
	list(t, s)
	update(t, s, id, Enable)
	update(t, s, id, Count)
	before := view(t, s, id)
	fail(Count)
	fail(mfa.Disable)
	same(t, view(t, s, id), before)
	list(t, s, id)
}

func otherUser(t *testing.T, s store.Store) {
	update(t, s, "alice@pam", Enable)
	before := view(t, s, "alice@pam")
	err := s.Update(ctx, "alice@pam", func(u mfa.User) (mfa.User, error) { return Enable(mfa.User{ID: "bob@pam"}) })
	if err == nil {
		t.Fatal("alice came back as bob, and that was written")
	}
	same(t, view(t, s, "alice@pam"), before)
	list(t, s, "alice@pam")
}

func unchanged(t *testing.T, s store.Store) {
	const id = "alice@pam"
	update(t, s, id, Enable)
	update(t, s, id, Count)
	before := view(t, s, id)
	for range 3 {
		update(t, s, id, func(u mfa.User) (mfa.User, error) { return u, nil })
		same(t, view(t, s, id), before)
	}
}

func changes(t *testing.T, s store.Store) {
	const id = "alice@pam"
	update(t, s, id, Enable)
	want := view(t, s, id)
	for i, change := range []func(mfa.User) (mfa.User, error){
		Count,
		func(u mfa.User) (mfa.User, error) { // the state alone
			u.State.Failures, u.State.LastFailure = 7, 1_700_000_000_123
			return u, nil
		},
		func(u mfa.User) (mfa.User, error) { // the record alone
			u.Record.Credentials = slices.Clone(u.Record.Credentials)
			u.Record.Credentials[0].Label = "phone"
			return u, nil
		},
		func(u mfa.User) (mfa.User, error) { // both, as the login that activates
			u, err := Count(u)
			u.Record.Credentials = slices.Clone(u.Record.Credentials)
			u.Record.Credentials[0].Activated = true
			return u, err
		},
		func(u mfa.User) (mfa.User, error) {
			u, _, err := mfa.Add(u, mfa.EnableOptions{Now: time.Unix(1_700_000_001, 0), Random: rand.Reader})
			return u, err
		},
		mfa.Unlock,
	} {
		update(t, s, id, func(u mfa.User) (mfa.User, error) {
			same(t, u, want)
			u, err := change(u)
			want = u
			return u, err
		})
		if t.Failed() {
			t.Fatalf("change %d", i)
		}
		want.State = want.State.For(want.Record)
		same(t, view(t, s, id), want)
	}
}

func newEpoch(t *testing.T, s store.Store) {
	const id = "alice@pam"
	update(t, s, id, Enable)
	update(t, s, id, Count)
	update(t, s, id, func(u mfa.User) (mfa.User, error) { u.State.Failures = 20; return u, nil })
	old := view(t, s, id)
	update(t, s, id, func(u mfa.User) (mfa.User, error) {
		u, _, err := mfa.Reset(u, mfa.EnableOptions{Kind: mfa.HOTP, Now: time.Unix(1_700_000_000, 0), Random: rand.Reader})
		// Even a change that forgets to drop the old state leaves nothing of it.
		u.State = old.State
		return u, err
	})
	u := view(t, s, id)
	if u.Record.Epoch == old.Record.Epoch || u.State.Failures != 0 || Counted(t, s, id) != 0 {
		t.Fatalf("after a reset: %+v", u)
	}
}

func newCodes(t *testing.T, s store.Store) {
	const id = "alice@pam"
	update(t, s, id, Enable)
	update(t, s, id, Count)
	codes := func(u mfa.User) (mfa.User, error) {
		_, u, err := mfa.NewRecoveryCodes(u, 10, rand.Reader)
		return u, err
	}
	update(t, s, id, codes)
	update(t, s, id, func(u mfa.User) (mfa.User, error) { u.State.RecoveryUsed = 5; return u, nil })
	if u := view(t, s, id); u.State.RecoveryUsed != 5 {
		t.Fatalf("used codes: %b", u.State.RecoveryUsed)
	}
	update(t, s, id, codes)
	if u := view(t, s, id); u.State.RecoveryUsed != 0 || Counted(t, s, id) != 1 {
		t.Fatalf("after new codes: %+v", u.State)
	}
}

func removed(t *testing.T, s store.Store) {
	const id = "alice@pam"
	update(t, s, id, Enable)
	update(t, s, id, Count)
	gone := view(t, s, id).Record.Credentials[0].ID
	update(t, s, id, func(u mfa.User) (mfa.User, error) {
		u, _, err := mfa.Add(u, mfa.EnableOptions{Kind: mfa.HOTP, Now: time.Unix(1_700_000_001, 0), Random: rand.Reader})
		return u, err
	})
	update(t, s, id, func(u mfa.User) (mfa.User, error) { return mfa.Remove(u, gone) })
	u := view(t, s, id)
	if _, ok := u.State.Counter(gone); ok || len(u.Record.Credentials) != 1 || u.Record.Find(gone) >= 0 {
		t.Fatalf("after the removal: %+v", u)
	}
	update(t, s, id, func(u mfa.User) (mfa.User, error) { return mfa.Remove(u, u.Record.Credentials[0].ID) })
	list(t, s)
}

func rebuild(t *testing.T, s store.Store) {
	const id = "alice@pam"
	update(t, s, id, Enable)
	update(t, s, id, Count)
	before := view(t, s, id)
	if err := s.Rebuild(ctx, id, func(r mfa.Record) mfa.State {
		if !r.Equal(before.Record) {
			t.Errorf("rebuilt from %+v, want %+v", r, before.Record)
		}
		return mfa.Rebuild(r, time.Unix(1_700_000_000, 0), 1)
	}); err != nil {
		t.Fatal(err)
	}
	u := view(t, s, id)
	if c, _ := u.State.Counter(u.Record.Credentials[0].ID); !c.Lost {
		t.Fatalf("the state is the old one: %+v", u.State)
	}
}
