package cmd

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A host with a handler for SIGCHLD, one that ignores it, one that waits for any
// child, one without standard descriptors, one with threads: each finds
// everything as it was, and nobody finds a child that is not his.
func testPAMHabits(t *testing.T, h pamHost) {
	service := h.script("habits", `echo "ask code: "; read -r answer; [ "$answer" = "answer 123" ] && echo verdict accepted || echo verdict refused
`)
	for _, options := range []string{"", "-h", "-i", "-w", "-hw", "-c", "-ch", "-t 32", "-ht 32", "-it 32", "-wt 32"} {
		out := h.finish(h.command(strings.Fields(options), service, "alice", "123"))
		want := 1
		if strings.Contains(options, "32") {
			want = 32
		}
		if n := strings.Count(out, "authenticate 0\nsetcred 0\n"); n != want && strings.Count(out, "authenticate 0\n") != want {
			t.Errorf("%q: %d logins, want %d:\n%s", options, n, want, out)
		}
	}
	// Nor where the helper dies, goes on after its verdict, or never hears.
	for _, script := range []string{
		"kill -9 $$", "echo verdict accepted; exec >&- <&-; sleep 60", "exec <&-; echo ask a; sleep 0.1; echo ask b; exit", "exit",
	} {
		h.finish(h.command([]string{"-hw"}, h.script("habits", script+"\n"), "alice", "1", "2"))
	}
}

// The helper begins with nothing of the host's: no environment, no descriptor,
// no signal that is blocked or ignored, no terminal, no user but the effective.
func testPAMHelper(t *testing.T, h pamHost) {
	service := h.script("helper", `tr '\0' '\n' </proc/self/environ >&2
for fd in 0 1 2 3 4 5 6 7 8 9 50 51; do [ -e /proc/$$/fd/$fd ] && echo fd $fd >&2; done
while read -r line; do # without a process, for which dash would block signals
	case $line in Umask*|Uid*|Gid*|Groups*|Sig*) set -f; echo $line >&2;; esac
done </proc/$$/status
pwd >&2; echo "session $(cut -d ' ' -f 6,7 /proc/$$/stat)" >&2
echo verdict accepted
`)
	look := func(user string, words ...string) string {
		t.Helper()
		cmd := h.command([]string{"-i"}, service, user)
		if len(words) > 0 {
			cmd.Path = words[0]
			cmd.Args = append(words, cmd.Args...)
		}
		out := h.finish(cmd)
		if authenticated(t, out) != "0" {
			t.Fatal(out)
		}
		for _, leak := range []string{"LEAK", "SUDO_UID", "PATH=/usr/bin:/bin\n", "fd 3\n", "fd 4\n", "fd 5\n", "fd 50\n"} {
			if strings.Contains(out, "log "+leak) {
				t.Errorf("the helper has %q", leak)
			}
		}
		for _, want := range []string{
			"fd 0\n", "fd 1\n", "fd 2\n", "SigBlk: 0000000000000000\n", "SigIgn: 0000000000000000\n", "Umask: 0077\n", "/\n",
		} {
			if !strings.Contains(out, "log "+want) {
				t.Errorf("no %q of the helper in\n%s", want, out)
			}
		}
		if m := regexp.MustCompile(`log session (\d+) (\d+)`).FindStringSubmatch(out); m == nil || m[1] == "0" || m[2] != "0" {
			t.Errorf("session and terminal are %v", m)
		}
		return out
	}
	out := look("alice")
	id := fmt.Sprintf("log Uid: %[1]d %[1]d %[1]d %[1]d\n", os.Geteuid())
	if !strings.Contains(out, id) {
		t.Errorf("not %q in\n%s", id, out)
	}
	if os.Geteuid() != 0 {
		lacks(t, "not root")
	}
	// As su and sudo are: the user is the real one, root the effective one.
	need(t, "setpriv")
	out = look("alice", "/usr/bin/setpriv", "--ruid=12345", "--rgid=12346", "--egid=12346", "--groups=12347")
	for _, want := range []string{"Uid: 0 0 0 0\n", "Gid: 0 0 0 0\n", "Groups:\n"} {
		if !strings.Contains(out, "log "+want) {
			t.Errorf("no %q of the helper in\n%s", want, out)
		}
	}
	// And a host that is nobody much stays that.
	h.mustChmod(h.dir, 0o755)
	out = look("alice", "/usr/bin/setpriv", "--reuid=12345", "--regid=12346", "--groups=12347")
	if !strings.Contains(out, "log Uid: 12345 12345 12345 12345\n") || !strings.Contains(out, "log Gid: 12346 12346 12346 12346\n") {
		t.Error(out)
	}
}

func (p *pamLab) mustChmod(dir string, mode os.FileMode) {
	p.t.Helper()
	for ; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, mode); err != nil {
			p.t.Fatal(err)
		}
	}
}

