package request

import (
	"encoding/hex"
	"errors"
	"strings"
)

// MaxSquid is the longest line of squid, in bytes, its line break included.
const MaxSquid = 16 << 10

// A Squid is one line of squid.
type Squid struct {
	Channel string // digits, to be repeated in the answer; empty where there is no concurrency
	Request
	RHost string // where the person is; from key_extras "%>a"
}

// ParseSquid reads a line without its line break: name and secret, with %XX for
// what is not printed, and, where auth_param key_extras is set, the person's
// address. With channels a number comes first. After an error the channel, as far
// as it could be read, is there for the answer.
func ParseSquid(line string, channels bool) (Squid, error) {
	var r Squid
	if channels {
		number, rest, ok := strings.Cut(line, " ")
		if !ok || !isNumber(number) {
			return r, errors.New("a line begins with no channel number")
		}
		r.Channel, line = number, rest
	}
	words := strings.Split(line, " ")
	if len(words) < 2 || len(words) > 3 {
		return r, errors.New("a line has not two or three words: name, secret, address")
	}
	var text [3]string
	for i, word := range words {
		var ok bool
		if text[i], ok = unescape(word); !ok {
			return r, errors.New("a line has a control character, or a percent sign without two hexadecimal digits")
		}
	}
	r.User, r.Secret, r.RHost = text[0], text[1], text[2]
	if r.RHost == "-" { // unknown, as in squid's logs
		r.RHost = ""
	}
	return r, nil
}

// isNumber says whether squid could have made the number of a channel.
func isNumber(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != "" && len(s) <= 20
}

func unescape(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < ' ' || c == 0x7f {
			return "", false
		}
		if c == '%' {
			if i+2 >= len(s) {
				return "", false
			}
			var one [1]byte
			if _, err := hex.Decode(one[:], []byte(s[i+1:i+3])); err != nil {
				return "", false
			}
			c = one[0]
			i += 2
		}
		b.WriteByte(c)
	}
	return b.String(), true
}

// The first words of an answer to squid.
const (
	SquidYes    = "OK"
	SquidNo     = "ERR"
	SquidUnsure = "BH" // the helper, not the person, is at fault
)

// SquidAnswer is the answer on a channel, with its line break. The text, which
// may be empty, is for the person.
func SquidAnswer(channel, word, text string) string {
	if channel != "" {
		word = channel + " " + word
	}
	if text == "" {
		return word + "\n"
	}
	var b strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			b.Write([]byte{'\\', c})
		case c < ' ' || c == 0x7f:
			b.WriteByte(' ')
		default:
			b.WriteByte(c)
		}
	}
	return word + ` message="` + b.String() + "\"\n"
}
