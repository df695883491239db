package cmd

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"oathkit/pkg/oath"
)

// converse runs a program on a terminal of its own, types answer when the
// prompt is there, and returns all that the terminal showed.
func converse(t *testing.T, cmd *exec.Cmd, prompt, answer string) (code int, shown string) {
	t.Helper()
	tty, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	deadline := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
	defer deadline.Stop()
	var b strings.Builder
	typed := false
	for buf := make([]byte, 1024); ; {
		n, err := tty.Read(buf)
		b.Write(buf[:n])
		if !typed && strings.Contains(b.String(), prompt) {
			typed = true
			if _, err := tty.Write([]byte(answer)); err != nil {
				t.Fatal(err)
			}
		}
		if err != nil { // EIO: the program has closed its side
			break
		}
	}
	_ = cmd.Wait()
	return cmd.ProcessState.ExitCode(), b.String()
}

// On a terminal the code is asked for, and does not show.
func TestCodeIsAskedFor(t *testing.T) {
	l := newLab(t)
	k := newToken(t, 1)
	l.enrol("alice@pve", k, oath.HOTP)
	code := k.hotp()
	exit, shown := converse(t, l.command("oathverify", "alice@pve"), "One-time code: ", code+"\r")
	if exit != 0 || strings.Contains(shown, code) {
		t.Errorf("exit code %d, shown %q", exit, shown)
	}
	exit, shown = converse(t, l.command("oathverify", "alice@pve"), "One-time code: ", code+"\r")
	if exit != 1 || !strings.Contains(shown, "wrong code, or too many tries") {
		t.Errorf("the same code again: exit code %d, shown %q", exit, shown)
	}
	// An interrupt is no answer, and no failure of the user's.
	exit, shown = converse(t, l.command("oathverify", "alice@pve"), "One-time code: ", "\x03")
	if exit != 111 || !strings.Contains(shown, "was not answered") {
		t.Errorf("interrupted: exit code %d, shown %q", exit, shown)
	}
}
