package verify_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
	"oathkit/pkg/verify"
)

// noon begins a TOTP step of 30 and of 60 seconds.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }

// A desk is one user, judged one answer after the other.
type desk struct {
	t     tb
	u     mfa.User
	now   time.Time
	p     verify.Policy
	codes []string // recovery codes
	r     verify.Result
}

// tb is what a desk needs of a test.
type tb interface {
	Helper()
	Error(...any)
	Errorf(string, ...any)
	Fatal(...any)
}

func policy() verify.Policy {
	return verify.Policy{Window: 1, Lockout: verify.DefaultLockout()}
}

// open makes a user who enabled a credential a day ago, activated if asked.
func open(t tb, activated bool, o mfa.EnableOptions) *desk {
	t.Helper()
	o.Now, o.Random = noon.Add(-24*time.Hour), rand.NewChaCha8([32]byte{7})
	u, _, err := mfa.Enable(mfa.User{ID: "alice@pam"}, o)
	if err != nil {
		t.Fatal(err)
	}
	u.Record.Credentials[0].Activated = activated
	codes, u, err := mfa.NewRecoveryCodes(u, 10, o.Random)
	if err != nil {
		t.Fatal(err)
	}
	return &desk{t: t, u: u, now: noon, p: policy(), codes: codes}
}

func (d *desk) add(o mfa.EnableOptions) {
	d.t.Helper()
	o.Now, o.Random = noon.Add(-time.Hour), rand.NewChaCha8([32]byte{8, byte(len(d.u.Record.Credentials))})
	u, _, err := mfa.Add(d.u, o)
	if err != nil {
		d.t.Fatal(err)
	}
	d.u = u
}

// code is the code of credential i at a counter or step.
func (d *desk) code(i int, counter uint64) string {
	c := d.u.Record.Credentials[i]
	return string(oath.NewCoder(c.Key, c.Algorithm, c.Digits).AppendCode(nil, counter))
}

// totp is the code of credential i in the step that begins so many seconds
// after noon.
func (d *desk) totp(i, after int) string {
	return d.code(i, uint64(at(after).Unix())/uint64(d.u.Record.Credentials[i].Period))
}

// wrong is six digits that are no code of any credential near now.
func (d *desk) wrong() string {
next:
	for n := range 1000000 {
		w := fmt.Sprintf("%06d", n)
		for i, c := range d.u.Record.Credentials {
			next := d.u.State.Counters[i].Next
			from, to := next-min(next, 20), next+200
			if c.Kind == mfa.TOTP {
				step := oath.StepAt(d.now, c.Period)
				from, to = step-min(step, 20), step+20
			}
			coder := oath.NewCoder(c.Key, c.Algorithm, c.Digits)
			_, near := coder.Match(w, from, to)
			_, last := coder.Match(w, next/max(1, uint64(c.Period))-min(1, next), next/max(1, uint64(c.Period)))
			if near || last {
				continue next
			}
		}
		return w
	}
	return ""
}

// try judges an answer and wants a verdict, with its reason after a blank if
// that is wanted, too.
func (d *desk) try(answer, want string) {
	d.t.Helper()
	before := d.u
	text := fmt.Sprintf("%+v", before.State)
	var u mfa.User
	d.r, u = verify.Decide(d.u, answer, d.now, d.p)
	if got := fmt.Sprintf("%s %s", d.r.Verdict, d.r.Reason); got != want && string(d.r.Verdict) != want {
		d.t.Errorf("at %v the answer %q is %q, want %q", d.now.Sub(noon), answer, got, want)
	}
	if again, w := verify.Decide(d.u, answer, d.now, d.p); again != d.r || w.State != u.State || !w.Record.Equal(u.Record) {
		d.t.Errorf("judged twice, it is %+v and %+v", d.r, again)
	}
	if fmt.Sprintf("%+v", before.State) != text {
		d.t.Error("the argument has changed")
	}
	yes := d.r.Verdict == verify.Accepted || d.r.Verdict == verify.Pending || d.r.Verdict == verify.NotRequired
	if yes != d.r.OK {
		d.t.Errorf("%s says OK=%v", d.r.Verdict, d.r.OK)
	}
	if s, err := mfa.DecodeState(mfa.EncodeState(u.State)); err != nil || s != u.State {
		d.t.Errorf("the state cannot be kept: %v", err)
	}
	d.u = u
}

// fail answers wrongly n times, waiting until each is judged.
func (d *desk) fail(n int) {
	d.t.Helper()
	for range n {
		d.now = d.now.Add(d.r.RetryAfter)
		d.try(d.wrong(), "rejected wrong-code")
	}
}

