package verify

import (
	"time"

	"oathkit/pkg/mfa"
)

// Standing is how a user stands before anything is answered.
type Standing struct {
	Enrolled     bool
	Usable       int           // activated credentials
	Pending      int           // credentials that are not activated yet
	RecoveryLeft int           // recovery codes left
	Locked       bool          // delayed or locked: Decide would say Locked to a code, and none should be sent
	Reason       string        // why, as in Result.Reason; empty if not Locked
	RetryAfter   time.Duration // how long still, as in Result.RetryAfter; 0 if time alone does not open it
	Failures     int           // wrong answers in a row
	Month        int           // wrong answers within 30 days
	Removal      time.Time     // until when a removal can be confirmed; zero if none is pending
}

// Status says how a user stands at a time. It is an error if the policy or the
// record makes no sense.
func Status(u mfa.User, now time.Time, p Policy) (Standing, error) {
	if err := p.Check(); err != nil {
		return Standing{}, err
	}
	if !u.Enrolled() {
		return Standing{}, nil
	}
	if err := u.Record.Check(); err != nil {
		return Standing{}, err
	}
	s := settle(u.Record, u.State.For(u.Record), now, p.Window)
	u.State = s
	w := waiting(s, now, p.Lockout)
	st := Standing{
		Enrolled: true, RecoveryLeft: u.Record.Recovery.Left(s.RecoveryUsed),
		Locked: w.reason != "", Reason: w.reason, RetryAfter: w.left,
		Failures: int(s.Failures), Month: s.Month.Sum(now),
	}
	for i := range u.Record.Credentials {
		if u.Record.Credentials[i].Activated {
			st.Usable++
		} else {
			st.Pending++
		}
	}
	st.Removal, _ = u.RemovalPending(now)
	return st, nil
}
