package request

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// MaxJSON is the longest body, in bytes.
const MaxJSON = 16 << 10

// A Body is a request as programs send it: an object of JSON with password,
// passcode and method, or some of them. It prints as [secret].
type Body struct {
	HasPassword bool // there is one, though it may be empty
	Password    string
	Passcode    string
	Method      string // how the person is asked where there is no passcode
}

// Format does not tell the secret, whatever the verb.
func (Body) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[secret]") }

// ParseJSON reads a body strictly: names in their exact case, none twice, none
// that there is not, strings alone, nothing after it. With a passcode the method
// can be no other than that. The error does not repeat what was read.
func ParseJSON(b []byte) (Body, error) {
	if len(b) > MaxJSON {
		return Body{}, fmt.Errorf("the body is longer than %d bytes", MaxJSON)
	}
	var body Body
	seen := map[string]bool{}
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') || !utf8.Valid(b) {
		return Body{}, errBody
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return Body{}, errBody
		}
		var value *string
		if err := d.Decode(&value); err != nil || value == nil {
			return Body{}, errBody
		}
		switch name {
		case "password":
			body.Password, body.HasPassword = *value, true
		case "passcode":
			body.Passcode = *value
		case "method":
			body.Method = *value
		default:
			return Body{}, errBody
		}
		if key := name.(string); seen[key] {
			return Body{}, errBody
		} else {
			seen[key] = true
		}
	}
	if _, err := d.Token(); err != nil {
		return Body{}, errBody
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Body{}, errBody
	}
	return body, body.check()
}

// errBody is all that is said of a body that is none.
var errBody = errors.New("the body is no JSON object with the strings password, passcode and method, or some of them, each once")

func (b Body) check() error {
	switch b.Method {
	case "", "passcode":
	case "push", "phone", "sms", "email":
		if b.Passcode != "" {
			return fmt.Errorf("a passcode and the method %s do not go together", b.Method)
		}
	default:
		return errors.New("the method of the body is none of passcode, push, phone, sms and email")
	}
	if strings.ContainsAny(b.Password+b.Passcode, "\x00\r\n") {
		return errors.New("a secret of the body has more than one line")
	}
	return nil
}
