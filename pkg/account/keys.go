package account

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Keys is the KEYS field of a user: secrets, or a marker that sends PVE to its
// tfa.cfg. It prints as [secret].
type Keys struct{ text string }

// NewKeys takes the text of a KEYS field.
func NewKeys(text string) Keys { return Keys{strings.Trim(text, blanks)} }

// Format prints [secret], whatever the verb.
func (Keys) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[secret]") }

// Reveal returns the field as it is in the file: the secret itself.
func (k Keys) Reveal() string { return k.text }

// IsZero says that the field is empty.
func (k Keys) IsZero() bool { return k.text == "" }

// Marker returns the field when it is no key but says "see tfa.cfg": x, x!oath,
// x!u2f or x!yubico. PVE takes whatever is behind x! for such a word; other words,
// which could be a key that somebody put there, are returned as x! alone.
// Otherwise it returns "".
func (k Keys) Marker() string {
	switch {
	case k.text == "x", k.text == "x!oath", k.text == "x!u2f", k.text == "x!yubico":
		return k.text
	case strings.HasPrefix(k.text, "x!"):
		return "x!"
	}
	return ""
}

// Typeable says whether PVE's form for users and its API take the field: letters,
// digits, "!" and "=", 4096 at most. What is otherwise can only be edited in the
// file, and in its way when the user is edited there.
func (k Keys) Typeable() bool {
	return len(k.text) <= 4096 && strings.Trim(k.text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!=") == ""
}

// Count tells how many of the keys PVE can check a code against, and how many it
// cannot. A marker is neither.
func (k Keys) Count() (usable, unusable int) {
	if k.Marker() != "" {
		return 0, 0
	}
	for _, key := range SplitList(k.text) {
		if keyFault(key) == nil {
			usable++
		} else {
			unusable++
		}
	}
	return usable, unusable
}

// Faults says for each unusable key, by its number in the field from 1, what is
// wrong with it.
func (k Keys) Faults() []string {
	if k.Marker() != "" {
		return nil
	}
	list := SplitList(k.text)
	var faults []string
	for i, key := range list {
		if err := keyFault(key); err != nil {
			faults = append(faults, keyNumber(i, len(list))+" "+err.Error())
		}
	}
	return faults
}

// keyNumber names a key by its place.
func keyNumber(i, of int) string {
	if of == 1 {
		return "the key"
	}
	return "key " + strconv.Itoa(i+1)
}

// SplitList splits a list as PVE does: at NUL bytes if there is one, with
// nothing trimmed; otherwise at commas, semicolons and blanks, where empty
// pieces are dropped.
func SplitList(s string) []string {
	if strings.IndexByte(s, 0) >= 0 {
		list := strings.Split(s, "\x00")
		for len(list) > 0 && list[len(list)-1] == "" {
			list = list[:len(list)-1]
		}
		return list
	}
	return strings.FieldsFunc(s, func(r rune) bool { return r < 0x80 && strings.IndexByte(",;"+blanks, byte(r)) >= 0 })
}

// PVEKey says whether PVE can check a code against this key as a person's phone
// computes it: v2-0x and hex digits, v2- and upper-case base32, 16 characters of
// upper-case base32, or 40 hex digits. A key with padding, which PVE takes but
// decodes to something else, is none.
func PVEKey(s string) bool { return keyFault(s) == nil }

// keyFault says why a key is of no use to PVE, without repeating any of it.
func keyFault(s string) error {
	if strings.ContainsAny(s, "=") && strings.Trim(strings.TrimPrefix(s, "v2-"), base32Digits+"=") == "" {
		return errors.New("is padded with \"=\", which PVE decodes to another key")
	}
	if hex, ok := strings.CutPrefix(s, "v2-0x"); ok {
		switch {
		case hex == "" || !isHex(hex):
			return errors.New("begins with v2-0x but is not hexadecimal after it")
		case len(hex)%2 != 0:
			return errors.New("has an odd number of hex digits")
		}
		return nil
	}
	if b32, ok := strings.CutPrefix(s, "v2-"); ok {
		switch {
		case b32 != "" && isBase32(b32):
			return nil
		case b32 != "" && isBase32(strings.ToUpper(b32)):
			return errors.New("is in lower case, which PVE does not take as base32")
		}
		return errors.New("begins with v2- but is not base32 after it")
	}
	return plainFault(s)
}

// plainFault is keyFault for a key without a prefix.
func plainFault(s string) error {
	upper := strings.ToUpper(s)
	switch {
	case len(s) == 16 && isBase32(s), len(s) == 40 && isHex(s):
		return nil
	case strings.HasPrefix(upper, "V2-"):
		return errors.New("begins with V2-, which PVE takes in lower case only")
	case len(s) == 16 && isBase32(upper):
		return errors.New("is in lower case, which PVE does not take as base32")
	case strings.HasPrefix(upper, "0X") && isHex(s[2:]):
		return errors.New("begins with 0x, which PVE takes only as v2-0x")
	case isBase32(upper) && s == upper:
		return fmt.Errorf("has %d base32 characters, but PVE takes 16, or any number behind v2-", len(s))
	case isHex(s):
		return fmt.Errorf("has %d hex digits, but PVE takes 40, or any even number behind v2-0x", len(s))
	case isBase32(upper):
		return fmt.Errorf("has %d base32 characters, some in lower case, but PVE takes 16 in upper case, or any number behind v2-", len(s))
	}
	return errors.New("is neither base32 nor hexadecimal")
}

const base32Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

func isBase32(s string) bool { return s != "" && strings.Trim(s, base32Digits) == "" }

func isHex(s string) bool { return s != "" && strings.Trim(s, "0123456789abcdefABCDEF") == "" }

// keys tells of the keys of a user that are of no use to PVE.
func (p *parser) keys(u User) {
	if u.Keys.Marker() != "" {
		return
	}
	list := SplitList(u.Keys.text)
	usable, _ := u.Keys.Count()
	for i, key := range list {
		name := keyNumber(i, len(list)) + " of " + strconv.Quote(u.ID)
		err := keyFault(key)
		switch {
		case err != nil && usable == 0:
			p.addUser(u, Error, "key-unusable", name+" "+err.Error()+", so no code of this user is right", mendKey)
		case err != nil:
			p.addUser(u, Warning, "key-unusable", name+" "+err.Error()+"; the others are taken", mendKey)
		case bits(key) < 80:
			p.addUser(u, Warning, "key-short", name+" has "+strconv.Itoa(bits(key))+" bits, which can be guessed", mendKey)
		}
	}
}

const mendKey = "replace it with one of oathkeygen -f hex"

// bits is the length of a key without a fault.
func bits(key string) int {
	if hex, ok := strings.CutPrefix(key, "v2-0x"); ok {
		return len(hex) * 4
	}
	if b32, ok := strings.CutPrefix(key, "v2-"); ok {
		return len(b32) * 5 / 8 * 8
	}
	if len(key) == 40 {
		return 160
	}
	return 80
}
