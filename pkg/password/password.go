// Package password asks a checkpassword-compatible program whether a password is
// a user's: the caller's side of the interface at
// https://cr.yp.to/checkpwd/interface.html.
//
// The program reads user, password and a timestamp on descriptor 3, each ended by
// a zero byte, 512 bytes at most. When the password is right it runs the program
// that its last arguments name; that is /bin/true here, added by Check, so that
// its success is exit code 0. Codes: 0 yes, 1 no, 2 it was used wrongly, 111
// it could not find out; everything else, too, is no answer. For instance
//
//	/usr/bin/checkpassword-pam -s oathkit --
//
// What is promised: the password goes through the pipe alone, and never into an
// argument, the environment or an error; no answer but 0 is yes, and not even 0
// from a program that did not look at the password. An empty user or password is
// no, unasked, for there are directories that take an empty password as a login
// of nobody. Left out: the timestamp (it is 0), and what the program would set up
// for the session it believes to begin. It runs as package process says: no
// shell, no terminal, an environment of PATH and LC_ALL.
package password

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"oathkit/pkg/internal/process"
)

// Timeout is how long the program may take, unless the context ends before.
const Timeout = 30 * time.Second

// MaxInput is what the interface allows for user, password, timestamp and the
// three zero bytes together.
const MaxInput = 512

// succeed is what the program runs when the password is right.
const succeed = "/bin/true"

// timestamp is what the interface has for challenge and response; it is not
// empty because there are programs that want something there.
const timestamp = "0"

// ErrUnsure means that the program gave no answer; the text around it says why.
var ErrUnsure = errors.New("whether the password is right could not be found out")

// Check asks the program of argv, which must begin with an absolute path,
// whether pass is the password of user. An error, always ErrUnsure, means that
// nobody knows; it names the program, how it ended and what it said on standard
// error.
func Check(ctx context.Context, argv []string, user, pass string) (ok bool, err error) {
	if err := process.CheckArgv(argv); err != nil {
		return false, unsure(err)
	}
	if !Askable(user, pass) {
		return false, nil
	}
	size := sizeOf(user, pass)
	input := make([]byte, 0, size)
	defer func() { clear(input[:size]) }()
	for _, s := range [...]string{user, pass, timestamp} {
		input = append(append(input, s...), 0)
	}
	e, err := process.Command{
		Argv:  append(append([]string(nil), argv...), succeed),
		Input: input, FD: 3, Timeout: Timeout, Secrets: []string{pass},
	}.Run(ctx)
	switch {
	case err != nil:
	case e.Signal != 0:
		err = fmt.Errorf("%q was killed by signal %d (%v)", argv[0], int(e.Signal), e.Signal)
	case e.Code == 0 && e.Read:
		return true, nil
	case e.Code == 0:
		err = fmt.Errorf("%q exited with 0, but never looked at the password on descriptor 3: it is no checkpassword program", argv[0])
	case e.Code == 1:
		return false, nil
	case e.Code == 2:
		err = fmt.Errorf("%q says that it was used wrongly (exit code 2)", argv[0])
	case e.Code == 111:
		err = fmt.Errorf("%q says that it cannot tell at present (exit code 111)", argv[0])
	default:
		err = fmt.Errorf("%q failed with exit code %d", argv[0], e.Code)
	}
	if e.Said != "" {
		err = fmt.Errorf("%w; it said: %s", err, e.Said)
	}
	return false, unsure(err)
}

// Askable says whether a program can be asked about these: what none could be
// asked is nobody's password.
func Askable(user, pass string) bool {
	return user != "" && pass != "" && sizeOf(user, pass) <= MaxInput &&
		strings.IndexByte(user, 0) < 0 && strings.IndexByte(pass, 0) < 0
}

func sizeOf(user, pass string) int { return len(user) + len(pass) + len(timestamp) + 3 }

func unsure(err error) error { return fmt.Errorf("%w: %w", ErrUnsure, err) }
