package verify_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"oathkit/pkg/mfa"
	"oathkit/pkg/verify"
)

// reach adds an e-mail address and a phone to a desk's user.
func (d *desk) reach() {
	d.t.Helper()
	d.add(mfa.EnableOptions{Kind: mfa.Email, Address: "alice@example.org", Label: "mail"})
	d.add(mfa.EnableOptions{Kind: mfa.SMS, Address: "+14165550123"})
}

// send sends a code to credential i.
func (d *desk) send(i int, p mfa.Purpose) string {
	d.t.Helper()
	code, u, err := mfa.Send(d.u, d.u.Record.Credentials[i].ID, p, d.now, rand.NewChaCha8([32]byte{9, byte(i), byte(p), byte(d.now.Unix()), byte(d.now.Unix() >> 8)}))
	if err != nil {
		d.t.Fatal(err)
	}
	d.u = u
	return code
}

func reached(t testing.TB) *desk {
	d := open(t, true, mfa.EnableOptions{})
	d.reach()
	return d
}

// A sent code is accepted once, activates, and is a replay from then on.
func TestSentCode(t *testing.T) {
	for i, kind := range map[int]string{1: "email", 2: "sms"} {
		d := reached(t)
		code := d.send(i, mfa.ForLogin)
		d.now = at(299)
		d.try(" "+code[:3]+"-"+code[3:], "accepted sent-code")
		d.wants("its credential", d.r.Credential == d.u.Record.Credentials[i].ID && d.r.Kind == kind && d.r.Activated && d.r.RecoveryLeft == 10)
		d.wants("activated alone", d.u.Record.Credentials[i].Activated && !d.u.Record.Credentials[3-i].Activated)
		used, ok := d.u.LastUse(d.r.Credential)
		d.wants("the time is kept", ok && used.Equal(at(299)))
		d.try(code, "replayed used-code")
		d.wants("whose", d.r.Credential == d.u.Record.Credentials[i].ID && d.r.Kind == kind)
		d.now = at(86400)
		d.try(code, "replayed used-code")
		d.wants("not counted", d.u.State.Failures == 0)
		next := d.send(i, mfa.ForLogin)
		d.try(code, "rejected wrong-code")
		d.try(next, "accepted sent-code")
		d.wants("once activated", !d.r.Activated)
	}
}

// Where nothing else is activated a sent code does what the first right code
// does, also where the realm requires a factor.
func TestSentCodeActivates(t *testing.T) {
	for _, required := range []bool{false, true} {
		d := open(t, false, mfa.EnableOptions{Kind: mfa.Email, Address: "alice@example.org"})
		d.p.Required = required
		d.try("", map[bool]string{false: "pending", true: "rejected empty"}[required])
		code := d.send(0, mfa.ForLogin)
		d.try(code, "accepted sent-code")
		d.wants("activated", d.r.Activated && d.u.Activated())
		d.try("", "rejected empty")
	}
}

// Wrong answers count as failures and as tries; after five the right one is
// refused.
func TestSentCodeTries(t *testing.T) {
	d := reached(t)
	d.p.Lockout.Free = 10
	code := d.send(1, mfa.ForLogin)
	d.fail(4)
	d.wants("four tries", d.u.State.Sent.Tries == 4 && d.u.State.Failures == 4)
	d.try("12345", "rejected not-a-code")
	d.try("aaaa-aaaa-aaaa-aaaa", "rejected not-a-code")
	d.wants("other lengths are no tries, but failures", d.u.State.Sent.Tries == 4 && d.u.State.Failures == 6)
	good := *d
	good.try(code, "accepted sent-code")
	good.wants("failures are forgotten", good.u.State.Failures == 0)
	d.fail(1)
	d.try(code, "rejected too-many-tries")
	d.wants("told whose", d.r.Kind == "email" && d.r.Credential == d.u.Record.Credentials[1].ID)
	d.wants("counted", d.u.State.Failures == 8 && d.u.State.Sent.Tries == 5)
	d.now = at(30)
	d.try(d.send(1, mfa.ForLogin), "accepted sent-code")
	d.try(code, "rejected wrong-code")
}

func TestSentCodeRefused(t *testing.T) {
	d := reached(t)
	code := d.send(1, mfa.ForLogin)
	t.Run("too late", func(t *testing.T) {
		d := *d
		d.now = at(300)
		d.try(code, "rejected expired-code")
		d.wants("counted, but no try", d.u.State.Failures == 1 && d.u.State.Sent.Tries == 0 && d.r.Kind == "email")
	})
	t.Run("for something else", func(t *testing.T) {
		for p, want := range map[mfa.Purpose]string{0: "accepted", mfa.ForLogin: "accepted", mfa.ForEnrol: "rejected other-purpose", mfa.ForChange: "rejected other-purpose", 9: "error bad-policy"} {
			d := *d
			d.p.Purpose = p
			d.try(code, want)
		}
		d := *d
		d.now = at(60)
		code := d.send(1, mfa.ForEnrol)
		d.try(code, "rejected other-purpose")
		d.wants("a try", d.u.State.Sent.Tries == 1 && d.u.State.Failures == 1)
		d.p.Purpose = mfa.ForEnrol
		d.try(code, "accepted sent-code")
	})
	t.Run("revoked", func(t *testing.T) {
		d := *d
		d.u = mfa.RevokeSent(d.u, code)
		d.try(code, "rejected wrong-code")
	})
	t.Run("its credential was removed", func(t *testing.T) {
		d := *d
		var err error
		if d.u, err = mfa.Remove(d.u, d.u.Record.Credentials[1].ID); err != nil {
			t.Fatal(err)
		}
		d.try(code, "rejected wrong-code")
	})
	t.Run("a clock set back", func(t *testing.T) {
		d := *d
		d.now = at(-3600)
		d.try("", "rejected empty")
		d.now = at(0)
		d.try(code, "rejected wrong-code")
	})
	t.Run("a clock a little back", func(t *testing.T) {
		d := *d
		d.now = at(-10)
		d.try(code, "accepted sent-code")
	})
}

