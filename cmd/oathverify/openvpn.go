package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"syscall"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/login"
	"oathkit/cmd/internal/request"
)

func (o *options) openvpnHook() *cli.Command {
	return o.hook(cli.Command{
		Name:    "openvpn",
		Args:    "FILE",
		Summary: "judge a login of OpenVPN: auth-user-pass-verify with via-file",
		Help: `FILE is what OpenVPN writes. Where the client has static-challenge, password and
code come apart; elsewhere they are one string, the code last.`,
		MinArgs: 1,
		MaxArgs: 1,
		Run:     o.openvpn,
	}, nil)
}

func (o *options) openvpn(c *cli.Context) error {
	r, err := readOpenVPN(c.Args[0])
	if err != nil {
		return cli.Unsure("%w", err)
	}
	rhost := cmp.Or(os.Getenv("untrusted_ip"), os.Getenv("untrusted_ip6"))
	result, err := o.judgeWhole(c, o.attempt(r.User, "openvpn", rhost, ""), secretOf(r))
	reason := login.Refusal
	if err != nil {
		reason = login.Fault
	}
	if name := os.Getenv("auth_failed_reason_file"); name != "" && !result.OK {
		if err := writeReason(name, reason); err != nil {
			c.Warn("the client is not told why: %v", err)
		}
	}
	return answerHost(c, result, err)
}

// secretOf is what came with the name.
func secretOf(r request.Request) login.Secret {
	if r.Apart {
		return login.Secret{Password: r.Password, Code: r.Code}
	}
	return login.Secret{Combined: r.Secret}
}

func readOpenVPN(name string) (request.Request, error) {
	f, err := openCallers(name, os.O_RDONLY, 0o077)
	if err != nil {
		return request.Request{}, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, request.MaxOpenVPN+1))
	if err != nil {
		return request.Request{}, err
	}
	r, err := request.ParseOpenVPN(b)
	if err != nil {
		return r, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}

// writeReason makes text all that is in the file, which OpenVPN has made.
func writeReason(name, text string) error {
	f, err := openCallers(name, os.O_WRONLY, 0o022)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Truncate(0); err != nil {
		return err
	}
	if _, err := f.WriteString(text); err != nil {
		return err
	}
	return f.Close()
}

// openCallers opens a file that must belong to whoever called this program, be
// it through sudo, and be his alone: one that root may open, and he may not, is
// never opened for him. Others must have none of the permissions in shut.
func openCallers(name string, flag int, shut uint32) (*os.File, error) {
	// Without O_NONBLOCK the opening of a named pipe would wait.
	f, err := os.OpenFile(name, flag|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	if err := checkCallers(f, shut); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

func checkCallers(f *os.File, shut uint32) error {
	var st syscall.Stat_t
	if err := syscall.Fstat(int(f.Fd()), &st); err != nil {
		return err
	}
	owner := strconv.Itoa(os.Geteuid())
	if uid, ok := os.LookupEnv("SUDO_UID"); ok {
		owner = uid
	}
	switch {
	case st.Mode&syscall.S_IFMT != syscall.S_IFREG:
		return errors.New("is no regular file")
	case strconv.FormatUint(uint64(st.Uid), 10) != owner:
		return fmt.Errorf("belongs to uid %d, and not to the one who calls (uid %s)", st.Uid, owner)
	case st.Mode&shut != 0:
		return fmt.Errorf("has mode %04o, and must be its owner's alone", st.Mode&0o777)
	case st.Nlink != 1:
		return errors.New("has a second name")
	}
	return nil
}
