package verify

import (
	"errors"
	"time"

	"oathkit/pkg/mfa"
)

// kindRemoval is the kind of a result whose answer was a removal token.
const kindRemoval = "removal"

// The reasons of ConfirmRemoval beside those of Decide.
const (
	reasonRemoved      = "removed"       // accepted: the user has no record any more
	reasonWrongToken   = "wrong-token"   // rejected
	reasonExpiredToken = "expired-token" // rejected: the right token, but too late
	reasonNoRemoval    = "no-removal"    // rejected: none was asked for
)

// ConfirmRemoval judges a removal token. The right one takes away everything the
// user has; a wrong one is counted like a wrong answer. While the user is
// delayed or locked none is judged. As with Decide the user it returns must be
// durable before anybody is told.
func ConfirmRemoval(u mfa.User, token string, now time.Time, p Policy) (Result, mfa.User) {
	if err := p.Check(); err != nil {
		return Result{Verdict: Error, Reason: reasonPolicy}, u
	}
	if !u.Enrolled() {
		return Result{Verdict: NotEnrolled, Reason: reasonNone}, u
	}
	if err := u.Record.Check(); err != nil {
		return Result{Verdict: Error, Reason: reasonRecord}, u
	}
	u.State = settle(u.Record, u.State.For(u.Record), now, p.Window)
	left := u.Record.Recovery.Left(u.State.RecoveryUsed)
	if w := waiting(u.State, now, p.Lockout); w.reason != "" {
		return Result{Verdict: Locked, RetryAfter: w.left, RecoveryLeft: left, Reason: w.reason}, u
	}
	after, err := mfa.ConfirmRemoval(u, token, now)
	if err == nil {
		return Result{Verdict: Accepted, OK: true, Kind: kindRemoval, Reason: reasonRemoved}, after
	}
	r := Result{Verdict: Rejected, RecoveryLeft: left, Reason: reasonWrongToken}
	switch {
	case errors.Is(err, mfa.ErrNoRemoval):
		r.Reason = reasonNoRemoval
	case errors.Is(err, mfa.ErrRemovalExpired):
		r.Reason, r.Kind = reasonExpiredToken, kindRemoval
	case errors.Is(err, mfa.ErrRemovalTries):
		r.Reason, r.Kind = reasonTries, kindRemoval
	}
	r.RetryAfter = waiting(after.State, now, p.Lockout).left
	return r, after
}
