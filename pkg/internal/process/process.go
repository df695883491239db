// Package process runs a program that the administrator named, to whom something
// secret is told: without a shell, by its absolute path, with a short input on one
// descriptor and nothing of this process's environment, until a deadline.
//
// What is promised: the input is neither in the arguments nor in the
// environment; at the deadline the program and all that it started are killed
// (unless they left its session); what it says on standard error comes back
// bounded, on one line, and without the secrets; and a program that ends well
// without having looked at its input is found out. Standard output is dropped
// unless it is asked for, there is no terminal, and the working directory is /.
//
// Left out: long input, and killing the program when this process is itself
// killed. Package os/exec is not used, for what it would add to the start of
// every program that links it.
package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// MaxInput is the longest input in bytes: what a pipe holds in any case, so that
// it can be written before the program runs.
const MaxInput = 4096

// maxSaid is how much of standard error is kept before it is cleaned, in bytes.
const maxSaid = 64 << 10

// linger is for how long its output is read after the program ended, should
// something that it started hold it open.
const linger = 200 * time.Millisecond

// A Command is one run of a program.
type Command struct {
	Argv    []string      // the program's absolute path and its arguments
	Input   []byte        // at most MaxInput bytes
	FD      int           // where the program reads the input: 0 or 3
	Timeout time.Duration // after which the program is killed
	Secrets []string      // what must not come back in Exit.Said
	Bare    bool          // an empty environment, without even PATH
	Keep    int           // how many bytes of standard output come back in Exit.Output; one more is an error. 0: none is wanted

	// Line, if it is not nil, is given each line of what Keep asks for as it
	// comes, without its newline, one after the other and the last before Run
	// returns. A line that is not whole is none.
	Line func(line string)
}

// An Exit is how a program ended.
type Exit struct {
	Code   int            // 0 to 255, and 0 with a Signal
	Signal syscall.Signal // that killed it; 0 if none did
	Read   bool           // it read its input, in part at least
	Said   string         // the end of its standard error, fit for a log
	Output string         // its standard output, where Command.Keep asked for it
}

// CheckArgv says whether argv can be run: the first word must be an absolute
// path, and none may hold a zero byte.
func CheckArgv(argv []string) error {
	switch {
	case len(argv) == 0:
		return errors.New("there is no program to run")
	case !strings.HasPrefix(argv[0], "/"):
		return fmt.Errorf("the program %q must be an absolute path", argv[0])
	}
	for _, word := range argv {
		if strings.ContainsRune(word, 0) {
			return fmt.Errorf("an argument of %q has a zero byte in it", argv[0])
		}
	}
	return nil
}

// Run runs the program until it ends. The error says why it could not be
// started, or that it was killed at the deadline or when ctx ended; it holds
// neither the input nor an argument.
func (c Command) Run(ctx context.Context) (Exit, error) {
	if err := CheckArgv(c.Argv); err != nil {
		return Exit{}, err
	}
	if len(c.Input) > MaxInput || c.FD != 0 && c.FD != 3 {
		return Exit{}, fmt.Errorf("%d bytes on descriptor %d cannot be given to %q", len(c.Input), c.FD, c.Argv[0])
	}
	if err := ctx.Err(); err != nil {
		return Exit{}, fmt.Errorf("%q was not run: %w", c.Argv[0], err)
	}
	input, err := filled(c.Input)
	if err != nil {
		return Exit{}, err
	}
	defer unix.Close(input)
	output, err := c.output()
	if err != nil {
		return Exit{}, err
	}
	said, pid, err := c.start(input, output.theirs)
	output.started()
	if err != nil {
		output.end()
		return Exit{}, fmt.Errorf("cannot run %q: %w", c.Argv[0], err)
	}
	defer said.Close()
	heard := make(chan []byte, 1)
	go func() { heard <- hear(said) }()

	why := c.await(ctx, pid)
	status := reap(pid)
	var e Exit
	switch {
	case status.Signaled():
		e.Signal = status.Signal()
	default:
		e.Code = status.ExitStatus()
	}
	if why == nil && e.Code == 0 && e.Signal == 0 {
		said.Close() // whoever still holds it has nothing to tell
	}
	enough := time.AfterFunc(linger, func() { said.Close() })
	e.Said = clean(<-heard, c.Secrets)
	enough.Stop()
	if left, err := unix.IoctlGetInt(input, unix.TIOCINQ); err == nil {
		e.Read = left < len(c.Input)
	}
	if e.Output, err = output.end(); why == nil && err != nil {
		why = fmt.Errorf("%q: %w", c.Argv[0], err)
	}
	return e, why
}

// filled is the reading end of a pipe that holds the input and then ends.
func filled(input []byte) (int, error) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return 0, fmt.Errorf("cannot make a pipe: %w", err)
	}
	_, err := unix.Write(p[1], input)
	if closed := unix.Close(p[1]); err == nil {
		err = closed
	}
	if err != nil {
		unix.Close(p[0])
		return 0, fmt.Errorf("cannot write to a pipe: %w", err)
	}
	return p[0], nil
}

// start starts the program and returns the end of its standard error that is
// ours.
func (c Command) start(input int, output *os.File) (said *os.File, pid int, err error) {
	null, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	if err != nil {
		return nil, 0, err
	}
	defer null.Close()
	said, theirs, err := os.Pipe()
	if err != nil {
		return nil, 0, err
	}
	defer theirs.Close()
	if output == nil {
		output = null
	}
	files := []uintptr{uintptr(input), output.Fd(), theirs.Fd()}
	if c.FD == 3 {
		files = []uintptr{null.Fd(), output.Fd(), theirs.Fd(), uintptr(input)}
	}
	pid, err = syscall.ForkExec(c.Argv[0], c.Argv, &syscall.ProcAttr{
		Dir:   "/",
		Env:   c.environment(),
		Files: files,
		// A session of its own: no terminal to ask on, and one number to kill.
		Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		said.Close()
		return nil, 0, err
	}
	return said, pid, nil
}

func (c Command) environment() []string {
	if c.Bare {
		return []string{}
	}
	return []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
}

// await waits until the program has ended, and kills it at the deadline. It does
// not reap: until then the number is the program's, so nobody else is killed.
func (c Command) await(ctx context.Context, pid int) error {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
		}
	}()
	timer := time.NewTimer(c.Timeout)
	defer timer.Stop()
	var why error
	select {
	case <-ended:
		return nil
	case <-timer.C:
		why = fmt.Errorf("%q did not end within %v and was killed", c.Argv[0], c.Timeout)
	case <-ctx.Done():
		why = fmt.Errorf("%q was killed: %w", c.Argv[0], ctx.Err())
	}
	_ = unix.Kill(-pid, unix.SIGKILL)
	<-ended
	return why
}

func reap(pid int) (status unix.WaitStatus) {
	for {
		if _, err := unix.Wait4(pid, &status, 0, nil); err != unix.EINTR {
			return status
		}
	}
}

// hear reads until the end or the deadline, and keeps the last of it.
func hear(f *os.File) []byte {
	var all []byte
	buf := make([]byte, 4096)
	for {
		n, err := f.Read(buf)
		if all = append(all, buf[:n]...); len(all) > 2*maxSaid {
			all = append(all[:0], all[len(all)-maxSaid:]...)
		}
		if err != nil {
			return all
		}
	}
}
