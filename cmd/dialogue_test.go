package cmd

import (
	"os"
	"os/exec"
	ossignal "os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A signal at any question gives the terminal back as it was, off the page that
// has the secrets, and leaves nothing that was made for the enrolment.
func TestSignalAtAQuestion(t *testing.T) {
	// A signal that is ignored when the tests begin (nohup) would be in the
	// programs, too, and no shell could change that.
	taken := make(chan os.Signal, 1)
	ossignal.Notify(taken, syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM)
	defer ossignal.Stop(taken)
	questions := []string{"TOTP codes? [y/N]: ", "security key? [y/N]: ", "text file? [y/N]: ", "enrolment was successful: "}
	for i, last := range questions {
		for _, signal := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM} {
			l := newEnrolLab(t)
			// A shell that keeps the terminal, and says how it is.
			enroll := l.enroll("mk", "AUTHENTICATOR")
			enroll.Args[0] = enroll.Path
			sh := exec.Command("sh", append([]string{"-c", `trap "" HUP INT TERM; stty -a >before
(trap - HUP INT TERM; echo "pid=$(exec sh -c 'echo $PPID')."; exec "$@"); echo "exit=$?."; stty -a >after; echo the end`, "sh"}, enroll.Args...)...)
			sh.Env, sh.Dir = enroll.Env, enroll.Dir
			c := talkOn(t, 100, 50, sh)
			c.expect("pid=")
			pid := c.expect(".")
			for _, question := range questions[:i] {
				c.answer(question, "y")
			}
			c.expect(last)
			if err := exec.Command("kill", "-s", strings.TrimPrefix(signalName(signal), "SIG"), pid).Run(); err != nil {
				t.Fatal(err)
			}
			c.expect("exit=111.")
			c.expect("the end")
			c.end(0)
			if before, after := l.read("before"), l.read("after"); before != after {
				t.Errorf("%v at %q: the terminal was\n%sand is\n%s", signal, last, before, after)
			}
			if shown := c.shown(); strings.Count(shown, "\x1b[?1049h") != strings.Count(shown, "\x1b[?1049l") {
				t.Errorf("%v at %q: the page is still there", signal, last)
			}
			if files, _ := filepath.Glob(l.path("*recovery_codes*")); len(files) > 0 || l.show("jm@pam").found {
				t.Errorf("%v at %q: left are %q, %+v", signal, last, files, l.show("jm@pam"))
			}
		}
	}
}

func signalName(s syscall.Signal) string {
	return map[syscall.Signal]string{syscall.SIGHUP: "SIGHUP", syscall.SIGINT: "SIGINT", syscall.SIGTERM: "SIGTERM"}[s]
}
