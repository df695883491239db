package verify

import (
	"time"

	"oathkit/pkg/mfa"
)

// An answer that somebody else judges (Duo) takes part in the lock-out and in
// nothing else: no other kind's counter, sent code or recovery code is looked at
// or changed.
// What can be guessed is counted before it is passed on, so that of many guesses
// at once none is judged beyond the limit, and taken back when it was no wrong
// answer.

// PassOn says whether an answer that can be guessed may be judged elsewhere now.
// If so, the user comes back with a failure more, and must be durable before the
// answer is passed on; else the result says Locked. Somebody without a record
// has no lock-out here.
func PassOn(u mfa.User, now time.Time, p Policy) (r Result, after mfa.User, ok bool) {
	if err := p.Check(); err != nil {
		return Result{Verdict: Error, Reason: reasonPolicy}, u, false
	}
	if !u.Enrolled() {
		return Result{}, u, true
	}
	if err := u.Record.Check(); err != nil {
		return Result{Verdict: Error, Reason: reasonRecord}, u, false
	}
	u.State = settle(u.Record, u.State.For(u.Record), now, p.Window)
	if w := waiting(u.State, now, p.Lockout); w.reason != "" {
		return Result{Verdict: Locked, Reason: w.reason, RetryAfter: w.left}, u, false
	}
	u.State = u.State.CountFailure(now)
	return Result{}, u, true
}

// TakeBack is for an answer that PassOn counted and that was not found wrong. A
// record that is another one by now is left as it is.
func TakeBack(u mfa.User, now time.Time, epoch [16]byte) mfa.User {
	if !u.Enrolled() || u.Record.Epoch != epoch {
		return u
	}
	u.State = u.State.For(u.Record).UncountFailure(now)
	return u
}

// Succeed is for an answer that was found right elsewhere: the failures in a row
// and the delay are over, as after a code of the user's own. A credential of kind
// duo keeps when that was.
func Succeed(u mfa.User, now time.Time) mfa.User {
	if !u.Enrolled() {
		return u
	}
	u.State = u.State.For(u.Record)
	for i := range u.State.Counters {
		if c := &u.State.Counters[i]; c.Kind == mfa.Duo {
			c.Next = uint64(max(mfa.Seconds(now), 0))
		}
	}
	succeed(&u.State)
	return u
}
