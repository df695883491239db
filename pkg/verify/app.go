package verify

import (
	"time"

	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
)

// AppIgnored reports whether a code, wrong for the credential as it is, would
// be right at this time if the app that made it had taken no notice of the
// algorithm, of the number of digits or of both: many know only SHA1 and 6
// digits. It returns what the app seems to use, for mfa.SetParameters. The
// window is in steps, as in Policy; of an HOTP credential the counters from its
// first on are looked at, as far as Decide looks. It is for a credential that
// is not activated yet, after Decide has rejected (and counted) the code.
func AppIgnored(c mfa.Credential, code string, now time.Time, window int) (digits int, algorithm oath.Algorithm, ok bool) {
	code = oath.NormalizeCode(code)
	if c.Kind.Sent() || c.Key.IsZero() || matches(c, c.Algorithm, c.Digits, code, now, window) {
		return 0, 0, false
	}
	for _, digits := range [2]int{c.Digits, oath.DefaultDigits} {
		for _, a := range [2]oath.Algorithm{c.Algorithm, oath.SHA1} {
			if matches(c, a, digits, code, now, window) {
				return digits, a, true
			}
		}
	}
	return 0, 0, false
}

// matches reports whether a code is one of a credential that was never used, if
// it had that algorithm and number of digits.
func matches(c mfa.Credential, a oath.Algorithm, digits int, code string, now time.Time, window int) bool {
	if !oath.IsCode(code, digits) {
		return false
	}
	from, to := c.Counter, min(c.Counter, mfa.MaxCounter-lookAhead)+lookAhead
	if c.Kind == mfa.TOTP {
		if now.Unix() < 0 {
			return false
		}
		step := oath.StepAt(time.Unix(mfa.Seconds(now), 0), c.Period)
		w := uint64(max(window, 0))
		from, to = step-min(step, w), step+w
	}
	_, ok := oath.NewCoder(c.Key, a, digits).Match(code, from, to)
	return ok
}
