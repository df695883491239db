package verify_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
	"oathkit/pkg/verify"
)

// explains wants each of the sentences, in which {} stands for anything, and
// none that holds a code.
func (d *desk) explains(answer string, want ...string) {
	d.t.Helper()
	lines := verify.Explain(d.u, answer, d.now, d.p)
	text := strings.Join(lines, "\n")
	for _, w := range want {
		rest, found := text, true
		for _, part := range strings.Split(w, "{}") {
			_, rest, found = strings.Cut(rest, part)
			if !found {
				d.t.Errorf("the sentence %q is missing in:\n%s", w, text)
				break
			}
		}
	}
	for i, c := range d.u.Record.Credentials {
		for step := -3; step < 4; step++ {
			code := d.totp2(i, step)
			if strings.Contains(text, code) || strings.Contains(text, c.Key.Base32()) {
				d.t.Errorf("a code or a key is in:\n%s", text)
			}
		}
	}
	if answer != "" && len(answer) > 3 && strings.Contains(text, answer) {
		d.t.Errorf("the answer is in:\n%s", text)
	}
}

func (d *desk) totp2(i, step int) string {
	c := d.u.Record.Credentials[i]
	if c.Kind != mfa.TOTP {
		return d.code(i, uint64(3+step)+d.u.State.Counters[i].Next)
	}
	return d.code(i, uint64(int64(oath.StepAt(d.now, c.Period))+int64(step)))
}

// with is the code that an app makes whose parameters are others.
func (d *desk) with(i int, a oath.Algorithm, digits, period int) string {
	return string(oath.NewCoder(d.u.Record.Credentials[i].Key, a, digits).AppendCode(nil, oath.StepAt(d.now, period)))
}

