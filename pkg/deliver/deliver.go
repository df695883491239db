// Package deliver hands a short message for a person to a program of the
// administrator's: mail to one like sendmail, text messages to the script of an
// SMS gateway.
//
//	/usr/sbin/sendmail -t -i          the whole mail on standard input (RFC 5322)
//	/usr/local/bin/sms-gateway NUMBER the text on standard input
//
// The program is run by package process: no shell, an absolute path, an
// environment of PATH and LC_ALL, no terminal, a deadline. It must exit 0 once it
// has taken the message on; 0 without a look at standard input is a failure.
//
// What is promised: a code is in the message's text alone, never in the subject,
// in an argument, the environment or an error. No header can be smuggled in:
// addresses and subjects that are not plain are refused, not mended. Left out:
// attachments, several recipients, quoted local parts, addresses that are not
// ASCII (RFC 6531), and whether the message arrived.
package deliver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"oathkit/pkg/internal/process"
)

// DefaultTimeout is how long a program may take when nothing else is said.
const DefaultTimeout = 30 * time.Second

// A Command is a program that takes messages. It is safe for several goroutines
// at once.
type Command struct {
	Argv    []string      // an absolute path, then arguments
	Timeout time.Duration // after which it is killed; 0 means DefaultTimeout
}

// A Message is what Mail.Message and SMS.Message make. Every verb of package fmt
// prints it as [secret].
type Message struct {
	text   string // for standard input
	last   string // a last argument; empty is none
	secret string
}

const hidden = "[secret]"

// Format prints [secret], whatever the verb.
func (m Message) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// Send runs the program and gives it the message. The error names the program,
// how it ended and what it said on standard error, never the code; the message
// may have been sent all the same.
func (c Command) Send(ctx context.Context, m Message) error {
	if m.text == "" {
		return errors.New("there is no message to send")
	}
	if err := process.CheckArgv(c.Argv); err != nil {
		return err
	}
	argv := append([]string(nil), c.Argv...)
	if m.last != "" {
		argv = append(argv, m.last)
	}
	timeout := c.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	e, err := process.Command{
		Argv: argv, Input: []byte(m.text), Timeout: timeout, Secrets: []string{m.secret},
	}.Run(ctx)
	switch {
	case err != nil:
	case e.Signal != 0:
		err = fmt.Errorf("%q was killed by signal %d (%v)", argv[0], int(e.Signal), e.Signal)
	case e.Code != 0:
		err = fmt.Errorf("%q failed with exit code %d", argv[0], e.Code)
	case !e.Read:
		err = fmt.Errorf("%q exited with 0, but never looked at the message on its standard input", argv[0])
	default:
		return nil
	}
	if e.Said != "" {
		err = fmt.Errorf("%w; it said: %s", err, e.Said)
	}
	return err
}

// An SMS is a text message. Every verb of package fmt prints it as [secret].
type SMS struct {
	To     string // see CheckNumber
	Body   string // at most 1000 bytes; lines end with \n
	Secret string // the code in Body, which nothing else may hold
}

// maxSMS is the longest text of a message, in bytes: seven parts or fewer.
const maxSMS = 1000

// Format prints [secret], whatever the verb.
func (s SMS) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// Message checks the number and the text.
func (s SMS) Message() (Message, error) {
	if err := CheckNumber(s.To); err != nil {
		return Message{}, err
	}
	if len(s.Body) > maxSMS {
		return Message{}, fmt.Errorf("a text message has at most %d bytes, not %d", maxSMS, len(s.Body))
	}
	body, err := checkBody(s.Body, s.Secret)
	if err != nil {
		return Message{}, err
	}
	return Message{text: body, last: s.To, secret: s.Secret}, nil
}

// CheckNumber says whether s is a telephone number as gateways take it: 3 to 20
// digits, with or without a + before them.
func CheckNumber(s string) error {
	digits := strings.TrimPrefix(s, "+")
	if n := len(digits); n < 3 || n > 20 || strings.Trim(digits, "0123456789") != "" {
		return errors.New("a telephone number is 3 to 20 digits, with or without a + before them, and nothing else")
	}
	return nil
}

// checkBody wants the secret in a text of whole lines without control
// characters, and gives its last line an end.
func checkBody(body, secret string) (string, error) {
	switch {
	case secret == "":
		return "", errors.New("the message has no code: it must be told apart, so that it can be kept out of errors")
	case !strings.Contains(body, secret):
		return "", errors.New("the code is not in the text of the message")
	}
	for line := range strings.SplitSeq(body, "\n") {
		if len(line) > 900 {
			return "", errors.New("a line of the message is longer than 900 bytes")
		}
		if err := checkPlain(line); err != nil {
			return "", fmt.Errorf("the text of the message %w", err)
		}
	}
	return strings.TrimRight(body, "\n") + "\n", nil
}