func (d *desk) wants(what string, ok bool) {
	d.t.Helper()
	if !ok {
		d.t.Errorf("not so: %s; %+v, state %+v", what, d.r, d.u.State)
	}
}

// Section 6.2: without a credential it depends on the realm alone.
func TestNoCredential(t *testing.T) {
	d := &desk{t: t, u: mfa.User{ID: "alice@pam"}, now: noon, p: policy()}
	for _, answer := range []string{"", "123456", "abcd-efgh-ijkl-mnop", strings.Repeat("x", 9999)} {
		d.p.Required = false
		d.try(answer, "not-required no-record")
		d.p.Required = true
		d.try(answer, "not-enrolled no-record")
		d.wants("nothing is kept", d.u.State == mfa.State{})
	}
}

// Section 6.2: enabled, none activated.
func TestActivation(t *testing.T) {
	t.Run("a right code activates it and is accepted", func(t *testing.T) {
		for _, required := range []bool{false, true} {
			d := open(t, false, mfa.EnableOptions{})
			d.p.Required = required
			before := d.u
			d.try(d.totp(0, 0), "accepted right-code")
			d.wants("activated", d.r.Activated && d.u.Activated() && !before.Activated())
			d.try(d.totp(0, 0), "replayed used-code")
			d.try("", "rejected empty")
			d.try(d.totp(0, 30), "accepted")
			d.wants("activated before", !d.r.Activated)
		}
	})
	t.Run("an empty answer is pending, yes", func(t *testing.T) {
		d := open(t, false, mfa.EnableOptions{})
		for _, empty := range []string{"", " ", "-", "\t- "} {
			d.try(empty, "pending not-activated")
		}
		d.wants("no failure", d.u.State.Failures == 0)
		d.fail(20)
		d.try("", "pending not-activated")
		d.try(d.wrong(), "locked too-many-in-a-row")
	})
	t.Run("unless the realm requires a factor", func(t *testing.T) {
		d := open(t, false, mfa.EnableOptions{})
		d.p.Required = true
		d.try("", "rejected empty")
		d.wants("no failure", d.u.State.Failures == 0)
	})
	t.Run("grace counts from enable", func(t *testing.T) {
		d := open(t, false, mfa.EnableOptions{})
		d.p.Required, d.p.Grace = true, 25*time.Hour
		d.try("", "pending grace")
		d.now = at(3599)
		d.try("", "pending grace")
		d.now = at(3600)
		d.try("", "rejected empty")
		d.now = noon.Add(-25 * time.Hour) // the clock was set back before enable
		d.try("", "rejected empty")
		d.now = noon
		d.try(d.totp(0, 0), "accepted")
		d.try("", "rejected empty")
	})
	t.Run("a wrong code is no", func(t *testing.T) {
		d := open(t, false, mfa.EnableOptions{})
		d.try(d.wrong(), "rejected wrong-code")
		d.wants("counted, not activated", d.u.State.Failures == 1 && !d.u.Activated())
	})
	t.Run("only the credential whose code it was", func(t *testing.T) {
		d := open(t, false, mfa.EnableOptions{})
		d.add(mfa.EnableOptions{})
		d.add(mfa.EnableOptions{Kind: mfa.HOTP})
		d.try(d.totp(1, 0), "accepted")
		c := d.u.Record.Credentials
		d.wants("the second", !c[0].Activated && c[1].Activated && !c[2].Activated && d.r.Credential == c[1].ID && d.r.Kind == "totp")
		d.try("", "rejected empty")
		d.try(d.code(2, 0), "accepted")
		d.wants("the third", d.r.Activated && d.u.Record.Credentials[2].Activated && d.r.Kind == "hotp")
	})
	t.Run("a recovery code activates nothing", func(t *testing.T) {
		d := open(t, false, mfa.EnableOptions{})
		d.p.Required = true
		d.try(d.codes[0], "accepted recovery-code")
		d.wants("not activated", !d.u.Activated() && !d.r.Activated)
	})
	t.Run("two codes in a row activate a locked one", func(t *testing.T) {
		d := open(t, false, mfa.EnableOptions{})
		d.fail(20)
		d.now = at(86400)
		d.try(d.totp(0, 86400), "locked noted")
		d.wants("not yet", !d.u.Activated())
		d.now = at(86430)
		d.try(d.totp(0, 86430), "accepted opened")
		d.wants("activated", d.u.Activated() && d.r.Activated)
	})
}

