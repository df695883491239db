package request

import (
	"errors"
	"strings"
)

// MaxPipe is the longest that two lines may be, in bytes.
const MaxPipe = 8192

// ParsePipe reads a user's name and a secret on two lines, of which the second
// may end with the input. There must be no third: a name with a line break in it
// would make what is behind the break the secret.
func ParsePipe(b []byte) (Request, error) {
	if len(b) > MaxPipe {
		return Request{}, errors.New("standard input is too long for a name and a secret")
	}
	user, secret, ok := strings.Cut(string(b), "\n")
	secret = strings.TrimSuffix(secret, "\n")
	if !ok || strings.Contains(secret, "\n") {
		return Request{}, errors.New("standard input has not two lines, the user's name and the secret")
	}
	return Request{User: user, Secret: secret}, nil
}