// Other successes leave a sent code as it is; while locked it is not judged.
func TestSentCodeBeside(t *testing.T) {
	d := reached(t)
	code := d.send(2, mfa.ForLogin)
	d.try(d.totp(0, 0), "accepted right-code")
	d.try(d.codes[0], "accepted recovery-code")
	d.wants("untouched", d.u.State.Sent.Open(d.now) && d.u.State.Sent.Tries == 0)
	d.fail(4)
	d.p.Lockout.LockAt = 4
	for range 3 {
		d.now = d.now.Add(15 * time.Second)
		d.try(code, "locked too-many-in-a-row")
		d.try(d.wrong(), "locked too-many-in-a-row")
		d.wants("no tries", d.u.State.Sent.Tries == 4 && d.u.State.Failures == 4)
	}
	d.try(d.codes[1], "accepted recovery-code")
	d.wants("left", d.r.RecoveryLeft == 8)
	d.try(code, "accepted sent-code")
}

// Recovery codes: once each, while locked and delayed, and how many are left.
func TestRecoveryLeft(t *testing.T) {
	d := reached(t)
	for i, code := range d.codes {
		if i%2 == 1 {
			d.fail(6)
			d.wants("delayed", d.r.RetryAfter > 0)
			d.r.RetryAfter = 0
		}
		d.try(code, "accepted recovery-code")
		d.wants("left", d.r.RecoveryLeft == 9-i && d.r.Kind == "recovery" && d.u.State.Failures == 0)
		d.try(code, "replayed recovery-code")
		d.wants("left", d.r.RecoveryLeft == 9-i)
	}
	d.fail(1)
	d.wants("none left", d.r.RecoveryLeft == 0)
}

func TestExplainSent(t *testing.T) {
	d := reached(t)
	d.explains("123456", `no code that is still good was sent to credential "mail" (email, {})`, "it is no code of the user's")
	code := d.send(1, mfa.ForLogin)
	d.now = at(20)
	d.explains(code, "the verdict is accepted (sent-code)", `a code for login was sent to credential "mail" (email, {}) 20 s ago; it is good until 2026-03-01T12:05:00Z, and for 5 more tries`,
		`the code is the one that was sent to credential "mail"`)
	d.fail(2)
	d.explains("12345", "and for 3 more tries", "a code of credential {} (sms) has 6")
	d.p.Purpose = mfa.ForEnrol
	d.explains(code, "the verdict is rejected (other-purpose)", `sent to credential "mail" (email, {}), but for login and not for enrolment`)
	d.p.Purpose = 0
	late := *d
	late.now = at(400)
	late.explains(code, "the verdict is rejected (expired-code)", "but 400 s ago, and it was good for 300 s")
	spoilt := *d
	spoilt.fail(3)
	spoilt.now = spoilt.now.Add(spoilt.r.RetryAfter)
	spoilt.explains(code, "the verdict is rejected (too-many-tries)", "but after 5 wrong answers it is not good any more")
	d.try(code, "accepted")
	d.now = at(50)
	d.explains(code, "the verdict is replayed (used-code)", "50 s ago, but it was used already")
	d.removal()
	d.explains("", "a removal was asked for; its token is good until 2026-03-01T12:15:50Z")
	_ = verify.Explain(mfa.User{ID: "nobody@pam"}, code, d.now, d.p)
}

// FuzzSent judges any answer and any token in any state at any time: it comes to
// a verdict, leaves a user that can be kept, and accepts nothing twice.
func FuzzSent(f *testing.F) {
	d := reached(f)
	code := d.send(1, mfa.ForLogin)
	token := d.removal()
	f.Add(mfa.EncodeState(d.u.State), code, noon.Unix(), byte(0))
	f.Add(mfa.EncodeState(d.u.State), token, noon.Unix(), byte(1))
	d.try(code, "accepted")
	f.Add(mfa.EncodeState(d.u.State), code, int64(1)<<62, byte(2))
	f.Fuzz(func(t *testing.T, b []byte, answer string, unix int64, purpose byte) {
		s, err := mfa.DecodeState(b)
		if err != nil {
			return
		}
		u := d.u
		u.State = s
		u.State.Epoch = u.Record.Epoch
		p, now := d.p, time.Unix(unix, 0)
		p.Purpose = mfa.Purpose(purpose)
		for _, judge := range []func(mfa.User, string, time.Time, verify.Policy) (verify.Result, mfa.User){verify.Decide, verify.ConfirmRemoval} {
			r, after := judge(u, answer, now, p)
			if s, err := mfa.DecodeState(mfa.EncodeState(after.State)); err != nil || s != after.State {
				t.Errorf("the state cannot be kept: %v", err)
			}
			if again, _ := judge(after, answer, now, p); r.OK && again.OK {
				t.Errorf("%q is accepted twice: %+v, %+v", answer, r, again)
			}
			if st, err := verify.Status(u, now, p); err == nil && st.Locked && r.Verdict == verify.Rejected && r.Reason != "empty" {
				t.Errorf("locked, and yet judged: %+v", r)
			}
		}
		if len(verify.Explain(u, answer, now, p)) == 0 {
			t.Error("nothing is explained")
		}
	})
}
