package verify_test

import (
	"testing"
	"time"

	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
	"oathkit/pkg/verify"

	"pgregory.net/rapid"
)

// TestAnyClock lets the clock jump as it likes and wants what must hold all the
// same: a code is accepted once, counters never go back, and a try while
// delayed or locked changes nothing that counts.
func TestAnyClock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newClerk(t)
		taken := map[codeOf]int{}
		spare := map[string]int{}
		for range rapid.IntRange(10, 150).Draw(t, "answers") {
			jump(t, c.desk)
			answer, x := draw(t, c)
			before := c.u.State.For(c.u.Record)
			r, u := verify.Decide(c.u, answer, c.now, c.p)
			c.u = c.kept(t, u)
			switch {
			case r.Verdict == verify.Accepted && r.Kind == "recovery":
				if spare[answer]++; spare[answer] > 1 {
					t.Fatalf("a recovery code was accepted twice")
				}
			case r.Verdict == verify.Accepted:
				if taken[x]++; taken[x] > 1 {
					t.Fatalf("the code %+v was accepted twice, at last at %v", x, c.now.Sub(noon))
				}
			}
			unharmed(t, r, before, u.State, c.now)
		}
	})
}

// jump moves the clock anywhere, mostly near.
func jump(t *rapid.T, d *desk) {
	by := rapid.SampledFrom([]time.Duration{
		0, 0, 0, time.Second, 10 * time.Second, 30 * time.Second, 30 * time.Second, time.Minute, time.Hour, 24 * time.Hour, 40 * 24 * time.Hour,
		-time.Second, -15 * time.Second, -30 * time.Second, -time.Minute, -time.Hour, -40 * 24 * time.Hour,
	}).Draw(t, "jump")
	d.now = d.now.Add(by)
}

// draw is an answer, and what it stands for if it is the code of a counter.
func draw(t *rapid.T, c *clerk) (string, codeOf) {
	i := rapid.IntRange(0, 4).Draw(t, "credential")
	switch i {
	case 0, 1:
		x := codeOf{i, c.step(i) + 1 - rapid.Uint64Range(0, 2).Draw(t, "step")}
		return c.code(i, x.counter), x
	case 2:
		next := c.u.State.Counters[2].Next
		x := codeOf{2, max(next, 15) + rapid.Uint64Range(0, 30).Draw(t, "counter") - 15}
		return c.code(2, x.counter), x
	case 3:
		return c.codes[rapid.IntRange(0, 9).Draw(t, "recovery")], codeOf{cred: -1}
	}
	return "000000", codeOf{cred: -1, counter: oath.StepAt(c.now, 30)}
}

// unharmed holds one decision against what no decision may do.
func unharmed(t *rapid.T, r verify.Result, before, after mfa.State, now time.Time) {
	for i := range before.Counters {
		if after.Counters[i].Next < before.Counters[i].Next {
			t.Fatalf("a counter went back")
		}
		if r.Verdict != verify.Accepted && after.Counters[i].Next != before.Counters[i].Next {
			t.Fatalf("%s moved a counter", r.Verdict)
		}
	}
	if before.RecoveryUsed&^after.RecoveryUsed != 0 {
		t.Fatal("a recovery code is good again")
	}
	if r.RetryAfter > limits.MaxDelay+10*time.Second && r.Reason == "delayed" {
		t.Fatalf("a delay of %v", r.RetryAfter)
	}
	if r.Verdict == verify.Locked {
		if after.Failures != before.Failures || after.Month.Sum(now) > before.Month.Sum(now) || after.LastFailure > before.LastFailure {
			t.Fatal("a try while locked is counted, or makes the delay longer")
		}
		if before.FullDelay && after.LastFailure > before.LastFailure {
			t.Fatal("a delay begins anew")
		}
	}
	if r.Verdict == verify.Rejected && r.Reason != "empty" && after.Failures != before.Failures+1 {
		t.Fatal("a wrong answer is not counted")
	}
}

