package verify_test

import (
	"testing"

	"oathkit/pkg/mfa"
	"oathkit/pkg/verify"
)

// BenchmarkDecide shows how alike the work of different verdicts is.
func BenchmarkDecide(b *testing.B) {
	totp := func() *desk { return open(b, true, mfa.EnableOptions{}) }
	used := totp()
	used.try(used.totp(0, 0), "accepted")
	locked := totp()
	locked.fail(20)
	hotp := open(b, true, mfa.EnableOptions{Kind: mfa.HOTP})
	nobody := totp()
	nobody.u = mfa.User{ID: "bob@pam"}
	for _, c := range []struct {
		name   string
		d      *desk
		answer string
	}{
		{"right", totp(), totp().totp(0, 0)},
		{"wrong", totp(), totp().wrong()},
		{"no code", totp(), "x"},
		{"empty", totp(), ""},
		{"recovery", totp(), totp().codes[0]},
		{"replay", used, used.totp(0, 0)},
		{"locked", locked, locked.wrong()},
		{"nobody", nobody, "123456"},
		{"hotp right", hotp, hotp.code(0, 0)},
		{"hotp wrong", hotp, hotp.wrong()},
		{"hotp no code", hotp, "x"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				verify.Decide(c.d.u, c.answer, c.d.now, c.d.p)
			}
		})
	}
}
