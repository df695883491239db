package deliver

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"oathkit/pkg/internal/process"
)

// A Mail is a mail of plain text. Every verb of package fmt prints it as
// [secret].
type Mail struct {
	From    string    // see CheckAddress; empty leaves it to the program
	To      string    // see CheckAddress
	Subject string    // one line, at most 200 bytes, without the code
	Body    string    // lines end with \n, at most 900 bytes each
	Date    time.Time // for the header
	Secret  string    // the code or token in Body, which nothing else may hold
}

// Format prints [secret], whatever the verb.
func (m Mail) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// Message checks the mail and writes it as RFC 5322 has it, save that lines end
// with \n, which is what sendmail reads. "Auto-Submitted" (RFC 3834) keeps
// programs from answering it.
func (m Mail) Message() (Message, error) {
	if err := CheckAddress(m.To); err != nil {
		return Message{}, err
	}
	if m.From != "" {
		if err := CheckAddress(m.From); err != nil {
			return Message{}, err
		}
	}
	if err := checkSubject(m.Subject, m.Secret); err != nil {
		return Message{}, err
	}
	if y := m.Date.Year(); y < 1900 || y > 9999 {
		return Message{}, errors.New("the mail has no date")
	}
	body, err := checkBody(m.Body, m.Secret)
	if err != nil {
		return Message{}, err
	}
	var b strings.Builder
	if m.From != "" {
		b.WriteString("From: " + m.From + "\n")
	}
	b.WriteString("To: " + m.To + "\n")
	b.WriteString("Subject: " + encodedWords(m.Subject) + "\n")
	b.WriteString("Date: " + m.Date.Format("Mon, 02 Jan 2006 15:04:05 -0700") + "\n")
	b.WriteString("Auto-Submitted: auto-generated\n")
	b.WriteString("MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n")
	if isASCII(body) {
		b.WriteString("Content-Transfer-Encoding: 7bit\n\n")
	} else {
		b.WriteString("Content-Transfer-Encoding: 8bit\n\n")
	}
	b.WriteString(body)
	if b.Len() > process.MaxInput {
		return Message{}, fmt.Errorf("the mail has %d bytes, at most %d can be sent", b.Len(), process.MaxInput)
	}
	return Message{text: b.String(), secret: m.Secret}, nil
}

// CheckAddress says whether s is an e-mail address that is safe in a header and
// in the hands of any mail program: an ASCII dot-atom, @ and a domain (RFC 5322
// section 3.4.1 without quotes, comments and literals), at most 254 bytes. One
// that begins with -, / or | is refused, for there have been programs to which
// that is an option, a file or a command.
func CheckAddress(s string) error {
	if len(s) > 254 {
		return fmt.Errorf("an e-mail address has at most 254 bytes, not %d", len(s))
	}
	local, domain, ok := strings.Cut(s, "@")
	if !ok || len(local) > 64 || !isDotted(local, isAtom) || strings.IndexByte("-/|", local[0]) >= 0 || !isDotted(domain, isHost) {
		return fmt.Errorf("%q is no e-mail address like alice@example.org", s)
	}
	for label := range strings.SplitSeq(domain, ".") {
		if len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return fmt.Errorf("%q is no e-mail address: its domain is none", s)
		}
	}
	return nil
}

// isDotted says whether s is one or more words of such bytes with dots between.
func isDotted(s string, is func(byte) bool) bool {
	for word := range strings.SplitSeq(s, ".") {
		if word == "" {
			return false
		}
		for i := range len(word) {
			if !is(word[i]) {
				return false
			}
		}
	}
	return true
}

func isAtom(c byte) bool { return isHost(c) || strings.IndexByte("!#$%&'*+/=?^_`{|}~", c) >= 0 }

func isHost(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-'
}

func checkSubject(s, secret string) error {
	switch {
	case strings.TrimSpace(s) == "":
		return errors.New("the mail has no subject")
	case len(s) > 200:
		return fmt.Errorf("the subject has at most 200 bytes, not %d", len(s))
	case secret != "" && strings.Contains(s, secret):
		return errors.New("the code is in the subject, where it would be logged")
	}
	if err := checkPlain(s); err != nil {
		return fmt.Errorf("the subject %w", err)
	}
	return nil
}

// checkPlain refuses what does not print: control characters, those that turn
// the direction of a line around, and what is not UTF-8.
func checkPlain(s string) error {
	if !utf8.ValidString(s) {
		return errors.New("is not UTF-8")
	}
	for _, r := range s {
		if r != '\t' && !unicode.IsPrint(r) && !unicode.Is(unicode.Zs, r) {
			return fmt.Errorf("has the character %U in it, which does not print", r)
		}
	}
	return nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// encodedWords is the subject as a header takes it: as it is if it is ASCII and
// could not be taken for encoded words, else in encoded words (RFC 2047), a line
// each.
func encodedWords(s string) string {
	if isASCII(s) && !strings.Contains(s, "=?") && !strings.Contains(s, "\t") {
		return s
	}
	const most = 39 // bytes, 52 characters of base64: a line has at most 76
	var words []string
	for s != "" {
		n := min(most, len(s))
		for n < len(s) && !utf8.RuneStart(s[n]) {
			n--
		}
		words = append(words, "=?utf-8?B?"+base64.StdEncoding.EncodeToString([]byte(s[:n]))+"?=")
		s = s[n:]
	}
	return strings.Join(words, "\n ")
}
