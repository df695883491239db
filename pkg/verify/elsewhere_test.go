package verify_test

import (
	"testing"
	"time"

	"oathkit/pkg/mfa"
	"oathkit/pkg/verify"
)

// Answers that are judged elsewhere lock like others, and change nothing else.
func TestPassOn(t *testing.T) {
	d := open(t, true, mfa.EnableOptions{})
	d.add(mfa.EnableOptions{Kind: mfa.Duo})
	before := d.u
	p := verify.Policy{Window: 1, Lockout: verify.DefaultLockout()}
	u := before
	for i := range 6 {
		r, after, ok := verify.PassOn(u, d.now, p)
		if !ok || r.Verdict != "" || after.State.Failures != uint16(i+1) {
			t.Fatalf("%d: %+v, %d failures", i, r, after.State.Failures)
		}
		u = after
	}
	// Five failures in a row are free, and the sixth has a delay: nothing more is
	// passed on.
	r, after, ok := verify.PassOn(u, d.now, p)
	if ok || r.Verdict != verify.Locked || r.RetryAfter != 30*time.Second || after.State.Failures != 6 {
		t.Errorf("%+v, %v", r, ok)
	}
	// One that was not wrong is taken back, and the next may be passed on.
	u = verify.TakeBack(u, d.now, u.Record.Epoch)
	if _, _, ok := verify.PassOn(u, d.now, p); !ok || u.State.Failures != 5 || u.State.Month.Sum(d.now) != 5 {
		t.Errorf("taken back: %d failures", u.State.Failures)
	}
	if v := verify.TakeBack(u, d.now, [16]byte{1}); v.State.Failures != 5 {
		t.Error("taken back from another record")
	}
	// A right one ends the failures in a row, not the tally of 30 days.
	s := verify.Succeed(u, d.now)
	if at, used := s.LastUse(s.Record.Credentials[1].ID); !used || !at.Equal(d.now.Truncate(time.Second)) {
		t.Errorf("last used at %v", at)
	}
	s.State.Counters[1].Next = 0
	if s.State.Failures != 0 || s.State.Month.Sum(d.now) != 5 {
		t.Errorf("succeeded: %d failures, %d in 30 days", s.State.Failures, s.State.Month.Sum(d.now))
	}
	if s.State.Counters != before.State.Counters || s.State.Sent != before.State.Sent || s.State.RecoveryUsed != before.State.RecoveryUsed {
		t.Error("the state of codes has changed")
	}
	for range 5 {
		s = verify.TakeBack(s, d.now, s.Record.Epoch)
	}
	if s.State != before.State {
		t.Errorf("all taken back: %+v\nwant %+v", s.State, before.State)
	}
	if _, after, ok := verify.PassOn(mfa.User{ID: "nobody@pam"}, d.now, p); !ok || after.Enrolled() {
		t.Error("somebody without a record")
	}
	p.Window = -1
	if r, _, ok := verify.PassOn(u, d.now, p); ok || r.Verdict != verify.Error {
		t.Errorf("a policy that makes no sense: %+v", r)
	}
}

// An answer of six digits is no code of a credential of kind duo.
func TestDuoHasNoCode(t *testing.T) {
	d := open(t, true, mfa.EnableOptions{})
	d.add(mfa.EnableOptions{Kind: mfa.Duo})
	for _, answer := range []string{"000000", "755224", "123456"} {
		r, _ := verify.Decide(d.u, answer, d.now, verify.Policy{Window: 1, Lockout: verify.DefaultLockout()})
		if r.OK || r.Verdict != verify.Rejected {
			t.Errorf("%s: %+v", answer, r)
		}
	}
}
