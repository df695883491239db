// Package verify is the decision: a user, an answer and a time make a verdict
// and the user as he is afterwards. It is pure: it knows no file and no clock.
// The rules are HOTP's (RFC 4226 section 7) and TOTP's (RFC 6238 section 5)
// with a lock-out around them.
//
// # An answer
//
// Blanks and dashes are dropped once. ASCII digits, exactly as many as a
// credential's codes have, are held against that credential; everything else is
// tried as a recovery code, and is a wrong answer if it is none. The empty
// answer is a try of nothing: it is refused and not counted.
//
//   - All credentials are tried. The result names the first that has the code
//     as a good one. Where another has the same code by chance it is moved on,
//     too; where the code is a used one of any credential it is a replay, even
//     if it is a good one of another: one code is good once.
//   - TOTP: the steps up to Window before and after now, if they come after the
//     last one used. The highest that matches is used up, and so all before it.
//   - HOTP: the next counter and the 10 after it; the highest that matches is
//     used up. A wrong code moves nothing. A code from 11 to 100 after the next
//     counter is a wrong answer, but it is kept in mind: if the very next answer
//     that is judged is the following code, the credential is in step again. A
//     replay in between, or a try that is not judged, does not disturb that;
//     any other answer does.
//   - A code that was used is a replay: refused and audited, not counted, for it
//     is worth nothing, and a client that sends it again must not lock its owner
//     out. Known as used are the TOTP steps within the window, the last one
//     used however long ago, the 10 HOTP counters before the next one, and used
//     recovery codes. An older one is a wrong answer.
//   - A sent code (mfa.Send) is good for the credential it was sent for, for
//     five minutes, once, and for the purpose of the policy alone. A wrong
//     answer of as many digits is also one of its five tries. The right code
//     that came too late, after too many tries or for another purpose is a
//     wrong answer with a reason of its own; once used it is a replay until
//     another one is sent. While delayed or locked none is judged, so none
//     should be sent then: Status tells. A guess at an open one is right once in
//     a million times: 20 guesses until the lock 2 in 100,000, 100 guesses in 30
//     days 1 in 10,000.
//   - A recovery code is good for whoever has a set of them, activated or not,
//     and activates nothing.
//
// # Who has no factor, or none yet
//
// Without a record the answer is not looked at: not-enrolled, no, where a
// factor is required, and not-required, yes, elsewhere. While no credential is
// activated, an empty answer is pending, yes, where none is required or the
// grace that is counted from enable is not over; the lock of the codes does not
// stand in its way, for it gives nothing that the password alone does not. A
// record that lies in the future has no grace. A right code activates the
// credential it belongs to, no other, and is accepted, also beside activated
// ones and where a factor is required. A wrong one is no, and counted, always:
// else a code could be guessed there.
//
// # Failures
//
// Up to Free wrong answers in a row cost nothing. After each further one
// nothing is judged for a delay that doubles from Delay to MaxDelay, reckoned
// from that answer. LockAt in a row, or MonthMax within 30 days, lock. A success
// clears the tally in a row and the delay. The tally of 30 days is kept by
// day (UTC): today and the 30 days before, so that it never forgets too early.
//
// While delayed or locked a try uses up nothing, counts nothing and lengthens
// nothing. Judged are only:
//
//   - a recovery code: it is accepted and clears the lock. That of the 30 days
//     would still be there if its tally were kept, so the tally is cleared then,
//     and only then.
//   - a TOTP code, if none was judged within 10 seconds: a right one of step N
//     is noted, and the answer is still "locked"; a right one of step N+1 or N+2
//     of the same credential is then accepted. It clears what a success clears;
//     in a lock of 30 days every login takes two codes until that is over. The
//     noted code itself is not used up by being noted. A used code, and the
//     noted one again, take no turn from those 10 seconds: clients send them on
//     their own.
//
// HOTP codes are not judged then: a counter has no time that would make a
// guesser wait. Whoever guesses can keep taking the turns of TOTP, so that
// the owner needs a recovery code or mfactl unlock.
//
// # Clocks
//
//   - A clock set back: the last used step stays used, however far ahead it now
//     lies. Explain says so; the way out is a new credential.
//   - A last failure that lies in the future: the delay is the longest one from
//     now, once; the state is changed so that it ends. Up to 10 seconds ahead
//     it counts as it stands, because a process that has waited that long for
//     the user's lock looks at its clock before it is allowed in.
//   - A delay above the maximum cannot be: it is reckoned from the policy of
//     the day, and so are the limits.
//   - Days of the tally that lie in the future count as today.
//   - A sent code or a removal token that was made in the future is revoked.
//   - Before 1970 there are no TOTP steps; times outside the years 0 to 9999
//     are held at these.
//   - The period of a credential may be changed in its record: what was used is
//     kept as a time, and a step is good only if it begins after it.
//   - A TOTP credential whose state was lost begins behind now and the window.
//     A lost HOTP credential is looked for among the 10000 counters from its
//     first on, by two codes in a row; whoever saw two used codes in a row could
//     use them then, so that a reset is better where that is to be feared.
//   - Counters end at 2^63-2: the next one must have a number.
//
// # Time that tells
//
// Codes are compared in constant time, and the work for an answer does not
// depend on it or on the verdict: every credential's codes are computed, as
// many of them, whether the answer has the right length or not, is right,
// wrong, used or not judged. A user without a record costs what one with one
// TOTP credential and ten recovery codes does. Not promised: that users with
// several credentials, with HOTP ones (112 codes each), with sent codes (one
// hash each), with other hashes or with a lost counter cost the same as others.
//
// # Removal
//
// ConfirmRemoval judges the token of mfa.RequestRemoval under the same
// lock-out. It asks for nothing else: that the person has given a password, or
// a code that Decide accepted, is the caller's.
//
// # Odds
//
// Of somebody who knows everything but the keys, against one credential of 6
// digits, a window of 1 and DefaultLockout: one TOTP guess 3 in a million, 20
// guesses until the lock 6 in 100,000, 100 guesses in 30 days 3 in 10,000, and
// all the turns that TOTP has in 30 days of lock 1.2 in 100,000. HOTP: one guess
// 11 in a million, until the lock 2.2 in 10,000, in 30 days 1.1 in 1000; two
// codes in a row add less than 1 in 100 million. Eight credentials are eight
// times as likely, 8 digits a hundredth. A recovery code that clears a lock of
// 30 days gives another 100 guesses. Recovery codes themselves are guessed at
// without limit while locked: ten of 80 bits, 1000 guesses a second for a year,
// 3 in 10^13. TestOdds reckons these.
//
// # Left out
//
// Which realm asks, and whether the person has given a password, is the
// caller's. So is asking Duo: PassOn, TakeBack and Succeed hold what it judges
// against the same lock-out.
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
	Purpose    mfa.Purpose   // what a sent code must have been sent for; none: ForLogin
	Lockout    Lockout
}

// Check says which part of a policy makes no sense.
func (p Policy) Check() error {
	l := p.Lockout
	switch {
	case p.Window < 0 || p.Window > MaxWindow:
		return fmt.Errorf("a window of %d steps is out of range, 0 to %d are allowed", p.Window, MaxWindow)
	case p.Purpose > mfa.ForChange:
		return fmt.Errorf("purpose %d is none that codes are sent for", p.Purpose)
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
	Kind         string        // "totp", "hotp", "email", "sms", "duo", "recovery" or "removal": what the answer was; empty if it was none of them
	Offset       time.Duration // TOTP: how far the code's step lies after the current one
	RecoveryLeft int           // recovery codes left
	RetryAfter   time.Duration // delayed: how long still; locked over 30 days: until enough of them are over; else 0
	Activated    bool          // this answer activated the credential
	Reason       string        // a short stable word for the audit log
}

// purpose is what a sent code must have been sent for.
func (p Policy) purpose() mfa.Purpose {
	if p.Purpose == 0 {
		return mfa.ForLogin
	}
	return p.Purpose
}
