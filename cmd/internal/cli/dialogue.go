package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/term"
)

// A Dialogue is several questions on /dev/tty, one after the other. What is
// typed ahead answers the next question. It is not for concurrent use.
type Dialogue struct {
	tty  *os.File
	term *term.Terminal
	page bool // the alternate screen is shown
}

// OpenDialogue opens /dev/tty. The error says that there is no terminal.
func OpenDialogue() (*Dialogue, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("no terminal to ask on: %w", err)
	}
	d := &Dialogue{tty: tty, term: term.NewTerminal(tty, "")}
	d.term.History = noHistory{} // an answer is nobody's to bring back
	return d, nil
}

// Close leaves the page, if there is one, and closes the terminal.
func (d *Dialogue) Close() {
	d.EndPage()
	_ = d.tty.Close()
}

// Size is the terminal's columns and rows; ok is false where it does not know.
func (d *Dialogue) Size() (columns, rows int, ok bool) { return TerminalSize(d.tty) }

// Say writes a line.
func (d *Dialogue) Say(format string, args ...any) error {
	return d.Write(fmt.Appendf(nil, format+"\n", args...))
}

// Write writes text as it is.
func (d *Dialogue) Write(text []byte) error {
	if _, err := d.tty.Write(text); err != nil {
		return fmt.Errorf("cannot write to the terminal: %w", err)
	}
	return nil
}

// Page turns to the alternate screen, of which no line goes into the
// terminal's memory of what has scrolled away. EndPage comes back from it with
// the page wiped.
func (d *Dialogue) Page() error {
	d.page = true
	return d.Write([]byte("\x1b[?1049h\x1b[H\x1b[2J"))
}

// EndPage comes back from the alternate screen.
func (d *Dialogue) EndPage() {
	if d.page {
		_ = d.Write([]byte("\x1b[H\x1b[2J\x1b[?1049l"))
		d.page = false
	}
}

// Ask asks a question whose answer shows.
func (d *Dialogue) Ask(prompt string) (string, error) {
	return d.line(func() (string, error) {
		d.term.SetPrompt(prompt)
		return d.term.ReadLine()
	})
}

// AskSecret asks a question whose answer does not show.
func (d *Dialogue) AskSecret(prompt string) (string, error) {
	return d.line(func() (string, error) { return d.term.ReadPassword(prompt) })
}

// AskYes asks until the answer is yes or no; nothing is no.
func (d *Dialogue) AskYes(prompt string) (bool, error) {
	for {
		answer, err := d.Ask(prompt + " [y/N]: ")
		if err != nil {
			return false, err
		}
		if yes, ok := YesNo(answer); ok {
			return yes, nil
		}
		if err := d.Say("Please answer y or n"); err != nil {
			return false, err
		}
	}
}

// YesNo reads y, yes, n, no in either case; nothing is no. ok is false for
// everything else.
func YesNo(s string) (yes, ok bool) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "y", "yes":
		return true, true
	case "", "n", "no":
		return false, true
	}
	return false, false
}

// line reads one line with the terminal raw, which is before the question is
// on it, so that a secret that is typed at once does not show. An interrupt is
// no answer.
func (d *Dialogue) line(read func() (string, error)) (string, error) {
	fd := int(d.tty.Fd())
	before, err := term.MakeRaw(fd)
	if err != nil {
		return "", fmt.Errorf("cannot turn off the terminal's echo: %w", err)
	}
	defer term.Restore(fd, before)
	if columns, rows, ok := d.Size(); ok {
		_ = d.term.SetSize(columns, rows)
	}
	answer, err := UnlessStopped(read)
	switch {
	case err == io.EOF:
		_, _ = d.tty.WriteString("\r\n")
		return "", errors.New("the question was not answered")
	case errors.Is(err, ErrStopped):
		_, _ = d.tty.WriteString("\r\n")
		return "", fmt.Errorf("the question was not answered: %w", err)
	case err != nil:
		return "", fmt.Errorf("cannot read from the terminal: %w", err)
	case len(answer) > maxAnswer:
		return "", fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
	}
	return answer, nil
}

// ErrStopped means that a signal came that would end the program.
var ErrStopped = errors.New("the program was told to end")

// UnlessStopped does what may take long, and returns what comes of it, or
// ErrStopped once a signal came. What was begun is then left to itself, for the
// end of the program is near.
func UnlessStopped[T any](do func() (T, error)) (T, error) {
	stop := make(chan os.Signal, 1)
	for _, s := range [...]os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM} {
		if !signal.Ignored(s) { // nohup(1)
			signal.Notify(stop, s)
		}
	}
	defer signal.Stop(stop)
	type result struct {
		of  T
		err error
	}
	done := make(chan result, 1)
	go func() {
		of, err := do()
		done <- result{of, err}
	}()
	select {
	case r := <-done:
		return r.of, r.err
	case <-stop:
		var none T
		return none, ErrStopped
	}
}

// noHistory keeps no answer.
type noHistory struct{}

func (noHistory) Add(string)    {}
func (noHistory) Len() int      { return 0 }
func (noHistory) At(int) string { return "" }
