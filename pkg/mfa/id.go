package mfa

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxID is the length of the longest user id in bytes, realm included.
const MaxID = 64

// CheckID says what is wrong with a user id: it must be name@realm, split at
// the last @, at most MaxID bytes of UTF-8, without blanks, control or
// invisible formatting characters.
func CheckID(id string) error {
	if len(id) > MaxID {
		return fmt.Errorf("a user id of %d bytes is too long, at most %d are allowed", len(id), MaxID)
	}
	name, realm, ok := SplitID(id)
	if !ok {
		return fmt.Errorf("user id %q has no realm, write name@realm", id)
	}
	if name == "" {
		return fmt.Errorf("user id %q has no name before the @", id)
	}
	if realm == "" {
		return fmt.Errorf("user id %q has no realm behind the @", id)
	}
	return checkText("user id", id, false)
}

// SplitID cuts a user id at its last @.
func SplitID(id string) (name, realm string, ok bool) {
	i := strings.LastIndexByte(id, '@')
	if i < 0 {
		return id, "", false
	}
	return id[:i], id[i+1:], true
}

// CheckLabel says what is wrong with a label or an issuer: at most MaxText
// bytes of UTF-8 without control or invisible formatting characters. Blanks
// are U+0020 only.
func CheckLabel(s string) error {
	if len(s) > MaxText {
		return fmt.Errorf("a text of %d bytes is too long, at most %d are allowed", len(s), MaxText)
	}
	return checkText("text", s, true)
}

func checkText(what, s string, blanks bool) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("%s %s is not valid UTF-8", what, shown(s))
	}
	for _, r := range s {
		switch {
		case r == ' ' && blanks:
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == '\u2028', r == '\u2029':
			return fmt.Errorf("%s %s has the control character %U in it", what, shown(s), r)
		case unicode.IsSpace(r):
			return fmt.Errorf("%s %s has a blank in it", what, shown(s))
		}
	}
	return nil
}

// newID makes 32 lower-case hex digits in the shape of a version-4 UUID
// (RFC 9562 section 5.4), without its dashes.
func newID(random io.Reader) (string, error) {
	var b [16]byte
	if err := read(random, b[:]); err != nil {
		return "", err
	}
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return hex.EncodeToString(b[:]), nil
}

// isID reports whether s is an id as newID makes them.
func isID(s string) bool {
	return len(s) == 32 && isHex(s) && s[12] == '4' && strings.IndexByte("89ab", s[16]) >= 0
}

func isHex[T string | []byte](s T) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

var errNoRandom = errors.New("the source of randomness gave too little")

// read fills b; it never leaves it half filled without an error.
func read(random io.Reader, b []byte) error {
	if _, err := io.ReadFull(random, b); err != nil {
		return fmt.Errorf("%w: %w", errNoRandom, err)
	}
	return nil
}

// newEpoch makes an epoch; zero means that there is no record, so it is not
// given out.
func newEpoch(random io.Reader) (e [16]byte, err error) {
	for e == [16]byte{} && err == nil {
		err = read(random, e[:])
	}
	return e, err
}
