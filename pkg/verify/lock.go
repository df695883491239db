package verify

import (
	"time"

	"oathkit/pkg/mfa"
)

// Lock makes of a user one who is locked, as if he had given too many wrong
// answers: for one whom another system had locked. A time until which it had is
// kept if it is no farther away than the longest delay; there is none for the
// zero time. Otherwise a recovery code or mfa.Unlock opens. A time that is over
// locks nobody, and whoever is locked for longer stays so. timed says that the
// time was kept. A user without a record stays as he is.
func Lock(u mfa.User, until, now time.Time, l Lockout) (locked mfa.User, timed bool) {
	if !u.Enrolled() || !until.IsZero() && !until.After(now) {
		return u, false
	}
	s := u.State.For(u.Record)
	left := until.Sub(now)
	delayed := l.Free + 1
	if until.IsZero() || left > l.MaxDelay || delayed >= l.LockAt {
		s.Failures = max(s.Failures, uint16(l.LockAt))
		s.LastFailure, s.FullDelay = mfa.Milliseconds(now), false
		u.State = s
		return u, false
	}
	if w := waiting(s, now, l); w.reason == "" || w.reason == reasonDelayed && w.left < left {
		s.Failures = max(s.Failures, uint16(delayed))
		s.LastFailure, s.FullDelay = mfa.Milliseconds(until.Add(-l.MaxDelay)), true
		u.State = s
	}
	return u, true
}
