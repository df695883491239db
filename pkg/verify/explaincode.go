package verify

import (
	"time"

	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
)

// credential says what the code is to a credential, and reports whether it is
// anything.
func (e *explainer) credential(c *mfa.Credential, n mfa.Counter, code string) bool {
	known := false
	if c.Kind.Sent() {
		return oath.IsCode(code, c.Digits) && e.sent(c, code)
	}
	if oath.IsCode(code, c.Digits) {
		if c.Kind == mfa.TOTP {
			known = e.totp(c, n, code)
		} else {
			known = e.hotp(c, n, code)
		}
	}
	return known || e.ignored(c, n, code)
}

// sent says what the code that was sent last is to a credential, if this is it.
func (e *explainer) sent(c *mfa.Credential, code string) bool {
	s := e.state.Sent
	if !s.Matches(e.id, &e.record, c, code) {
		return false
	}
	switch {
	case s.Used:
		e.say("the code is the one that was sent to %s %s ago, but it was used already", name(c), e.ago(s.At))
	case s.Tries >= mfa.SentTries:
		e.say("the code is the one that was sent to %s, but after %d wrong answers it is not good any more", name(c), s.Tries)
	case !s.Open(e.now):
		e.say("the code is the one that was sent to %s, but %s ago, and it was good for %s", name(c), e.ago(s.At), seconds(mfa.SentFor))
	case s.Purpose != e.p.purpose():
		e.say("the code is the one that was sent to %s, but for %s and not for %s", name(c), s.Purpose, e.p.purpose())
	default:
		e.say("the code is the one that was sent to %s", name(c))
	}
	return true
}

func (e *explainer) totp(c *mfa.Credential, n mfa.Counter, code string) bool {
	coder := oath.NewCoder(c.Key, c.Algorithm, c.Digits)
	step, period := int64(e.step(c.Period)), int64(c.Period)
	at, ok := nearest(coder, code, step, int64(searchTime/time.Second)/period)
	if !ok {
		return false
	}
	off := (at - step) * period
	switch spent := uint64(at*period) < n.Next; {
	case spent:
		e.say("the code is right for %s, but it or a later one was used already: its step began %d s ago", name(c), mfa.Seconds(e.now)-at*period)
		if ahead := int64(n.Next) - (step+int64(e.p.Window)+1)*period; ahead > 0 {
			e.say("no code of %s is good before %s, %d s more than the window: this machine's clock was set back, or the credential changed", name(c), stamp(time.Unix(int64(n.Next), 0)), ahead)
		}
	case abs(at-step) <= int64(e.p.Window) && off == 0:
		e.say("the code is right for %s", name(c))
	case abs(at-step) <= int64(e.p.Window):
		e.say("the code is right for %s, of the step that lies %d s %s this one", name(c), abs(off), side(off, "after", "before"))
	default:
		e.say("the code is right for %s on a clock that is %d s %s this machine's, and only %d s are accepted", name(c), abs(off), side(off, "ahead of", "behind"), int64(e.p.Window)*period)
	}
	return true
}

func (e *explainer) hotp(c *mfa.Credential, n mfa.Counter, code string) bool {
	coder := oath.NewCoder(c.Key, c.Algorithm, c.Digits)
	at, ok := nearest(coder, code, int64(n.Next), searchCounter)
	if !ok {
		return false
	}
	ahead := at - int64(n.Next)
	switch {
	case n.Candidate != 0 && at == int64(n.Candidate):
		e.say("the code is the second of two in a row for %s: it is in step again", name(c))
	case n.Lost:
		e.say("the code is one of %s, whose counter is lost: two codes in a row find it again", name(c))
	case ahead < 0:
		e.say("the code is one of %s, %d behind the next counter: it was used or passed over already", name(c), -ahead)
	case ahead <= lookAhead:
		e.say("the code is right for %s, %d ahead of the next counter", name(c), ahead)
	case ahead <= resyncSpan:
		e.say("the code is one of %s, %d ahead of the next counter: alone it is good up to %d, but two codes in a row are good up to %d", name(c), ahead, lookAhead, resyncSpan)
	default:
		e.say("the code is one of %s, %d ahead of the next counter: that is too far even for two codes in a row (%d)", name(c), ahead, resyncSpan)
	}
	return true
}

// ignored says whether the code would be right if the app had taken no notice
// of the hash, the number of digits or the period.
func (e *explainer) ignored(c *mfa.Credential, n mfa.Counter, code string) bool {
	known := false
	for a := oath.SHA1; a <= oath.SHA512; a++ {
		if a != c.Algorithm && e.right(c, n, code, a, c.Digits, c.Period) {
			e.say("the code is right for %s under %s: the app took no notice of %s", name(c), a, c.Algorithm)
			known = true
		}
	}
	if d := len(code); d != c.Digits && d >= oath.MinDigits && d <= oath.MaxDigits && e.right(c, n, code, c.Algorithm, d, c.Period) {
		e.say("the code is right for %s with %d digits: the app took no notice of %d", name(c), d, c.Digits)
		known = true
	}
	if c.Kind != mfa.TOTP {
		return known
	}
	for _, period := range []int{15, 30, 60, 90, 120} {
		if period != c.Period && e.right(c, n, code, c.Algorithm, c.Digits, period) {
			e.say("the code is right for %s with a period of %d s: the app took no notice of %d s", name(c), period, c.Period)
			known = true
		}
	}
	if c.Algorithm != oath.SHA1 && len(code) == oath.DefaultDigits && c.Digits != oath.DefaultDigits &&
		e.right(c, n, code, oath.SHA1, oath.DefaultDigits, oath.DefaultPeriod) {
		e.say("the code is right for %s with SHA1, 6 digits and 30 s: the app knows nothing else", name(c))
		known = true
	}
	return known
}

// right says whether a code would be accepted now if the credential were
// another.
func (e *explainer) right(c *mfa.Credential, n mfa.Counter, code string, a oath.Algorithm, digits, period int) bool {
	if !oath.IsCode(code, digits) {
		return false
	}
	coder := oath.NewCoder(c.Key, a, digits)
	middle, width := int64(n.Next)+lookAhead/2, int64(lookAhead/2)
	if c.Kind == mfa.TOTP {
		middle, width = int64(e.step(period)), int64(e.p.Window)
	}
	_, ok := nearest(coder, code, middle, width)
	return ok
}

func (e *explainer) step(period int) uint64 {
	return oath.StepAt(time.Unix(mfa.Seconds(e.now), 0), period)
}

// nearest looks for a code at most width to each side of the middle, the
// nearest first.
func nearest(coder *oath.Coder, code string, middle, width int64) (int64, bool) {
	for d := int64(0); d <= width; d++ {
		for _, at := range [2]int64{middle - d, middle + d} {
			if at < 0 { // also what overflowed
				continue
			}
			if _, ok := coder.Match(code, uint64(at), uint64(at)); ok {
				return at, true
			}
		}
	}
	return 0, false
}

func abs(n int64) int64 { return max(n, -n) }

func side(n int64, positive, negative string) string {
	if n > 0 {
		return positive
	}
	return negative
}
