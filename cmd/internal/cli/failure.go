package cli

import (
	"errors"
	"fmt"
)

// A Failure is an error with the exit code it means and, where there is
// something to do next, a hint. Any other error is ExitUnsure.
type Failure struct {
	Code  int
	Err   error
	Hints []string
}

func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Hint adds a line that says what to do next.
func (f *Failure) Hint(format string, args ...any) *Failure {
	f.Hints = append(f.Hints, fmt.Sprintf(format, args...))
	return f
}

// Refused is a failure with ExitNo.
func Refused(format string, args ...any) *Failure { return failure(ExitNo, format, args) }

// Misused is a failure with ExitMisused, or what Command.Misused says.
func Misused(format string, args ...any) *Failure { return failure(ExitMisused, format, args) }

// Unsure is a failure with ExitUnsure.
func Unsure(format string, args ...any) *Failure { return failure(ExitUnsure, format, args) }

func failure(code int, format string, args []any) *Failure {
	return &Failure{Code: code, Err: fmt.Errorf(format, args...)}
}

// ErrNo ends a command with ExitNo and no message: the answer was already given.
var ErrNo = errors.New("no")

// errStdout marks an error that came from writing standard output itself.
var errStdout = errors.New("cannot write standard output")

// StdoutError wraps an error of a write to Context.Stdout, so that it is
// reported once.
func StdoutError(err error) error { return fmt.Errorf("%w: %w", errStdout, err) }

// Warn tells of something that did not stop the command.
func (c *Context) Warn(format string, args ...any) { c.say("warning: ", format, args) }

// Hint tells what to do next.
func (c *Context) Hint(format string, args ...any) { c.say("hint: ", format, args) }

// Say writes a line of talk that is neither error nor warning.
func (c *Context) Say(format string, args ...any) { fmt.Fprintf(c.Stderr, format+"\n", args...) }

func (c *Context) say(kind, format string, args []any) {
	fmt.Fprintf(c.Stderr, "%s: %s%s\n", c.Name, kind, fmt.Sprintf(format, args...))
}

// report prints the error and returns its exit code.
func (c *Context) report(root *Command, err error) int {
	if err == nil {
		return ExitOK
	}
	if errors.Is(err, ErrNo) {
		return ExitNo
	}
	c.say("error: ", "%v", []any{err})
	var f *Failure
	if !errors.As(err, &f) {
		return ExitUnsure
	}
	for _, h := range f.Hints {
		c.Hint("%s", h)
	}
	if f.Code == ExitMisused {
		if len(f.Hints) == 0 {
			c.Hint("'%s --help' shows the usage", root.Name)
		}
		if root.Misused != 0 {
			return root.Misused
		}
	}
	return f.Code
}
