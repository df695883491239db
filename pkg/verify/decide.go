package verify

import (
	"slices"
	"time"

	"oathkit/pkg/mfa"
)

// The reasons of a result, for the audit log. They do not change between
// versions.
const (
	reasonCode      = "right-code"          // accepted: a TOTP or HOTP code
	reasonResync    = "resynchronised"      // accepted: the second of two HOTP codes in a row
	reasonOpened    = "opened"              // accepted: the second of two TOTP codes while delayed or locked
	reasonSent      = "sent-code"           // accepted: a code that was sent
	reasonRecovery  = "recovery-code"       // accepted, or replayed: a recovery code
	reasonUsed      = "used-code"           // replayed: a TOTP, HOTP or sent code
	reasonWrong     = "wrong-code"          // rejected: digits that are no code of the user's
	reasonNoCode    = "not-a-code"          // rejected: not as long as a code of the user's, or not digits
	reasonOutOfStep = "out-of-step"         // rejected: perhaps the first of two HOTP codes in a row
	reasonExpired   = "expired-code"        // rejected: the code that was sent, but too late
	reasonTries     = "too-many-tries"      // rejected: the code that was sent, or the token, after too many wrong ones
	reasonPurpose   = "other-purpose"       // rejected: the code that was sent, but for something else
	reasonEmpty     = "empty"               // rejected: nothing was answered
	reasonDelayed   = "delayed"             // locked: the delay after a wrong answer is not over
	reasonInARow    = "too-many-in-a-row"   // locked
	reasonMonth     = "too-many-in-30-days" // locked
	reasonNoted     = "noted"               // locked, but the code was right: the next one opens
	reasonNone      = "no-record"           // not-enrolled or not-required
	reasonPending   = "not-activated"       // pending: the realm requires no factor
	reasonGrace     = "grace"               // pending: the realm requires one, but not yet
	reasonPolicy    = "bad-policy"          // error
	reasonRecord    = "bad-record"          // error
	kindRecovery    = "recovery"            // of a result whose answer was a recovery code
	judgeEvery      = 10 * time.Second      // between two codes that are judged while delayed or locked
	slack           = 10 * time.Second      // how far ahead of the clock a stamp may lie: as long as a store waits for its lock
	maxAnswer       = 256                   // bytes of the longest answer that is looked at
)

// Decide judges an answer. It is pure; the user it returns must be durable
// before a yes is told to anybody, and before a no is, too: it holds the count
// of failures. Where nothing was used or counted the user may still differ
// from the one given, because stamps that lie in the future were put right.
func Decide(u mfa.User, answer string, now time.Time, p Policy) (Result, mfa.User) {
	if err := p.Check(); err != nil {
		return Result{Verdict: Error, Reason: reasonPolicy}, u
	}
	if !u.Enrolled() {
		examineDecoy(answer, now, p)
		if p.Required {
			return Result{Verdict: NotEnrolled, Reason: reasonNone}, u
		}
		return Result{Verdict: NotRequired, OK: true, Reason: reasonNone}, u
	}
	if err := u.Record.Check(); err != nil {
		return Result{Verdict: Error, Reason: reasonRecord}, u
	}
	u.State = settle(u.Record, u.State.For(u.Record), now, p.Window)
	d := decision{u: u, now: now, p: p, wait: waiting(u.State, now, p.Lockout)}
	d.seen = examine(u, answer, now, p)
	d.decide()
	d.r.RecoveryLeft = d.u.Record.Recovery.Left(d.u.State.RecoveryUsed)
	return d.r, d.u
}

// decision is the work on one verdict: what is known, and the result and user
// it becomes.
type decision struct {
	u    mfa.User
	now  time.Time
	p    Policy
	wait wait
	seen findings
	r    Result
}

func (d *decision) decide() {
	switch {
	case d.seen.empty:
		d.empty()
	case d.wait.reason != "":
		d.whileWaiting()
	case d.seen.spent != nil:
		d.replayed()
	case d.seen.fresh != nil:
		d.accept(d.seen.fresh)
	case d.seen.recovery >= 0:
		d.recover()
	default:
		d.fail()
	}
}

// empty judges no answer at all. It is a try of nothing, so it counts nothing,
// and where the password alone is enough no lock of the codes is in its way.
func (d *decision) empty() {
	switch {
	case !d.u.Activated() && !d.p.Required:
		d.r = Result{Verdict: Pending, OK: true, Reason: reasonPending}
	case !d.u.Activated() && d.inGrace():
		d.r = Result{Verdict: Pending, OK: true, Reason: reasonGrace}
	case d.wait.reason != "":
		d.locked(d.wait.reason)
	default:
		d.r = Result{Verdict: Rejected, Reason: reasonEmpty}
	}
}

