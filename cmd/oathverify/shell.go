package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/converse"
	"oathkit/pkg/getent"
)

// sudo is who lets a user's own process ask for his code: configs/sudoers.d.
const sudo = "/usr/bin/sudo"

// A shell stands before a user's shell: it asks for a code and becomes what the
// user wanted. It runs as the user, who cannot read the store, so the judge is
// another process.
type shell struct {
	flags   *cli.Flags
	shell   string // the shell that a login shell becomes
	command string
	stdin   bool
}

func (o *options) shellHook() *cli.Command {
	var s shell
	return &cli.Command{
		Name:    "shell",
		Summary: "ask for a code, and become the user's shell or command",
		Help: `As ForceCommand of sshd it becomes what the client asked for, run by $SHELL.
With --shell it is a login shell, called by a script of two lines:

    #!/bin/sh
    exec /usr/local/sbin/oathverify shell --shell /bin/bash "$@"`,
		Own:   true,
		Flags: s.declare,
		Run: func(c *cli.Context) error {
			for _, name := range o.flags.Names() {
				if o.flags.Given(name) {
					return cli.Misused("option %q does not go with shell: the code is judged as 'sudo oathverify converse' does it", "--"+name)
				}
			}
			return s.run(c)
		},
	}
}

func (s *shell) declare(f *cli.Flags) {
	s.flags = f
	f.String(&s.shell, "shell", "PATH", "be a login shell, which becomes the one at PATH")
	f.String(&s.command, "c", "COMMAND", "with --shell: run this command")
	f.Bool(&s.stdin, "stdin", "where there is no terminal, the first line of standard input is the code")
}

func (s *shell) run(c *cli.Context) error {
	self, err := os.Executable()
	if err != nil {
		return cli.Unsure("cannot find the program's own file: %w", err)
	}
	path, argv, env, err := s.becomes(self)
	if err != nil {
		return err
	}
	if err := s.ask(c, self); err != nil {
		return err
	}
	return cli.Unsure("cannot run %q: %w", path, syscall.Exec(path, argv, env))
}

// becomes is what is run for whoever is let in.
func (s *shell) becomes(self string) (path string, argv, env []string, err error) {
	path, env = os.Getenv("SHELL"), os.Environ()
	command, has := os.LookupEnv("SSH_ORIGINAL_COMMAND")
	switch login := s.flags.Given("shell"); {
	case login:
		path, command, has = s.shell, s.command, s.flags.Given("c")
		env = append(without(env, "SHELL"), "SHELL="+path)
	case s.flags.Given("c"):
		return "", nil, nil, cli.Misused("option %q goes with --shell: without it, sshd has the command in SSH_ORIGINAL_COMMAND", "-c")
	case path == "":
		path = "/bin/sh"
	}
	if !filepath.IsAbs(path) {
		return "", nil, nil, cli.Misused("the shell is %q, which is no absolute path", path)
	}
	own, err := os.Stat(self)
	if err != nil {
		return "", nil, nil, cli.Unsure("%w", err)
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", nil, nil, cli.Unsure("the shell: %w", err)
	case os.SameFile(own, info):
		return "", nil, nil, cli.Misused("the shell is %q, which is this program", path).
			Hint("as a login shell it is called with --shell, by a script such as configs/sshd/oathshell")
	}
	if has {
		return path, []string{filepath.Base(path), "-c", command}, env, nil
	}
	return path, []string{"-" + filepath.Base(path)}, env, nil
}

func without(env []string, name string) []string {
	var list []string
	for _, v := range env {
		if len(v) <= len(name) || v[:len(name)+1] != name+"=" {
			list = append(list, v)
		}
	}
	return list
}

// ask has the judge ask the user, and returns nil if he is to be let in.
func (s *shell) ask(c *cli.Context, self string) error {
	argv := []string{sudo, "-n", self, "converse"}
	head := converse.Head{Service: "shell", RHost: before(os.Getenv("SSH_CONNECTION"), ' '), TTY: os.Getenv("SSH_TTY")}
	if os.Getuid() == 0 { // sudo says of nobody that he is root
		root, err := getent.Lookup(context.Background(), strconv.Itoa(os.Getuid()))
		if err != nil {
			return cli.Unsure("cannot tell who root is: %w", err)
		}
		argv, head.User = argv[2:], root.Name
	}
	p := &bystander{c: c, stdin: s.stdin}
	defer p.close()
	verdict, err := judgedBy(argv, head, p)
	switch {
	case err != nil:
		return cli.Unsure("%w", err).
			Hint("users need the line of configs/sudoers.d/oathverify; 'sudo -l' shows whether it is there for %q", self)
	case verdict == converse.Accepted, verdict == converse.Ignored:
		return nil
	case verdict != converse.Refused:
		return cli.Unsure("whether the code is right could not be found out")
	case errors.Is(p.err, errNoTerminal):
		return cli.Refused("%w", p.err).
			Hint("log in on a terminal first, and let other sessions share that connection: ssh_config(5), ControlMaster")
	case p.err != nil:
		return cli.Refused("%w", p.err)
	}
	return cli.ErrNo
}

func before(s string, end byte) string {
	for i := range len(s) {
		if s[i] == end {
			return s[:i]
		}
	}
	return s
}

// judgedBy runs the judge and carries what it says to the person. It is given
// nothing of this process: not its environment, which is the user's, and not its
// terminal, whose interrupt must not end a judgement half way.
func judgedBy(argv []string, head converse.Head, p converse.Person) (converse.Verdict, error) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return converse.Unsure, err
	}
	defer null.Close()
	theirIn, toJudge, err := os.Pipe()
	if err != nil {
		return converse.Unsure, err
	}
	defer toJudge.Close()
	fromJudge, theirOut, err := os.Pipe()
	if err != nil {
		theirIn.Close()
		return converse.Unsure, err
	}
	defer fromJudge.Close()
	judge, err := os.StartProcess(argv[0], argv, &os.ProcAttr{
		Dir: "/", Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"},
		Files: []*os.File{theirIn, theirOut, null}, Sys: &syscall.SysProcAttr{Setsid: true},
	})
	theirIn.Close()
	theirOut.Close()
	if err != nil {
		return converse.Unsure, fmt.Errorf("cannot run %q: %w", argv[0], err)
	}
	verdict, err := converse.Carry(fromJudge, toJudge, head, p)
	toJudge.Close() // whatever it waits for will not come
	fromJudge.Close()
	state, werr := judge.Wait()
	switch opens := verdict == converse.Accepted || verdict == converse.Ignored; {
	case err != nil:
		return converse.Unsure, fmt.Errorf("%q gave no verdict: %w", argv[0]+" "+argv[len(argv)-1], err)
	case werr != nil:
		return converse.Unsure, werr
	case opens && !state.Success():
		return converse.Unsure, fmt.Errorf("%q says %s, but failed: %v", argv[0], verdict, state)
	}
	return verdict, nil
}
