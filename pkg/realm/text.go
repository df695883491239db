package realm

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"
)

// CheckID says whether a realm id is one that Proxmox VE reads: a letter, then
// one or more of ASCII letters, digits, `.`, `-` and `_`. Its API also caps an id
// at 32 characters, its parser does not.
func CheckID(id string) error {
	if isID(id) {
		return nil
	}
	return fmt.Errorf("%q is no realm: a letter, then at least one of letters, digits, \".\", \"-\" and \"_\"", id)
}

func isID(id string) bool {
	if len(id) < 2 || !isLetter(id[0]) {
		return false
	}
	for i := 1; i < len(id); i++ {
		if c := id[i]; !isAlnum(c) && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isAlnum(c byte) bool  { return isLetter(c) || isDigit(c) }

// EncodeText returns text as the file stores a comment: control characters,
// `%`, `:`, and every byte of the UTF-8 form from 0x7f up are written `%XX` in
// upper case.
func EncodeText(text string) string {
	const digits = "0123456789ABCDEF"
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c < 0x20 || c >= 0x7f || c == '%' || c == ':':
			out.Write([]byte{'%', digits[c>>4], digits[c&15]})
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

// DecodeText undoes EncodeText. A `%` without two hexadecimal digits stands for
// itself, and bytes that are not UTF-8 become U+FFFD.
func DecodeText(stored string) string {
	if !strings.Contains(stored, "%") && utf8.ValidString(stored) {
		return stored
	}
	raw := make([]byte, 0, len(stored))
	for i := 0; i < len(stored); i++ {
		if stored[i] == '%' && i+2 < len(stored) {
			if b, err := hex.DecodeString(stored[i+1 : i+3]); err == nil {
				raw = append(raw, b[0])
				i += 2
				continue
			}
		}
		raw = append(raw, stored[i])
	}
	return string([]rune(string(raw))) // each bad byte becomes U+FFFD
}

// Digest returns the digest by which Proxmox VE notices that a file changed
// under an edit: SHA-1 of the raw bytes in lower-case hexadecimal digits.
func Digest(b []byte) string {
	sum := sha1.Sum(b)
	return hex.EncodeToString(sum[:])
}

// shown replaces the secrets in a stored value.
func shown(key, value string) string {
	switch key {
	case "password", "client-key":
		return "[secret]"
	case "tfa":
		parts := strings.Split(value, ",")
		for i, p := range parts {
			parts[i] = withoutKey(p)
		}
		return strings.Join(parts, ",")
	}
	return value
}

// withoutKey replaces the API key in a part of a tfa value, however the part is
// spelled.
func withoutKey(part string) string {
	for i := 0; i+4 <= len(part); i++ {
		if strings.EqualFold(part[i:i+4], "key=") {
			return part[:i+4] + "[secret]"
		}
	}
	return part
}

// nameOf returns a first word without what follows a `:`, `=` or comma in it,
// which can be the value, and a secret.
func nameOf(word string) string {
	if i := strings.IndexAny(word, ":=,"); i >= 0 {
		return word[:i+1]
	}
	return word
}

// plain returns text as it is when all of it shows, else quoted.
func plain(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] >= 0x7f {
			return fmt.Sprintf("%q", s)
		}
	}
	return s
}
