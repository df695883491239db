package exchange

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
)

// A pveURI is what Proxmox VE reads in an otpauth URI: other limits than ours,
// and other rules for what is strange. Package oath reads what people paste; this
// one reads what is in tfa.cfg.
type pveURI struct {
	secret    []byte
	algorithm oath.Algorithm
	digits    uint64
	period    uint64
	issuer    string
	hasIssuer bool
	account   string
}

// parsePVEURI reads a URI as proxmox-tfa does. No error holds a secret.
func parsePVEURI(s string) (pveURI, error) {
	u := pveURI{digits: 6, period: 30}
	rest, ok := strings.CutPrefix(s, "otpauth://totp/")
	if !ok {
		return pveURI{}, errors.New("it does not begin with otpauth://totp/")
	}
	label, query, ok := strings.Cut(rest, "?")
	if !ok {
		return pveURI{}, errors.New("it has no parameters")
	}
	first, second, split := strings.Cut(label, ":")
	if split {
		u.issuer, u.hasIssuer, u.account = lossy(first), true, lossy(second)
	} else {
		u.account = lossy(first)
	}
	for part := range strings.SplitSeq(query, "&") {
		name, value, ok := strings.Cut(part, "=")
		if !ok {
			return pveURI{}, errors.New("it has a parameter without a value")
		}
		if err := u.set(percentDecoded(name), percentDecoded(value)); err != nil {
			return pveURI{}, err
		}
	}
	if len(u.secret) == 0 {
		return pveURI{}, errors.New("it has no secret")
	}
	return u, nil
}

func (u *pveURI) set(name, value string) (err error) {
	switch name {
	case "secret":
		if u.secret, err = looseBase32(value); err != nil {
			return err
		}
	case "digits":
		u.digits, err = unsigned(value, 8)
	case "period":
		u.period, err = unsigned(value, 64)
	case "algorithm":
		if u.algorithm, err = oath.ParseAlgorithm(value); err == nil && u.algorithm.String() != value {
			err = errors.New("it is written otherwise than PVE takes it")
		}
	case "issuer":
		u.issuer, u.hasIssuer = strings.ToValidUTF8(value, "\ufffd"), true
	default:
		return errors.New("it has a parameter that PVE does not know")
	}
	if err != nil {
		return fmt.Errorf("its %s: %w", name, err)
	}
	return nil
}

// unsigned reads a number as Rust does: digits, with a plus before them or not.
func unsigned(s string, bits int) (uint64, error) {
	n, err := strconv.ParseUint(strings.TrimPrefix(s, "+"), 10, bits)
	if err != nil || strings.HasPrefix(s, "++") {
		return 0, errors.New("it is no whole number, or too large")
	}
	return n, nil
}

// looseBase32 decodes base32 in any case; up to six signs of padding are dropped,
// and so are bits that fill no byte.
func looseBase32(s string) ([]byte, error) {
	for range 6 {
		s = strings.TrimSuffix(s, "=")
	}
	out := make([]byte, 0, len(s)*5/8)
	var acc uint32
	bits := 0
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z':
			c -= 'a'
		case c >= 'A' && c <= 'Z':
			c -= 'A'
		case c >= '2' && c <= '7':
			c = c - '2' + 26
		default:
			return nil, errors.New("its secret is not base32")
		}
		acc, bits = acc<<5|uint32(c), bits+5
		if bits >= 8 {
			bits -= 8
			out = append(out, byte(acc>>bits))
		}
	}
	return out, nil
}

// lossy decodes percent-encoding, with U+FFFD for what is no UTF-8.
func lossy(s string) string { return strings.ToValidUTF8(percentDecoded(s), "\ufffd") }

// percentDecoded leaves a % alone that has no two hex digits behind it.
func percentDecoded(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil && s[i+1] != '+' {
				b = append(b, byte(n))
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}

// text writes the URI as proxmox-tfa does, so that a file which it writes again
// stays as it is.
func (u pveURI) text() string {
	b := []byte("otpauth://totp/")
	if u.hasIssuer {
		b = append(appendPercent(b, u.issuer), ':')
	}
	b = appendPercent(b, u.account)
	b = append(b, "?secret="...)
	b = oath.AppendBase32(b, u.secret)
	b = append(b, "&digits="...)
	b = strconv.AppendUint(b, u.digits, 10)
	b = append(b, "&algorithm="...)
	b = append(b, u.algorithm.String()...)
	b = append(b, "&period="...)
	b = strconv.AppendUint(b, u.period, 10)
	if u.hasIssuer {
		b = appendPercent(append(b, "&issuer="...), u.issuer)
	}
	return string(b)
}

// appendPercent encodes all but ASCII letters and digits.
func appendPercent(b []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		if c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return b
}

// uriOf is the URI of a credential of ours.
func uriOf(user string, c *mfa.ImportedCredential) pveURI {
	return pveURI{
		secret: c.Key.Bytes(), algorithm: c.Algorithm, digits: uint64(c.Digits), period: uint64(c.Period),
		issuer: c.Issuer, hasIssuer: c.Issuer != "", account: user,
	}
}

// credential is what the URI says, if a credential of ours can be like that.
func (u pveURI) credential() (mfa.ImportedCredential, error) {
	var c mfa.ImportedCredential
	var err error
	if c.Key, err = oath.KeyFromBytes(u.secret); err != nil {
		return c, err
	}
	c.Algorithm = u.algorithm
	c.Digits, c.Period = int(min(u.digits, 1<<30)), int(min(u.period, 1<<30))
	return c, oath.Params{Kind: oath.TOTP, Algorithm: c.Algorithm, Digits: c.Digits, Period: c.Period}.Check()
}
