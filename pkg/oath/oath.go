// Package oath is one-time passwords after RFC 4226 (HOTP) and RFC 6238
// (TOTP): keys in every spelling that people paste, codes, matching that says
// which counter or step a code belongs to, and otpauth URIs.
//
// Promised: a key is never printed by accident, errors never hold one, codes
// are compared in constant time, and what one function writes another reads
// back as the same thing.
//
// # Keys
//
// A key is at least 80 and at most 1024 bits long. Read are base32 (RFC 4648)
// in any case, with or without its padding; hex digits; and the two spellings
// of Proxmox VE, "v2-" before base32 and "v2-0x" before hex ("0x" alone serves
// as well). Blanks and dashes inside a key are dropped. A text that could be
// either is judged by its length: only hex digits, an even number of them, 26
// or more, is hex; everything else is base32, so 16 characters always are.
// A text that a program wrote as base32 is read by ParseBase32, which does not
// judge.
//
// Padding must fit the characters before it, if there is any. A number of
// characters that no encoder makes (1, 3 or 6 beyond a multiple of 8) is an
// error, for a character was lost. The bits behind the last whole byte are
// dropped whatever they are, as phone apps do: keys made by picking letters at
// random have them.
//
// # URIs
//
// The form is the one of Google Authenticator's Key URI Format. What is refused
// beyond it, and what is taken although it does not allow it, stands at
// ParseURI.
//
// # Left out
//
// Judging a login (replay, skew, lock-out) is package verify's; OCRA (RFC
// 6287), T0 other than 0 and HMAC-MD5 are nobody's.
package oath

import (
	"fmt"
	"strings"
	"time"
)

// Limits of what this package takes.
const (
	MinBits = 80   // shortest key, in bits: Proxmox VE's 16 base32 characters
	MaxBits = 1024 // longest key, in bits

	WeakBits = 128 // shortest key that RFC 4226 (R6) calls strong enough, in bits

	MinDigits = 6  // shortest code, RFC 4226 section 5.3
	MaxDigits = 10 // longest code: a truncated HMAC has no more decimal digits

	MinPeriod = 1     // shortest TOTP step, in seconds
	MaxPeriod = 86400 // longest TOTP step, in seconds: a day; beyond it is a mistake

	DefaultDigits = 6  // digits of a code where nothing is said
	DefaultPeriod = 30 // seconds of a TOTP step where nothing is said, RFC 6238 section 5.2
)

// An Algorithm is the hash under the HMAC. Its zero value is SHA1.
type Algorithm uint8

// The algorithms of RFC 6238.
const (
	SHA1 Algorithm = iota
	SHA256
	SHA512
)

// String is the name as otpauth URIs have it: "SHA1", "SHA256", "SHA512".
func (a Algorithm) String() string {
	switch a {
	case SHA1:
		return "SHA1"
	case SHA256:
		return "SHA256"
	case SHA512:
		return "SHA512"
	}
	return fmt.Sprintf("Algorithm(%d)", uint8(a))
}

// ParseAlgorithm reads the name of an algorithm in any case, with or without a
// dash or underscore and a leading HMAC: "sha256", "SHA-256", "HMAC-SHA256",
// "HmacSHA256".
func ParseAlgorithm(s string) (Algorithm, error) {
	name := strings.ToUpper(strings.NewReplacer("-", "", "_", "").Replace(s))
	switch strings.TrimPrefix(name, "HMAC") {
	case "SHA1":
		return SHA1, nil
	case "SHA256":
		return SHA256, nil
	case "SHA512":
		return SHA512, nil
	}
	return 0, fmt.Errorf("unknown algorithm%s: it is SHA1, SHA256 or SHA512", quoted(s))
}

// A Kind says what moves a credential from one code to the next. Its zero value
// is TOTP.
type Kind uint8

// The kinds of credentials.
const (
	TOTP Kind = iota // time, RFC 6238
	HOTP             // a counter, RFC 4226
)

// String is the name as otpauth URIs have it: "totp", "hotp".
func (k Kind) String() string {
	switch k {
	case TOTP:
		return "totp"
	case HOTP:
		return "hotp"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// ParseKind reads the name of a kind in any case.
func ParseKind(s string) (Kind, error) {
	switch strings.ToLower(s) {
	case "totp":
		return TOTP, nil
	case "hotp":
		return HOTP, nil
	}
	return 0, fmt.Errorf("unknown type%s: it is totp or hotp", quoted(s))
}

// Params says how the codes of a credential are made.
type Params struct {
	Kind      Kind
	Algorithm Algorithm
	Digits    int // of a code, 6 to 10
	Period    int // of a TOTP step, in seconds, 1 to 86400; not looked at for HOTP
}

// Check says which value is out of range.
func (p Params) Check() error {
	if p.Kind > HOTP {
		return fmt.Errorf("unknown type %s: it is totp or hotp", p.Kind)
	}
	if p.Algorithm > SHA512 {
		return fmt.Errorf("unknown algorithm %s: it is SHA1, SHA256 or SHA512", p.Algorithm)
	}
	if p.Digits < MinDigits || p.Digits > MaxDigits {
		return fmt.Errorf("a code has %d to %d digits, not %d", MinDigits, MaxDigits, p.Digits)
	}
	if p.Kind == TOTP && (p.Period < MinPeriod || p.Period > MaxPeriod) {
		return fmt.Errorf("a step is %d to %d seconds long, not %d", MinPeriod, MaxPeriod, p.Period)
	}
	return nil
}

// StepAt is the number of the TOTP step that t lies in, counted from the epoch
// in steps of period seconds (RFC 6238 section 4.2, T0 = 0). Before the epoch
// it is 0. The period must be at least 1.
func StepAt(t time.Time, period int) uint64 {
	s := t.Unix()
	if s < 0 {
		return 0
	}
	return uint64(s) / uint64(period)
}

// quoted is a value for an error message. A long one is left out, for it may
// be a key that ended up in the wrong place.
func quoted(s string) string {
	if len(s) > 8 {
		return ""
	}
	return fmt.Sprintf(" %q", s)
}
