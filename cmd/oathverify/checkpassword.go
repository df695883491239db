package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/login"
	"oathkit/cmd/internal/request"
	"oathkit/pkg/getent"
	"oathkit/pkg/mfa"
	"oathkit/pkg/verify"
)

func (o *options) checkpasswordHook() *cli.Command {
	return o.hook(cli.Command{
		Name:    "checkpassword",
		Args:    "PROGRAM [ARG]...",
		Summary: "judge a login as checkpassword does, and become PROGRAM: Dovecot, qmail",
		Help: `Name and secret come on descriptor 3. PROGRAM runs as whoever runs this hook, with
USER and HOME of the person.`,
		MinArgs:  1,
		MaxArgs:  -1,
		Verbatim: true,
		Run:      o.checkpassword,
	}, nil)
}

func (o *options) checkpassword(c *cli.Context) error {
	// Dovecot asks a userdb in this way, and wants to hear of a user whose
	// secret nobody gave.
	if os.Getenv("AUTHORIZED") != "" {
		return cli.Unsure("AUTHORIZED is set: a user is looked up, and no login is judged").
			Hint("in dovecot.conf this hook is for passdb; userdb takes another driver")
	}
	// Before a code is spent for it.
	program, err := find(c.Args[0])
	if err != nil {
		return cli.Unsure("%w", err)
	}
	r, err := readCheckpassword()
	if err != nil {
		return cli.Unsure("%w", err)
	}
	service, rhost := os.Getenv("SERVICE"), os.Getenv("TCPREMOTEIP")
	if service == "" {
		service = "checkpassword"
	}
	var who person
	result, err := o.atDoor(c, o.attempt(r.User, service, rhost, ""), func(l *login.Login) (verify.Result, error) {
		who = person{l.ID, l.Realm}
		return l.JudgeWhole(secretOf(r.Request))
	})
	if err := answerHost(c, result, err); err != nil {
		return err
	}
	environ, err := o.environ(who)
	if err != nil {
		return cli.Unsure("%w", err)
	}
	return cli.Unsure("cannot run %q: %w", program, syscall.Exec(program, c.Args, environ))
}

// readCheckpassword reads descriptor 3, and closes it: the program to come has
// no need of it.
func readCheckpassword() (request.Checkpassword, error) {
	const fd = 3
	defer syscall.Close(fd)
	b := make([]byte, 0, request.MaxCheckpassword+1)
	for len(b) < cap(b) {
		n, err := syscall.Read(fd, b[len(b):cap(b)])
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return request.Checkpassword{}, fmt.Errorf("cannot read descriptor 3: %w", err)
		case n == 0:
			return request.ParseCheckpassword(b)
		default:
			b = b[:len(b)+n]
		}
	}
	return request.ParseCheckpassword(b)
}

// A person is somebody who was let in.
type person struct{ id, realm string }

// environ is this process's whole environment, for hosts put into it what their
// program has to know, with the person's name and home. The home is the one that
// the system knows of a user of its own realm: nobody else's is in HOME.
func (o *options) environ(p person) ([]string, error) {
	var list []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "USER=") && !strings.HasPrefix(v, "HOME=") {
			list = append(list, v)
		}
	}
	name, _, _ := mfa.SplitID(p.id)
	if p.realm != hookRealm {
		if p.realm != o.realm {
			name = p.id // he has a namesake in the realm of this hook
		}
		return append(list, "USER="+name), nil
	}
	l, err := getent.Lookup(context.Background(), name)
	switch {
	case errors.Is(err, getent.ErrUnknown) || err == nil && l.Name != name: // a number finds users, too
		return append(list, "USER="+name), nil
	case err != nil:
		return nil, err
	}
	return append(list, "USER="+name, "HOME="+l.Home), nil
}

// find is the file of a program, as a shell finds it.
func find(name string) (string, error) {
	if strings.Contains(name, "/") {
		return name, executable(name)
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if path := filepath.Join(dir, name); filepath.IsAbs(dir) && executable(path) == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("there is no program %q in PATH", name)
}

func executable(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0:
		return fmt.Errorf("%s: is no program", path)
	}
	return nil
}
