package verify_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
	"oathkit/pkg/verify"
)

// removal asks for a removal.
func (d *desk) removal() string {
	d.t.Helper()
	token, u, err := mfa.RequestRemoval(d.u, d.now, rand.NewChaCha8([32]byte{10, byte(d.now.Unix())}))
	if err != nil {
		d.t.Fatal(err)
	}
	d.u = u
	return token
}

// confirm gives a token and wants a verdict.
func (d *desk) confirm(token, want string) {
	d.t.Helper()
	before := d.u
	d.r, d.u = verify.ConfirmRemoval(d.u, token, d.now, d.p)
	if got := string(d.r.Verdict) + " " + d.r.Reason; got != want {
		d.t.Errorf("at %v the token is %q, want %q", d.now.Sub(noon), got, want)
	}
	if d.r.OK != (d.r.Verdict == verify.Accepted) || before.Enrolled() && d.r.OK == d.u.Enrolled() {
		d.t.Errorf("%s says OK=%v", d.r.Verdict, d.r.OK)
	}
	if s, err := mfa.DecodeState(mfa.EncodeState(d.u.State)); err != nil || s != d.u.State {
		d.t.Errorf("the state cannot be kept: %v", err)
	}
}

func TestConfirmRemoval(t *testing.T) {
	d := reached(t)
	d.confirm("x", "rejected no-removal")
	token := d.removal()
	wrong := strings.Repeat("abcd-", 7) + "abcd"
	d.try(token, "rejected not-a-code") // it is no login
	d.confirm(wrong, "rejected wrong-token")
	d.wants("counted", d.u.State.Failures == 3 && d.r.Kind == "" && d.r.RecoveryLeft == 10)
	d.now = at(899)
	gone := *d
	gone.confirm(strings.ToUpper(token), "accepted removed")
	gone.wants("gone", gone.u.ID == d.u.ID && gone.r.Kind == "removal")
	gone.confirm(token, "not-enrolled no-record")
	gone.try("123456", "not-required")
	late := *d
	late.now = at(900)
	late.confirm(token, "rejected expired-token")
	late.wants("counted", late.u.State.Failures == 4 && late.r.Kind == "removal")

	// A login in between does not matter, a lock does.
	d.now = at(60)
	d.try(d.totp(0, 60), "accepted")
	d.p.Lockout.Free = 2
	for range 3 {
		d.confirm(wrong, "rejected wrong-token")
	}
	d.wants("told of the delay", d.r.RetryAfter == 30*time.Second)
	d.confirm(token, "locked delayed")
	d.wants("nothing counted", d.u.State.Failures == 3 && d.r.RetryAfter == 30*time.Second && d.u.State.Removal.Tries == 4)
	d.now = at(90)
	d.confirm(wrong, "rejected wrong-token")
	d.now = at(90 + 60)
	d.confirm(token, "rejected too-many-tries")

	d.p.Window = -1
	d.confirm(token, "error bad-policy")
	d.p.Window, d.u.Record.UserID = 1, ""
	d.confirm(token, "error bad-record")
}

// A token of a clock that was set back is void, also when its time comes.
func TestRemovalClock(t *testing.T) {
	d := reached(t)
	token := d.removal()
	d.now = at(-3600)
	d.confirm("x", "rejected no-removal")
	d.now = at(0)
	d.confirm(token, "rejected no-removal")
}

func TestStatus(t *testing.T) {
	d := reached(t)
	now := func() verify.Standing {
		t.Helper()
		s, err := verify.Status(d.u, d.now, d.p)
		if err != nil {
			t.Error(err)
		}
		return s
	}
	if s := now(); s != (verify.Standing{Enrolled: true, Usable: 1, Pending: 2, RecoveryLeft: 10}) {
		t.Errorf("%+v", s)
	}
	d.try(d.codes[0], "accepted")
	d.removal()
	d.fail(6)
	if s := now(); s != (verify.Standing{
		Enrolled: true, Usable: 1, Pending: 2, RecoveryLeft: 9, Locked: true, Reason: "delayed",
		RetryAfter: 30 * time.Second, Failures: 6, Month: 6, Removal: at(900),
	}) {
		t.Errorf("%+v", s)
	}
	d.now = at(900)
	if s := now(); s.Locked || !s.Removal.IsZero() || s.Failures != 6 {
		t.Errorf("%+v", s)
	}
	// It agrees with what Decide says to a code.
	d = open(t, false, mfa.EnableOptions{})
	d.fail(20)
	if s := now(); !s.Locked || s.Reason != "too-many-in-a-row" || s.RetryAfter != 0 || s.Usable != 0 || s.Pending != 1 {
		t.Errorf("%+v", s)
	}
	d.u = mfa.User{ID: "bob@pam"}
	if s := now(); s != (verify.Standing{}) {
		t.Errorf("%+v", s)
	}
	d.p.Window = -1
	if _, err := verify.Status(d.u, d.now, d.p); err == nil {
		t.Error("a policy that makes no sense")
	}
	d = reached(t)
	d.u.Record.UserID = ""
	if _, err := verify.Status(d.u, d.now, d.p); err == nil {
		t.Error("a record that makes no sense")
	}
}

