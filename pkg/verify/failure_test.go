package verify_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"oathkit/pkg/mfa"
)

// Section 6.5: 5 free, then a delay that doubles from 30 s to 1 h, reckoned
// from the last failure, locked at 20 in a row.
func TestDelays(t *testing.T) {
	d := open(t, true, mfa.EnableOptions{})
	d.fail(5)
	d.wants("free", d.r.RetryAfter == 0 && d.now.Equal(noon))
	for n, delay := range []int{30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600, 3600, 3600, 3600} {
		d.fail(1)
		d.wants("in a row", int(d.u.State.Failures) == 6+n)
		d.wants("delay", d.r.RetryAfter == time.Duration(delay)*time.Second)
		before := d.u.State
		d.now = d.now.Add(time.Duration(delay)*time.Second - time.Millisecond)
		d.try("123", "locked delayed")
		d.wants("left", d.r.RetryAfter == time.Millisecond)
		d.wants("nothing counted, nothing longer", d.u.State == before)
		d.now = d.now.Add(time.Millisecond)
		d.r.RetryAfter = 0
	}
	d.fail(1)
	d.wants("locked", d.u.State.Failures == 20 && d.r.RetryAfter == 0)
	d.now = d.now.Add(20 * 24 * time.Hour)
	d.try(d.wrong(), "locked too-many-in-a-row")
	d.wants("no time opens it", d.r.RetryAfter == 0 && d.u.State.Failures == 20)
}

// Section 6.5: a success clears the first tally and the delay, not the second;
// 100 within 30 days lock.
func TestMonth(t *testing.T) {
	// month answers wrongly 100 times, 4 times a day, with a success after each.
	month := func(t *testing.T) *desk {
		d := open(t, true, mfa.EnableOptions{})
		for day := range 25 {
			d.now = at(86400 * day)
			d.fail(4)
			if day < 24 {
				d.try(d.totp(0, 86400*day), "accepted")
				d.wants("the first tally", d.u.State.Failures == 0)
			}
		}
		d.wants("100 are known", d.u.State.Month.Sum(d.now) == 100)
		return d
	}
	t.Run("it is over when enough days are", func(t *testing.T) {
		d := month(t)
		d.wants("told at once", d.r.RetryAfter > 0)
		d.try(d.wrong(), "locked too-many-in-30-days")
		// The first day's four count on that day and the 30 after it.
		open := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
		d.wants("until", d.now.Add(d.r.RetryAfter).Equal(open))
		d.now = open.Add(-time.Second)
		d.try(d.wrong(), "locked too-many-in-30-days")
		d.now = open
		d.fail(4)
		d.try(d.wrong(), "locked")
	})
	t.Run("two codes open it for one login", func(t *testing.T) {
		d := month(t)
		s := 25 * 86400
		for range 3 {
			d.now = at(s)
			d.try(d.totp(0, s), "locked noted")
			d.now = at(s + 30)
			d.try(d.totp(0, s+30), "accepted opened")
			d.wants("the second tally stays", d.u.State.Month.Sum(d.now) == 100 && d.u.State.Failures == 0)
			s += 3600
		}
	})
	t.Run("a recovery code clears it", func(t *testing.T) {
		d := month(t)
		d.try(d.codes[0], "accepted recovery-code")
		d.wants("both tallies", d.u.State.Month == mfa.Tally{} && d.u.State.Failures == 0)
		d.try(d.wrong(), "rejected")
	})
	t.Run("a recovery code clears no tally that locks nothing", func(t *testing.T) {
		d := open(t, true, mfa.EnableOptions{})
		d.fail(20)
		d.try(d.codes[0], "accepted recovery-code")
		d.wants("the second tally stays", d.u.State.Month.Sum(d.now) == 20 && d.u.State.Failures == 0)
	})
	t.Run("mfactl unlock clears it", func(t *testing.T) {
		d := month(t)
		var err error
		if d.u, err = mfa.Unlock(d.u); err != nil {
			t.Fatal(err)
		}
		d.try(d.wrong(), "rejected")
	})
	t.Run("its limit", func(t *testing.T) {
		d := open(t, true, mfa.EnableOptions{})
		d.p.Lockout.MonthMax = 3
		d.fail(3)
		d.try(d.wrong(), "locked too-many-in-30-days")
		d.p.Lockout.MonthMax, d.r.RetryAfter = 4, 0
		d.fail(1)
		d.try(d.wrong(), "locked too-many-in-30-days")
	})
}