// inGrace is false, too, before the record was made: the clock was set back.
func (d *decision) inGrace() bool {
	since := d.now.Sub(d.u.Record.Created)
	return since >= 0 && since < d.p.Grace
}

func (d *decision) locked(reason string) {
	d.r = Result{Verdict: Locked, RetryAfter: d.wait.left, Reason: reason}
}

// whileWaiting judges, while the user is delayed or locked, what may be judged
// then: a recovery code, and now and then a TOTP code.
func (d *decision) whileWaiting() {
	d.locked(d.wait.reason)
	if d.seen.recovery >= 0 && !d.seen.recoveryUsed {
		if d.wait.reason == reasonMonth {
			d.u.State.Month = mfa.Tally{}
		}
		d.recover()
		return
	}
	s := &d.u.State
	f := d.seen.totp
	switch {
	case !d.seen.totpShaped || d.seen.spent != nil:
		return // no guess at what could be good
	case f != nil && s.Noted == f.noted():
		return // the same code sent again
	case s.Judged != 0 && mfa.Milliseconds(d.now)-s.Judged < judgeEvery.Milliseconds():
		return
	}
	s.Judged = mfa.Milliseconds(d.now)
	if f == nil {
		return
	}
	if f.follows(s.Noted) {
		d.accept(f)
		d.r.Reason = reasonOpened
		return
	}
	s.Noted = f.noted()
	d.r.Reason = reasonNoted
}

func (d *decision) replayed() {
	f := d.seen.spent
	d.r = Result{Verdict: Replayed, Reason: reasonUsed, Kind: f.kind, Offset: f.offset}
	if f.c == nil {
		d.r.Reason = reasonRecovery
		return
	}
	d.r.Credential = f.c.ID
}

// accept takes the code of f. Whatever other credential has the same code by
// chance is moved on, too: one code is good once.
func (d *decision) accept(f *finding) {
	d.r = Result{Verdict: Accepted, OK: true, Credential: f.c.ID, Kind: f.kind, Offset: f.offset, Reason: reasonCode}
	switch {
	case f.resync:
		d.r.Reason = reasonResync
	case f.c.Kind.Sent():
		d.r.Reason = reasonSent
	}
	s := &d.u.State
	for i := range s.Counters {
		s.Counters[i].Candidate = 0
	}
	for i := range d.seen.list {
		if g := &d.seen.list[i]; g.fresh {
			s.Counters[g.at].Next = g.next
			s.Counters[g.at].Lost = false
			s.Sent.Used = s.Sent.Used || g.c.Kind.Sent()
		}
	}
	if i := d.u.Record.Find(f.c.ID); !f.c.Activated {
		d.u.Record.Credentials = slices.Clone(d.u.Record.Credentials)
		d.u.Record.Credentials[i].Activated = true
		d.r.Activated = true
	}
	succeed(s)
}

// recover takes a recovery code. It activates nothing.
func (d *decision) recover() {
	s := &d.u.State
	s.RecoveryUsed |= 1 << d.seen.recovery
	for i := range s.Counters {
		s.Counters[i].Candidate = 0
	}
	succeed(s)
	d.r = Result{Verdict: Accepted, OK: true, Kind: kindRecovery, Reason: reasonRecovery}
}

// fail counts a wrong answer, also as a try at a code that was sent, and keeps
// what may be the first of two HOTP codes in a row.
func (d *decision) fail() {
	d.r = Result{Verdict: Rejected, Reason: reasonWrong}
	if !d.seen.shaped {
		d.r.Reason = reasonNoCode
	}
	s := &d.u.State
	for i := range d.seen.list {
		f := &d.seen.list[i]
		s.Counters[f.at].Candidate = f.candidate
		if f.candidate != 0 {
			d.r.Reason = reasonOutOfStep
		}
		if f.refused != "" {
			d.r.Reason, d.r.Credential, d.r.Kind = f.refused, f.c.ID, f.kind
		}
	}
	if d.seen.sentShaped && s.Sent.Open(d.now) {
		s.Sent.Tries++
	}
	*s = s.CountFailure(d.now)
	d.r.RetryAfter = waiting(*s, d.now, d.p.Lockout).left
}
