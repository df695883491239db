package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/login"
	"oathkit/pkg/verify"
)

func (o *options) pamHook() *cli.Command {
	var split bool
	return o.hook(cli.Command{
		Name:    "pam",
		Summary: "judge a login for pam_exec",
		Help: `In /etc/pam.d/SERVICE, behind whatever checks the password or the key:

    auth required pam_exec.so expose_authtok quiet /usr/local/sbin/oathverify pam`,
		Run: func(c *cli.Context) error { return o.pam(c, split) },
	}, func(f *cli.Flags) {
		f.Bool(&split, "split", "the secret is the password with the code behind it")
	})
}

// pam judges what pam_exec(8) was given: the person is in the environment, the
// secret is what comes on standard input, and an empty one is an empty answer.
func (o *options) pam(c *cli.Context, split bool) error {
	if err := checkPAM(c); err != nil {
		return err
	}
	secret, err := pamSecret(c.Stdin)
	if err != nil {
		return cli.Unsure("cannot read the secret: %w", err)
	}
	a := o.attempt(os.Getenv("PAM_USER"), os.Getenv("PAM_SERVICE"), os.Getenv("PAM_RHOST"), os.Getenv("PAM_TTY"))
	var r verify.Result
	if split {
		r, err = o.judgeWhole(c, a, login.Secret{Combined: secret})
	} else {
		r, err = o.judgeCode(c, a, secret)
	}
	if errors.Is(err, fs.ErrPermission) && os.Geteuid() != 0 {
		return cli.Unsure("%w", err).Hint("sudo and su run PAM with the real user id of whoever called them: pam_exec needs seteuid there")
	}
	return answerHost(c, r, err)
}

// checkPAM wants to be called as pam_exec calls a program in a line of auth. Other
// callers may leave the type out. Where there is no secret, somebody of whom no
// code is asked can still pass.
func checkPAM(c *cli.Context) error {
	if kind, ok := os.LookupEnv("PAM_TYPE"); ok && kind != "auth" {
		return cli.Unsure("pam_exec calls for %q, where there is no code to judge", kind).
			Hint("'oathverify pam' goes into a line of /etc/pam.d that begins with auth")
	}
	if os.Getenv("PAM_USER") == "" {
		return cli.Unsure("PAM_USER is not set, so nobody is at the door").
			Hint("'oathverify USER' judges a code by hand")
	}
	info, err := c.Stdin.Stat()
	switch {
	case err != nil:
		return cli.Unsure("cannot read the secret: %w", err)
	case isNull(info):
		c.Warn("standard input is /dev/null, so the answer is empty")
		c.Hint("the line of pam_exec in /etc/pam.d needs expose_authtok")
	case info.Mode()&fs.ModeCharDevice != 0:
		return cli.Unsure("standard input is a terminal or another device, and no secret").
			Hint("'oathverify USER' judges a code by hand")
	}
	return nil
}

// isNull says whether a file is /dev/null, which pam_exec gives a program as its
// standard input unless the line has expose_authtok.
func isNull(info fs.FileInfo) bool {
	null, err := os.Stat(os.DevNull)
	if err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	of, known := null.Sys().(*syscall.Stat_t)
	return ok && known && info.Mode().Type() == null.Mode().Type() && st.Rdev == of.Rdev
}

// maxSecret is more than PAM ever asks for: PAM_MAX_RESP_SIZE is 512 bytes.
const maxSecret = 4096

// pamSecret is all of the input, which has no newline of its own at the end.
func pamSecret(r io.Reader) (string, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxSecret+1))
	defer clear(b)
	switch {
	case err != nil:
		return "", err
	case len(b) > maxSecret:
		return "", fmt.Errorf("it is longer than %d bytes", maxSecret)
	}
	secret := string(bytes.TrimSuffix(b, []byte("\n")))
	if strings.ContainsAny(secret, "\x00\n") {
		return "", errors.New("it is more than one line")
	}
	return secret, nil
}
