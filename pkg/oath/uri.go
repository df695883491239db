package oath

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A URI is what an otpauth URI says. Its String hides the key; Format
// writes it.
type URI struct {
	Kind      Kind
	Issuer    string // who asks for the code; may be empty
	Account   string // whose code it is; may be empty
	Key       Key
	Algorithm Algorithm
	Digits    int    // of a code, 6 to 10
	Period    int    // of a TOTP step, in seconds; 0 for HOTP
	Counter   uint64 // the next one, for HOTP; 0 for TOTP
}

// Params is how the codes are made.
func (u URI) Params() Params {
	return Params{Kind: u.Kind, Algorithm: u.Algorithm, Digits: u.Digits, Period: u.Period}
}

// Check says what ParseURI would refuse in the written form.
func (u URI) Check() error {
	if u.Key.IsZero() {
		return ErrNoKey
	}
	if err := u.Params().Check(); err != nil {
		return err
	}
	if err := checkName("issuer", u.Issuer); err != nil {
		return err
	}
	return checkName("account", u.Account)
}

// checkName refuses what would break a terminal, a log or JSON.
func checkName(what, s string) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("%s is not UTF-8", what)
	}
	for _, r := range s {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			return fmt.Errorf("%s holds the control character %U", what, r)
		}
	}
	return nil
}

// Format writes the URI in its shortest form, for a small QR: the algorithm is
// left out when it is SHA1, digits when they are 6, the period when it is 30.
// The issuer is written twice, before the account and as a parameter, because
// apps read one or the other.
func (u URI) Format() string { return u.format(u.Key.Base32()) }

// String is Format with [secret] in the place of the key.
func (u URI) String() string { return u.format(hidden) }

func (u URI) format(key string) string {
	b := make([]byte, 0, 128)
	b = append(b, "otpauth://"...)
	b = append(b, u.Kind.String()...)
	b = append(b, '/')
	b = appendEscaped(b, u.Issuer)
	if u.Issuer != "" || strings.Contains(u.Account, ":") {
		b = append(b, ':')
	}
	b = appendEscaped(b, u.Account)
	b = append(b, "?secret="...)
	b = append(b, key...)
	if u.Issuer != "" {
		b = append(b, "&issuer="...)
		b = appendEscaped(b, u.Issuer)
	}
	if u.Algorithm != SHA1 {
		b = append(b, "&algorithm="...)
		b = append(b, u.Algorithm.String()...)
	}
	if u.Digits != DefaultDigits {
		b = append(b, "&digits="...)
		b = strconv.AppendInt(b, int64(u.Digits), 10)
	}
	switch {
	case u.Kind == HOTP:
		b = append(b, "&counter="...)
		b = strconv.AppendUint(b, u.Counter, 10)
	case u.Period != DefaultPeriod:
		b = append(b, "&period="...)
		b = strconv.AppendInt(b, int64(u.Period), 10)
	}
	return string(b)
}

// appendEscaped percent-encodes all but letters, digits and -._~@, which mean
// themselves in a path and in a query alike.
func appendEscaped(dst []byte, s string) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9',
			c == '-', c == '.', c == '_', c == '~', c == '@':
			dst = append(dst, c)
		default:
			dst = append(dst, '%', digits[c>>4], digits[c&15])
		}
	}
	return dst
}

var errPercent = errors.New("holds a % without two hex digits behind it: a % itself is written %25")

// unescape undoes percent-encoding.
func unescape(s string) (string, error) {
	if !strings.Contains(s, "%") {
		return s, nil
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b = append(b, s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", errPercent
		}
		hi, ok1 := hexValue(s[i+1])
		lo, ok2 := hexValue(s[i+2])
		if !ok1 || !ok2 {
			return "", errPercent
		}
		b = append(b, hi<<4|lo)
		i += 2
	}
	return string(b), nil
}
