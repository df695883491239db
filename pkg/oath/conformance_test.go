package oath_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"oathkit/pkg/internal/pvetest"
	"oathkit/pkg/oath"
)

// TestConformance: where we mean to differ the manual oathkit-differences(7) has
// a row.
func TestConformance(t *testing.T) {
	for kind, n := range map[string]int{"base32/perl-decode": 7, "oath_verify_otp": 21, "totp": 5} {
		hold(t, kind, pvetest.Cases(t, kind, n))
	}
	hold(t, "plus", []pvetest.Case{plusSign(t)})
}

func hold(t *testing.T, kind string, cases []pvetest.Case) {
	l := pvetest.NewLedger(t, "../../man/man7/oathkit-differences.7", kind)
	for _, c := range cases {
		got, want := judge(t, c)
		l.Compare(t, c, got, want)
	}
	l.Done(t)
}

// judge says what we make of a case and what Proxmox VE did, in the same words.
func judge(t *testing.T, c pvetest.Case) (got, want string) {
	t.Helper()
	switch c.Kind {
	case "oath_verify_otp", "plus":
		var in struct {
			Keys, OTP    string
			Now          int64
			Digits, Step *int
		}
		var expected struct{ OK bool }
		pvetest.Read(t, c.Input, &in)
		pvetest.Read(t, c.Expected, &expected)
		return verdict(verify(in.Keys, in.OTP, in.Now, or(in.Digits, 6), or(in.Step, 30))), verdict(expected.OK)
	case "totp":
		var in struct {
			HexKey       string
			Time         int64
			Digits, Step int
		}
		pvetest.Read(t, c.Input, &in)
		pvetest.Read(t, c.Expected, &want)
		k, err := oath.ParseKey(in.HexKey)
		if err != nil {
			t.Fatal(err)
		}
		step := oath.StepAt(time.Unix(in.Time, 0), in.Step)
		return string(oath.NewCoder(k, oath.SHA1, in.Digits).AppendCode(nil, step)), want
	case "base32/perl-decode":
		var in string
		pvetest.Read(t, c.Input, &in)
		pvetest.Read(t, c.Expected, &want)
		k, err := oath.ParseBase32(in)
		if err != nil {
			return "refused", want
		}
		return hex.EncodeToString(k.Bytes()), want
	}
	t.Fatalf("unknown kind %q", c.Kind)
	return "", ""
}

// verify is the classic check: a list of keys, SHA-1, one step to either side.
func verify(list, code string, now int64, digits, period int) bool {
	keys, err := oath.ParseKeys(list)
	if err != nil {
		return false
	}
	step := oath.StepAt(time.Unix(now, 0), period)
	for _, k := range keys {
		if _, ok := oath.NewCoder(k, oath.SHA1, digits).Match(oath.NormalizeCode(code), step-1, step+1); ok {
			return true
		}
	}
	return false
}

func verdict(ok bool) string {
	if ok {
		return "accepted"
	}
	return "refused"
}

func or(p *int, otherwise int) int {
	if p == nil {
		return otherwise
	}
	return *p
}

// plusSign is a code that begins with 0, with a plus in its place. The classic
// check refuses it; Proxmox VE's present one, which compares numbers, does not.
func plusSign(t *testing.T) pvetest.Case {
	t.Helper()
	const key = "P6NDPDL6QDS7YFP4"
	k, err := oath.ParseKey(key)
	if err != nil {
		t.Fatal(err)
	}
	c := oath.NewCoder(k, oath.SHA1, 6)
	for step := oath.StepAt(time.Unix(1700000010, 0), 30); ; step++ {
		if code := string(c.AppendCode(nil, step)); code[0] == '0' {
			in := fmt.Sprintf(`{"keys": %q, "now": %d, "otp": %q}`, key, step*30, "+"+code[1:])
			return pvetest.Case{Kind: "plus", Name: "plus sign in code", Input: json.RawMessage(in), Expected: json.RawMessage(`{"ok": true}`)}
		}
	}
}
