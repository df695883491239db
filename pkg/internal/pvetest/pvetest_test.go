package pvetest_test

import (
	"slices"
	"testing"

	"oathkit/pkg/internal/pvetest"
)

// Every row of the manual is of a kind whose cases some package runs: kinds and
// packages are listed here, so that a slip in the manual's comment does not make
// a row that nothing looks at.
func TestEveryRowIsLookedAt(t *testing.T) {
	kinds := []string{
		"oath_verify_otp", "base32/perl-decode", "plus", // pkg/oath
		"pve-tfa-secret",                                   // pkg/account
		"section-config/rust", "tfa/print-property-string", // pkg/realm
		"legacy-key-migration", "otpauth-uri/rust", "tfa.cfg/parse", "tfa.cfg/verify", "login-flow", // pkg/exchange
	}
	for kind, names := range pvetest.Rows(t, "../../../man/man7/oathkit-differences.7") {
		if !slices.Contains(kinds, kind) {
			t.Errorf("rows of an unknown kind %q: %q", kind, names)
		}
		slices.Sort(names)
		if n := len(slices.Compact(slices.Clone(names))); n != len(names) {
			t.Errorf("%s: a row is there twice: %q", kind, names)
		}
	}
}
