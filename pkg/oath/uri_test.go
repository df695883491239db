package oath_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"oathkit/pkg/oath"
)

func TestParseURI(t *testing.T) {
	key := mustBytes(t, "12345678901234567890")
	const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	for _, v := range []struct {
		uri  string
		want oath.URI
		form string // what Format makes of it
	}{
		{
			"otpauth://totp/ACME%20Co:john.doe@example.com?secret=" + secret + "&issuer=ACME%20Co&algorithm=SHA1&digits=6&period=30",
			oath.URI{Issuer: "ACME Co", Account: "john.doe@example.com", Key: key, Digits: 6, Period: 30},
			"otpauth://totp/ACME%20Co:john.doe@example.com?secret=" + secret + "&issuer=ACME%20Co",
		},
		{
			"otpauth://totp/PVE:alice@host.example.com?secret=" + secret,
			oath.URI{Issuer: "PVE", Account: "alice@host.example.com", Key: key, Digits: 6, Period: 30},
			"otpauth://totp/PVE:alice@host.example.com?secret=" + secret + "&issuer=PVE",
		},
		{
			" OTPAUTH://TOTP/bob?SECRET=gezd+gnbv-gy3t%20qojq+gezdgnbvgy3tqojq&Algorithm=hmac-sha256&DIGITS=8&period=60&image=https%3A%2F%2Fx\n",
			oath.URI{Account: "bob", Key: key, Algorithm: oath.SHA256, Digits: 8, Period: 60},
			"otpauth://totp/bob?secret=" + secret + "&algorithm=SHA256&digits=8&period=60",
		},
		{
			"otpauth://hotp/bob?counter=18446744073709551615&period=30&&digits=010&secret=" + secret,
			oath.URI{Kind: oath.HOTP, Account: "bob", Key: key, Digits: 10, Counter: 1<<64 - 1},
			"otpauth://hotp/bob?secret=" + secret + "&digits=10&counter=18446744073709551615",
		},
		{
			"otpauth://hotp/bob?secret=" + secret + "&counter=0",
			oath.URI{Kind: oath.HOTP, Account: "bob", Key: key, Digits: 6},
			"otpauth://hotp/bob?secret=" + secret + "&counter=0",
		},
		{ // the issuer parameter wins; an encoded colon and the blank behind it
			"otpauth://totp/Old%3a%20bob?issuer=New+One&secret=" + secret,
			oath.URI{Issuer: "New One", Account: "bob", Key: key, Digits: 6, Period: 30},
			"otpauth://totp/New%20One:bob?secret=" + secret + "&issuer=New%20One",
		},
		{ // an empty one does not
			"otpauth://totp/Old:bob?issuer=&secret=" + secret,
			oath.URI{Issuer: "Old", Account: "bob", Key: key, Digits: 6, Period: 30},
			"otpauth://totp/Old:bob?secret=" + secret + "&issuer=Old",
		},
		{ // colons inside the names
			"otpauth://totp/A%3AB:c:d%3Ae?secret=" + secret,
			oath.URI{Issuer: "A:B", Account: "c:d:e", Key: key, Digits: 6, Period: 30},
			"otpauth://totp/A%3AB:c%3Ad%3Ae?secret=" + secret + "&issuer=A%3AB",
		},
		{ // an account with a colon, and no issuer
			"otpauth://totp/:a%3Ab?secret=" + secret,
			oath.URI{Account: "a:b", Key: key, Digits: 6, Period: 30},
			"otpauth://totp/:a%3Ab?secret=" + secret,
		},
		{ // all that means something in a URI; + is itself before the ?
			"otpauth://totp/a+b&c=d/e#f%3F%25:J%C3%B6rg?secret=" + secret,
			oath.URI{Issuer: "a+b&c=d/e#f?%", Account: "Jörg", Key: key, Digits: 6, Period: 30},
			"otpauth://totp/a%2Bb%26c%3Dd%2Fe%23f%3F%25:J%C3%B6rg?secret=" + secret + "&issuer=a%2Bb%26c%3Dd%2Fe%23f%3F%25",
		},
		{ // neither account nor issuer
			"otpauth://totp?secret=" + secret + "&counter=x",
			oath.URI{Key: key, Digits: 6, Period: 30},
			"otpauth://totp/?secret=" + secret,
		},
		{ // a secret of nothing but hex digits is base32 all the same
			"otpauth://totp/x?secret=AAAAAAAAAAAAAAAAAAAAAAAAAA%3D%3D%3D%3D%3D%3D&period=86400",
			oath.URI{Account: "x", Key: mustBytes(t, strings.Repeat("\x00", 16)), Digits: 6, Period: 86400},
			"otpauth://totp/x?secret=AAAAAAAAAAAAAAAAAAAAAAAAAA&period=86400",
		},
	} {
		u, err := oath.ParseURI(v.uri)
		if err != nil {
			t.Errorf("%s:\n%v", v.uri, err)
			continue
		}
		if !reflect.DeepEqual(u, v.want) || !u.Key.Equal(v.want.Key) {
			t.Errorf("%s:\n%+v, want\n%+v", v.uri, u, v.want)
		}
		if got := u.Format(); got != v.form {
			t.Errorf("%s is written\n%s, want\n%s", v.uri, got, v.form)
		}
		if back, err := oath.ParseURI(u.Format()); err != nil || !reflect.DeepEqual(back, u) {
			t.Errorf("%s reads back as\n%+v, %v", u.Format(), back, err)
		}
	}
}

