package oath_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"oathkit/pkg/oath"
)

// FuzzParseKey: a key reads back from each spelling it is written in.
func FuzzParseKey(f *testing.F) {
	for _, s := range []string{
		"GEZD GNBV-GY3T QOJQ", "v2-P6NDPDL6QDS7YFP4", "v2-0x" + pveHex, rfcHex, "0x" + rfcHex,
		"MFWWO4TGMRYHA23RNJXWMZLXNY======", "AAAAAAAAAAAAAAAAAAAAAAAAAA", "a v2-b", "\xff\u00a0", "P6NDPDL6QDS7YFP1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		k, err := oath.ParseKey(s)
		if err != nil {
			if !k.IsZero() || k.Bits() != 0 {
				t.Fatalf("a key beside %v", err)
			}
			return
		}
		if k.Bits() < oath.MinBits || k.Bits() > oath.MaxBits || len(k.Bytes())*8 != k.Bits() {
			t.Fatalf("%d bits", k.Bits())
		}
		forms := []string{"v2-" + k.Base32(), "v2-0x" + k.Hex(), "0x" + strings.ToUpper(k.Hex()), " v2-" + strings.ToLower(k.Base32()) + "\n"}
		if !oath.Ambiguous([]byte(k.Base32())) {
			forms = append(forms, k.Base32(), strings.ToLower(k.Base32()))
		}
		if len(k.Hex()) >= 26 {
			forms = append(forms, k.Hex())
		}
		for _, form := range forms {
			if back, err := oath.ParseKey(form); err != nil || !back.Equal(k) {
				t.Fatalf("%q, written %q, reads back as %s, %v", s, form, back.Hex(), err)
			}
		}
		if back, err := oath.ParseBase32(k.Base32()); err != nil || !back.Equal(k) {
			t.Fatalf("%q as base32 reads back as %s, %v", s, back.Hex(), err)
		}
		if back, err := oath.KeyFromBytes(k.Bytes()); err != nil || !back.Equal(k) {
			t.Fatalf("%q as bytes reads back as %s, %v", s, back.Hex(), err)
		}
		// A single key is a list of one, unless it falls into whole keys.
		if keys, err := oath.ParseKeys(s); err == nil && len(keys) == 1 && !keys[0].Equal(k) {
			t.Fatalf("%q as a list of one is another key", s)
		}
	})
}

// FuzzParseKeys: the keys of a list read back from a list, whatever separates.
func FuzzParseKeys(f *testing.F) {
	for _, s := range []string{
		"P6NDPDL6QDS7YFP4 MFRGGZDFMZTWQ2LK", "P6ND PDL6 QDS7 YFP4;" + rfcHex, "x!oath,P6NDPDL6QDS7YFP4", " ,;", "v2-0x" + pveHex + "\n" + rfcHex,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		keys, err := oath.ParseKeys(s)
		var list *oath.ListError
		switch {
		case errors.Is(err, oath.ErrNoKey) && keys == nil:
		case err == nil && len(keys) > 0:
		case errors.As(err, &list):
			if list.Total != len(keys)+len(list.Bad) || len(list.Bad) == 0 {
				t.Fatalf("%d keys, %d bad, %d in all", len(keys), len(list.Bad), list.Total)
			}
		default:
			t.Fatalf("%d keys, %v", len(keys), err)
		}
		if len(keys) == 0 {
			return
		}
		texts := make([]string, len(keys))
		for i, k := range keys {
			texts[i] = "v2-" + k.Base32()
		}
		for _, sep := range []string{",", ";", " ", "\n", " , ", "\t;\u00a0"} {
			back, err := oath.ParseKeys(strings.Join(texts, sep))
			if err != nil || !reflect.DeepEqual(back, keys) {
				t.Fatalf("%q, written with %q between, reads back as %d keys, %v", s, sep, len(back), err)
			}
		}
	})
}

// FuzzParseURI: what is written reads back as the same, and is written the
// same again.
func FuzzParseURI(f *testing.F) {
	const s = "secret=P6NDPDL6QDS7YFP4"
	for _, uri := range []string{
		"otpauth://totp/ACME%20Co:john@example.com?" + s + "&issuer=ACME%20Co&algorithm=SHA256&digits=8&period=60",
		"otpauth://hotp/bob?" + s + "&counter=18446744073709551615", "OTPAUTH://TOTP/a%3Ab?SECRET=p6nd+pdl6-qds7yfp4&&x=%",
		"otpauth://totp/:a%3A:b?" + s + "&issuer=+", "otpauth://totp?" + s, "otpauth://totp/a:%20:b%C3%A4?issuer=%3A&" + s,
		"otpauth://totp/x?secret=AAAAAAAAAAAAAAAAAAAAAAAAAA%3D%3D%3D%3D%3D%3D&period=86400", "otpauth-migration://offline?data=x",
	} {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := oath.ParseURI(s)
		if err != nil {
			if !reflect.DeepEqual(u, oath.URI{}) {
				t.Fatalf("something beside %v", err)
			}
			return
		}
		if err := u.Check(); err != nil {
			t.Fatalf("%q was taken, but: %v", s, err)
		}
		form := u.Format()
		back, err := oath.ParseURI(form)
		if err != nil || !reflect.DeepEqual(back, u) {
			t.Fatalf("%q, written %q, reads back as %+v, %v", s, form, back, err)
		}
		if back.Format() != form {
			t.Fatalf("%q is written differently the second time", s)
		}
		if want := strings.Replace(u.Format(), "?secret="+u.Key.Base32(), "?secret=[secret]", 1); u.String() != want {
			t.Fatalf("String is %s, want %s", u.String(), want)
		}
	})
}
