package request

import (
	"errors"
	"strings"
)

// MaxCheckpassword is the longest that the interface allows, in bytes.
const MaxCheckpassword = 512

// A Checkpassword is what comes on descriptor 3.
type Checkpassword struct {
	Request
	Timestamp string // for a challenge, which nobody makes here
	More      string // what the interface lets follow
}

// ParseCheckpassword reads what comes on descriptor 3: name, password and
// timestamp, each ended by a zero byte, and then anything.
func ParseCheckpassword(b []byte) (Checkpassword, error) {
	if len(b) > MaxCheckpassword {
		return Checkpassword{}, errors.New("there are more than 512 bytes on descriptor 3")
	}
	fields := strings.SplitN(string(b), "\x00", 4)
	if len(fields) < 4 {
		return Checkpassword{}, errors.New("descriptor 3 has not the three fields of checkpassword, each ended by a zero byte")
	}
	r := Checkpassword{Timestamp: fields[2], More: fields[3]}
	r.User, r.Secret = fields[0], fields[1]
	return r, nil
}
