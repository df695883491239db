package mfa_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/mfa"
)

func TestCheckEmail(t *testing.T) {
	for s, want := range map[string]string{
		"alice@example.org":                          "",
		"root@localhost":                             "",
		"a.b+c_d/e=f@mail-1.example.org":             "",
		"o'brien!#$%&*?^`{|}~@xn--bcher-kva.example": "",
		strings.Repeat("a", 64) + "@" + strings.Repeat("example.", 23) + "org": "",
		"":             "has no @",
		"alice":        "has no @, write name@domain",
		"@example.org": "nothing before or behind its @",
		"alice@":       "nothing before or behind its @",
		"alice@example.org\r\nBcc: bob@example.org":   "has the control character",
		"alice@example.org\nX":                        "has the control character",
		"alice\x00@example.org":                       "has the control character U+0000",
		"alice@exa\u200bmple.org":                     "has the control character U+200B",
		"al ice@example.org":                          "has a blank in it",
		"alice@example.org,bob@example.org":           "no domain behind its @",
		"alice@bob@example.org":                       "no domain behind its @",
		"<alice@example.org>":                         "before its @ that is not taken",
		`"alice"@example.org`:                         "before its @ that is not taken",
		"alice(x)@example.org":                        "before its @ that is not taken",
		"älice@example.org":                           "before its @ that is not taken",
		"alice@bücher.example":                        "in their xn-- form",
		"-oQ/tmp@example.org":                         "begins with",
		".alice@example.org":                          "before its @ that is not taken",
		"alice..b@example.org":                        "before its @ that is not taken",
		"alice@example..org":                          "no domain behind its @",
		"alice@example.org.":                          "no domain behind its @",
		"alice@-example.org":                          "no dash at either end",
		"alice@example-.org":                          "no dash at either end",
		"alice@" + strings.Repeat("a", 64) + ".org":   "1 to 63",
		"alice@[127.0.0.1]":                           "no domain behind its @",
		"|mail@example.org":                           "begins with",
		"/var/mail@example.org":                       "begins with",
		strings.Repeat("a", 65) + "@example.org":      "at most 64",
		"alice@example.org\xff":                       "not valid UTF-8",
		strings.Repeat("a", 243) + "@example.org":     "255 bytes is too long, at most 254",
		"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ":            "(32 bytes, not shown) has no @",
		"alice@example.org;rm":                        "no domain behind its @",
		"alice@\u0435xample.org" /* a Cyrillic ie */ : "no domain behind its @",
	} {
		judged(t, s, mfa.CheckEmail(s), want)
	}
}

func TestCheckPhone(t *testing.T) {
	for s, want := range map[string]string{
		"+14165550123": "", "4165550123": "", "112": "", "+123456789012345": "",
		"": "3 to 15 digits", "12": "3 to 15 digits", "+1234567890123456": "3 to 15 digits",
		"+": "3 to 15 digits", "++123": "only digits", "123-456": "only digits", "123 456": "only digits",
		"-f123": "only digits", "123\n456": "only digits", "123;id": "only digits", "٣٤٥٦٧٨": "only digits",
	} {
		judged(t, s, mfa.CheckPhone(s), want)
	}
	for s, want := range map[string]string{
		"+1 (416) 555-0123": "+14165550123", "0711/12.34.56": "0711123456", "12\n3": "12\n3", "": "", "tel:1": "tel:1",
	} {
		if got := mfa.CleanPhone(s); got != want {
			t.Errorf("%q is cleaned to %q, want %q", s, got, want)
		}
	}
}

func judged(t *testing.T, s string, err error, want string) {
	t.Helper()
	switch {
	case err == nil && want != "":
		t.Errorf("%q is taken, want %q", s, want)
	case err != nil && (want == "" || !strings.Contains(err.Error(), want)):
		t.Errorf("%q: %v, want %q", s, err, want)
	case err != nil && strings.ContainsAny(err.Error(), "\r\n\x00"):
		t.Errorf("%q: the error has a control character in it: %v", s, err)
	}
}

func TestSetEmail(t *testing.T) {
	u := enabled(t, mfa.EnableOptions{Email: "alice@example.org"})
	if u.Record.Email != "alice@example.org" {
		t.Error("enable does not keep the address")
	}
	for _, bad := range []string{"alice", "a@b\nc"} {
		if v, err := mfa.SetEmail(u, bad); err == nil || v.Record.Email != u.Record.Email {
			t.Errorf("%q is taken", bad)
		}
		if _, _, err := mfa.Add(u, mfa.EnableOptions{Email: bad, Now: noon, Random: dice(3)}); err == nil {
			t.Errorf("add takes %q", bad)
		}
		if _, _, err := mfa.Enable(mfa.User{ID: "a@b"}, mfa.EnableOptions{Email: bad, Now: noon, Random: dice(3)}); err == nil {
			t.Errorf("enable takes %q", bad)
		}
	}
	if _, err := mfa.SetEmail(mfa.User{ID: "a@b"}, "a@b"); !errors.Is(err, mfa.ErrNotEnrolled) {
		t.Error("of nobody: ", err)
	}
	_, u, err := mfa.RequestRemoval(u, noon, dice(4))
	if err != nil {
		t.Fatal(err)
	}
	if v, err := mfa.SetEmail(u, "alice@example.org"); err != nil || v.State != u.State {
		t.Error("the same address revokes the removal: ", err)
	}
	for _, email := range []string{"", "bob@example.org"} {
		v, err := mfa.SetEmail(u, email)
		if err != nil || v.Record.Email != email {
			t.Error(err)
		}
		if _, pending := v.RemovalPending(noon); pending {
			t.Errorf("%q: a token that went to the old address is good", email)
		}
		if _, _, err := mfa.RequestRemoval(v, noon.Add(time.Second), dice(5)); !errors.Is(err, mfa.ErrTooSoon) {
			t.Errorf("%q: another address gets a mail at once: %v", email, err)
		}
	}
	again, _, err := mfa.Reset(u, mfa.EnableOptions{Now: noon, Random: dice(6)})
	if err != nil || again.Record.Email != "alice@example.org" {
		t.Error("reset forgets the address: ", err)
	}
	v, _, err := mfa.Add(u, mfa.EnableOptions{Now: noon, Random: dice(7), Email: "new@example.org"})
	if err != nil || v.Record.Email != "new@example.org" || u.Record.Email != "alice@example.org" {
		t.Error("add does not change the address: ", err)
	}
	if v, _, err = mfa.Add(v, mfa.EnableOptions{Now: noon, Random: dice(8)}); err != nil || v.Record.Email != "new@example.org" {
		t.Error("add forgets the address: ", err)
	}
}
