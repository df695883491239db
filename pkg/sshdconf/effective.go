package sshdconf

import (
	"context"
	"errors"
	"fmt"
	"time"

	"oathkit/pkg/internal/process"
)

// Program is where sshd is.
const Program = "/usr/sbin/sshd"

const (
	timeout   = 30 * time.Second
	maxOutput = 1 << 20
)

// Effective asks sshd for the settings in force: for nobody's connection, or for
// one that spec describes as sshd's -C does (user=alice,host=h,addr=192.0.2.1).
// sshd wants to read its host keys, so only root can ask.
func Effective(ctx context.Context, spec string) (Settings, error) {
	argv := []string{Program, "-T"}
	if spec != "" {
		argv = append(argv, "-C", spec)
	}
	e, err := process.Command{Argv: argv, Timeout: timeout, Keep: maxOutput}.Run(ctx)
	switch {
	case err != nil:
		return nil, err
	case e.Signal != 0:
		return nil, fmt.Errorf("%s -T was killed by signal %d", Program, int(e.Signal))
	case e.Code != 0 && e.Said != "":
		return nil, fmt.Errorf("%s -T failed with exit code %d: %s", Program, e.Code, e.Said)
	case e.Code != 0:
		return nil, fmt.Errorf("%s -T failed with exit code %d", Program, e.Code)
	}
	s := ParseSettings(e.Output)
	return s, s.Check()
}

// ErrSettings means that a text is not what "sshd -T" prints.
var ErrSettings = errors.New("this is not what sshd -T prints: there is no line authenticationmethods or pubkeyauthentication")

// Check says whether the settings are whole enough to be judged.
func (s Settings) Check() error {
	if s.get("authenticationmethods") == "" || s.get("pubkeyauthentication") == "" {
		return ErrSettings
	}
	return nil
}