// An app that knows only SHA1 and 6 digits makes codes of a key that was meant
// for more; the parameters are changed, and then the same code proves it.
func TestAppIgnored(t *testing.T) {
	for _, c := range []struct {
		asked  mfa.EnableOptions
		a      oath.Algorithm
		digits int
		ok     bool
	}{
		{mfa.EnableOptions{Algorithm: oath.SHA256}, oath.SHA1, 6, true},
		{mfa.EnableOptions{Algorithm: oath.SHA512, Digits: 8}, oath.SHA1, 8, true},
		{mfa.EnableOptions{Algorithm: oath.SHA512, Digits: 8}, oath.SHA512, 6, true},
		{mfa.EnableOptions{Algorithm: oath.SHA512, Digits: 8}, oath.SHA1, 6, true},
		{mfa.EnableOptions{Digits: 8}, oath.SHA1, 6, true},
		{mfa.EnableOptions{Digits: 7, Period: 60}, oath.SHA1, 6, true},
		{mfa.EnableOptions{Kind: mfa.HOTP, Digits: 8, Counter: 5, Algorithm: oath.SHA256}, oath.SHA1, 6, true},
		{mfa.EnableOptions{}, oath.SHA256, 6, false},
		{mfa.EnableOptions{}, oath.SHA1, 8, false},
		{mfa.EnableOptions{Algorithm: oath.SHA256}, oath.SHA512, 6, false},
		{mfa.EnableOptions{Algorithm: oath.SHA256}, oath.SHA256, 6, false}, // it is right as it is
	} {
		d := open(t, false, c.asked)
		cr := d.u.Record.Credentials[0]
		step := uint64(7)
		if cr.Kind == mfa.TOTP {
			step = oath.StepAt(d.now, cr.Period) + 1
		}
		code := string(oath.NewCoder(cr.Key, c.a, c.digits).AppendCode(nil, step))
		digits, a, ok := verify.AppIgnored(cr, code[:3]+" "+code[3:], d.now, 1)
		if ok != c.ok || ok && (digits != c.digits || a != c.a) {
			t.Errorf("%+v: %d %s %v", c, digits, a, ok)
			continue
		}
		if !ok {
			continue
		}
		d.try(code, "rejected")
		var err error
		if d.u, err = mfa.SetParameters(d.u, cr.ID, a, digits); err != nil {
			t.Fatal(err)
		}
		d.try(code, "accepted right-code")
		d.wants("activated", d.r.Activated)
		if _, _, ok := verify.AppIgnored(cr, code, d.now.Add(3*time.Minute), 1); ok && cr.Kind == mfa.TOTP {
			t.Errorf("%+v: an old code", c)
		}
	}
	d := reached(t)
	for i, code := range []string{"", "12345", "abcdef", "999999"} {
		if _, _, ok := verify.AppIgnored(d.u.Record.Credentials[min(i, 2)], code, d.now, 1); ok {
			t.Errorf("%q", code)
		}
	}
	c := d.u.Record.Credentials[0]
	c.Digits = 8
	if _, _, ok := verify.AppIgnored(c, d.with(0, oath.SHA1, 6, 30), time.Unix(-5, 0), 1); ok {
		t.Error("before 1970")
	}
	if _, _, ok := verify.AppIgnored(mfa.Credential{Kind: mfa.TOTP, Digits: 8, Period: 30}, "123456", d.now, 1); ok {
		t.Error("without a key")
	}
}
