package cmd

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// A chat is a program on a terminal of its own, and somebody who reads what it
// shows and types answers.
type chat struct {
	t    *testing.T
	cmd  *exec.Cmd
	tty  *os.File
	in   chan string
	all  strings.Builder // what the terminal showed
	seen int             // up to where it was expected
}

// patience is how long a chat waits for what it expects.
const patience = 30 * time.Second

// talkTo starts the program on a terminal of 80 columns and 24 rows.
func talkTo(t *testing.T, cmd *exec.Cmd) *chat {
	t.Helper()
	return talkOn(t, 80, 24, cmd)
}

func talkOn(t *testing.T, columns, rows uint16, cmd *exec.Cmd) *chat {
	t.Helper()
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: columns, Rows: rows})
	if err != nil {
		t.Fatal(err)
	}
	c := &chat{t: t, cmd: cmd, tty: tty, in: make(chan string, 64)}
	t.Cleanup(func() { tty.Close(); _ = cmd.Process.Kill() })
	go func() {
		defer close(c.in)
		for b := make([]byte, 4096); ; {
			n, err := tty.Read(b)
			if n > 0 {
				c.in <- string(b[:n])
			}
			if err != nil { // EIO: the program has closed its side
				return
			}
		}
	}()
	return c
}

// expect waits for the text, which must come after what was expected before,
// and returns what came between.
func (c *chat) expect(text string) string {
	c.t.Helper()
	deadline := time.After(patience)
	for {
		if i := strings.Index(c.shown()[c.seen:], text); i >= 0 {
			between := c.shown()[c.seen : c.seen+i]
			c.seen += i + len(text)
			return between
		}
		select {
		case more, ok := <-c.in:
			if !ok {
				c.t.Fatalf("%v: %q was not shown, but\n%s", c.cmd.Args, text, c.shown())
			}
			c.all.WriteString(more)
		case <-deadline:
			c.t.Fatalf("%v: %q is not shown, but\n%s", c.cmd.Args, text, c.shown())
		}
	}
}

func (c *chat) shown() string { return strings.ReplaceAll(c.all.String(), "\r\n", "\n") }

// answer types a line once the question is there.
func (c *chat) answer(question, line string) string {
	c.t.Helper()
	between := c.expect(question)
	c.send(line + "\r")
	return between
}

func (c *chat) send(text string) {
	c.t.Helper()
	if _, err := c.tty.WriteString(text); err != nil {
		c.t.Fatal(err)
	}
}

// end waits for the program's end and wants this exit code.
func (c *chat) end(code int) {
	c.t.Helper()
	deadline := time.AfterFunc(patience, func() { _ = c.cmd.Process.Kill() })
	defer deadline.Stop()
	for more := range c.in {
		c.all.WriteString(more)
	}
	_ = c.cmd.Wait()
	if got := c.cmd.ProcessState.ExitCode(); got != code {
		c.t.Fatalf("%v: exit code %d, want %d\n%s", c.cmd.Args, got, code, c.shown())
	}
}

// eventually waits until it is so.
func eventually(t *testing.T, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it has not come about")
		}
	}
}
