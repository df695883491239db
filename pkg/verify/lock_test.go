package verify_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"oathkit/pkg/mfa"
	"oathkit/pkg/verify"
)

func TestLock(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	u, _, err := mfa.Enable(mfa.User{ID: "joe@pve"}, mfa.EnableOptions{Now: at, Random: rand.NewChaCha8([32]byte{1})})
	if err != nil {
		t.Fatal(err)
	}
	p := verify.Policy{Window: 1, Lockout: verify.DefaultLockout()}
	strict := p.Lockout
	strict.Free, strict.LockAt = 5, 6
	for _, tt := range []struct {
		name   string
		until  time.Time
		policy verify.Lockout
		timed  bool
		locked bool
		left   time.Duration
	}{
		{"until somebody opens", time.Time{}, p.Lockout, false, true, 0},
		{"for a while", at.Add(17 * time.Minute), p.Lockout, true, true, 17 * time.Minute},
		{"for the longest delay", at.Add(time.Hour), p.Lockout, true, true, time.Hour},
		{"for longer", at.Add(time.Hour + time.Second), p.Lockout, false, true, 0},
		{"where there are no delays", at.Add(time.Minute), strict, false, true, 0},
		{"no longer", at, p.Lockout, false, false, 0},
	} {
		l, timed := verify.Lock(u, tt.until, at, tt.policy)
		st, err := verify.Status(l, at, verify.Policy{Window: 1, Lockout: tt.policy})
		if err != nil {
			t.Fatal(err)
		}
		if timed != tt.timed || st.Locked != tt.locked || st.RetryAfter != tt.left {
			t.Errorf("%s: timed %v, locked %v for %v", tt.name, timed, st.Locked, st.RetryAfter)
		}
		if again, _ := verify.Lock(l, tt.until, at, tt.policy); again.State != l.State {
			t.Errorf("%s: locked again it is another lock", tt.name)
		}
		if later, err := verify.Status(l, at.Add(tt.left), verify.Policy{Window: 1, Lockout: tt.policy}); err != nil || tt.left > 0 && later.Locked {
			t.Errorf("%s: it does not end: %v", tt.name, err)
		}
		if forever, _ := verify.Lock(l, time.Time{}, at, tt.policy); tt.left > 0 {
			if kept, _ := verify.Lock(forever, tt.until, at, tt.policy); kept.State != forever.State {
				t.Errorf("%s: it weakens a lock", tt.name)
			}
		}
	}
	if got, timed := verify.Lock(mfa.User{ID: "nobody@pve"}, time.Time{}, at, p.Lockout); timed || got.State != (mfa.State{}) {
		t.Error("nobody was locked")
	}
}
