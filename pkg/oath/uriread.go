package oath

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrNoCounter means a URI of type hotp that does not say where to begin.
var ErrNoCounter = errors.New("otpauth URI of type hotp has no counter: for a new key add &counter=0")

// ParseURI reads an otpauth URI; what it does not say is filled in with SHA1, 6
// digits and 30 seconds.
//
// Taken although the format does not have it: any case of the scheme, the type,
// the names of parameters and the algorithm; blanks, dashes and padding in the
// secret, which is always base32; an encoded colon between issuer and account,
// and a blank behind it; + for a blank in a parameter; white space around the
// whole. The issuer parameter wins over the one before the account. Parameters
// that are not known (image, color) are ignored, and so are counter for totp
// and period for hotp.
//
// Refused: another scheme or type, a key that ParseBase32 refuses, an unknown
// algorithm, digits or period out of range, hotp without a counter, a parameter
// given twice, "&amp;" for "&", and names that are not UTF-8 or hold control
// characters. No error holds the key.
func ParseURI(s string) (URI, error) {
	u := URI{Digits: DefaultDigits, Period: DefaultPeriod}
	rest, err := cutScheme(strings.TrimFunc(s, blank))
	if err != nil {
		return URI{}, err
	}
	path, query, asked := strings.Cut(rest, "?")
	kind, label, _ := strings.Cut(path, "/")
	if u.Kind, err = ParseKind(kind); err != nil {
		return URI{}, err
	}
	if !asked {
		return URI{}, errors.New("otpauth URI has no parameters: a ? and secret=… are missing")
	}
	if u.Issuer, u.Account, err = readLabel(label); err != nil {
		return URI{}, err
	}
	p, err := readQuery(query)
	if err != nil {
		return URI{}, err
	}
	if err := u.apply(p); err != nil {
		return URI{}, err
	}
	if err := u.Check(); err != nil {
		return URI{}, fmt.Errorf("otpauth URI: %w", err)
	}
	return u, nil
}

func cutScheme(s string) (string, error) {
	scheme, rest, ok := strings.Cut(s, "://")
	switch {
	case ok && strings.EqualFold(scheme, "otpauth"):
		return rest, nil
	case ok && strings.EqualFold(scheme, "otpauth-migration"):
		return "", errors.New("this is an export of Google Authenticator (otpauth-migration), which may hold many keys, not an otpauth URI")
	}
	return "", errors.New("not an otpauth URI: it does not begin with otpauth://")
}

// readLabel takes issuer and account apart at the first colon; an encoded one
// counts where there is no other.
func readLabel(label string) (issuer, account string, err error) {
	before, after, found := strings.Cut(label, ":")
	if !found {
		if before, after, found = cutEncodedColon(label); !found {
			before, after = "", label
		}
	}
	if issuer, err = unescape(before); err == nil {
		account, err = unescape(after)
	}
	if err != nil {
		return "", "", fmt.Errorf("account of the otpauth URI %w", err)
	}
	return strings.TrimFunc(issuer, blank), strings.TrimFunc(account, blank), nil
}

func cutEncodedColon(label string) (before, after string, found bool) {
	for i := 0; i+3 <= len(label); i++ {
		if c := label[i : i+3]; c == "%3A" || c == "%3a" {
			return label[:i], label[i+3:], true
		}
	}
	return label, "", false
}

// parameters are the ones we know; a nil was not given.
type parameters struct {
	secret, issuer, algorithm, digits, period, counter *string
}

func (p *parameters) field(name string) **string {
	switch name {
	case "secret":
		return &p.secret
	case "issuer":
		return &p.issuer
	case "algorithm":
		return &p.algorithm
	case "digits":
		return &p.digits
	case "period":
		return &p.period
	case "counter":
		return &p.counter
	}
	return nil
}

func readQuery(query string) (parameters, error) {
	var p parameters
	for part := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(part, "=")
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "amp;") {
			return p, errors.New(`otpauth URI has "&amp;" where "&" belongs: it was copied from the source of a page`)
		}
		f := p.field(name)
		if f == nil {
			continue
		}
		if *f != nil {
			return p, fmt.Errorf("parameter %s of the otpauth URI is given twice", name)
		}
		v, err := unescape(strings.ReplaceAll(value, "+", " "))
		if err != nil {
			return p, fmt.Errorf("parameter %s of the otpauth URI %w", name, err)
		}
		*f = &v
	}
	return p, nil
}

func (u *URI) apply(p parameters) (err error) {
	if p.secret == nil {
		return errors.New("otpauth URI has no secret")
	}
	if u.Key, err = ParseBase32(*p.secret); err != nil {
		return fmt.Errorf("secret of the otpauth URI: %w", err)
	}
	if p.issuer != nil {
		if s := strings.TrimFunc(*p.issuer, blank); s != "" {
			u.Issuer = s
		}
	}
	if p.algorithm != nil {
		if u.Algorithm, err = ParseAlgorithm(*p.algorithm); err != nil {
			return fmt.Errorf("otpauth URI: %w", err)
		}
	}
	if p.digits != nil {
		n, err := number("digits", *p.digits, MaxDigits)
		if err != nil {
			return err
		}
		u.Digits = int(n)
	}
	if u.Kind == HOTP {
		u.Period = 0
		if p.counter == nil {
			return ErrNoCounter
		}
		u.Counter, err = number("counter", *p.counter, 1<<64-1)
		return err
	}
	if p.period != nil {
		n, err := number("period", *p.period, MaxPeriod)
		if err != nil {
			return err
		}
		u.Period = int(n)
	}
	return nil
}

// number reads decimal digits and nothing else; the smallest value is judged
// by URI.Check.
func number(name, s string, most uint64) (uint64, error) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, fmt.Errorf("%s of the otpauth URI is not a whole number", name)
		}
	}
	if s == "" {
		return 0, fmt.Errorf("%s of the otpauth URI is empty", name)
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n > most {
		return 0, fmt.Errorf("%s of the otpauth URI is too large: the most is %d", name, most)
	}
	return n, nil
}
