package mfa

import (
	"errors"
	"fmt"
	"strings"
)

// The limits of an address.
const (
	MaxEmail = 254 // bytes of an e-mail address: the longest path of RFC 5321 without its brackets
	MaxPhone = 15  // digits of a phone number: ITU-T E.164
	minPhone = 3
)

// CheckEmail says what is wrong with an e-mail address: it must be local@domain
// in ASCII, as a mail header and a command's standard input can hold it without
// quoting. What RFC 5321 allows in quotation marks is refused, and so is
// everything that a mailer could take for two addresses, a comment or an option.
func CheckEmail(s string) error {
	if len(s) > MaxEmail {
		return fmt.Errorf("an e-mail address of %d bytes is too long, at most %d are allowed", len(s), MaxEmail)
	}
	if err := checkText("e-mail address", s, false); err != nil {
		return err
	}
	local, domain, ok := strings.Cut(s, "@")
	switch {
	case !ok:
		return fmt.Errorf("e-mail address %s has no @, write name@domain", shown(s))
	case local == "" || domain == "":
		return fmt.Errorf("e-mail address %s has nothing before or behind its @", shown(s))
	case !dotted(local, "!#$%&'*+-/=?^_`{|}~"):
		return fmt.Errorf("e-mail address %s has something before its @ that is not taken: letters, digits, !#$%%&'*+-/=?^_`{|}~ and single dots between them are", shown(s))
	case len(local) > 64: // RFC 5321 section 4.5.3.1.1
		return fmt.Errorf("e-mail address %s has %d bytes before its @, at most 64 are allowed", shown(s), len(local))
	case strings.IndexByte("-/|", local[0]) >= 0: // an option, a file or a program to some mailer
		return fmt.Errorf("e-mail address %s begins with %q, which some mailers take for more than a name", shown(s), local[0])
	case !dotted(domain, "-"):
		return fmt.Errorf("e-mail address %s has no domain behind its @: letters, digits, dashes and single dots between them are taken, other scripts in their xn-- form", shown(s))
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label[0] == '-' || label[len(label)-1] == '-' || len(label) > 63 {
			return fmt.Errorf("e-mail address %s has no domain behind its @: between dots there are 1 to 63 letters, digits and dashes, and no dash at either end", shown(s))
		}
	}
	return nil
}

// dotted reports whether s is words of ASCII letters, digits and the other
// bytes, with single dots between them.
func dotted(s, other string) bool {
	for word := range strings.SplitSeq(s, ".") {
		if word == "" {
			return false
		}
		for i := range len(word) {
			c := word[i] | 0x20
			if (c < 'a' || c > 'z') && (word[i] < '0' || word[i] > '9') && strings.IndexByte(other, word[i]) < 0 {
				return false
			}
		}
	}
	return true
}

// CheckPhone says what is wrong with a phone number: 3 to 15 digits, a + before
// them if it is an international one. CleanPhone makes that of what people
// write.
func CheckPhone(s string) error {
	digits := strings.TrimPrefix(s, "+")
	for i := range len(digits) {
		if c := digits[i]; c < '0' || c > '9' {
			return errors.New("a phone number has only digits, perhaps with a + before them")
		}
	}
	if n := len(digits); n < minPhone || n > MaxPhone {
		return fmt.Errorf("a phone number has %d to %d digits, perhaps with a + before them", minPhone, MaxPhone)
	}
	return nil
}

// CleanPhone drops the blanks, dashes, dots, slashes and round brackets with
// which people group a phone number. CheckPhone judges what is left.
func CleanPhone(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -./()", r) {
			return -1
		}
		return r
	}, s)
}

// SetEmail changes the address to which the user's removal mails go; an empty
// one is none. A removal that is pending is revoked: its token went to the old
// address.
func SetEmail(u User, email string) (User, error) {
	if !u.Enrolled() {
		return u, ErrNotEnrolled
	}
	if email != "" {
		if err := CheckEmail(email); err != nil {
			return u, err
		}
	}
	if u.Record.Email == email {
		return u, nil
	}
	u.Record.Email = email
	u.State = u.State.For(u.Record)
	u.State.Removal = Removal{At: u.State.Removal.At}
	return u, nil
}
