// Package verify is the decision: a user, an answer and a time make a verdict
// and the user as he is afterwards.
package verify

import (
	"fmt"
	"time"

	"oathkit/pkg/mfa"
)

// Verdict is what was decided. Only Accepted, NotRequired and Pending are a
// yes.
type Verdict string

// The verdicts.
const (
	Accepted    Verdict = "accepted"     // a right answer, now used up
	Rejected    Verdict = "rejected"     // a wrong answer
	Locked      Verdict = "locked"       // delayed or locked; RetryAfter says how long, if time opens it
	Replayed    Verdict = "replayed"     // a right answer that was used before
	NotEnrolled Verdict = "not-enrolled" // a factor is required and there is none: no
	NotRequired Verdict = "not-required" // there is no factor and none is required: yes
	Pending     Verdict = "pending"      // enabled, never activated, and nothing was answered: yes
	Error       Verdict = "error"        // the policy or the record makes no sense: no
)

// Lockout says how many wrong answers cost what.
type Lockout struct {
	Free     int           // wrong answers in a row without a delay
	Delay    time.Duration // after the next one; doubled by each further one
	MaxDelay time.Duration // the longest delay
	LockAt   int           // wrong answers in a row that lock
	MonthMax int           // wrong answers within 30 days that lock; 0 means DefaultMonthMax
}

// DefaultMonthMax is the second limit of DefaultLockout.
const DefaultMonthMax = 100

// DefaultLockout is 5 free, 30 s doubling to 1 h, locked at 20 in a row or 100
// within 30 days.
func DefaultLockout() Lockout {
	return Lockout{Free: 5, Delay: 30 * time.Second, MaxDelay: time.Hour, LockAt: 20, MonthMax: DefaultMonthMax}
}

// MaxWindow is the widest window that a policy may have, in steps to each side.
const MaxWindow = 10

// Policy is what the configuration and the realm ask.
type Policy struct {
	Window     int           // TOTP steps before and after now that are good, 0..MaxWindow
	Required   bool          // the realm requires a factor
	RequiredBy string        // which file and line asks for it, for Explain
	Grace      time.Duration // how long after enable an empty answer is good in a realm that requires a factor
	Lockout    Lockout
}

// Check says which part of a policy makes no sense.
func (p Policy) Check() error {
	l := p.Lockout
	switch {
	case p.Window < 0 || p.Window > MaxWindow:
		return fmt.Errorf("a window of %d steps is out of range, 0 to %d are allowed", p.Window, MaxWindow)
	case p.Grace < 0:
		return fmt.Errorf("a grace of %v is less than nothing", p.Grace)
	case l.Free < 0:
		return fmt.Errorf("%d free failures are less than none", l.Free)
	case l.Delay < 0 || l.MaxDelay < l.Delay:
		return fmt.Errorf("the delays make no sense: first %v, longest %v", l.Delay, l.MaxDelay)
	case l.MaxDelay > maxDelay:
		return fmt.Errorf("a delay of %v is too long, at most %v is allowed", l.MaxDelay, maxDelay)
	case l.LockAt < 1 || l.LockAt > maxFailures:
		return fmt.Errorf("a lock at %d failures in a row is out of range, 1 to %d are allowed", l.LockAt, maxFailures)
	case l.MonthMax < 0 || l.MonthMax > maxFailures:
		return fmt.Errorf("a lock at %d failures within 30 days is out of range, 1 to %d are allowed", l.MonthMax, maxFailures)
	}
	return nil
}

// The largest values of a policy that make sense.
const (
	maxDelay    = 30 * 24 * time.Hour
	maxFailures = 10000
)

// Result is what was decided and why.
type Result struct {
	Verdict      Verdict
	OK           bool          // yes
	Credential   string        // the id of the credential that the answer belongs to; empty if none or a recovery code
	Kind         string        // "totp", "hotp" or "recovery": what the answer was; empty if it was none of them
	Offset       time.Duration // TOTP: how far the code's step lies after the current one
	RecoveryLeft int           // recovery codes left
	RetryAfter   time.Duration // delayed: how long still; locked over 30 days: until enough of them are over; else 0
	Activated    bool          // this answer activated the credential
	Reason       string        // a short stable word for the audit log
}

// Decide judges an answer. It is pure; the user it returns must be durable
// before a yes is told to anybody.
func Decide(u mfa.User, answer string, now time.Time, p Policy) (Result, mfa.User) { panic("TODO") }

// Explain says in sentences, for root, what Decide would say and why. It never
// holds a code that is good.
func Explain(u mfa.User, answer string, now time.Time, p Policy) []string { panic("TODO") }