// Section 6.5: while delayed or locked a try burns nothing, counts nothing and
// lengthens nothing; what is judged then.
func TestWhileLocked(t *testing.T) {
	locked := func(t *testing.T, o mfa.EnableOptions) *desk {
		d := open(t, true, o)
		d.fail(20)
		d.now = noon.Add(48 * time.Hour)
		return d
	}
	const day2 = 2 * 86400
	t.Run("a right code of step N is noted, one of N+1 or N+2 opens", func(t *testing.T) {
		for _, gap := range []int{-2, -1, 0, 1, 2, 3} {
			d := locked(t, mfa.EnableOptions{})
			used := d.u.State.Counters
			d.try(d.totp(0, day2), "locked noted")
			d.wants("burns nothing", d.u.State.Counters == used)
			d.now = at(day2 + 30*max(gap, 1))
			switch {
			case gap == 1 || gap == 2:
				d.try(d.totp(0, day2+30*gap), "accepted opened")
				d.try(d.totp(0, day2+30*gap), "replayed")
				if gap == 1 {
					d.try(d.totp(0, day2), "replayed")
				}
				d.try(d.totp(0, day2+30*gap+30), "accepted right-code")
			case gap == 0:
				d.try(d.totp(0, day2), "locked too-many-in-a-row")
			case gap == 3:
				d.try(d.totp(0, day2+90), "locked noted")
			}
		}
	})
	t.Run("silently", func(t *testing.T) {
		d := locked(t, mfa.EnableOptions{})
		d.try(d.totp(0, day2), "locked noted")
		right := d.r
		d.u.State.Judged = 0
		d.try(d.wrong(), "locked")
		right.Reason, d.r.Reason = "", ""
		d.wants("the same but for the audit log", right == d.r)
	})
	t.Run("at most once in 10 s", func(t *testing.T) {
		d := locked(t, mfa.EnableOptions{})
		d.try(d.wrong(), "locked too-many-in-a-row")
		d.now = at(day2 + 9)
		d.try(d.totp(0, day2), "locked too-many-in-a-row")
		d.now = at(day2 + 10)
		d.try(d.totp(0, day2), "locked noted")
		d.now = at(day2 + 19)
		d.try(d.totp(0, day2+30), "locked too-many-in-a-row")
		d.now = at(day2 + 20)
		d.try(d.totp(0, day2+30), "accepted opened")
	})
	t.Run("what is no guess takes no turn", func(t *testing.T) {
		d := open(t, true, mfa.EnableOptions{})
		d.now = at(day2 - 30)
		d.try(d.totp(0, day2-30), "accepted")
		d.fail(20)
		d.now = at(day2)
		d.u.State.LastFailure = mfa.Milliseconds(noon)
		for _, answer := range []string{"", "1", "12345678", "aaaa-aaaa-aaaa-aaaa", d.totp(0, day2-30)} {
			d.try(answer, "locked too-many-in-a-row")
			d.wants("no turn", d.u.State.Judged == 0)
		}
		d.try(d.totp(0, day2), "locked noted")
		d.now = at(day2 + 15)
		d.try(d.totp(0, day2), "locked too-many-in-a-row")
		d.try(d.totp(0, day2+30), "accepted opened")
	})
	t.Run("two codes of the same credential", func(t *testing.T) {
		d := locked(t, mfa.EnableOptions{})
		d.add(mfa.EnableOptions{})
		d.try(d.totp(0, day2), "locked noted")
		d.now = at(day2 + 30)
		d.try(d.totp(1, day2+30), "locked noted")
		d.now = at(day2 + 60)
		d.try(d.totp(0, day2+60), "locked noted") // the note of the first is gone
		d.now = at(day2 + 90)
		d.try(d.totp(0, day2+90), "accepted opened")
	})
	t.Run("the step is that of the period", func(t *testing.T) {
		d := locked(t, mfa.EnableOptions{Period: 60})
		d.try(d.totp(0, day2), "locked noted")
		d.now = at(day2 + 120)
		d.try(d.totp(0, day2+120), "accepted opened")
	})
	t.Run("HOTP is not judged", func(t *testing.T) {
		d := locked(t, mfa.EnableOptions{Kind: mfa.HOTP})
		d.try("", "locked too-many-in-a-row") // the days of the tally move on
		before := d.u.State
		for n := range uint64(20) {
			d.try(d.code(0, n), "locked too-many-in-a-row")
			d.now = d.now.Add(time.Minute)
		}
		d.wants("nothing changed", d.u.State == before)
	})
	t.Run("a recovery code clears the lock", func(t *testing.T) {
		d := locked(t, mfa.EnableOptions{})
		d.try("aaaa-aaaa-aaaa-aaaa", "locked too-many-in-a-row")
		d.try(d.codes[2], "accepted recovery-code")
		d.fail(5)
		d.try(d.totp(0, day2), "accepted right-code")
		d.fail(20)
		d.try(d.codes[2], "locked too-many-in-a-row")
		d.try(d.codes[3], "accepted recovery-code")
	})
	t.Run("a delay is opened like a lock", func(t *testing.T) {
		d := open(t, true, mfa.EnableOptions{})
		d.fail(10)
		d.try(d.totp(0, int(d.now.Sub(noon)/time.Second)), "locked noted")
		d.now = d.now.Add(30 * time.Second)
		d.try(d.totp(0, int(d.now.Sub(noon)/time.Second)), "accepted opened")
		d.fail(6)
		d.try(d.codes[0], "accepted")
	})
	t.Run("the noted code is good when the delay is over", func(t *testing.T) {
		d := open(t, true, mfa.EnableOptions{})
		d.fail(6)
		d.now = at(25)
		d.try(d.totp(0, 30), "locked noted")
		d.now = at(30)
		d.try(d.totp(0, 30), "accepted right-code")
		d.wants("nothing is noted any more", d.u.State.Noted == mfa.Noted{} && d.u.State.Judged == 0)
	})
	t.Run("a note is worth nothing later", func(t *testing.T) {
		d := locked(t, mfa.EnableOptions{})
		d.try(d.totp(0, day2), "locked noted")
		d.now = at(day2 + 3600)
		d.try(d.totp(0, day2+30), "locked too-many-in-a-row")
		d.now = d.now.Add(10 * time.Second)
		d.try(d.totp(0, day2+3600), "locked noted")
	})
	t.Run("mfactl unlock keeps what was used", func(t *testing.T) {
		d := open(t, true, mfa.EnableOptions{})
		d.try(d.totp(0, 0), "accepted")
		d.try(d.codes[0], "accepted")
		d.fail(20)
		var err error
		if d.u, err = mfa.Unlock(d.u); err != nil {
			t.Fatal(err)
		}
		d.now = noon
		d.try(d.totp(0, 0), "replayed")
		d.try(d.codes[0], "replayed")
		d.try(d.totp(0, 30), "accepted")
	})
}