func TestExplain(t *testing.T) {
	phone := mfa.EnableOptions{Label: "phone"}
	t.Run("clock off by N s", func(t *testing.T) {
		d := open(t, true, phone)
		d.explains(d.totp(0, 0), "the verdict is accepted (right-code)", `the code is right for credential "phone" (totp, {})`)
		d.explains(d.totp(0, 30), "of the step that lies 30 s after this one")
		d.explains(d.totp(0, -30), "of the step that lies 30 s before this one")
		d.explains(d.totp(0, -450), "the verdict is rejected (wrong-code)", `for credential "phone" (totp, {}) on a clock that is 450 s behind this machine's, and only 30 s are accepted`)
		d.explains(d.totp(0, 3600), "on a clock that is 3600 s ahead of this machine's")
		d.explains(d.totp(0, 86400), "on a clock that is 86400 s ahead")
		d.explains(d.totp(0, -86400), "on a clock that is 86400 s behind")
		d.explains(d.totp(0, 86430), "not even with a clock that is off by up to a day")
	})
	t.Run("a right code needs no further words", func(t *testing.T) {
		for a := oath.SHA1; a <= oath.SHA512; a++ {
			d := open(t, true, mfa.EnableOptions{Algorithm: a})
			lines := verify.Explain(d.u, d.totp(0, 0), d.now, d.p)
			if last := lines[len(lines)-1]; len(lines) != 3 || last != "the code is right for credential "+d.u.Record.Credentials[0].ID+" (totp)" {
				t.Errorf("it says %q", lines)
			}
		}
	})
	t.Run("right code of another credential", func(t *testing.T) {
		d := open(t, true, phone)
		d.add(mfa.EnableOptions{Label: "tablet"})
		d.explains(d.totp(1, -600), `credential "tablet" (totp, {}) on a clock that is 600 s behind`)
		d.explains(d.totp(1, 0), `the code is right for credential "tablet"`)
	})
	t.Run("right under SHA1, so the app ignored SHA256", func(t *testing.T) {
		d := open(t, true, mfa.EnableOptions{Label: "phone", Algorithm: oath.SHA256, Digits: 8, Period: 60})
		d.explains(d.with(0, oath.SHA1, 8, 60), `is right for credential "phone" (totp, {}) under SHA1: the app took no notice of SHA256`)
		d.explains(d.with(0, oath.SHA512, 8, 60), `under SHA512: the app took no notice of SHA256`)
		d.explains(d.with(0, oath.SHA256, 6, 60), "with 6 digits: the app took no notice of 8")
		d.explains(d.with(0, oath.SHA256, 8, 30), "with a period of 30 s: the app took no notice of 60 s")
		d.explains(d.with(0, oath.SHA1, 6, 30), "with SHA1, 6 digits and 30 s: the app knows nothing else")
		d = open(t, true, mfa.EnableOptions{Kind: mfa.HOTP, Algorithm: oath.SHA512})
		d.explains(string(oath.NewCoder(d.u.Record.Credentials[0].Key, oath.SHA1, 6).AppendCode(nil, 3)), "under SHA1: the app took no notice of SHA512")
	})
	t.Run("already used N s ago", func(t *testing.T) {
		d := open(t, true, phone)
		d.try(d.totp(0, 0), "accepted")
		d.now = at(12)
		d.explains(d.totp(0, 0), "the verdict is replayed (used-code)", "was used already: its step began 12 s ago")
		d.now = at(-3600)
		d.explains(d.totp(0, -3600), "is good before 2026-03-01T12:00:30Z, 3570 s more than the window: this machine's clock was set back")
	})
	t.Run("HOTP N ahead", func(t *testing.T) {
		d := open(t, true, mfa.EnableOptions{Kind: mfa.HOTP, Counter: 500})
		d.explains(d.code(0, 500), "0 ahead of the next counter")
		d.explains(d.code(0, 507), "the code is right for credential {} (hotp), 7 ahead of the next counter")
		d.explains(d.code(0, 540), "40 ahead of the next counter: alone it is good up to 10, but two codes in a row are good up to 100")
		d.explains(d.code(0, 1500), "1000 ahead of the next counter: that is too far even for two codes in a row (100)")
		d.explains(d.code(0, 470), "30 behind the next counter: it was used or passed over already")
		d.try(d.code(0, 540), "rejected")
		d.explains(d.code(0, 541), "the second of two in a row for credential {}: it is in step again")
		d.u.State = mfa.Rebuild(d.u.Record, noon, 1)
		d.explains(d.code(0, 501), "whose counter is lost: two codes in a row find it again")
	})
	t.Run("wrong length, no digits", func(t *testing.T) {
		d := open(t, true, phone)
		d.explains("12345", `the answer has 5 digits, a code of credential "phone" (totp, {}) has 6`)
		d.explains("1234567890123", "the answer has 13 digits")
		d.explains("l23456", "the answer has 6 characters that are not all digits 0 to 9, and is no recovery code")
		d.explains("", "the verdict is rejected (empty)", "nothing was answered")
		d.explains(strings.Repeat("9", 300), "the answer is 300 bytes long; more than 256 are not looked at")
		d.explains(d.wrong(), "it is no code of the user's")
	})
	t.Run("recovery codes", func(t *testing.T) {
		d := open(t, true, phone)
		d.explains(d.codes[0], "it is a recovery code that was not used yet; 9 are left now")
		d.try(d.codes[0], "accepted")
		d.explains(d.codes[0], "the verdict is replayed (recovery-code)", "it is a recovery code that was used already")
	})
	t.Run("locked until when", func(t *testing.T) {
		d := open(t, true, phone)
		d.fail(1)
		d.explains(d.totp(0, 0), "the answer before this one was wrong")
		d.fail(1)
		d.explains(d.totp(0, 0), "before this answer there were 2 wrong ones in a row")
		d.fail(4)
		d.explains(d.wrong(), "after 6 wrong answers in a row codes are not judged until 2026-03-01T12:00:30Z, 30 s from now")
		d.explains(d.totp(0, 0), "the verdict is locked (noted)", "the code is right, but the user is delayed or locked; one of the next two codes opens", "the code is right for credential")
		d.fail(14)
		d.explains(d.wrong(), "the user is locked after 20 wrong answers in a row, until somebody opens it: a recovery code opens it, or two TOTP codes in a row, or mfactl unlock")
		d.p.Lockout.LockAt, d.p.Lockout.MonthMax = 50, 20
		d.explains(d.wrong(), "the user is locked until 2026-04-01T00:00:00Z after 20 wrong answers within 30 days")
	})
	t.Run("which realm line asks for it", func(t *testing.T) {
		d := open(t, false, phone)
		d.explains("", "the verdict is pending (not-activated)", "the realm requires a factor only of users who have an activated one", "no credential of the user is activated yet; the first right code activates it", "until then an empty answer is accepted")
		d.p.Required, d.p.RequiredBy = true, "/etc/oathkit/domains.cfg:7: tfa type=oath"
		d.explains("", "the verdict is rejected (empty)", "a factor is required of everybody in the realm: /etc/oathkit/domains.cfg:7: tfa type=oath")
		d.p.Grace = 48 * time.Hour
		d.explains("", "the verdict is pending (grace)", "until 2026-03-02T12:00:00Z an empty answer is accepted")
		d.p.Grace = time.Hour
		d.explains("", "the time of grace in which an empty answer was accepted ended at 2026-02-28T13:00:00Z")
		d.u = mfa.User{ID: "bob@pam"}
		d.explains("123456", "the verdict is not-enrolled (no-record)", "domains.cfg:7", "the user has no credential")
	})
	t.Run("what makes no sense", func(t *testing.T) {
		d := open(t, true, phone)
		d.p.Window = 99
		d.explains("123456", "the verdict is error (bad-policy)", "the policy makes no sense: a window of 99 steps is out of range")
		d.p = policy()
		d.u.Record.Credentials[0].Digits = 5
		if got := verify.Explain(d.u, "12345", d.now, d.p); !strings.Contains(fmt.Sprint(got), "the record makes no sense: credential 1: 5 digits are out of range") {
			t.Error(got)
		}
	})
}