func TestParseURIRefuses(t *testing.T) {
	const s = "secret=P6NDPDL6QDS7YFP4"
	for _, v := range []struct{ uri, want string }{
		{"", "not an otpauth URI: it does not begin with otpauth://"},
		{"P6NDPDL6QDS7YFP4", "not an otpauth URI: it does not begin with otpauth://"},
		{"otpauth:totp/x?" + s, "not an otpauth URI: it does not begin with otpauth://"},
		{"https://totp/x?" + s, "not an otpauth URI: it does not begin with otpauth://"},
		{"otpauth-migration://offline?data=CjEKCkhlbGxv", "this is an export of Google Authenticator (otpauth-migration), which may hold many keys, not an otpauth URI"},
		{"otpauth://steam/x?" + s, `unknown type "steam": it is totp or hotp`},
		{"otpauth:///x?" + s, `unknown type "": it is totp or hotp`},
		{"otpauth://totp/x", "otpauth URI has no parameters: a ? and secret=… are missing"},
		{"otpauth://totp/x?digits=6", "otpauth URI has no secret"},
		{"otpauth://totp/x?secret=", "secret of the otpauth URI: there is no key"},
		{"otpauth://totp/x?secret", "secret of the otpauth URI: there is no key"},
		{"otpauth://totp/x?secret=MFRGGZDFMY", "secret of the otpauth URI: key is too short: it has 48 bits, the least is 80"},
		{"otpauth://totp/x?secret=v2-P6NDPDL6QDS7YFP4", `secret of the otpauth URI: plain base32 has no "v2-" before it`},
		{"otpauth://totp/x?secret=P6NDPDL6QDS7YFP1", "secret of the otpauth URI: character 16 of the key is '1', which base32 does not have; it may be the letter I or L"},
		{"otpauth://totp/x?secret=P6NDPDL6QDS7YFP4#frag", "secret of the otpauth URI: character 17 of the key is '#', which base32 does not have"},
		{"otpauth://totp/x?" + s + "&" + s, "parameter secret of the otpauth URI is given twice"},
		{"otpauth://totp/x?" + s + "&digits=6&DIGITS=6", "parameter digits of the otpauth URI is given twice"},
		{"otpauth://totp/x?" + s + "&amp;issuer=PVE", `otpauth URI has "&amp;" where "&" belongs: it was copied from the source of a page`},
		{"otpauth://totp/x?" + s + "&algorithm=MD5", `otpauth URI: unknown algorithm "MD5": it is SHA1, SHA256 or SHA512`},
		{"otpauth://totp/x?" + s + "&algorithm=", `otpauth URI: unknown algorithm "": it is SHA1, SHA256 or SHA512`},
		{"otpauth://totp/x?" + s + "&digits=5", "otpauth URI: a code has 6 to 10 digits, not 5"},
		{"otpauth://totp/x?" + s + "&digits=11", "digits of the otpauth URI is too large: the most is 10"},
		{"otpauth://totp/x?" + s + "&digits=+6", "digits of the otpauth URI is not a whole number"},
		{"otpauth://totp/x?" + s + "&digits=six", "digits of the otpauth URI is not a whole number"},
		{"otpauth://totp/x?" + s + "&digits", "digits of the otpauth URI is empty"},
		{"otpauth://totp/x?" + s + "&period=0", "otpauth URI: a step is 1 to 86400 seconds long, not 0"},
		{"otpauth://totp/x?" + s + "&period=-30", "period of the otpauth URI is not a whole number"},
		{"otpauth://totp/x?" + s + "&period=30.5", "period of the otpauth URI is not a whole number"},
		{"otpauth://totp/x?" + s + "&period=86401", "period of the otpauth URI is too large: the most is 86400"},
		{"otpauth://totp/x?" + s + "&period=99999999999999999999", "period of the otpauth URI is too large: the most is 86400"},
		{"otpauth://hotp/x?" + s, "otpauth URI of type hotp has no counter: for a new key add &counter=0"},
		{"otpauth://hotp/x?" + s + "&counter=", "counter of the otpauth URI is empty"},
		{"otpauth://hotp/x?" + s + "&counter=-1", "counter of the otpauth URI is not a whole number"},
		{"otpauth://hotp/x?" + s + "&counter=18446744073709551616", "counter of the otpauth URI is too large: the most is 18446744073709551615"},
		{"otpauth://totp/x%?" + s, "account of the otpauth URI holds a % without two hex digits behind it: a % itself is written %25"},
		{"otpauth://totp/x%4?" + s, "account of the otpauth URI holds a % without two hex digits behind it: a % itself is written %25"},
		{"otpauth://totp/x?" + s + "&issuer=100%", "parameter issuer of the otpauth URI holds a % without two hex digits behind it: a % itself is written %25"},
		{"otpauth://totp/%FFjoe?" + s, "otpauth URI: account is not UTF-8"},
		{"otpauth://totp/%FF:joe?" + s, "otpauth URI: issuer is not UTF-8"},
		{"otpauth://totp/a%1B%5B2J?" + s, "otpauth URI: account holds the control character U+001B"},
		{"otpauth://totp/a?" + s + "&issuer=a%0Ab", "otpauth URI: issuer holds the control character U+000A"},
	} {
		u, err := oath.ParseURI(v.uri)
		if errText(err) != v.want {
			t.Errorf("%s:\n%v, want\n%s", v.uri, err, v.want)
		}
		if err != nil && !reflect.DeepEqual(u, oath.URI{}) {
			t.Errorf("%s: something came beside the error", v.uri)
		}
	}
	if _, err := oath.ParseURI("otpauth://hotp/x?" + s); !errors.Is(err, oath.ErrNoCounter) {
		t.Errorf("hotp without a counter: %v", err)
	}
}

