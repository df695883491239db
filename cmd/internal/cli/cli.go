// Package cli is the frame that every program of the toolkit runs in: exit
// codes, messages, options, usage, prompts, tables and JSON.
//
// Standard output is data, standard error is talk, /dev/tty is conversation.
// Exit codes are the contract with scripts and hooks; only this package decides
// them, and a main function is os.Exit(cli.Main(command)).
package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
)

// The exit codes of every program.
const (
	ExitOK      = 0   // yes, or done
	ExitNo      = 1   // no: refused, not enrolled, faults found
	ExitMisused = 2   // used wrongly
	ExitUnsure  = 111 // could not find out: bad config, unreadable store, full disk
)

// Version is what --version prints. A release sets it with -ldflags -X.
var Version = "0.1.0-dev"

// A Command is a program, or one of a program's commands.
type Command struct {
	Name    string // "realmctl"; for a command of a program, the word that calls it
	Args    string // the operands as usage shows them: "REALM KEY VALUE"
	Summary string // one line, lower case, no full stop
	Help    string // paragraphs printed below the options; may be empty

	MinArgs int // fewest operands
	MaxArgs int // most operands; -1 means any number

	// Misused is the exit code for wrong usage; 0 means ExitMisused. A hook
	// whose hosts read 2 in their own way sets ExitUnsure.
	Misused int
	// Judges says that ExitOK lets somebody in, so that --help and --version,
	// which could be the name of whoever knocks, are ExitNo.
	Judges bool

	Flags    func(f *Flags)         // declares the options; may be nil
	Run      func(c *Context) error // nil for a program that only has commands
	Commands []*Command             // with Run: a first operand that names none of them is an operand

	// Own says that only the command's own options go after its name, and those
	// of the program before it, so that both may have one of the same name.
	Own bool
	// Verbatim says that the first operand ends the options: the operands are
	// a program with options of its own.
	Verbatim bool
}

// A Context is what a running command is given.
type Context struct {
	Name   string   // the program's name, for messages
	Args   []string // the operands
	Stdin  *os.File
	Stdout *bufio.Writer // flushed by Main; a failed write is ExitUnsure
	Stderr io.Writer
}

// Main runs the command on os.Args and returns the exit code. A panic is
// ExitUnsure, never Go's 2; what Go cannot recover dies by signal.
func Main(root *Command) (code int) {
	debug.SetTraceback("crash")
	noCore()

	c := &Context{Name: root.Name, Stdin: os.Stdin, Stdout: bufio.NewWriter(descriptor(1)), Stderr: descriptor(2)}
	defer func() {
		if p := recover(); p != nil {
			// The value may hold a secret, so only its type and the place are told.
			fmt.Fprintf(c.Stderr, "%s: error: internal fault (%T)\n%s", c.Name, p, place())
			code = ExitUnsure
		}
	}()

	err := run(root, c, os.Args[1:])
	if ferr := c.Stdout.Flush(); ferr != nil && !errors.Is(err, errStdout) {
		c.report(root, Unsure("cannot write standard output: %v", ferr))
		return ExitUnsure
	}
	return c.report(root, err)
}

// noCore keeps the secrets in memory out of a core dump. A limit of no bytes
// (RLIMIT_CORE) would not do: the kernel does not hold it against a dump that
// /proc/sys/kernel/core_pattern sends to a program.
func noCore() {
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_DUMPABLE, 0, 0)
}

// place is the stack without argument values, which could be secrets.
func place() string {
	var b strings.Builder
	for line := range strings.Lines(string(debug.Stack())) {
		if strings.HasPrefix(line, "\t") {
			line, _, _ = strings.Cut(line, " +0x")
			b.WriteString(strings.TrimRight(line, "\n") + "\n")
		}
	}
	return b.String()
}

func run(root *Command, c *Context, args []string) error {
	cmd := root
	chain := []*Command{root}
	f := newFlags(chain)
	for len(cmd.Commands) > 0 {
		if err := f.parse(args, true); err != nil {
			return err
		}
		if f.done(c, chain) {
			return told(root)
		}
		next, rest, err := cmd.next(root, f)
		if err != nil {
			return err
		}
		if next == nil {
			break
		}
		cmd, args = next, rest
		chain = append(chain, cmd)
		if cmd.Own {
			f = newFlags([]*Command{cmd})
		} else {
			f = newFlags(chain)
		}
	}
	if err := f.parse(args, cmd.Verbatim); err != nil {
		return err
	}
	if f.done(c, chain) {
		return told(root)
	}
	c.Args = f.operands
	// Operands are not repeated in these messages: one may be a key that
	// somebody gave on the command line by mistake.
	switch n := len(c.Args); {
	case n < cmd.MinArgs:
		return Misused("too few operands: usage is %q", synopsis(chain))
	case cmd.MaxArgs >= 0 && n > cmd.MaxArgs:
		return Misused("too many operands: usage is %q", synopsis(chain))
	}
	return cmd.Run(c)
}

// told is what comes of --help and --version.
func told(root *Command) error {
	if root.Judges {
		return ErrNo
	}
	return nil
}

// next is the command that the first operand names and what comes after it; nil
// where the operands are the command's own.
func (cmd *Command) next(root *Command, f *Flags) (*Command, []string, error) {
	rest := f.operands
	if cmd.Run != nil && (len(rest) == 0 || f.ended) {
		return nil, nil, nil
	}
	if len(rest) == 0 {
		return nil, nil, Misused("no command given").Hint("'%s --help' lists the commands", root.Name)
	}
	if next := find(cmd.Commands, rest[0]); next != nil || cmd.Run != nil {
		return next, rest[1:], nil
	}
	return nil, nil, unknownCommand(rest[0]).Hint("'%s --help' lists the commands", root.Name)
}

func unknownCommand(name string) *Failure {
	if len(name) > maxShown {
		return Misused("unknown command")
	}
	return Misused("unknown command %q", name)
}

func find(list []*Command, name string) *Command {
	for _, cmd := range list {
		if cmd.Name == name {
			return cmd
		}
	}
	return nil
}

// A descriptor is standard output or standard error, written past package os:
// that would turn a pipe whose reader has gone into death by SIGPIPE instead of
// an error, so that a host that does not listen to the talk would get no answer.
type descriptor int

func (d descriptor) Write(p []byte) (n int, err error) {
	for n < len(p) {
		m, err := syscall.Write(int(d), p[n:])
		if m > 0 {
			n += m
		}
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN: // somebody made the pipe non-blocking
			time.Sleep(time.Millisecond)
		case err != nil:
			return n, err
		case m == 0:
			return n, io.ErrShortWrite
		}
	}
	return n, nil
}