// What a line of ours does in a stack, and that one where it does not belong
// fails.
func testPAMStacks(t *testing.T, h pamHost) {
	for _, verdict := range []string{"accepted", "ignored", "refused", "unsure"} {
		h.write(verdict, "while read -r line && [ -n \"$line\" ]; do :; done; echo verdict "+verdict+"\n", 0o644)
	}
	for _, tt := range []struct {
		stack         string
		auth, setcred int
	}{
		{"required:accepted", pamSuccess, pamSuccess},
		{"required:ignored", pamDenied, pamDenied},
		{"required:refused", pamAuth, pamDenied},
		{"required:unsure", pamUnavail, pamDenied},
		{"sufficient:accepted required:deny", pamSuccess, pamSuccess},
		{"sufficient:accepted", pamSuccess, pamSuccess},
		// Nobody gets in for whom no code was judged.
		{"sufficient:ignored", pamDenied, pamDenied},
		{"sufficient:refused", pamDenied, pamDenied},
		{"sufficient:unsure", pamDenied, pamDenied},
		{"sufficient:ignored required:deny", pamAuth, 17},
		{"sufficient:refused required:deny", pamAuth, 17},
		{"optional:ignored", pamDenied, pamDenied},
		{"requisite:ignored", pamDenied, pamDenied},
		{"requisite:ignored optional:ignored sufficient:ignored", pamDenied, pamDenied},
		// After a password, or a key that sshd has seen.
		{"requisite:permit required:accepted", pamSuccess, pamSuccess},
		{"requisite:permit required:ignored", pamSuccess, pamSuccess},
		{"requisite:permit required:refused", pamAuth, pamDenied},
		{"requisite:permit required:unsure", pamUnavail, pamDenied},
		{"requisite:deny required:accepted", pamAuth, 17},
		{"required:ignored required:permit", pamSuccess, pamSuccess},
		{"required:refused required:permit", pamAuth, pamDenied},
		{"required:unsure required:permit", pamUnavail, pamDenied},
	} {
		var text strings.Builder
		for line := range strings.FieldsSeq(tt.stack) {
			control, what, _ := strings.Cut(line, ":")
			if what == "permit" || what == "deny" {
				fmt.Fprintf(&text, "auth %s pam_%s.so\n", control, what)
				continue
			}
			fmt.Fprintf(&text, "auth %s MODULE config=%s\n", control, h.path(what))
		}
		h.service("stack", text.String())
		out := h.finish(h.command([]string{"-g"}, "stack", "alice"))
		if want := fmt.Sprintf("authenticate %d\nsetcred %d\n", tt.auth, tt.setcred); !strings.HasSuffix(out, want) {
			t.Errorf("%s: want\n%shave\n%s", tt.stack, want, out)
		}
	}
}

// The answer and what was shown are nowhere in the host's memory afterwards,
// whatever became of them.
func testPAMMemory(t *testing.T, h pamHost) {
	for _, script := range []string{
		"echo ask code; read -r a; echo verdict accepted\n",
		"echo ask code; read -r a; echo verdict refused\n",
		"echo ask code; exec <&-; kill -9 $$\n",
		"echo ask code; read -r a; echo nonsense\n",
		"printf 'tell the-%s-secret\\n' very; echo ask code; read -r a; echo verdict accepted\n",
	} {
		h.finish(h.command([]string{"-m"}, h.script("memory", script), "alice", "the-very-secret"))
	}
	h.finish(h.command([]string{"-m"}, h.script("memory", "echo ask code; read -r a; echo verdict refused\n"), "alice", "the-secret-of-\x01"))
}

// When the host dies the helper does, too, whatever it is at.
func testPAMHostDies(t *testing.T, h pamHost) {
	for _, script := range []string{helperPause, "trap '' TERM INT HUP; " + helperPause} {
		os.Remove(h.path("pid"))
		service := h.script("end", "echo $$ >"+h.path("pid")+"; echo ask code; "+script)
		_ = h.command(nil, service, "alice", "@die").Run()
		b, err := os.ReadFile(h.path("pid"))
		if err != nil {
			t.Fatal(err)
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
		if err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(30 * time.Second); syscall.Kill(pid, 0) == nil; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%q lives on", script)
			}
		}
	}
}

// A helper that neither speaks nor ends is ended; a person may take his time.
func testPAMDeadline(t *testing.T, h pamHost) {
	for name, tt := range map[string]struct{ script, want, why string }{
		"silent":             {helperPause, "9", "it took too long"},
		"later silent":       {"echo ask code; read -r a; " + helperPause, "9", "it took too long"},
		"half a line":        {"printf 'verdict acc'; " + helperPause, "9", "it took too long"},
		"verdict, no end":    {"echo verdict accepted; " + helperPause, "9", "it took too long"},
		"talk, slowly":       {"while sleep 0.3; do echo tell me; done\n", "9", "it took too long"},
		"complaints, slowly": {"while sleep 0.3; do echo oh >&2; done\n", "9", "it took too long"},
		"person, slow":       {"echo ask code; read -r a; echo verdict accepted\n", "0", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := h.in(t)
			began := time.Now()
			out := h.finish(h.command([]string{"-h"}, h.script("deadline-"+strings.Fields(name)[0], tt.script), "alice", "@sleep"))
			if got := authenticated(t, out); got != tt.want || !strings.Contains(out, tt.why) {
				t.Errorf("%s:\n%s", got, out)
			}
			if took := time.Since(began); took > 45*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}
