package request

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
)

// MaxOpenVPN is the longest file of OpenVPN, in bytes. Each of its two lines is
// shorter than 4096.
const MaxOpenVPN = 8192

// challenged begins a password beside which stands the answer to a static
// challenge: SCRV1, the password and the answer, the latter two in base64.
const challenged = "SCRV1:"

// ParseOpenVPN reads the file that OpenVPN writes for auth-user-pass-verify with
// via-file: the user on one line, the password on the next. A password that only
// looks like the answer to a static challenge is taken as it is.
func ParseOpenVPN(b []byte) (Request, error) {
	if len(b) > MaxOpenVPN {
		return Request{}, errors.New("is longer than OpenVPN makes it")
	}
	lines := bytes.Split(b, []byte{'\n'})
	if len(lines) != 3 || len(lines[2]) != 0 {
		return Request{}, errors.New("has not two lines, the user's name and the password")
	}
	r := Request{User: string(lines[0]), Secret: string(lines[1])}
	if both, ok := strings.CutPrefix(r.Secret, challenged); ok {
		password, code, ok := strings.Cut(both, ":")
		p, ok1 := decode(password)
		c, ok2 := decode(code)
		if ok && ok1 && ok2 {
			return Request{User: r.User, Apart: true, Password: p, Code: c}, nil
		}
	}
	return r, nil
}

// decode reads base64 in the one form that OpenVPN writes, in which no line
// break is left out.
func decode(s string) (string, bool) {
	if strings.ContainsAny(s, "\r\n") {
		return "", false
	}
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	return string(b), err == nil
}
