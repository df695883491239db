package account_test

import (
	"fmt"
	"strings"
	"testing"

	"oathkit/pkg/account"
	"oathkit/pkg/internal/pvetest"
)

func TestPVEKey(t *testing.T) {
	tests := map[string]bool{
		"P6NDPDL6QDS7YFP4":                              true,
		"3132333435363738393031323334353637383930":      true,
		"ABCDEF0123456789abcdefABCDEF0123456789ab":      true,
		"v2-0x3132333435363738393031323334353637383930": true,
		"v2-GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ":           true,
		"v2-MFRGGZDFMY":                                 true,
		"v2-0xaa":                                       true,

		"":                                 false,
		"v2-":                              false,
		"v2-0x":                            false,
		"v2-0xabc":                         false, // PVE pads the half byte, an app cannot
		"v2-0xzz":                          false,
		"v2-mfrggzdfmy":                    false,
		"V2-MFRGGZDFMY":                    false,
		"v2-MFRGGZDFMY======":              false, // taken, but decoded to something else
		"p6ndpdl6qds7yfp4":                 false,
		"P6NDPDL6QDS7YFP":                  false,
		"P6NDPDL6QDS7YF==":                 false,
		"P6NDPDL6QDS7YFP1":                 false,
		"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ": false,
		"31323334353637383930313233343536": false,
		"0x3132333435363738393031323334353637383930": false,
		"x":     false,
		"bogus": false,
	}
	for key, want := range tests {
		if got := account.PVEKey(key); got != want {
			t.Errorf("%q: %v, want %v", key, got, want)
		}
	}
}

// What the API takes as a secret is also taken here, and what PVE makes a
// credential of; the differences are named.
func TestPVEKeyAgainstPVE(t *testing.T) {
	l := pvetest.NewLedger(t, manual, "pve-tfa-secret")
	for _, c := range pvetest.Cases(t, "pve-tfa-secret", 9) {
		var key, want string
		decode(t, c.Input, &key)
		want = string(c.Expected)
		l.Compare(t, c, fmt.Sprint(account.PVEKey(key)), want)
	}
	l.Done(t)
	for _, v := range vectors(t, "legacy-key-migration", 10) {
		var in struct{ Keys string }
		var want []any
		decode(t, v.Input, &in)
		decode(t, v.Expected, &want)
		usable, _ := account.NewKeys(in.Keys).Count()
		if in.Keys == "v2-0xabc" {
			usable++ // PVE pads the half byte; an app cannot
		}
		if usable != len(want) {
			t.Errorf("%q: %d keys, want %d", in.Keys, usable, len(want))
		}
	}
}

const manual = "../../man/man7/oathkit-differences.7"

// What Proxmox VE's form for users takes in the field.
func TestTypeable(t *testing.T) {
	l := pvetest.NewLedger(t, manual, "api/user-keys-pattern")
	for _, c := range pvetest.Cases(t, "api/user-keys-pattern", 9) {
		var text string
		decode(t, c.Input, &text)
		l.Compare(t, c, fmt.Sprint(account.NewKeys(text).Typeable()), string(c.Expected))
	}
	l.Done(t)
	if account.NewKeys(strings.Repeat("A", 4097)).Typeable() {
		t.Error("4097 characters")
	}
}

func TestMarkers(t *testing.T) {
	for text, want := range map[string]string{"x": "x", " x!oath ": "x!oath", "x!u2f": "x!u2f", "x!yubico": "x!yubico", "": "", "xx": "", "x P6NDPDL6QDS7YFP4": "", "X": "", "x!": "x!", "x!P6NDPDL6QDS7YFP4": "x!"} {
		if got := account.NewKeys(text).Marker(); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestKeysDoNotPrint(t *testing.T) {
	const secret = "P6NDPDL6QDS7YFP4"
	user := account.User{ID: "ann@pve", Keys: account.NewKeys(secret)}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{user, &user, user.Keys, []account.User{user}} {
			text := fmt.Sprintf(format, v)
			if strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) || !strings.Contains(text, "[secret]") {
				t.Errorf("%s of %T: %s", format, v, text)
			}
		}
	}
}
