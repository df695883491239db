package mfa_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/mfa"
)

func request(t testing.TB, u mfa.User, now time.Time) (string, mfa.User) {
	t.Helper()
	token, u, err := mfa.RequestRemoval(u, now, dice(uint64(now.UnixNano())))
	if err != nil {
		t.Fatal(err)
	}
	return token, u
}

func TestRemoval(t *testing.T) {
	u := full(t)
	if _, pending := u.RemovalPending(noon); pending {
		t.Error("nobody asked for a removal")
	}
	token, v := request(t, u, noon)
	if len(token) != 39 || strings.Trim(token, "abcdefghijklmnopqrstuvwxyz234567-") != "" || strings.Count(token, "-") != 7 {
		t.Errorf("token %q", token)
	}
	if u.State.Removal != (mfa.Removal{}) || !v.Record.Equal(u.Record) {
		t.Error("a request changes more than the state")
	}
	if until, pending := v.RemovalPending(noon); !pending || !until.Equal(noon.Add(15*time.Minute)) {
		t.Error("until ", until)
	}
	for _, spelling := range []string{token, strings.ToUpper(token), strings.ReplaceAll(token, "-", ""), " " + strings.ReplaceAll(token, "-", " ") + " "} {
		gone, err := mfa.ConfirmRemoval(v, spelling, noon.Add(15*time.Minute-time.Millisecond))
		if err != nil || gone.Enrolled() || gone.ID != u.ID || gone.State != (mfa.State{}) {
			t.Errorf("%q: %v", spelling, err)
		}
		if _, err := mfa.ConfirmRemoval(gone, spelling, noon); !errors.Is(err, mfa.ErrNotEnrolled) {
			t.Errorf("twice: %v", err)
		}
	}
	if strings.Contains(fmt.Sprintf("%v %+v %#v %x", v, v.State, v.State.Removal, v.State.Removal), fmt.Sprintf("%x", v.State.Removal.Hash)) {
		t.Error("the hash is printed")
	}
	if hash := fmt.Sprint(v.State.Removal.Hash); strings.Contains(fmt.Sprint(v), hash) {
		t.Error("the hash is printed as numbers")
	}
}

func TestRemovalRefused(t *testing.T) {
	u := full(t)
	token, v := request(t, u, noon)
	other, _ := request(t, u, noon.Add(time.Hour))
	later := 15 * time.Minute
	for _, c := range []struct {
		name  string
		u     mfa.User
		token string
		after time.Duration
		want  error
		tries uint8
	}{
		{"nothing", v, "", 0, mfa.ErrWrongToken, 1},
		{"another", v, other, 0, mfa.ErrWrongToken, 1},
		{"a part", v, token[:38], 0, mfa.ErrWrongToken, 1},
		{"too late", v, token, later, mfa.ErrRemovalExpired, 0},
		{"a wrong one too late", v, other, later, mfa.ErrWrongToken, 1},
		{"far in the future", v, token, 1 << 62, mfa.ErrRemovalExpired, 0},
		{"a clock set back", v, token, -11 * time.Second, mfa.ErrRemovalExpired, 0},
		{"not asked for", u, token, 0, mfa.ErrNoRemoval, 0},
	} {
		after, err := mfa.ConfirmRemoval(c.u, c.token, noon.Add(c.after))
		if !errors.Is(err, c.want) || !after.Record.Equal(c.u.Record) {
			t.Errorf("%s: %v", c.name, err)
		}
		if after.State.Failures != 1 || after.State.Month.Sum(noon.Add(c.after)) != 1 || after.State.Removal.Tries != c.tries {
			t.Errorf("%s: %d failures, %d tries", c.name, after.State.Failures, after.State.Removal.Tries)
		}
	}
	// After five wrong ones the right one is refused, and says why.
	for i := range mfa.RemovalTries {
		if _, pending := v.RemovalPending(noon); !pending {
			t.Errorf("after %d wrong ones none is pending", i)
		}
		v, _ = mfa.ConfirmRemoval(v, other, noon)
	}
	if _, pending := v.RemovalPending(noon); pending {
		t.Error("five wrong ones, and it is still pending")
	}
	if after, err := mfa.ConfirmRemoval(v, token, noon); !errors.Is(err, mfa.ErrRemovalTries) || !after.Enrolled() {
		t.Error("the right one after five wrong ones: ", err)
	}
	if after, err := mfa.ConfirmRemoval(v, other, noon); !errors.Is(err, mfa.ErrWrongToken) || after.State.Removal.Tries != mfa.RemovalTries {
		t.Error("a sixth wrong one: ", err)
	}
	for _, change := range []func(*mfa.User){
		func(u *mfa.User) { u.ID = "bob@pam" },
		func(u *mfa.User) { u.Record.Epoch[0]++; u.State.Epoch[0]++ },
	} {
		_, w := request(t, u, noon)
		if change(&w); true {
			if _, err := mfa.ConfirmRemoval(w, token, noon); !errors.Is(err, mfa.ErrWrongToken) {
				t.Error("another user's: ", err)
			}
		}
	}
}

func TestRequestRemoval(t *testing.T) {
	u := full(t)
	if _, _, err := mfa.RequestRemoval(mfa.User{ID: "bob@pam"}, noon, dice(1)); !errors.Is(err, mfa.ErrNotEnrolled) {
		t.Error("of nobody: ", err)
	}
	if _, _, err := mfa.RequestRemoval(u, noon, strings.NewReader("0123456789")); err == nil {
		t.Error("ten random bytes are enough")
	}
	old, u := request(t, u, noon)
	var soon *mfa.TooSoonError
	if _, _, err := mfa.RequestRemoval(u, noon.Add(10*time.Second), dice(1)); !errors.As(err, &soon) || soon.Wait != 20*time.Second {
		t.Error("too soon: ", err)
	}
	token, v := request(t, u, noon.Add(30*time.Second))
	if _, err := mfa.ConfirmRemoval(v, old, noon.Add(30*time.Second)); !errors.Is(err, mfa.ErrWrongToken) {
		t.Error("the one before it is good: ", err)
	}
	if w := mfa.RevokeRemoval(v, old); w.State != v.State {
		t.Error("a newer one is revoked")
	}
	w := mfa.RevokeRemoval(v, token)
	if w.State.Removal != (mfa.Removal{At: v.State.Removal.At}) {
		t.Errorf("%+v", w.State.Removal)
	}
	if _, err := mfa.ConfirmRemoval(w, token, noon.Add(30*time.Second)); !errors.Is(err, mfa.ErrNoRemoval) {
		t.Error("a revoked one is good: ", err)
	}
	if _, _, err := mfa.RequestRemoval(w, noon.Add(time.Minute-1), dice(1)); !errors.Is(err, mfa.ErrTooSoon) {
		t.Error("a mailer that fails is asked without end: ", err)
	}
	if mfa.RevokeRemoval(mfa.User{ID: "bob@pam"}, token).Enrolled() {
		t.Error("of nobody")
	}
}
