package mfa_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// dice is a repeatable source of randomness.
func dice(seed uint64) *rand.ChaCha8 {
	return rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), 1})
}

func enabled(t testing.TB, o mfa.EnableOptions) mfa.User {
	t.Helper()
	o.Now = noon
	if o.Random == nil {
		o.Random = dice(1)
	}
	u, _, err := mfa.Enable(mfa.User{ID: "alice@pam"}, o)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// full is a user with everything a record can have.
func full(t testing.TB) mfa.User {
	t.Helper()
	r := dice(2)
	u := enabled(t, mfa.EnableOptions{Label: "phone", Issuer: `A "quoted" \ firm`, Random: r})
	for i := range mfa.MaxCredentials - 1 {
		o := mfa.EnableOptions{
			Label: strings.Repeat("é", i), Kind: mfa.HOTP, Counter: mfa.MaxCounter - uint64(i), Now: noon, Random: r,
			Digits: 6 + i%5, Algorithm: oath.Algorithm(i % 3), Bits: 512,
		}
		if i%2 == 0 {
			o.Kind, o.Period = mfa.TOTP, 1+i
		}
		var err error
		if u, _, err = mfa.Add(u, o); err != nil {
			t.Fatal(err)
		}
	}
	u.Record.Credentials[3].Activated = true
	_, u, err := mfa.NewRecoveryCodes(u, mfa.MaxRecoveryCodes, r)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func encode(t testing.TB, u mfa.User) []byte {
	t.Helper()
	b, err := mfa.EncodeRecord(u)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// golden is the whole record of a user with one credential.
const golden = `{
  "format": 1,
  "user": "alice@pam",
  "user_id": "6fcd14baaa4b47f1a9de372037c2b68a",
  "epoch": "000102030405060708090a0b0c0d0e0f",
  "created": "2026-03-01T12:00:00Z",
  "credentials": [
    {
      "id": "a09896fe33f94490953602394a1bc59c",
      "label": "phone",
      "issuer": "Example",
      "kind": "totp",
      "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
      "algorithm": "SHA1",
      "digits": 6,
      "period": 30,
      "activated": false,
      "created": "2026-03-01T12:00:00Z"
    }
  ],
  "recovery": {
    "id": "0123456789abcdef",
    "salt": "000102030405060708090a0b0c0d0e0f",
    "codes": [
      "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
    ]
  }
}
`

func TestRecordGolden(t *testing.T) {
	r, err := mfa.DecodeRecord("alice@pam", []byte(golden))
	if err != nil {
		t.Fatal(err)
	}
	c := r.Credentials[0]
	if c.Label != "phone" || c.Kind != mfa.TOTP || c.Digits != 6 || c.Period != 30 || c.Activated || !c.Created.Equal(noon) ||
		string(c.Key.Bytes()) != "12345678901234567890" || r.Epoch[1] != 1 || r.Recovery.Hashes[0][1] != 0x11 {
		t.Errorf("read as %+v", r)
	}
	if got := string(encode(t, mfa.User{ID: "alice@pam", Record: r})); got != golden {
		t.Errorf("written again:\n%s", got)
	}
}

func TestRecordRoundTrip(t *testing.T) {
	for _, u := range []mfa.User{full(t), reachable(t), enabled(t, mfa.EnableOptions{}), enabled(t, mfa.EnableOptions{Kind: mfa.HOTP})} {
		b := encode(t, u)
		if len(b) > mfa.MaxRecord/4 {
			t.Errorf("a record has %d bytes", len(b))
		}
		r, err := mfa.DecodeRecord(u.ID, b)
		if err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
		if !r.Equal(u.Record) || !u.Record.Equal(r) {
			t.Errorf("not the same after reading:\n%s", b)
		}
		if !json.Valid(b) {
			t.Errorf("not JSON:\n%s", b)
		}
	}
}

// TestRecordEqual changes one field of a record after the other.
func TestRecordEqual(t *testing.T) {
	u := full(t)
	for name, change := range map[string]func(*mfa.Record){
		"user id":   func(r *mfa.Record) { r.UserID = r.Credentials[0].ID },
		"epoch":     func(r *mfa.Record) { r.Epoch[3]++ },
		"created":   func(r *mfa.Record) { r.Created = noon.Add(time.Second) },
		"one less":  func(r *mfa.Record) { r.Credentials = r.Credentials[1:] },
		"label":     func(r *mfa.Record) { r.Credentials[2].Label = "x" },
		"issuer":    func(r *mfa.Record) { r.Credentials[2].Issuer = "x" },
		"key":       func(r *mfa.Record) { r.Credentials[2].Key = r.Credentials[1].Key },
		"activated": func(r *mfa.Record) { r.Credentials[0].Activated = true },
		"counter":   func(r *mfa.Record) { r.Credentials[2].Counter = 5 },
		"a code":    func(r *mfa.Record) { r.Recovery.Hashes[1][1]++ },
		"a set":     func(r *mfa.Record) { r.Recovery.ID[1]++ },
		"no set":    func(r *mfa.Record) { r.Recovery = mfa.RecoverySet{} },
		"email":     func(r *mfa.Record) { r.Email = "alice@example.org" },
		"address":   func(r *mfa.Record) { r.Credentials[2].Address = "112" },
	} {
		r, err := mfa.DecodeRecord(u.ID, encode(t, u))
		if err != nil {
			t.Fatal(err)
		}
		if change(&r); r.Equal(u.Record) {
			t.Errorf("%s: a change is not seen", name)
		}
	}
}

func TestRecordRefused(t *testing.T) {
	const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	for _, c := range []struct{ old, new, want string }{
		{`"format": 1`, `"format": 2`, "line 2: the record has format 2, this program reads format 1: it was written by a newer version"},
		{`"format": 1`, `"sealed": {"x": [1, -2.5e3, null]}, "format": 7`, "line 2: the record has format 7, this program reads format 1"},
		{`"format": 1`, `"format": 0`, "line 2: the record has format 0"},
		{`"format": 1,`, ``, `field "format" is missing`},
		{`"format": 1`, `"format": 1.0`, "line 2: format: a whole number without a sign"},
		{`"format": 1`, `"format": 01`, "line 2: format: a whole number"},
		{`"format": 1`, `"Format": 1`, `line 2: the record: field "Format" is unknown`},
		{`"alice@pam"`, `"bob@pam"`, `line 3: this is the record of "bob@pam", not of "alice@pam"`},
		{`"alice@pam"`, `"Alice@pam"`, `line 3: this is the record of "Alice@pam"`},
		{`"created": "2026`, `"format": 1, "created": "2026`, `line 6: the record: field "format" is there twice`},
		{`"label": "phone"`, `"label": "phone", "label": "tablet"`, `line 10: credential 1: field "label" is there twice`},
		{`"label": "phone"`, `"label": "phone", "l\u0061bel": "tablet"`, `line 10: credential 1: field "label" is there twice`},
		{`"label": "phone"`, `"label": "phone", "remark": ""`, `line 10: credential 1: field "remark" is unknown`},
		{`"label": "phone",`, ``, `credential 1: field "label" is missing`},
		{`"label": "phone"`, `"label": "a\u0007b"`, `line 8: credential 1: label: text "a\ab" has the control character U+0007 in it`},
		{`"label": "phone"`, "\"label\": \"a\nb\"", `line 10: credential 1: a text has a control character in it`},
		{`"label": "phone"`, "\"label\": \"\xff\"", `line 10: credential 1: a text is not valid UTF-8`},
		{`"label": "phone"`, `"label": "\ud800"`, `line 10: credential 1: a text has a wrong escape in it`},
		{`"totp"`, `"motp"`, `line 8: credential 1: kind "motp" is unknown, it must be "totp", "hotp", "email", "sms" or "duo"`},
		{`"totp"`, `"hotp"`, `line 8: credential 1: kind "hotp" has a "counter" and no "period"`},
		{`"period": 30`, `"counter": 30`, `line 8: credential 1: a period of 0 seconds is out of range`},
		{`"period": 30`, `"period": 30, "counter": 0`, `line 8: credential 1: kind "totp" has a "period" and no "counter"`},
		{`"period": 30`, `"period": 86401`, `a period of 86401 seconds is out of range`},
		{`"period": 30`, `"period": 0`, `a period of 0 seconds is out of range`},
		{`"period": 30`, `"period": -30`, `line 16: credential 1: a whole number without a sign`},
		{`"period": 30`, `"period": 18446744073709551646`, `line 16: credential 1: the number is too large`},
		{`"period": 30`, `"period": 4294967326`, `a period of 1073741824 seconds is out of range`},
		{`"digits": 6`, `"digits": 5`, `line 8: credential 1: 5 digits are out of range, 6 to 10 are allowed`},
		{`"digits": 6`, `"digits": 11`, `11 digits are out of range`},
		{`"digits": 6`, `"digits": "6"`, `line 15: credential 1: a whole number`},
		{`"SHA1"`, `"sha1"`, `line 14: credential 1: algorithm "sha1" is unknown`},
		{`"SHA1"`, `"MD5"`, `algorithm "MD5" is unknown, it must be SHA1, SHA256 or SHA512`},
		{secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1", `line 13: credential 1: the secret is not a key of 80 to 1024 bits in upper-case base32 without padding`},
		{secret, strings.ToLower(secret), `line 13: credential 1: the secret is not`},
		{secret, secret + "======", `line 13: credential 1: the secret is not`},
		{secret, "GEZDGNBVGY3TQOI", `line 13: credential 1: the secret is not`},
		{secret, "", `line 13: credential 1: the secret is not`},
		{`"secret": `, ``, `credential 1: field (32 bytes, not shown) is unknown`},
		{`"secret": "`, `"secret": ` + secret + `, "x": "`, `line 13: credential 1: '"' should be here`},
		{`"secret": "`, `"`, `line 13: credential 1: field (32 bytes, not shown) is unknown`},
		{`"SHA1"`, `"` + secret + `"`, `algorithm (32 bytes, not shown) is unknown`},
		{`"totp"`, `"` + secret + `"`, `kind (32 bytes, not shown) is unknown`},
		{`"activated": false`, `"activated": 0`, `line 17: credential 1: true or false should be here`},
		{`"activated": false`, `"activated": falsehood`, `line 17: credential 1: '}' should be here`},
		{`2026-03-01T12:00:00Z"`, `2026-03-01T12:00:00.5Z"`, `line 6: created: time "2026-03-01T12:00:00.5Z" is not like`},
		{`2026-03-01T12:00:00Z"`, `2026-03-01T12:00:00+00:00"`, `line 6: created: time`},
		{`2026-03-01T12:00:00Z"`, `2026-13-01T12:00:00Z"`, `line 6: created: time "2026-13-01T12:00:00Z"`},
		{`2026-03-01T12:00:00Z"`, `0000-03-01T12:00:00Z"`, `line 6: created: time`},
		{`"a09896fe33f94490953602394a1bc59c"`, `"A09896FE33F94490953602394A1BC59C"`, `line 8: credential 1: the id is not 32 lower-case hex digits`},
		{`"a09896fe33f94490953602394a1bc59c"`, `"a09896fe33f9e490953602394a1bc59c"`, `the id is not 32 lower-case hex digits in the shape of a version-4 UUID`},
		{`"6fcd14ba`, `"6fcd-14ba`, `line 4: user_id is not 32 lower-case hex digits`},
		{`"epoch": "000102030405060708090a0b0c0d0e0f"`, `"epoch": "00000000000000000000000000000000"`, `line 5: the epoch is zero`},
		{`"epoch": "0001`, `"epoch": "01`, `line 5: epoch: 32 lower-case hex digits should be here`},
		{`0123456789abcdef`, `0000000000000000`, `line 1: recovery: the id is zero`},
		{`"salt": "000102030405060708090a0b0c0d0e0f",`, ``, `recovery: field "salt" is missing`},
		{`"salt": "0001`, `"salt": "00`, `line 23: recovery salt: 32 lower-case hex digits`},
		{`"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"`, ``, `recovery: there are 0 codes, 1 to 64 are allowed`},
		{`"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"`, `null`, `line 25: recovery codes: '"' should be here`},
		{"]\n  }\n}\n", "]\n  }\n}\n{}", `line 29: there is more text behind the record`},
		{"]\n  }\n}\n", "]\n  }\n}\n\x00", `line 29: there is more text behind the record`},
		{"]\n  }\n}\n", "]\n  }\n", `the record ends within the record`},
		{"]\n  }\n}\n", "]\n  },\n}\n", `'"' should be here`},
		{golden, "", "line 1: the record ends within the record"},
		{golden, "[]", "line 1: the record: '{' should be here"},
		{golden, "{}", `field "format" is missing`},
		{golden, strings.Repeat(" ", mfa.MaxRecord+1), "at most 65536 are read"},
		{golden, `{"x":` + strings.Repeat("[", 60000), `field "x" is unknown`},
	} {
		text := strings.Replace(golden, c.old, c.new, 1)
		if text == golden {
			t.Fatalf("%q is not in the record", c.old)
		}
		_, err := mfa.DecodeRecord("alice@pam", []byte(text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want %s", c.new, err, c.want)
		}
		if err != nil && (strings.Contains(err.Error(), secret[:16]) || strings.Contains(err.Error(), secret[16:])) {
			t.Errorf("%q: the error holds the secret: %v", c.new, err)
		}
		if strings.Contains(c.want, "newer") != errors.Is(err, mfa.ErrNewerFormat) && c.want[:6] != "line 2" {
			t.Errorf("%q: ErrNewerFormat is not told apart: %v", c.new, err)
		}
	}
}

// TestRecordDoubles has two credentials or codes where one must be unique.
func TestRecordDoubles(t *testing.T) {
	begin := strings.Index(golden, "    {\n      \"id\"")
	end := strings.Index(golden, "\n  ],")
	one := golden[begin:end]
	other := strings.Replace(one, "a09896fe", "b09896fe", 1)
	otherKey := strings.Replace(one, "GEZDGNBV", "AEZDGNBV", 1)
	for _, c := range []struct {
		list []string
		want string
	}{
		{[]string{one, other}, "credentials 1 and 2 have the same secret, so that one code would be good twice"},
		{[]string{one, otherKey}, "credentials 1 and 2 have the same id"},
		{nil, "there is no credential"},
		{slices9(one), "credential 9 is one too many: a user has at most 8 credentials"},
	} {
		text := golden[:begin] + strings.Join(c.list, ",\n") + golden[end:]
		if _, err := mfa.DecodeRecord("alice@pam", []byte(text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
	code := `"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"`
	for n, want := range map[int]string{2: "codes 1 and 2 are the same", 65: "more than 64 recovery codes"} {
		text := strings.Replace(golden, code, code+strings.Repeat(","+code, n-1), 1)
		if _, err := mfa.DecodeRecord("alice@pam", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func slices9(s string) []string {
	list := make([]string, 9)
	for i := range list {
		list[i] = s
	}
	return list
}

// TestEncodeRefuses asks for records that could not be read back.
func TestEncodeRefuses(t *testing.T) {
	for name, change := range map[string]func(*mfa.User){
		"no user":      func(u *mfa.User) { u.ID = "" },
		"no realm":     func(u *mfa.User) { u.ID = "alice" },
		"no record":    func(u *mfa.User) { u.Record = mfa.Record{} },
		"no factor":    func(u *mfa.User) { u.Record.Credentials = nil },
		"no key":       func(u *mfa.User) { u.Record.Credentials[0].Key = oath.Key{} },
		"label":        func(u *mfa.User) { u.Record.Credentials[0].Label = "a\nb" },
		"long label":   func(u *mfa.User) { u.Record.Credentials[0].Label = strings.Repeat("x", mfa.MaxText+1) },
		"digits":       func(u *mfa.User) { u.Record.Credentials[0].Digits = 11 },
		"algorithm":    func(u *mfa.User) { u.Record.Credentials[0].Algorithm = 9 },
		"counter":      func(u *mfa.User) { u.Record.Credentials[0].Kind, u.Record.Credentials[0].Counter = mfa.HOTP, 1<<63 },
		"year":         func(u *mfa.User) { u.Record.Created = time.Unix(1<<40, 0) },
		"email":        func(u *mfa.User) { u.Record.Email = "a@b\nc" },
		"an address":   func(u *mfa.User) { u.Record.Credentials[0].Address = "a@b" },
		"no address":   func(u *mfa.User) { u.Record.Credentials[0].Kind = mfa.Email },
		"same secrets": func(u *mfa.User) { u.Record.Credentials[0].Key = u.Record.Credentials[1].Key },
	} {
		u := full(t)
		if change(&u); true {
			if b, err := mfa.EncodeRecord(u); err == nil {
				t.Errorf("%s: written:\n%s", name, b)
			}
		}
	}
}

// TestNoSecretPrinted prints a user with every verb.
func TestNoSecretPrinted(t *testing.T) {
	u := full(t)
	codes, u, err := mfa.NewRecoveryCodes(u, 3, dice(9))
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		for _, v := range []any{u, &u, u.Record, u.Record.Credentials, u.Record.Credentials[0], &u.Record.Credentials[0], u.Record.Recovery, &u.Record.Recovery} {
			text := fmt.Sprintf(verb, v)
			for _, c := range u.Record.Credentials {
				k := c.Key
				for _, bad := range []string{k.Base32(), k.Hex(), strings.ToUpper(k.Hex()), string(k.Bytes()), fmt.Sprint(k.Bytes()), codes[0], fmt.Sprintf(verb, u.Record.Recovery.Hashes[0])} {
					if strings.Contains(text, bad) {
						t.Fatalf("%s prints a secret: %s", verb, text)
					}
				}
			}
		}
	}
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte(golden))
	f.Add(encode(f, full(f)))
	f.Add(encode(f, reachable(f)))
	f.Add([]byte(strings.ReplaceAll(strings.ReplaceAll(golden, "totp", "hotp"), "period", "counter")))
	f.Add([]byte(`{"format":1,"user":"alice@pam","credentials":[],"recovery":{"codes":["\ud83d\ude00"]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := mfa.DecodeRecord("alice@pam", b)
		if err != nil {
			var re *mfa.RecordError
			if len(b) <= mfa.MaxRecord && !errors.As(err, &re) {
				t.Errorf("an error without a line: %v", err)
			}
			return
		}
		if !json.Valid(b) {
			t.Errorf("taken, but no JSON: %s", b)
		}
		again, err := mfa.DecodeRecord("alice@pam", encode(t, mfa.User{ID: "alice@pam", Record: r}))
		if err != nil || !again.Equal(r) {
			t.Errorf("not the same after writing: %v", err)
		}
		sameAsJSON(t, b, r)
	})
}

// sameAsJSON compares what was read with what encoding/json reads.
func sameAsJSON(t *testing.T, b []byte, r mfa.Record) {
	var v struct {
		Credentials []struct {
			ID, Label, Issuer, Kind, Secret, Address string
			Digits, Period                           int
			Counter                                  uint64
			Activated                                bool
		}
		Recovery struct{ Codes []string }
		Email    string
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Credentials) != len(r.Credentials) || len(v.Recovery.Codes) != len(r.Recovery.Hashes) {
		t.Fatalf("read differently: %s", b)
	}
	for i, c := range r.Credentials {
		o := v.Credentials[i]
		if c.Kind.Sent() {
			o.Digits += mfa.SentDigits
		}
		if o.ID != c.ID || o.Label != c.Label || o.Issuer != c.Issuer || o.Kind != string(c.Kind) || o.Address != c.Address || v.Email != r.Email || o.Secret != c.Key.Base32() ||
			o.Digits != c.Digits || o.Period != c.Period || o.Counter != c.Counter || o.Activated != c.Activated {
			t.Fatalf("read differently: %s", b)
		}
	}
}

func FuzzState(f *testing.F) {
	f.Add(mfa.EncodeState(mfa.State{}))
	f.Add(mfa.EncodeState(full(f).State))
	_, sent := send(f, reachable(f), 2, mfa.ForEnrol, noon)
	_, sent = request(f, sent, noon)
	f.Add(mfa.EncodeState(sent.State))
	sent.State.Sent.Used, sent.State.Removal.Tries = true, 3
	f.Add(mfa.EncodeState(sent.State))
	f.Add(mfa.EncodeState(mfa.Rebuild(full(f).Record, noon, 1)))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := mfa.DecodeState(b)
		if err != nil {
			return
		}
		if got := mfa.EncodeState(s); !bytes.Equal(got, b) {
			t.Errorf("written again it is\n%x, was\n%x", got, b)
		}
	})
}

func BenchmarkDecodeRecord(b *testing.B) {
	for name, u := range map[string]mfa.User{"one": enabled(b, mfa.EnableOptions{Label: "phone"}), "full": full(b)} {
		text := encode(b, u)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := mfa.DecodeRecord(u.ID, text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkState(b *testing.B) {
	s := full(b).State
	b.ReportAllocs()
	for b.Loop() {
		if got, err := mfa.DecodeState(mfa.EncodeState(s)); err != nil || got != s {
			b.Fatal(err)
		}
	}
}
