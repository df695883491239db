package oath_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"oathkit/pkg/oath"
)

// The key of RFC 4226, and Proxmox VE's example of 80 bits.
const (
	rfcHex = "3132333435363738393031323334353637383930"
	pveHex = "7f9a378d7e80e5fc15fc"
)

func TestParseKey(t *testing.T) {
	for _, v := range []struct{ text, hex string }{
		{"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", rfcHex},
		{"gezdgnbvgy3tqojqgezdgnbvgy3tqojq", rfcHex},
		{"GezdGnbvGy3tQojqGezdGnbvGy3tQojq", rfcHex},
		{"GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ", rfcHex},
		{"GEZD-GNBV-GY3T-QOJQ-GEZD-GNBV-GY3T-QOJQ", rfcHex},
		{"\ufeff GEZDGNBV\u00a0GY3TQOJQ\u2013GEZDGNBV\tGY3TQOJQ\r\n", rfcHex},
		{"v2-GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", rfcHex},
		{" V2-gezdgnbvgy3tqojq gezdgnbvgy3tqojq", rfcHex},
		{rfcHex, rfcHex},
		{"3132333435 3637383930-3132333435 3637383930", rfcHex},
		{"v2-0x" + rfcHex, rfcHex},
		{"V2-0X" + strings.ToUpper(rfcHex), rfcHex},
		{"0x" + rfcHex, rfcHex},

		// 80 bits: only the mark makes 20 digits hex.
		{"P6NDPDL6QDS7YFP4", pveHex},
		{"p6nd pdl6 qds7 yfp4", pveHex},
		{"v2-P6NDPDL6QDS7YFP4", pveHex},
		{"v2-0x" + pveHex, pveHex},

		// Only hex digits, which could be base32 too.
		{"AAAAAAAAAAAAAAAA", "00000000000000000000"},
		{"abcdef234567abcdef234567", "004432175be77df004432175be77df"},
		{"AAAAAAAAAAAAAAAAAAAAAAAAAA", "aaaaaaaaaaaaaaaaaaaaaaaaaa"},
		{"v2-AAAAAAAAAAAAAAAAAAAAAAAAAA", "00000000000000000000000000000000"},
		{"AAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "000000000000000000000000000000000000"},
		{"AAAAAAAAAAAAAAAAAAAAAAAAAA======", "00000000000000000000000000000000"},
		{"22222222222222222222222222222222", "22222222222222222222222222222222"},

		// The seed's keys of 128 bits, and padding that fits.
		{"MFWWO4TGMRYHA23RNJXWMZLXNY", "616d677266647070" + "6b716a6f6665776e"},
		{"MFWWO4TGMRYHA23RNJXWMZLXNY======", "616d6772666470706b716a6f6665776e"},
		{"MFRGGZDFMZTWQ2LKNM======", "6162636465666768696a6b"},

		// Bits behind the last whole byte are dropped.
		{"MFWWO4TGMRYHA23RNJXWMZLXNZ", "616d6772666470706b716a6f6665776e"},
		{"77777777777777777777", "ffffffffffffffffffffffff"},
	} {
		k, err := oath.ParseKey(v.text)
		if err != nil {
			t.Errorf("ParseKey(%q): %v", v.text, err)
			continue
		}
		if k.Hex() != v.hex {
			t.Errorf("ParseKey(%q) = %s, want %s", v.text, k.Hex(), v.hex)
		}
		if k.Bits() != 4*len(v.hex) || k.Weak() != (k.Bits() < 128) || k.IsZero() {
			t.Errorf("ParseKey(%q): %d bits, weak %t, zero %t", v.text, k.Bits(), k.Weak(), k.IsZero())
		}
	}
}

func TestParseKeyRefuses(t *testing.T) {
	for _, v := range []struct{ text, want string }{
		{"", "there is no key"},
		{" - ", "there is no key"},
		{"v2-", "there is no key"},
		{"v2-0x", "there is no key"},
		{"====", "key has 0 base32 characters, which 4 of = do not fit: one is missing or one too many"},
		{"otpauth://totp/a?secret=P6NDPDL6QDS7YFP4", "this is an otpauth URI, not a bare key"},

		{"P6NDPDL6QDS7YF", "key has 14 base32 characters, a number that base32 never has: one is missing or one too many"},
		{"P6NDPDL6QDS7Y", "key is too short: it has 64 bits, the least is 80"},
		{"P6NDPDL6QDS7YFP", "key is too short: it has 72 bits, the least is 80"},
		{"v2-0x7f9a378d7e80e5fc15", "key is too short: it has 72 bits, the least is 80"},
		{"v2-0x7f9a378d7e80e5fc15f", "key has 19 hex digits, an odd number: one is missing or one too many"},
		{strings.Repeat("G", 208), "key is too long: it has 1040 bits, the most is 1024"},
		{strings.Repeat("0f", 129), "key is too long: it has 1032 bits, the most is 1024"},

		{"P6ND PD16 QDS7 YFP4", `character 8 of the key is '1', which base32 does not have; it may be the letter I or L`},
		{"0P6NDPDL6QDS7YFP", `character 1 of the key is '0', which base32 does not have; it may be the letter O`},
		{"P6NDPDL6QDS7YFP8", `character 16 of the key is '8', which base32 does not have; it may be the letter B`},
		{"v2-P9NDPDL6QDS7YFP4", `character 5 of the key is '9', which base32 does not have`},
		{"P6NDPDL6=QDS7YFP", `character 9 of the key is '=', which base32 does not have before the end`},
		{"x!oath", `character 2 of the key is '!', which base32 does not have`},
		{"P6NDPDL6QDSÄYFP4", `character 12 of the key is 'Ä', which base32 does not have`},
		{"P6NDPDL6QDS\xffYFP4", `character 12 of the key is '�', which base32 does not have`},
		{"P6NDPDL6QDS7YFP===", "key has 15 base32 characters, which 3 of = do not fit: one is missing or one too many"},
		{"AAAAAAAAAAAAAAAA=", "key has 16 base32 characters, which 1 of = do not fit: one is missing or one too many"},

		{pveHex, `character 3 of the key is '9', which base32 does not have; hex of fewer than 26 digits is written v2-0x and the digits`},
		{"0x" + rfcHex[:38] + "3g", `character 42 of the key is 'g', which hex does not have`},
		{rfcHex + "0", `character 2 of the key is '1', which base32 does not have; it may be the letter I or L`},
	} {
		k, err := oath.ParseKey(v.text)
		if err == nil {
			t.Errorf("ParseKey(%q) = %s, want the error %q", v.text, k.Hex(), v.want)
			continue
		}
		if err.Error() != v.want {
			t.Errorf("ParseKey(%q):\n%s, want\n%s", v.text, err, v.want)
		}
		if !k.IsZero() {
			t.Errorf("ParseKey(%q) returned a key beside its error", v.text)
		}
	}
}

func TestParseBase32(t *testing.T) {
	k, err := oath.ParseBase32("aaaa aaaa-aaaa aaaa aaaa aaaa aa======")
	if err != nil || k.Hex() != strings.Repeat("0", 32) {
		t.Errorf("a key of hex digits: %s, %v", k.Hex(), err)
	}
	for _, text := range []string{"v2-P6NDPDL6QDS7YFP4", "0x" + rfcHex, rfcHex} {
		if _, err := oath.ParseBase32(text); err == nil {
			t.Errorf("ParseBase32(%q) took it", text)
		}
	}
}

func TestParseKeys(t *testing.T) {
	const a, b = "7f9a378d7e80e5fc15fc", "6162636465666768696a"
	for _, v := range []struct {
		text string
		hex  []string
		err  string
	}{
		{"P6NDPDL6QDS7YFP4", []string{a}, ""},
		{"P6NDPDL6QDS7YFP4 MFRGGZDFMZTWQ2LK", []string{a, b}, ""},
		{"P6NDPDL6QDS7YFP4,MFRGGZDFMZTWQ2LK", []string{a, b}, ""},
		{" P6NDPDL6QDS7YFP4 ; MFRGGZDFMZTWQ2LK,\t,", []string{a, b}, ""},
		{"P6NDPDL6QDS7YFP4\nv2-MFRGGZDFMZTWQ2LK\n" + rfcHex + "\n", []string{a, b, rfcHex}, ""},
		{"P6ND PDL6 QDS7 YFP4;MFRG GZDF MZTW Q2LK", []string{a, b}, ""},
		{"P6ND PDL6 QDS7 YFP4 v2-MFRGGZDFMZTWQ2LK", nil, `key 1 of the list: "v2-" stands inside the key: where another key begins, put a comma before it`},
		{"GEZDGNBV GY3TQOJQ GEZDGNBV GY3TQOJQ", []string{rfcHex}, ""},
		{"3132333435 3637383930 3132333435 3637383930", []string{rfcHex}, ""},
		// Each half is a whole key by itself, so these are two.
		{"GEZDGNBVGY3TQOJQ GEZDGNBVGY3TQOJQ", []string{"31323334353637383930", "31323334353637383930"}, ""},

		{"", nil, "there is no key"},
		{" ,; ", nil, "there is no key"},
		{"x", nil, "key 1 of the list: key has 1 base32 characters, a number that base32 never has: one is missing or one too many"},
		{"P6NDPDL6QDS7YFP4,x!oath,MFRGGZDFMZTWQ2LK, x!u2f", []string{a, b}, "key 2 of the list: character 2 of the key is '!', which base32 does not have; key 4 of the list: character 2 of the key is '!', which base32 does not have"},
	} {
		keys, err := oath.ParseKeys(v.text)
		var hex []string
		for _, k := range keys {
			hex = append(hex, k.Hex())
		}
		if fmt.Sprint(hex) != fmt.Sprint(v.hex) || errText(err) != v.err {
			t.Errorf("ParseKeys(%q) = %v, %v\nwant %v, %s", v.text, hex, err, v.hex, v.err)
		}
	}
	_, err := oath.ParseKeys("P6NDPDL6QDS7YFP4,MFRGG,x!oath")
	var list *oath.ListError
	if !errors.As(err, &list) || list.Total != 3 || len(list.Bad) != 2 || !errors.Is(err, oath.ErrShortKey) {
		t.Errorf("error of the list: %#v", err)
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestKeyBounds(t *testing.T) {
	for _, v := range []struct {
		bytes int
		want  error
	}{{0, oath.ErrNoKey}, {1, oath.ErrShortKey}, {9, oath.ErrShortKey}, {10, nil}, {128, nil}, {129, oath.ErrLongKey}} {
		if _, err := oath.KeyFromBytes(make([]byte, v.bytes)); !errors.Is(err, v.want) {
			t.Errorf("%d bytes: %v, want %v", v.bytes, err, v.want)
		}
	}
	for _, bits := range []int{-8, 0, 72, 81, 1032} {
		if _, err := oath.NewKey(neverRead{t}, bits); err == nil {
			t.Errorf("NewKey made %d bits", bits)
		}
	}
}

type neverRead struct{ t *testing.T }

func (r neverRead) Read([]byte) (int, error) { r.t.Error("randomness was read"); return 0, io.EOF }

func TestNewKey(t *testing.T) {
	k, err := oath.NewKey(iotestOneByte{strings.NewReader("12345678901234567890")}, 160)
	if err != nil || k.Hex() != rfcHex {
		t.Errorf("key from a reader that gives a byte at a time: %s, %v", k.Hex(), err)
	}
	if k, err := oath.NewKey(strings.NewReader("1234567890"), 160); !errors.Is(err, io.ErrUnexpectedEOF) || !k.IsZero() {
		t.Errorf("key from half the randomness: %v, %v", k, err)
	}
	// 20 zero bytes would be 32 times A, which reads back as hex.
	k, err = oath.NewKey(strings.NewReader(strings.Repeat("\x00", 20)+"12345678901234567890"), 160)
	if err != nil || k.Hex() != rfcHex {
		t.Errorf("key whose text is ambiguous: %s, %v", k.Hex(), err)
	}
	if k, err := oath.NewKey(strings.NewReader(strings.Repeat("\x00", 1000)), 160); err == nil || !k.IsZero() {
		t.Errorf("key from nothing but zeros: %v, %v", k, err)
	}
}

type iotestOneByte struct{ r io.Reader }

func (o iotestOneByte) Read(p []byte) (int, error) { return o.r.Read(p[:1]) }

func TestKeyIsACopy(t *testing.T) {
	b := []byte("12345678901234567890")
	k, _ := oath.KeyFromBytes(b)
	b[0] = 0
	k.Bytes()[1] = 0
	if k.Hex() != rfcHex {
		t.Errorf("key changed to %s", k.Hex())
	}
}

func TestKeyEqual(t *testing.T) {
	a := mustBytes(t, "12345678901234567890")
	b := mustBytes(t, "12345678901234567890")
	c := mustBytes(t, "12345678901234567891")
	d := mustBytes(t, "1234567890123456789")
	var none oath.Key
	if !a.Equal(b) || a.Equal(c) || a.Equal(d) || a.Equal(none) || none.Equal(a) || !none.Equal(oath.Key{}) {
		t.Error("Equal is wrong")
	}
	if none.Base32() != "" || none.Hex() != "" || none.Bits() != 0 || len(none.Bytes()) != 0 {
		t.Error("the zero key has something in it")
	}
}

// TestSecrecy looks for the key in all that printing makes of what holds one.
func TestSecrecy(t *testing.T) {
	k := mustBytes(t, "12345678901234567890")
	type record struct {
		Name string
		Key  oath.Key
		List []oath.Key
		More map[string]oath.Key
		Ptr  *oath.Key
		URI  oath.URI
		mine oath.Key // unexported: fmt cannot ask it how to print
	}
	u := oath.URI{Account: "bob", Key: k, Digits: 6, Period: 30}
	r := record{"bob", k, []oath.Key{k}, map[string]oath.Key{"bob": k}, &k, u, k}
	var out strings.Builder
	for _, x := range []any{k, &k, r, &r, u, &u, oath.NewCoder(k, oath.SHA1, 6), *oath.NewCoder(k, oath.SHA256, 6), []any{r}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%q", "%d", "%o", "%c", "%U", "%b", "%t", "%p", "%T", "%10.3v", "%#x"} {
			fmt.Fprintf(&out, verb+"\n", x)
		}
		fmt.Fprintln(&out, fmt.Errorf("%w", fmt.Errorf("%v", x)))
	}
	for _, secret := range []string{
		"12345678901", "GEZDGNBV", "gezdgnbv", "31323334", "31 32 33", "49 50 51", "0x31, 0x32", `\x31\x32`, "[1 2 3",
	} {
		if i := strings.Index(out.String(), secret); i >= 0 {
			t.Errorf("%q was printed: …%s…", secret, out.String()[max(0, i-80):i+20])
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
		if got := fmt.Sprintf(verb, k); got != "[secret]" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
	if got := k.String() + " " + u.String(); got != "[secret] otpauth://totp/bob?secret=[secret]" {
		t.Errorf("String: %s", got)
	}
	for name, marshal := range map[string]func(any) ([]byte, error){"json": json.Marshal, "xml": xml.Marshal} {
		for _, x := range []any{k, &k, u, struct{ K oath.Key }{k}} {
			if b, err := marshal(x); err == nil || bytes.Contains([]byte(err.Error()), []byte("GEZD")) {
				t.Errorf("%s of %T: %s, %v", name, x, b, err)
			}
		}
	}
}

// TestErrorsHoldNoKey spoils a key in every place and looks for the rest of it
// in the error.
func TestErrorsHoldNoKey(t *testing.T) {
	const good = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	spoiled := []string{good[:17], good[:9] + good[:24] + good + good + good + good + good + good + good}
	for i := range good {
		for _, c := range []string{"1", "0", "8", "!", "=", "ß", "\x00", "%"} {
			spoiled = append(spoiled, good[:i]+c+good[i+1:])
		}
	}
	for _, s := range spoiled {
		_, err1 := oath.ParseKey(s)
		_, err2 := oath.ParseKeys("P6NDPDL6QDS7YFP4," + s)
		_, err3 := oath.ParseKey("v2-0x" + s)
		_, err4 := oath.ParseURI("otpauth://totp/a?secret=" + s)
		_, err5 := oath.ParseURI("otpauth://totp/a?secret=P6NDPDL6QDS7YFP4&digits=" + s)
		_, err6 := oath.ParseURI("otpauth://totp/a?secret=P6NDPDL6QDS7YFP4&algorithm=" + s)
		_, err7 := oath.ParseURI("otpauth://" + s)
		_, err8 := oath.ParseURI("otpauth://totp/" + s)
		for n, err := range []error{err1, err2, err3, err4, err5, err6, err7, err8} {
			msg := errText(err)
			for i := range len(good) - 4 {
				if strings.Contains(msg, good[i:i+4]) {
					t.Fatalf("error %d of %q tells of the key: %s", n+1, s, msg)
				}
			}
		}
	}
}