// TestFlood answers wrongly as often as it may for 200 days, while the owner
// logs in when he can: in no 30 days are more than the limit judged, except
// that a recovery code of the owner's begins a new tally.
func TestFlood(t *testing.T) {
	for _, recovery := range []bool{false, true} {
		d := open(t, true, mfa.EnableOptions{})
		var judged []time.Time
		begun := noon.AddDate(0, 0, -100)
		for d.now.Before(noon.AddDate(0, 0, 200)) {
			var r verify.Result
			if r, d.u = verify.Decide(d.u, d.wrong(), d.now, d.p); r.Verdict == verify.Rejected {
				judged = append(judged, d.now)
			}
			n := 0
			for i := len(judged) - 1; i >= 0 && d.now.Sub(judged[i]) < 30*24*time.Hour && !judged[i].Before(begun); i-- {
				n++
			}
			if n > 100 {
				t.Fatalf("%d wrong answers are judged in 30 days", n)
			}
			switch {
			case r.Reason == "too-many-in-30-days" && recovery && len(d.codes) > 0:
				d.try(d.codes[0], "accepted recovery-code")
				d.codes, begun = d.codes[1:], d.now
			case r.Reason == "delayed" && d.u.State.Failures > 12: // the owner waits
				d.now = d.now.Add(r.RetryAfter)
				d.try(d.totp(0, int(d.now.Sub(noon)/time.Second)), "accepted right-code")
				r.RetryAfter = 0
			case r.Reason == "too-many-in-30-days":
				d.now = d.now.Add(6 * time.Hour)
			}
			d.now = d.now.Add(max(r.RetryAfter%time.Hour, time.Second))
		}
		if want := 700; len(judged) < 600 || !recovery && len(judged) > want {
			t.Errorf("%d wrong answers are judged in 200 days", len(judged))
		}
	}
}

// TestOdds reckons what SECURITY.md says: how likely somebody who knows
// everything but the keys is to be let in, against a user with one credential
// of 6 digits under the policy as it comes.
func TestOdds(t *testing.T) {
	const code = 1e-6 // a guess at the code of one counter
	l := verify.DefaultLockout()
	window := float64(2*policy().Window + 1)
	odds := map[string]float64{
		"TOTP, one guess":                         window * code,
		"TOTP, until the lock":                    float64(l.LockAt) * window * code,
		"TOTP, 30 days":                           float64(l.MonthMax) * window * code,
		"TOTP, 30 days of turns while locked":     30 * 86400 / 10 * pairs(1) * code * code,
		"HOTP, one guess":                         11 * code,
		"HOTP, until the lock":                    float64(l.LockAt) * 11 * code,
		"HOTP, 30 days":                           float64(l.MonthMax) * 11 * code,
		"HOTP, 30 days of two in a row":           float64(l.MonthMax) * 90 * code * code,
		"HOTP, two in a row after a lost state":   10000 * code * code,
		"recovery codes, a year of 1000 a second": 1000 * 86400 * 365 * 10 / float64(1<<40) / float64(1<<40),
	}
	for name, want := range map[string]float64{
		"TOTP, one guess": 3e-6, "TOTP, until the lock": 6e-5, "TOTP, 30 days": 3e-4, "TOTP, 30 days of turns while locked": 1.2e-5,
		"HOTP, one guess": 1.1e-5, "HOTP, until the lock": 2.2e-4, "HOTP, 30 days": 1.1e-3, "HOTP, 30 days of two in a row": 9e-9,
		"HOTP, two in a row after a lost state": 1e-8, "recovery codes, a year of 1000 a second": 2.7e-13,
	} {
		if got := odds[name]; got > want*1.001 || got < want*0.9 {
			t.Errorf("%s: %.3g, documented as %.3g", name, got, want)
		}
	}
}

// pairs is how many second codes, of one step each, a guess every 10 seconds
// tries after a first guess, summed over the steps that the first may have hit,
// for steps of 30 seconds.
func pairs(window int) float64 {
	sum := 0
	for first := range 3 { // the first guess's place in its step
		for hit := -window; hit <= window; hit++ {
			for second := first + 1; second < 60; second++ {
				now := second / 3
				for _, next := range []int{hit + 1, hit + 2} {
					if next >= now-window && next <= now+window {
						sum++
					}
				}
			}
		}
	}
	return float64(sum) / 3
}
