package oath_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/oath"
)

// differences are the cases in which we mean to differ from Proxmox VE. The
// table for readers is man/man7/oathkit-differences.7: it has the same names.
var differences = map[string]string{
	"lower-case base32 16 rejected":             "any case is taken",
	"32 base32 without v2- rejected":            "bare base32 of any length is taken",
	"v2 hex odd length low nibble zero":         "12 bits, and a digit lost: refused",
	"bad key after matching key is not reached": "a blank beside a piece that is no key joins the pieces",
	"leading space in code":                     "blanks in a code are dropped",
	"mime-base32 MFRGGZDFMY======":              "padding is no key material; 48 bits are refused",
	"mime-base32 AAAAAAAAAAAAAA==":              "padding is no key material; no encoder makes 14 characters",
	"mime-base32 AAAAAAAAAAAAAA":                "no encoder makes 14 characters",
	"mime-base32 MFRGGZDFMZTWQ2L":               "72 bits are refused",
	"mime-base32 MFRGG=DFMZTWQ2LK":              "padding inside is no padding",
	"plus sign in code":                         "a code is ASCII digits",
}

// pveCase is one input and what Proxmox VE's own code made of it.
type pveCase struct {
	Kind, Name      string
	Input, Expected json.RawMessage
}

func TestConformance(t *testing.T) {
	b, err := os.ReadFile("testdata/pve.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []pveCase
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	cases = append(cases, plusSign(t))
	count := map[string]int{}
	differ := map[string]bool{}
	for _, c := range cases {
		count[c.Kind]++
		got, want := judge(t, c)
		if got != want {
			differ[c.Name] = true
		}
		reason, meant := differences[c.Name]
		switch {
		case got != want && !meant:
			t.Errorf("%s, %s: %s, want %s", c.Kind, c.Name, got, want)
		case got == want && meant:
			t.Errorf("%s, %s: %s as there, although we mean to differ: %s", c.Kind, c.Name, got, reason)
		}
	}
	if got := fmt.Sprint(count); got != "map[base32/perl-decode:7 oath_verify_otp:21 plus:1 totp:5]" {
		t.Errorf("cases: %s", got)
	}
	if len(differ) != len(differences) {
		t.Errorf("%d cases differ, the table has %d", len(differ), len(differences))
	}
}

// judge says what we make of a case and what Proxmox VE did, in the same words.
func judge(t *testing.T, c pveCase) (got, want string) {
	t.Helper()
	switch c.Kind {
	case "oath_verify_otp", "plus":
		var in struct {
			Keys, OTP    string
			Now          int64
			Digits, Step *int
		}
		var expected struct{ OK bool }
		read(t, c.Input, &in)
		read(t, c.Expected, &expected)
		return verdict(verify(in.Keys, in.OTP, in.Now, or(in.Digits, 6), or(in.Step, 30))), verdict(expected.OK)
	case "totp":
		var in struct {
			HexKey       string
			Time         int64
			Digits, Step int
		}
		read(t, c.Input, &in)
		read(t, c.Expected, &want)
		k, err := oath.ParseKey(in.HexKey)
		if err != nil {
			t.Fatal(err)
		}
		step := oath.StepAt(time.Unix(in.Time, 0), in.Step)
		return string(oath.NewCoder(k, oath.SHA1, in.Digits).AppendCode(nil, step)), want
	case "base32/perl-decode":
		var in string
		read(t, c.Input, &in)
		read(t, c.Expected, &want)
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

func read(t *testing.T, b []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
}

// plusSign is a code that begins with 0, with a plus in its place. The classic
// check refuses it; Proxmox VE's present one, which compares numbers, does not.
func plusSign(t *testing.T) pveCase {
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
			return pveCase{"plus", "plus sign in code", json.RawMessage(in), json.RawMessage(`{"ok": true}`)}
		}
	}
}

// TestDifferencesAreDocumented: the manual has a row for each difference.
func TestDifferencesAreDocumented(t *testing.T) {
	b, err := os.ReadFile("../../man/man7/oathkit-differences.7")
	if err != nil {
		t.Fatal(err)
	}
	var names, want []string
	for line := range strings.Lines(string(b)) {
		if name, ok := strings.CutPrefix(line, ".It Dq "); ok {
			names = append(names, strings.TrimSpace(name))
		}
	}
	for name := range differences {
		want = append(want, name)
	}
	slices.Sort(names)
	slices.Sort(want)
	if !slices.Equal(names, want) {
		t.Errorf("the manual has\n%s\nthe tests have\n%s", strings.Join(names, "\n"), strings.Join(want, "\n"))
	}
}
