package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"unicode"

	"oathkit/cmd/internal/cli"
)

// writerName is what this program is called when it runs as the child that
// writes the codes file with the rights of the user, and no others.
const writerName = "oathenroll: write codes"

// maxCodes bounds what the child takes, in bytes.
const maxCodes = 64 << 10

// codesName is the name of the file for recovery codes: that of vss-cli, with
// what could lead elsewhere or is not seen replaced.
func codesName(user, issuer string) string {
	return strings.Map(func(r rune) rune {
		if r == '/' || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return '_'
		}
		return r
	}, user+"_"+issuer+"_recovery_codes.txt")
}

// saveCodes writes the codes into a new file in the current folder.
func (s *session) saveCodes(issuer string, codes []string) (name string, err error) {
	name = codesName(s.who.name, issuer)
	if err := s.asUser([]byte(strings.Join(codes, "\n")+"\n"), "write", name); err != nil {
		return "", err
	}
	return name, nil
}

// dropCodes removes a file whose codes are void.
func (s *session) dropCodes(name string) {
	if name == "" {
		return
	}
	if err := s.asUser(nil, "remove", name); err != nil {
		s.c.Warn("the codes in %q are void: %v", name, err)
	}
}

// asUser does something to a file with the rights of the person: under sudo in
// a child with his uid, gid and groups and without an environment.
func (s *session) asUser(text []byte, what, name string) error {
	l := s.who.sudo
	if l == nil {
		return doFile(text, what, name)
	}
	self, err := os.Executable()
	if err != nil {
		return cli.Unsure("cannot find this program: %w", err)
	}
	var talk bytes.Buffer
	cmd := exec.Command(self)
	cmd.Args = []string{writerName, what, name}
	cmd.Env, cmd.Stdin, cmd.Stderr = []string{}, bytes.NewReader(text), &talk
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: l.UID, Gid: l.GID, Groups: l.groups}}
	err = cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		if err != nil {
			err = cli.Unsure("cannot write as user %q: %w", l.Name, err)
		}
		return err
	}
	said := cli.Printable(strings.TrimSpace(strings.TrimPrefix(talk.String(), writerName+": error: ")))
	if exit.ExitCode() == cli.ExitNo {
		return cli.Refused("%s", said)
	}
	return cli.Unsure("cannot write as user %q: %s (%v)", l.Name, said, exit)
}

// writer is the child.
func writer() *cli.Command {
	return &cli.Command{
		Name: writerName, Args: "WHAT NAME", Summary: "not for use by people", MinArgs: 2, MaxArgs: 2,
		Run: func(c *cli.Context) error {
			if os.Geteuid() == 0 {
				return cli.Misused("this is for the rights of a user, not of root")
			}
			text, err := io.ReadAll(io.LimitReader(c.Stdin, maxCodes))
			if err != nil {
				return cli.Unsure("cannot read the codes: %w", err)
			}
			return doFile(text, c.Args[0], c.Args[1])
		},
	}
}

// doFile writes a new file of the current folder, or removes it.
func doFile(text []byte, what, name string) error {
	if what == "remove" {
		if err := os.Remove(name); err != nil {
			return cli.Unsure("%w", err)
		}
		return nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return cli.Refused("%q exists already, and a file is never overwritten", name)
	case err != nil:
		return cli.Refused("cannot make the file for recovery codes: %w", err)
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		_ = os.Remove(name)
		return cli.Unsure("cannot write the file for recovery codes, so it was removed: %w", err)
	}
	return nil
}

// printCodes shows the codes and says what they are for.
func (s *session) printCodes(codes []string) error {
	if err := s.explain("Recovery codes are used to access your account in",
		"the event you cannot get two-factor authentication codes."); err != nil {
		return err
	}
	if err := s.show(codes...); err != nil {
		return err
	}
	return s.pause(s.save)
}

// offerToSave asks whether the codes are to be saved, and saves them. Where
// that fails on a terminal it is asked again, for the codes are on the screen
// only until the answer.
func (s *session) offerToSave(issuer string, codes []string) (name string, err error) {
	for {
		yes, err := s.yes("Would you like to save the codes into a text file?", s.save)
		if err != nil || !yes {
			s.endPage()
			return "", err
		}
		name, err := s.saveCodes(issuer, codes)
		switch {
		case err == nil:
			s.endPage()
			return name, s.say("Written " + name + " with recovery codes.")
		case s.save.given || s.d == nil:
			return "", err
		}
		if err := s.say(err.Error()); err != nil {
			return "", err
		}
	}
}
