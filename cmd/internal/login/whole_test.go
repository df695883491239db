package login

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/mfa"
	"oathkit/pkg/verify"
)

// user has credentials with codes of so many digits; activated or not.
func user(activated bool, digits ...int) mfa.User {
	u := mfa.User{ID: "alice@pam"}
	if len(digits) > 0 {
		u.Record.Epoch[0] = 1
	}
	for _, n := range digits {
		u.Record.Credentials = append(u.Record.Credentials, mfa.Credential{Digits: n, Activated: activated})
	}
	return u
}

// What a secret is taken for: "password|code", in the order of trying.
func TestReadings(t *testing.T) {
	const recovery = "abcd-efgh-2345-wxyz"
	for _, tt := range []struct {
		what     string
		u        mfa.User
		required bool
		secret   Secret
		want     []string
		grace    time.Duration
	}{
		{"two parts", user(true, 6), true, Secret{Password: "pw", Code: "123456"}, []string{"pw|123456"}, 0},
		{"two parts, both empty", user(true, 6), true, Secret{}, []string{"|"}, 0},
		{"one string", user(true, 6), false, Secret{Combined: "pw123456"}, []string{"pw|123456"}, 0},
		{"the code alone", user(true, 6), false, Secret{Combined: "123456"}, []string{"|123456"}, 0},
		{"a password of digits", user(true, 6), false, Secret{Combined: "999123456"}, []string{"999|123456"}, 0},
		{"eight digits", user(true, 8), false, Secret{Combined: "pw12345678"}, []string{"pw|12345678"}, 0},
		{"six or eight", user(true, 6, 8), false, Secret{Combined: "pw12345678"}, []string{"pw|12345678", "pw12|345678"}, 0},
		{"six of six or eight", user(true, 8, 6), false, Secret{Combined: "pw345678"}, []string{"pw|345678"}, 0},
		{"no code at its end", user(true, 6), true, Secret{Combined: "password"}, []string{"pa|ssword"}, 0},
		{"shorter than a code", user(true, 6), true, Secret{Combined: "pw"}, []string{"|pw"}, 0},
		{"a recovery code", user(true, 6), true, Secret{Combined: "pw" + recovery}, []string{"pw|" + recovery}, 0},
		{"one in capitals", user(true, 6), true, Secret{Combined: "pw" + strings.ToUpper(recovery)}, []string{"pw|" + strings.ToUpper(recovery)}, 0},
		{"one of Proxmox VE's", user(true, 6), true, Secret{Combined: "pw0189-aabb-CCDD-eeff"}, []string{"pw|0189-aabb-CCDD-eeff"}, 0},
		{"almost one of these", user(true, 6), true, Secret{Combined: "pw0189-aabb-ccdd-eefg"}, []string{"pw0189-aabb-ccd|d-eefg"}, 0},
		{"almost one", user(true, 6), true, Secret{Combined: "pwabcd-efgh-1345-wxyz"}, []string{"pwabcd-efgh-134|5-wxyz"}, 0},
		{"nobody, asked for a code", user(false), true, Secret{Combined: "pw123456"}, []string{"pw|123456"}, 0},
		{"nobody, not asked", user(false), false, Secret{Combined: "pw123456"}, []string{"pw123456|"}, 0},
		{"not activated, a code", user(false, 6), false, Secret{Combined: "pw123456"}, []string{"pw123456|", "pw|123456"}, 0},
		{"not activated, no code", user(false, 6), false, Secret{Combined: "password"}, []string{"password|", "pa|ssword"}, 0},
		{"not activated, but asked", user(false, 6), true, Secret{Combined: "pw123456"}, []string{"pw|123456"}, 0},
		{"not activated, not yet asked", user(false, 6), true, Secret{Combined: "pw123456"}, []string{"pw123456|", "pw|123456"}, time.Hour},
	} {
		var got []string
		for _, r := range tt.secret.readings(tt.u, verify.Policy{Required: tt.required, Grace: tt.grace}) {
			if r.Combined != "" {
				t.Errorf("%s: not split", tt.what)
			}
			got = append(got, r.Password+"|"+r.Code)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.what, got, tt.want)
		}
	}
}

func TestSecretIsNotPrinted(t *testing.T) {
	s := Secret{Password: "hunter2", Code: "123456", Combined: "hunter2123456"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if got := fmt.Sprintf(verb, s); strings.Contains(got, "hunter") || strings.Contains(got, "123456") || strings.Contains(got, "68756e746572") {
			t.Errorf("%s prints %s", verb, got)
		}
		if got := fmt.Sprintf(verb, &s); strings.Contains(got, "hunter") || strings.Contains(got, "68756e746572") {
			t.Errorf("%s of a pointer prints %s", verb, got)
		}
	}
}

// However it is split, the parts are the whole, and there is something to judge.
func FuzzReadings(f *testing.F) {
	f.Add("pw123456", true, true, uint8(6), uint8(8))
	f.Add("", false, true, uint8(0), uint8(6))
	f.Fuzz(func(t *testing.T, secret string, activated, required bool, a, b uint8) {
		var digits []int
		for _, n := range []uint8{a, b} {
			if n >= 6 && n <= 10 {
				digits = append(digits, int(n))
			}
		}
		list := Secret{Combined: secret}.readings(user(activated, digits...), verify.Policy{Required: required})
		if len(list) == 0 {
			t.Fatal("nothing to judge")
		}
		for _, r := range list {
			if r.Password+r.Code != secret {
				t.Fatalf("%q + %q is not %q", r.Password, r.Code, secret)
			}
		}
	})
}
