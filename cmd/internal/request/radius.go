package request

import (
	"errors"
	"fmt"
	"strings"
)

// A Radius is a request of FreeRADIUS.
type Radius struct {
	Request
	Station string // where the person is: Calling-Station-Id, else NAS-IP-Address
}

// The attributes that are read. The environment has them under these names where
// shell_escape is no, else in upper case and with underscores.
const (
	attrUser     = "User-Name"
	attrPassword = "User-Password"
	attrStation  = "Calling-Station-Id"
	attrNAS      = "NAS-IP-Address"
	attrNAS6     = "NAS-IPv6-Address"
)

// ParseRadius reads the environment that FreeRADIUS gives a program, in either
// spelling. A password that is empty is not in it; the attributes of other ways
// to log in than with a password are an error.
func ParseRadius(environ []string) (Radius, error) {
	e := make(environment, len(environ))
	for _, v := range environ {
		name, value, _ := strings.Cut(v, "=")
		if _, twice := e[name]; !twice { // the server, too, goes by the first
			e[name] = value
		}
	}
	var r Radius
	user, ok, err := e.text(attrUser)
	switch {
	case err != nil:
		return r, err
	case !ok:
		return r, fmt.Errorf("neither %s nor %s is in the environment", attrUser, shellName(attrUser))
	}
	secret, ok, err := e.text(attrPassword)
	if err != nil {
		return r, err
	}
	for _, other := range [...]string{"CHAP-Password", "MS-CHAP-Challenge", "EAP-Message", "Digest-Response"} {
		if !ok && (e.has(other) || e.has(shellName(other))) {
			return r, fmt.Errorf("there is %s and no %s, so no code can be judged", other, attrPassword)
		}
	}
	r.User, r.Secret = user, secret
	r.Station, err = e.station()
	return r, err
}

type environment map[string]string

func (e environment) has(name string) bool { _, ok := e[name]; return ok }

// text is an attribute that is text. Errors name it and not what it is.
func (e environment) text(name string) (value string, ok bool, err error) {
	plain, ok := e[name]
	quoted, okShell := e[shellName(name)]
	if !okShell {
		return plain, ok, nil
	}
	unquoted, err := unquote(quoted)
	switch {
	case err != nil:
		return "", false, fmt.Errorf("%s in the environment: %w", shellName(name), err)
	case ok && unquoted != plain:
		return "", false, fmt.Errorf("the environment has both %s and %s, and they differ", name, shellName(name))
	}
	return unquoted, true, nil
}

func (e environment) station() (string, error) {
	station, ok, err := e.text(attrStation)
	if ok || err != nil {
		return station, err
	}
	for _, name := range [...]string{attrNAS, shellName(attrNAS), attrNAS6, shellName(attrNAS6)} {
		if e.has(name) {
			return e[name], nil // an address is never quoted
		}
	}
	return "", nil
}

// shellName is an attribute's name where shell_escape is yes.
func shellName(name string) string { return strings.ReplaceAll(strings.ToUpper(name), "-", "_") }

// unquote reads text as FreeRADIUS quotes it.
func unquote(s string) (string, error) {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return "", errors.New("is not in quotes from beginning to end")
	}
	s = s[1 : len(s)-1]
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return "", errors.New("has a quote in it")
		case s[i] != '\\':
			b.WriteByte(s[i])
			continue
		}
		c, n := escaped(s[i+1:])
		if n == 0 {
			return "", errors.New(`has a backslash that begins none of \\ \" \r \n \t \000 to \377`)
		}
		b.WriteByte(c)
		i += n
	}
	return b.String(), nil
}

// escaped is the byte that follows a backslash, and the length of its spelling;
// 0 for none.
func escaped(s string) (c byte, n int) {
	if s == "" {
		return 0, 0
	}
	switch s[0] {
	case '"', '\\':
		return s[0], 1
	case 'r':
		return '\r', 1
	case 'n':
		return '\n', 1
	case 't':
		return '\t', 1
	}
	if len(s) < 3 || s[0] < '0' || s[0] > '3' || s[1] < '0' || s[1] > '7' || s[2] < '0' || s[2] > '7' {
		return 0, 0
	}
	return s[0]&3<<6 | s[1]&7<<3 | s[2]&7, 3
}

// quote writes text as FreeRADIUS does, and as it reads it.
func quote(s string) string {
	b := []byte{'"'}
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ' || c > '~':
			b = append(b, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
		default:
			b = append(b, c)
		}
	}
	return string(append(b, '"'))
}

// ReplyMessage is the answer that makes FreeRADIUS show text to the person. A
// percent sign would begin an expansion.
func ReplyMessage(text string) string {
	return "Reply-Message := " + quote(strings.ReplaceAll(text, "%", "%%")) + "\n"
}
