// Package getent asks the system who a user is: getent(1), so that it may be
// anybody whom the system knows, and not only who is in /etc/passwd.
//
// Promised: the program runs without this process's environment and until a
// deadline; an answer that does not have the seven fields of passwd(5) is an
// error. Left out: every database but passwd and initgroups, and reading
// /etc/passwd alone.
package getent

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"oathkit/pkg/internal/process"
)

const (
	program   = "/usr/bin/getent"
	timeout   = 30 * time.Second // a directory may be slow
	maxAnswer = 64 << 10         // bytes: a user may be in thousands of groups
)

// ErrUnknown means that the system knows no such user.
var ErrUnknown = errors.New("the system knows no such user")

// A Login is what the system knows of a user: a line of passwd(5).
type Login struct {
	Name     string
	UID, GID uint32
	Home     string
	Shell    string // empty means /bin/sh
}

// Lookup asks for a user, by name or by number.
func Lookup(ctx context.Context, key string) (Login, error) {
	out, err := ask(ctx, "passwd", key)
	if err != nil {
		return Login{}, err
	}
	return parse(key, out)
}

func parse(key, line string) (Login, error) {
	f := strings.Split(strings.TrimSuffix(line, "\n"), ":")
	if len(f) != 7 {
		return Login{}, fmt.Errorf("%s passwd %q gives %d fields instead of 7", program, key, len(f))
	}
	uid, uerr := strconv.ParseUint(f[2], 10, 32)
	gid, gerr := strconv.ParseUint(f[3], 10, 32)
	if err := errors.Join(uerr, gerr); err != nil {
		return Login{}, fmt.Errorf("%s passwd %q: %w", program, key, err)
	}
	return Login{Name: f[0], UID: uint32(uid), GID: uint32(gid), Home: f[5], Shell: f[6]}, nil
}

// Groups asks for the groups that a login of the user would have, beside his
// own.
func Groups(ctx context.Context, name string) ([]uint32, error) {
	out, err := ask(ctx, "initgroups", name)
	if err != nil {
		return nil, err
	}
	var groups []uint32
	for i, field := range strings.Fields(out) {
		if i == 0 { // the name
			continue
		}
		gid, err := strconv.ParseUint(field, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("%s initgroups %q: %w", program, name, err)
		}
		groups = append(groups, uint32(gid))
	}
	return groups, nil
}

func ask(ctx context.Context, database, key string) (string, error) {
	e, err := process.Command{Argv: []string{program, database, "--", key}, Timeout: timeout, Bare: true, Keep: maxAnswer}.Run(ctx)
	switch {
	case err != nil:
		return "", err
	case e.Code == 0 && e.Signal == 0:
		return e.Output, nil
	case e.Code == 2:
		return "", fmt.Errorf("%s %s %q: %w", program, database, key, ErrUnknown)
	case e.Signal != 0:
		return "", fmt.Errorf("%s %s %q was killed by signal %d", program, database, key, int(e.Signal))
	}
	return "", fmt.Errorf("%s %s %q failed with exit code %d: %s", program, database, key, e.Code, e.Said)
}
