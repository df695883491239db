package login

import (
	"strings"
	"testing"

	"oathkit/pkg/duo/pipe"
	"oathkit/pkg/mfa"
)

// Duo lets some people in by where they are, so it does not hear that from them.
func TestAddress(t *testing.T) {
	for want, a := range map[string]Attempt{
		"192.0.2.7":  {RHost: "192.0.2.7"},
		"2001:db8::": {RHost: "2001:db8::"},
		"":           {RHost: "192.0.2.7", OwnWord: true},
	} {
		if got := a.address(); got != want {
			t.Errorf("%+v: got %q", a, got)
		}
	}
	for _, odd := range []string{"a\nb", strings.Repeat("1", 65)} {
		if got := (Attempt{RHost: odd}).address(); got != "" {
			t.Errorf("got %q", got)
		}
	}
}

// Which answers are Duo's to judge, of a user who has a credential of that kind.
func TestForDuo(t *testing.T) {
	only := mfa.User{Record: mfa.Record{Credentials: []mfa.Credential{{Kind: mfa.Duo, Activated: true}}}}
	both := mfa.User{Record: mfa.Record{Credentials: []mfa.Credential{{Kind: mfa.TOTP, Activated: true}, {Kind: mfa.Duo, Activated: true}}}}
	begun := mfa.User{Record: mfa.Record{Credentials: []mfa.Credential{{Kind: mfa.TOTP}, {Kind: mfa.Duo, Activated: true}}}}
	none := mfa.User{Record: mfa.Record{Credentials: []mfa.Credential{{Kind: mfa.TOTP, Activated: true}}}}
	for _, c := range []struct {
		method, code            string
		only, both, begun, bare bool
	}{
		{"", "123456", true, false, true, false},
		{"passcode", "123456", true, false, true, false},
		{"", "abcd-efgh-2345-wxyz", false, false, false, false},
		{"", "", true, true, true, false},
		{"", " Push ", true, true, true, false},
		{"push", "", true, true, true, false},
		{"phone", "", true, true, true, false},
		{"sms", "", true, true, true, false},
		{"email", "", false, false, false, false},
	} {
		for name, is := range map[string][2]bool{
			"only": {forDuo(only, c.method, c.code), c.only}, "both": {forDuo(both, c.method, c.code), c.both},
			"begun": {forDuo(begun, c.method, c.code), c.begun}, "none": {forDuo(none, c.method, c.code), c.bare},
		} {
			if is[0] != is[1] {
				t.Errorf("%q, %q, %s: got %v", c.method, c.code, name, is[0])
			}
		}
	}
}

func TestChoose(t *testing.T) {
	choices := choicesOf([]pipe.Device{
		{ID: "DP1", Type: "phone", Number: "XXX-0100", Can: []string{"auto", "push", "sms"}},
		{ID: "DP2", Type: "phone", Name: "Desk", Number: "XXX-0200", Can: []string{"phone", "mobile_otp"}},
		{ID: "DH3", Type: "token", Name: "Token"},
	})
	want := []choice{
		{"push", "DP1", "Push to XXX-0100"}, {"phone", "DP2", "Call to Desk (XXX-0200)"}, {"sms", "DP1", "New passcodes by SMS to XXX-0100"},
	}
	if len(choices) != len(want) {
		t.Fatalf("got %+v", choices)
	}
	for i := range want {
		if choices[i] != want[i] {
			t.Errorf("got %+v, want %+v", choices[i], want[i])
		}
	}
	for answer, want := range map[string]choice{
		"1": choices[0], " 2 ": choices[1], "03": choices[2], "Phone": choices[1], "sms": choices[2],
		"0": {method: "passcode", text: "0"}, "4": {method: "passcode", text: "4"}, "001": {method: "passcode", text: "001"},
		"123456": {method: "passcode", text: "123456"}, "": {method: "passcode"}, "email": {method: "passcode", text: "email"},
	} {
		if got := choose(choices, answer); got != want {
			t.Errorf("%q: got %+v", answer, got)
		}
	}
}