// Section 6.3: normalise once.
func TestNormalisation(t *testing.T) {
	for _, c := range []struct{ format, want string }{
		{"%s", "accepted right-code"},
		{" %s\t", "accepted right-code"},
		{"%.3s %[1]s", "rejected not-a-code"},
		{"x%s", "rejected not-a-code"},
		{"+%s", "rejected not-a-code"},
		{"0%s", "rejected not-a-code"},
		{"%.5s", "rejected not-a-code"},
		{"%s\x00", "rejected not-a-code"},
		{"%s" + strings.Repeat(" ", 300), "rejected not-a-code"},
	} {
		d := open(t, true, mfa.EnableOptions{})
		d.try(fmt.Sprintf(c.format, d.totp(0, 0)), c.want)
	}
	d := open(t, true, mfa.EnableOptions{})
	code := d.totp(0, 0)
	d.try(code[:3]+" - "+code[3:], "accepted")
	d = open(t, true, mfa.EnableOptions{})
	arabic := strings.Map(func(r rune) rune { return r - '0' + '٠' }, code)
	d.try(arabic, "rejected not-a-code")
	d.wants("counted", d.u.State.Failures == 1)
	d.add(mfa.EnableOptions{Digits: 8})
	eight := d.totp(1, 0)
	d.try(eight[2:], "rejected wrong-code")
	d.try(eight, "accepted")
	d.wants("the second", d.r.Credential == d.u.Record.Credentials[1].ID)
}

// Section 6.4: TOTP.
func TestTOTP(t *testing.T) {
	t.Run("steps now-w to now+w", func(t *testing.T) {
		for window := range 4 {
			for step := -5; step <= 5; step++ {
				d := open(t, true, mfa.EnableOptions{})
				d.p.Window = window
				d.now = at(17)
				want := "rejected wrong-code"
				if step >= -window && step <= window {
					want = "accepted right-code"
				}
				d.try(d.totp(0, 30*step), want)
				if d.r.OK {
					d.wants("offset", d.r.Offset == time.Duration(step)*30*time.Second)
				}
			}
		}
	})
	t.Run("only a step greater than the last used", func(t *testing.T) {
		d := open(t, true, mfa.EnableOptions{})
		d.try(d.totp(0, 0), "accepted")
		d.try(d.totp(0, 0), "replayed used-code")
		d.wants("named", d.r.Kind == "totp" && d.r.Credential == d.u.Record.Credentials[0].ID)
		d.try(d.totp(0, -30), "replayed used-code")
		d.try(d.totp(0, 30), "accepted")
		d.try(d.totp(0, 0), "replayed used-code")
		d.wants("replays are not counted", d.u.State.Failures == 0)
		d.now = at(3600)
		d.try(d.totp(0, 30), "replayed used-code") // the last one, however old
		d.try(d.totp(0, 0), "rejected wrong-code") // an older one is a wrong answer
	})
	t.Run("a clock set back: an old code stays refused", func(t *testing.T) {
		d := open(t, true, mfa.EnableOptions{})
		d.try(d.totp(0, 0), "accepted")
		for _, back := range []int{-30, -60, -90, -86400, -10 * 86400 * 365} {
			d.now = at(back)
			d.try(d.totp(0, back), "replayed used-code")
		}
		d.now = at(0)
		d.try(d.totp(0, 0), "replayed used-code")
		d.try(d.totp(0, 30), "accepted")
	})
	t.Run("before 1970 and after 9999", func(t *testing.T) {
		for _, unix := range []int64{-1, -86400, -1 << 40, -1 << 62, 1 << 40, 1 << 62} {
			d := open(t, true, mfa.EnableOptions{})
			d.now = time.Unix(unix, 0)
			d.try(d.code(0, 0), "rejected")
			d.try(d.codes[0], "accepted")
		}
	})
	t.Run("at the beginning of time", func(t *testing.T) {
		d := open(t, true, mfa.EnableOptions{})
		d.now = time.Unix(0, 0)
		d.try(d.code(0, 0), "accepted")
		d.try(d.code(0, 0), "replayed")
		d.try(d.code(0, 1), "accepted")
	})
	t.Run("another period does not make a used time good again", func(t *testing.T) {
		for _, period := range []int{10, 15, 45, 60, 86400} {
			d := open(t, true, mfa.EnableOptions{})
			d.try(d.totp(0, 30), "accepted")
			d.u.Record.Credentials[0].Period = period
			for s := 0; s < 60; s++ {
				step := uint64(at(s).Unix()) / uint64(period)
				begin := int(step)*period - int(noon.Unix())
				d.now = at(s)
				r, _ := verify.Decide(d.u, d.code(0, step), d.now, d.p)
				if begin < 60 && r.OK {
					t.Errorf("period %d: the step of second %d is accepted", period, begin)
				}
			}
			d.now = at(2 * 86400)
			d.try(d.totp(0, 2*86400), "accepted")
		}
	})
	t.Run("all algorithms and digits", func(t *testing.T) {
		for a := oath.SHA1; a <= oath.SHA512; a++ {
			for digits := 6; digits <= 10; digits++ {
				d := open(t, true, mfa.EnableOptions{Algorithm: a, Digits: digits, Period: 60})
				d.try(d.totp(0, 60), "accepted")
				d.try(d.totp(0, 60), "replayed")
			}
		}
	})
}

