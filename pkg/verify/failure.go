package verify

import (
	"time"

	"oathkit/pkg/mfa"
)

// wait is why a user's answers are not simply judged; the zero wait is that
// they are.
type wait struct {
	reason string
	left   time.Duration // 0: time alone does not open it
}

// waiting says whether the user is delayed or locked. The state must be
// settled.
func waiting(s mfa.State, now time.Time, l Lockout) wait {
	if int(s.Failures) >= l.LockAt {
		return wait{reason: reasonInARow}
	}
	if max := l.monthMax(); s.Month.Sum(now) >= max {
		return wait{reason: reasonMonth, left: s.Month.Falls(now, max).Sub(now)}
	}
	until := s.LastFailure + l.delay(s).Milliseconds()
	if left := until - mfa.Milliseconds(now); int(s.Failures) > l.Free && left > 0 {
		return wait{reason: reasonDelayed, left: time.Duration(left) * time.Millisecond}
	}
	return wait{}
}

func (l Lockout) monthMax() int {
	if l.MonthMax == 0 {
		return DefaultMonthMax
	}
	return l.MonthMax
}

// delay is how long after the last failure nothing is judged.
func (l Lockout) delay(s mfa.State) time.Duration {
	if int(s.Failures) <= l.Free {
		return 0
	}
	if s.FullDelay {
		return l.MaxDelay
	}
	d := l.Delay
	for n := l.Free + 1; n < int(s.Failures) && d < l.MaxDelay; n++ {
		d *= 2
	}
	return min(d, l.MaxDelay)
}

// settle puts right what a state cannot mean at this time. A stamp that lies
// more than the slack in the future was made by a clock that has been set back
// since: the delay is then the longest one from now, once, and not until that
// time comes round again; a code that was sent and a removal token are revoked.
// A TOTP credential whose counter is lost begins behind
// all that could have been used.
func settle(r mfa.Record, s mfa.State, now time.Time, window int) mfa.State {
	ms := mfa.Milliseconds(now)
	latest := ms + slack.Milliseconds()
	if s.Failures > 0 && s.LastFailure > latest {
		s.LastFailure, s.FullDelay = ms, true
	}
	if s.Judged > latest {
		s.Judged = ms
	}
	if s.Sent.At > latest && !s.Sent.Used {
		s.Sent = mfa.Sent{}
	}
	if s.Removal.At > latest {
		s.Removal = mfa.Removal{}
	}
	s.Month = s.Month.At(now)
	for i := range r.Credentials {
		if c := &s.Counters[i]; c.Lost && c.Kind == mfa.TOTP {
			*c = c.Behind(now, r.Credentials[i].Period, window)
		}
	}
	return s
}

// succeed clears the tally of failures in a row, the delay and what was noted
// meanwhile; the tally of 30 days stays.
func succeed(s *mfa.State) {
	s.Failures, s.LastFailure, s.FullDelay = 0, 0, false
	s.Judged, s.Noted = 0, mfa.Noted{}
}
