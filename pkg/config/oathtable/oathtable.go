// Package oathtable reads the [oath] table of oathkit.toml, and nothing else of
// its values: it is for the programs that make and show keys, whose start would
// become a fourteenth slower by linking a whole TOML reader.
//
// It knows the lexical structure of TOML 1.0 (comments, headers, dotted and
// quoted keys, the four kinds of string, arrays, inline tables) well enough to
// find every key of the file, and refuses those that oathkit.toml does not
// have, as package config does. Plain values of [oath] are decoded and checked;
// whatever it cannot be sure of (dates, numbers with underscores or a base,
// multi-line strings in [oath]) is an error that says where, never a guess. A
// fuzz test holds it against package config: what it accepts, config reads the
// same or refuses for another table's sake.
//
// The names of all tables and keys, their nearest-name search, and the error
// with line and caret live here too, so that both readers share them.
package oathtable

import (
	"fmt"
	"strings"
	"unicode"
)

// A Table is what [oath] says: the defaults for new credentials and keys.
type Table struct {
	Issuer    string // shown by authenticator apps; empty means the host's name
	Algorithm string // SHA1, SHA256 or SHA512
	Digits    int    // digits of a code, 6 to 10
	Period    int    // seconds a TOTP step lasts, 1 to 86400
	Bits      int    // bits of a new key, a multiple of 8 from 128 to 1024
}

// Default is the table of a file that says nothing: what RFC 6238 and every
// authenticator app agree on, and RFC 4226's 160 bits.
func Default() Table {
	return Table{Algorithm: "SHA1", Digits: 6, Period: 30, Bits: 160}
}

// Set gives a key of the table its value, which is a string, an int64 or some
// other type that is refused. The error says what the key takes, and does not
// name the key.
func (t *Table) Set(key string, value any) error {
	switch key {
	case "issuer":
		return setIssuer(&t.Issuer, value)
	case "algorithm":
		s, ok := value.(string)
		if !ok || s != "SHA1" && s != "SHA256" && s != "SHA512" {
			return fmt.Errorf(`must be "SHA1", "SHA256" or "SHA512", not %s`, Show(value))
		}
		t.Algorithm = s
		return nil
	case "digits":
		return Whole(&t.Digits, value, 6, 10)
	case "period":
		return Whole(&t.Period, value, 1, 86400)
	case "bits":
		n := 0
		if err := Whole(&n, value, 128, 1024); err != nil {
			return err
		}
		if n%8 != 0 {
			return fmt.Errorf("must be a multiple of 8, not %d", n)
		}
		t.Bits = n
		return nil
	}
	return fmt.Errorf("is no key of [oath]")
}

// maxIssuer bounds the name in a QR code, in bytes.
const maxIssuer = 128

func setIssuer(p *string, value any) error {
	s, ok := value.(string)
	if !ok {
		return fmt.Errorf("must be a string in quotes, not %s", Show(value))
	}
	if len(s) > maxIssuer {
		return fmt.Errorf("must be at most %d bytes, not %d", maxIssuer, len(s))
	}
	if strings.ContainsFunc(s, unicode.IsControl) {
		return fmt.Errorf("must not contain control characters")
	}
	*p = s
	return nil
}

// Whole stores a whole number between low and high, both included.
func Whole(p *int, value any, low, high int64) error {
	n, ok := value.(int64)
	if !ok {
		return fmt.Errorf("must be a whole number from %d to %d, not %s", low, high, Show(value))
	}
	if n < low || n > high {
		return fmt.Errorf("must be from %d to %d, not %d", low, high, n)
	}
	*p = int(n)
	return nil
}

// Show is a value of a TOML file as a message tells it: a string in quotes, and
// of arrays and tables only what they are.
func Show(value any) string {
	switch v := value.(type) {
	case string:
		if len(v) > 60 {
			v = v[:60] + "..."
		}
		return fmt.Sprintf("%q", v)
	case int64, float64, bool:
		return fmt.Sprint(v)
	case []any, []map[string]any, array:
		return "an array"
	case map[string]any:
		return "a table"
	case unsure:
		return v.what
	}
	return "a date or time"
}

// Parse reads the [oath] table of the file's text b. name is the file's name
// for errors, which are *Error except where no line is to blame.
func Parse(name string, b []byte) (Table, error) {
	text, err := Text(name, b)
	if err != nil {
		return Table{}, err
	}
	p := &parser{name: name, text: text, table: Default()}
	if err := p.document(); err != nil {
		return Table{}, err
	}
	return p.table, nil
}
