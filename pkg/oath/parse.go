package oath

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// minHex is the number of digits from which a bare text is hex: 104 bits.
const minHex = 26

// ParseKey reads one key in any of the spellings of the package comment. It is
// not for URIs: see ParseURI. Errors say what is wrong at which character,
// counted from 1 as typed; they hold at most that one character of the text.
func ParseKey(s string) (Key, error) {
	if len(s) >= 7 && strings.EqualFold(s[:7], "otpauth") {
		return Key{}, errors.New("this is an otpauth URI, not a bare key")
	}
	rest := strings.TrimLeftFunc(s, blank)
	v2 := hasV2(rest)
	if v2 {
		rest = rest[len("v2-"):]
	}
	t, err := squeeze(s, rest)
	switch {
	case err != nil:
		return Key{}, err
	case t.hasHexMark():
		return t.hex(2)
	case !v2 && Ambiguous(t.b):
		return t.hex(0)
	}
	return t.base32()
}

// ParseBase32 reads one key that is known to be base32, in any case, with
// blanks, dashes and padding as ParseKey takes them.
func ParseBase32(s string) (Key, error) {
	if hasV2(strings.TrimLeftFunc(s, blank)) {
		return Key{}, errors.New(`plain base32 has no "v2-" before it`)
	}
	t, err := squeeze(s, s)
	if err != nil {
		return Key{}, err
	}
	return t.base32()
}

// Ambiguous says whether a bare text, without blanks, dashes and padding, is
// taken for hex although its characters may be meant as base32: only hex
// digits, an even number of them, at least 26.
func Ambiguous(s []byte) bool {
	if len(s) < minHex || len(s)%2 != 0 {
		return false
	}
	// Almost every key is told by its first 8 characters, all at once: one at
	// or behind G, cases folded, is not hex. A loop would be guessed wrong by
	// the processor once a key, which bulk output feels.
	const ones = 0x0101010101010101
	folded := binary.LittleEndian.Uint64(s) &^ (0x20 * ones)
	if (folded+(0x80-'G')*ones)&(0x80*ones) != 0 {
		return false
	}
	for _, c := range s {
		if _, ok := hexValue(c); !ok {
			return false
		}
	}
	return true
}

// text is a key without its blanks and dashes. Bytes beyond ASCII are kept,
// for no spelling has them.
type text struct {
	typed string
	b     []byte
}

// squeeze drops blanks and dashes from s, which is the end of what was typed.
// V and 2 could be base32 themselves, so "v2-" behind a blank is refused
// rather than drowned in the key.
func squeeze(typed, s string) (text, error) {
	t := text{typed: typed, b: make([]byte, 0, len(s))}
	afterBlank := false
	for i, r := range s {
		if afterBlank && hasV2(s[i:]) {
			return text{}, errors.New(`"v2-" stands inside the key: where another key begins, put a comma before it`)
		}
		if afterBlank = blank(r); !afterBlank && !dash(r) {
			_, size := utf8.DecodeRuneInString(s[i:])
			t.b = append(t.b, s[i:i+size]...)
		}
	}
	return t, nil
}

func hasV2(s string) bool { return len(s) >= 3 && strings.EqualFold(s[:3], "v2-") }

func (t text) hasHexMark() bool {
	return len(t.b) >= 2 && t.b[0] == '0' && t.b[1]|0x20 == 'x'
}

// hex reads hex digits from t.b[from:].
func (t text) hex(from int) (Key, error) {
	digits := t.b[from:]
	for i, c := range digits {
		if _, ok := hexValue(c); !ok {
			return Key{}, t.stray(from+i, "hex")
		}
	}
	if len(digits)%2 != 0 {
		return Key{}, fmt.Errorf("key has %d hex digits, an odd number: one is missing or one too many", len(digits))
	}
	out := make([]byte, 0, len(digits)/2)
	for i := 0; i < len(digits); i += 2 {
		hi, _ := hexValue(digits[i])
		lo, _ := hexValue(digits[i+1])
		out = append(out, hi<<4|lo)
	}
	return KeyFromBytes(out)
}

// base32 reads base32 with or without padding.
func (t text) base32() (Key, error) {
	end := len(t.b)
	for end > 0 && t.b[end-1] == '=' {
		end--
	}
	for i, c := range t.b[:end] {
		if _, ok := base32Value(c); !ok {
			return Key{}, t.stray(i, "base32")
		}
	}
	if pad := len(t.b) - end; pad > 0 && len(t.b)%8 != 0 {
		return Key{}, fmt.Errorf("key has %d base32 characters, which %d of = do not fit: one is missing or one too many", end, pad)
	}
	switch end % 8 {
	case 1, 3, 6:
		return Key{}, fmt.Errorf("key has %d base32 characters, a number that base32 never has: one is missing or one too many", end)
	}
	return KeyFromBytes(decodeBase32(t.b[:end]))
}

// stray is the error for the character at t.b[i].
func (t text) stray(i int, form string) error {
	c, _ := utf8.DecodeRune(t.b[i:])
	hint := ""
	if form == "base32" {
		switch c {
		case '0':
			hint = "; it may be the letter O"
		case '1':
			hint = "; it may be the letter I or L"
		case '8':
			hint = "; it may be the letter B"
		case '=':
			hint = " before the end"
		}
		if t.allHex() {
			hint = fmt.Sprintf("; hex of fewer than %d digits is written v2-0x and the digits", minHex)
		}
	}
	return fmt.Errorf("character %d of the key is %q, which %s does not have%s", t.place(i), c, form, hint)
}

func (t text) allHex() bool {
	for _, c := range t.b {
		if _, ok := hexValue(c); !ok {
			return false
		}
	}
	return len(t.b) >= MinBits/4 && len(t.b)%2 == 0
}

// place is where the character at t.b[i] stands in what was typed, counted in
// characters from 1.
func (t text) place(i int) int {
	// Both are walked from the end, where neither has a prefix.
	after := utf8.RuneCount(t.b[i:]) - 1
	typed := []rune(t.typed)
	for n := len(typed); n > 0; n-- {
		if r := typed[n-1]; blank(r) || dash(r) {
			continue
		}
		if after == 0 {
			return n
		}
		after--
	}
	return 1
}

// blank says whether r is white space, or a mark that shows as nothing, which
// comes along when text is copied from a page.
func blank(r rune) bool {
	switch r {
	case ' ', '\t', '\n', '\v', '\f', '\r', 0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x2060, 0x3000, 0xfeff:
		return true
	}
	return r >= 0x2000 && r <= 0x200d
}

// dash says whether r looks like a dash.
func dash(r rune) bool {
	return r == '-' || r >= 0x2010 && r <= 0x2015 || r == 0x2212
}