// Section 6.5: a stamp in the future or a delay above the maximum counts as the
// maximum from now.
func TestClockSetBack(t *testing.T) {
	t.Run("a failure in the future", func(t *testing.T) {
		for _, back := range []time.Duration{11 * time.Second, time.Hour, 20 * 365 * 24 * time.Hour} {
			d := open(t, true, mfa.EnableOptions{})
			d.fail(6)
			d.now = d.now.Add(-back)
			d.try("123", "locked delayed")
			d.wants("the longest delay from now", d.r.RetryAfter == time.Hour)
			d.now = d.now.Add(time.Hour - time.Second)
			d.try("123", "locked delayed")
			d.wants("from then", d.r.RetryAfter == time.Second)
			d.now = d.now.Add(time.Second)
			d.try(d.totp(0, int(d.now.Sub(noon)/time.Second)), "accepted")
		}
	})
	t.Run("the longest delay, once", func(t *testing.T) {
		d := open(t, true, mfa.EnableOptions{})
		d.fail(6)
		d.now = at(-7200)
		d.try("", "locked delayed")
		d.fail(1)
		d.wants("the next one is the second", d.now.Equal(at(-3600)) && d.r.RetryAfter == time.Minute)
	})
	t.Run("a failure in the future of a user who is free", func(t *testing.T) {
		d := open(t, true, mfa.EnableOptions{})
		d.fail(5)
		d.now = at(-7200)
		d.fail(1)
		d.wants("the first delay", d.r.RetryAfter == 30*time.Second)
	})
	t.Run("a process that waited for the lock", func(t *testing.T) {
		d := open(t, true, mfa.EnableOptions{})
		d.fail(6)
		d.now = at(-10)
		d.try("123", "locked delayed")
		d.wants("the delay as it was", d.r.RetryAfter == 40*time.Second)
		d = open(t, true, mfa.EnableOptions{})
		d.fail(5)
		d.now = at(-5)
		d.fail(1)
		d.wants("no shorter delay than without waiting", d.r.RetryAfter == 35*time.Second)
	})
	t.Run("a delay above the maximum", func(t *testing.T) {
		d := open(t, true, mfa.EnableOptions{})
		d.fail(12)
		d.p.Lockout.MaxDelay = time.Minute
		d.try("123", "locked delayed")
		d.wants("the new maximum", d.r.RetryAfter == time.Minute)
	})
	t.Run("a turn in the future", func(t *testing.T) {
		d := open(t, true, mfa.EnableOptions{})
		d.fail(20)
		d.now = at(90 * 86400)
		d.try(d.wrong(), "locked")
		d.now = at(86400)
		d.try(d.totp(0, 86400), "locked too-many-in-a-row")
		d.now = at(86410)
		d.try(d.totp(0, 86400), "locked noted")
	})
	t.Run("a tally in the future", func(t *testing.T) {
		d := open(t, true, mfa.EnableOptions{})
		d.p.Lockout.MonthMax = 4
		d.now = at(86400 * 365 * 50)
		d.fail(4)
		d.now = noon
		d.try(d.wrong(), "locked too-many-in-30-days")
		d.wants("not for 50 years", d.r.RetryAfter <= 31*24*time.Hour)
		d.now = at(86400 * 31)
		d.try(d.wrong(), "rejected")
	})
	t.Run("before 1970", func(t *testing.T) {
		d := open(t, true, mfa.EnableOptions{})
		d.now = time.Unix(-86400*400, -1)
		d.fail(20)
		d.try("123", "locked too-many-in-a-row")
		d.try(d.codes[0], "accepted")
	})
}

