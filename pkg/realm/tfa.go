package realm

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"oathkit/pkg/section"
)

// The values that a tfa property leaves out.
const (
	DefaultDigits = 6
	DefaultStep   = 30
)

// maxTFA is the length in bytes at which Proxmox VE stops reading a tfa value.
const maxTFA = 128

// TFA is what a realm's tfa property asks for. The id, key and url of a Yubico
// server are checked and left alone.
type TFA struct {
	Type   string `json:"type"`   // "oath" or "yubico"
	Digits int    `json:"digits"` // of a TOTP code, 6..8
	Step   int    `json:"step"`   // of TOTP in seconds, at least 10; math.MaxInt where the file asks for more
}

// Value returns the property as Proxmox VE prints it: the type first, the rest
// sorted, defaults left out. The zero value of Digits or Step is the default.
func (t TFA) Value() string {
	v := "type=" + t.Type
	if t.Digits != 0 && t.Digits != DefaultDigits {
		v += ",digits=" + strconv.Itoa(t.Digits)
	}
	if t.Step != 0 && t.Step != DefaultStep {
		v += ",step=" + strconv.Itoa(t.Step)
	}
	return v
}

// A tfaError says why a tfa value is not read, and under which problem code.
type tfaError struct{ code, text string }

func (e *tfaError) Error() string { return e.text }

func tfaErrorf(code, format string, args ...any) error {
	return &tfaError{code, fmt.Sprintf(format, args...)}
}

// ParseTFA reads a tfa value as Proxmox VE does: `key=value` parts between
// commas in any order, empty parts skipped, nothing trimmed, case matters, a
// duplicate or unknown key is an error, 128 bytes at most. The error names the
// part that is wrong.
func ParseTFA(s string) (TFA, error) {
	t := TFA{Digits: DefaultDigits, Step: DefaultStep}
	seen := 0 // a bit for each key
	err := eachPart(s, func(key, value string) error {
		if err := t.set(key, value); err != nil {
			return err
		}
		bit := 1 << strings.Index("type digits step id key url", key)
		if seen&bit != 0 {
			return tfaErrorf("tfa-duplicate-key", "%s is given twice", key)
		}
		seen |= bit
		return nil
	})
	switch {
	case err != nil:
		return TFA{}, err
	case t.Type == "":
		return TFA{}, tfaErrorf("tfa-no-type", "type is missing: write type=oath")
	case len(s) > maxTFA:
		return TFA{}, tfaErrorf("tfa-too-long", "%d characters, at most %d are read", len(s), maxTFA)
	}
	return t, nil
}

func (t *TFA) set(key, value string) (err error) {
	switch key {
	case "type":
		if value != "oath" && value != "yubico" {
			return badType(value)
		}
		t.Type = value
	case "digits":
		t.Digits, err = integer(key, value, 6, 8)
	case "step":
		t.Step, err = integer(key, value, 10, math.MaxInt)
	case "id", "key", "url":
	default:
		return unknownPart(key)
	}
	return err
}

func badType(value string) error {
	value = withoutKey(value)
	switch {
	case strings.Contains(value, "#"):
		return tfaErrorf("tfa-comment", "type=%s: a comment cannot follow on the same line, it is read as part of the value", plain(value))
	case strings.TrimSpace(value) != value || strings.ContainsAny(value, " \t"):
		return tfaErrorf("tfa-type", "type=%s: blanks are part of the value, and no type has any", plain(value))
	}
	return tfaErrorf("tfa-type", "type=%s: must be oath or yubico, in lower case", plain(value))
}

func unknownPart(key string) error {
	trimmed := strings.ToLower(strings.TrimSpace(key))
	switch trimmed {
	case "type", "digits", "step", "id", "key", "url":
		if trimmed != key {
			return tfaErrorf("tfa-key-spelling", "%q is no known key: write %s, in lower case and without blanks", key, trimmed)
		}
	}
	return tfaErrorf("tfa-unknown-key", "%q is no known key: there are type, digits, step, id, key and url", key)
}

// integer reads an optional sign and digits. More than an int holds is
// math.MaxInt, or its negative.
func integer(key, value string, least, most int) (int, error) {
	code := "tfa-" + key
	quoted := plain(withoutKey(value))
	if strings.Contains(value, "#") {
		return 0, tfaErrorf("tfa-comment", "%s=%s: a comment cannot follow on the same line, it is read as part of the value", key, quoted)
	}
	n, ok := perlInteger(value)
	switch {
	case !ok:
		return 0, tfaErrorf(code, "%s=%s: must be a whole number", key, quoted)
	case n < least && most == math.MaxInt:
		return 0, tfaErrorf(code, "%s=%s: must be %d or more", key, quoted, least)
	case n < least || n > most:
		return 0, tfaErrorf(code, "%s=%s: must be %d..%d", key, quoted, least, most)
	}
	return n, nil
}

// perlInteger reads an optional sign and one or more digits, leading zeros
// included.
func perlInteger(s string) (int, bool) {
	digits := s
	if digits != "" && (digits[0] == '+' || digits[0] == '-') {
		digits = digits[1:]
	}
	if digits == "" {
		return 0, false
	}
	n := 0
	for i := 0; i < len(digits); i++ {
		if !isDigit(digits[i]) {
			return 0, false
		}
		if n > (math.MaxInt-9)/10 {
			n = math.MaxInt
			continue
		}
		n = n*10 + int(digits[i]-'0')
	}
	if s[0] == '-' {
		n = -n
	}
	return n, true
}

// eachPart splits a property string and calls fn for each part. Parts of white
// space are skipped, and one line feed may follow a value.
func eachPart(s string, fn func(key, value string) error) error {
	for part := range strings.SplitSeq(s, ",") {
		if isBlank(part) {
			continue
		}
		key, value, found := strings.Cut(part, "=")
		value = strings.TrimSuffix(value, "\n")
		part = withoutKey(part) // for the errors
		switch {
		case !found && strings.Contains(part, "#"):
			return tfaErrorf("tfa-comment", "%q: a comment cannot follow on the same line, it is read as part of the value", part)
		case !found:
			return tfaErrorf("tfa-bare", "%q: a part needs a key, as in type=oath", part)
		case key == "":
			return tfaErrorf("tfa-bare", "%q: the key is missing before \"=\"", part)
		case value == "" || strings.Contains(value, "\n"):
			return tfaErrorf("tfa-bare", "%q: the value is missing after \"=\"", part)
		}
		if err := fn(key, value); err != nil {
			return err
		}
	}
	return nil
}

func isBlank(s string) bool {
	for i := 0; i < len(s); i++ {
		if !section.IsSpace(s[i]) {
			return false
		}
	}
	return true
}