// Section 6.6: recovery codes.
func TestRecoveryCodes(t *testing.T) {
	d := open(t, true, mfa.EnableOptions{})
	d.try(d.codes[0], "accepted recovery-code")
	d.wants("nine left, of no credential", d.r.RecoveryLeft == 9 && d.r.Kind == "recovery" && d.r.Credential == "")
	d.try(d.codes[0], "replayed recovery-code")
	d.wants("not counted", d.u.State.Failures == 0 && d.r.RecoveryLeft == 9)
	d.try(strings.ToUpper(d.codes[1]), "accepted recovery-code")
	d.try(strings.ReplaceAll(d.codes[2], "-", ""), "accepted recovery-code")
	d.try("  "+strings.ReplaceAll(d.codes[3], "-", " ")+"\t", "accepted recovery-code")
	d.try(d.codes[3], "replayed recovery-code")
	d.try(d.codes[4][1:], "rejected not-a-code")
	d.try(d.codes[4]+"a", "rejected not-a-code")
	d.try("aaaa-bbbb-cccc-dddd", "rejected not-a-code")
	d.wants("wrong ones are counted", d.u.State.Failures == 3 && d.r.RecoveryLeft == 6)

	// A new set never needs a new key, and voids the old.
	old := d.codes
	var err error
	d.codes, d.u, err = mfa.NewRecoveryCodes(d.u, 8, rand.NewChaCha8([32]byte{99}))
	if err != nil {
		t.Fatal(err)
	}
	d.try(old[5], "rejected not-a-code")
	d.try(old[0], "rejected not-a-code")
	for i, c := range d.codes {
		d.now = d.now.Add(24 * time.Hour)
		d.try(c, "accepted recovery-code")
		d.wants("one less", d.r.RecoveryLeft == 7-i)
	}
	d.try(d.totp(0, int(d.now.Sub(noon)/time.Second)), "accepted")
}

// A record that makes no sense, or a policy, is an error and a no.
func TestErrors(t *testing.T) {
	d := open(t, true, mfa.EnableOptions{})
	for _, p := range []verify.Policy{
		{},
		{Window: -1, Lockout: verify.DefaultLockout()},
		{Window: 11, Lockout: verify.DefaultLockout()},
		{Grace: -1, Lockout: verify.DefaultLockout()},
		{Lockout: verify.Lockout{Free: -1, Delay: 1, MaxDelay: 1, LockAt: 1}},
		{Lockout: verify.Lockout{Delay: 2, MaxDelay: 1, LockAt: 1}},
		{Lockout: verify.Lockout{Delay: -1, MaxDelay: 1, LockAt: 1}},
		{Lockout: verify.Lockout{MaxDelay: 1 << 62, LockAt: 1}},
		{Lockout: verify.Lockout{LockAt: 1, MonthMax: -1}},
		{Lockout: verify.Lockout{LockAt: 1 << 20}},
	} {
		d.p = p
		d.try(d.totp(0, 0), "error bad-policy")
		if p.Check() == nil {
			t.Errorf("%+v is said to be good", p)
		}
	}
	d.p = policy()
	good := d.u
	for _, change := range []func(*mfa.Record){
		func(r *mfa.Record) { r.Credentials = nil },
		func(r *mfa.Record) { r.Credentials[0].Digits = 5 },
		func(r *mfa.Record) { r.Credentials[0].Period = 0 },
		func(r *mfa.Record) { r.Credentials[0].Key = oath.Key{} },
		func(r *mfa.Record) { r.Credentials[0].Kind = "duo" },
		func(r *mfa.Record) { r.Credentials[0].Algorithm = 7 },
	} {
		d.u = good
		d.u.Record.Credentials = append([]mfa.Credential(nil), good.Record.Credentials...)
		change(&d.u.Record)
		d.try("123456", "error bad-record")
		d.try("", "error bad-record")
	}
}