// After a lost state nothing that may have been used is good.
func TestLostState(t *testing.T) {
	t.Run("rebuilt", func(t *testing.T) {
		d := open(t, true, mfa.EnableOptions{})
		d.add(mfa.EnableOptions{Kind: mfa.HOTP, Counter: 3})
		d.u.State = mfa.Rebuild(d.u.Record, noon, 1)
		for s := -60; s <= 30; s += 30 {
			d.now = at(s)
			d.try(d.totp(0, s), "replayed")
		}
		d.now = at(30)
		d.try(d.totp(0, 60), "accepted")
		for _, c := range d.codes {
			d.try(c, "replayed recovery-code")
		}
		d.wants("no recovery codes", d.r.RecoveryLeft == 0)
		d.try(d.code(1, 3), "rejected out-of-step")
		d.try(d.code(1, 4), "accepted resynchronised")
		d.try(d.code(1, 5), "accepted right-code")
	})
	t.Run("HOTP far away", func(t *testing.T) {
		d := open(t, true, mfa.EnableOptions{Kind: mfa.HOTP})
		d.u.State = mfa.Rebuild(d.u.Record, noon, 1)
		d.try(d.code(0, 7000), "rejected out-of-step")
		d.try(d.code(0, 7001), "accepted resynchronised")
		d.try(d.code(0, 6999), "replayed")
	})
	t.Run("the state of another epoch", func(t *testing.T) {
		d := open(t, true, mfa.EnableOptions{})
		d.add(mfa.EnableOptions{Kind: mfa.HOTP})
		d.u.Record.Credentials[1].Activated = true
		d.u.State = mfa.State{Epoch: [16]byte{1}, Failures: 20}
		d.try(d.totp(0, 0), "replayed")
		d.try(d.code(1, 0), "rejected out-of-step")
		d.try(d.codes[0], "replayed")
		d.now = at(60)
		d.try(d.totp(0, 60), "accepted")
	})
	t.Run("a reset that crashed in between is a reset", func(t *testing.T) {
		d := open(t, true, mfa.EnableOptions{})
		d.fail(20)
		old := d.u.State
		u, _, err := mfa.Reset(d.u, mfa.EnableOptions{Now: noon, Random: rand.NewChaCha8([32]byte{44})})
		if err != nil {
			t.Fatal(err)
		}
		d.u, d.now = u, noon
		d.u.State = old
		d.try(d.totp(0, 0), "accepted right-code")
	})
}
