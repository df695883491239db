package verify_test

import (
	"testing"
	"time"

	"oathkit/pkg/mfa"
)

// Section 6.4: several credentials.
func TestEight(t *testing.T) {
	d := open(t, true, mfa.EnableOptions{})
	for i := range 7 {
		o := mfa.EnableOptions{Digits: 6 + i%3, Period: 30 + 30*(i%2)}
		if i%3 == 2 {
			o.Kind = mfa.HOTP
		}
		d.add(o)
	}
	for i, c := range d.u.Record.Credentials {
		code := d.code(i, 3)
		if c.Kind == mfa.TOTP {
			code = d.totp(i, 0)
		}
		d.try(code, "accepted")
		d.wants("which", d.r.Credential == c.ID && d.r.Kind == string(c.Kind))
		d.try(code, "replayed")
		d.wants("which", d.r.Credential == c.ID)
	}
}

// One code is good once, also where two credentials have it by chance.
func TestSameCodeByChance(t *testing.T) {
	d := open(t, true, mfa.EnableOptions{})
	d.add(mfa.EnableOptions{Kind: mfa.HOTP})
	hotp := map[string]uint64{}
	for n := range uint64(11) {
		hotp[d.code(1, n)] = n
	}
	step := uint64(noon.Unix()) / 30
	for hotp[d.code(0, step)] == 0 {
		step++
	}
	code := d.code(0, step)
	d.now = time.Unix(int64(step)*30, 0)
	both := *d
	d.try(code, "accepted right-code")
	d.wants("the first", d.r.Kind == "totp" && d.u.State.Counters[1].Next == hotp[code]+1)
	d.try(code, "replayed")

	d = &both // used as HOTP alone, it is used
	d.now = noon
	d.try(code, "accepted right-code")
	d.wants("the second", d.r.Kind == "hotp")
	d.now = time.Unix(int64(step)*30, 0)
	d.try(code, "replayed used-code")
	d.wants("the second", d.r.Kind == "hotp" && d.u.State.Counters[0].Next == 0)
}

// Section 6.4: HOTP.
func TestHOTP(t *testing.T) {
	hotp := func(t *testing.T, counter uint64) *desk {
		return open(t, true, mfa.EnableOptions{Kind: mfa.HOTP, Counter: counter})
	}
	t.Run("next to next+10", func(t *testing.T) {
		for ahead := range uint64(13) {
			d := hotp(t, 1000)
			want := "accepted right-code"
			if ahead > 10 {
				want = "rejected out-of-step"
			}
			d.try(d.code(0, 1000+ahead), want)
			if ahead <= 10 {
				d.wants("next", d.u.State.Counters[0].Next == 1001+ahead)
				d.try(d.code(0, 1000+ahead), "replayed used-code")
				d.try(d.code(0, 1001+ahead), "accepted")
			}
		}
	})
	t.Run("a wrong code never moves the counter", func(t *testing.T) {
		d := hotp(t, 5)
		d.try(d.wrong(), "rejected wrong-code")
		d.try(d.code(0, 60), "rejected out-of-step")
		d.try("1234567", "rejected not-a-code")
		d.wants("still", d.u.State.Counters[0].Next == 5)
		d.try(d.code(0, 5), "accepted")
	})
	t.Run("used ones are replays, not counted", func(t *testing.T) {
		d := hotp(t, 20)
		for back := uint64(1); back <= 10; back++ {
			d.try(d.code(0, 20-back), "replayed used-code")
		}
		d.try(d.code(0, 9), "rejected wrong-code")
		d.wants("one failure", d.u.State.Failures == 1)
	})
	t.Run("two consecutive codes within 100 resynchronise", func(t *testing.T) {
		for _, ahead := range []uint64{11, 50, 99, 100} {
			d := hotp(t, 0)
			d.try(d.code(0, ahead), "rejected out-of-step")
			d.try(d.code(0, ahead+1), "accepted resynchronised")
			d.try(d.code(0, ahead+1), "replayed")
			d.try(d.code(0, ahead), "replayed")
			d.try(d.code(0, ahead+2), "accepted right-code")
		}
		d := hotp(t, 0)
		d.try(d.code(0, 101), "rejected wrong-code")
		d.try(d.code(0, 102), "rejected wrong-code")
	})
	t.Run("two, one after the other", func(t *testing.T) {
		d := hotp(t, 0)
		d.try(d.code(0, 50), "rejected out-of-step")
		d.try(d.code(0, 52), "rejected out-of-step") // not the next one
		d.try(d.code(0, 51), "rejected out-of-step") // not the next one either
		d.try(d.code(0, 51), "rejected out-of-step") // nor the same again
		d.u.State.Failures = 0
		d.try(d.wrong(), "rejected wrong-code")
		d.try(d.code(0, 52), "rejected out-of-step") // something was in between
		d.try("", "rejected empty")                  // nothing is no answer
		d.try(d.code(0, 53), "accepted resynchronised")
	})
	t.Run("a replay in between does not disturb", func(t *testing.T) {
		d := hotp(t, 0)
		d.try(d.code(0, 0), "accepted")
		d.try(d.code(0, 50), "rejected out-of-step")
		d.try(d.code(0, 0), "replayed")
		d.try(d.code(0, 51), "accepted resynchronised")
	})
	t.Run("a success in between does", func(t *testing.T) {
		d := hotp(t, 0)
		d.try(d.code(0, 50), "rejected out-of-step")
		d.try(d.codes[0], "accepted")
		d.try(d.code(0, 51), "rejected out-of-step")
	})
	t.Run("not while delayed", func(t *testing.T) {
		d := hotp(t, 0)
		d.fail(5)
		d.try(d.code(0, 50), "rejected out-of-step")
		d.try(d.code(0, 51), "locked delayed")
		d.try(d.code(0, 0), "locked delayed")
		d.now = d.now.Add(d.r.RetryAfter)
		d.try(d.code(0, 51), "accepted resynchronised")
	})
	t.Run("at the end of all counters", func(t *testing.T) {
		const end = mfa.MaxCounter
		d := hotp(t, end-3)
		d.try(d.code(0, end), "rejected wrong-code") // there is no number for the next
		d.try(d.code(0, end+1), "rejected wrong-code")
		d.try(d.code(0, end-1), "accepted")
		d.wants("next", d.u.State.Counters[0].Next == end)
		d.try(d.code(0, end-1), "replayed")
		d.try(d.code(0, end), "rejected wrong-code")
		d = hotp(t, end-60)
		d.try(d.code(0, end-1), "rejected out-of-step")
		d.try(d.code(0, end), "rejected wrong-code")
		d.try(d.code(0, end-2), "rejected out-of-step")
		d.try(d.code(0, end-1), "accepted resynchronised")
	})
}