func TestURICheck(t *testing.T) {
	good := oath.URI{Account: "x", Key: mustBytes(t, "1234567890"), Digits: 6, Period: 30}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*oath.URI){
		"kind":      func(u *oath.URI) { u.Kind = 2 },
		"key":       func(u *oath.URI) { u.Key = oath.Key{} },
		"algorithm": func(u *oath.URI) { u.Algorithm = 3 },
		"digits":    func(u *oath.URI) { u.Digits = 0 },
		"period":    func(u *oath.URI) { u.Period = 0 },
		"issuer":    func(u *oath.URI) { u.Issuer = "\x7f" },
		"account":   func(u *oath.URI) { u.Account = "\u009b" },
	} {
		u := good
		spoil(&u)
		if u.Check() == nil {
			t.Errorf("%s: %+v is taken", name, u)
		}
	}
	u := good
	u.Kind, u.Period = oath.HOTP, 0
	if err := u.Check(); err != nil {
		t.Errorf("hotp needs no period: %v", err)
	}
}

func TestNames(t *testing.T) {
	for _, s := range []string{"SHA1", "sha1", "SHA-1", "HMAC-SHA1", "HmacSHA1", "hmac_sha_1"} {
		if a, err := oath.ParseAlgorithm(s); err != nil || a != oath.SHA1 {
			t.Errorf("ParseAlgorithm(%q) = %v, %v", s, a, err)
		}
	}
	for _, a := range []oath.Algorithm{oath.SHA1, oath.SHA256, oath.SHA512} {
		if b, err := oath.ParseAlgorithm(a.String()); err != nil || a != b {
			t.Errorf("%v reads back as %v, %v", a, b, err)
		}
	}
	for _, s := range []string{"", "HMAC", "MD5", "SHA", "SHA224", "SHA2", "SHA256 "} {
		if a, err := oath.ParseAlgorithm(s); err == nil {
			t.Errorf("ParseAlgorithm(%q) = %v", s, a)
		}
	}
	for _, k := range []oath.Kind{oath.TOTP, oath.HOTP} {
		if b, err := oath.ParseKind(strings.ToUpper(k.String())); err != nil || k != b {
			t.Errorf("%v reads back as %v, %v", k, b, err)
		}
	}
	if got := oath.Algorithm(7).String() + oath.Kind(7).String(); got != "Algorithm(7)Kind(7)" {
		t.Error(got)
	}
}
