package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	for _, options := range []string{"", "-h", "-i", "-w", "-e", "-hw", "-c", "-ch", "-t 32", "-ht 32", "-et 32", "-it 32", "-wt 32"} {
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
	helper := h.path("curious")
	if out, err := exec.Command("cc", "-Wall", "-Wextra", "-Werror", "-o", helper, "testdata/pam/helper.c").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	h.module = h.build("curious.so", helper)
	h.service("helper", "auth [default=ok] MODULE\n")
	look := func(words ...string) []string {
		t.Helper()
		cmd := h.command([]string{"-a"}, "helper", "alice")
		if len(words) > 0 {
			cmd.Path = words[0]
			cmd.Args = append(words, cmd.Args...)
		}
		out := h.finish(cmd)
		var said []string
		for line := range strings.Lines(out) {
			if text, ok := strings.CutPrefix(line, "log "); ok {
				said = append(said, strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r <= ' ' || r == '?' }), " "))
			}
		}
		if authenticated(t, out) != "0" {
			t.Fatal(out)
		}
		return said
	}
	const rest = `SigPnd: 0000000000000000
SigBlk: 0000000000000000
SigIgn: 0000000000000000
SigCgt: 0000000000000000
descriptor 0
descriptor 1
descriptor 2
folder /
leader 1
terminal 0`
	is := func(who string, said []string) {
		t.Helper()
		said = slices.DeleteFunc(said, func(line string) bool { return strings.HasPrefix(line, "SigQ:") })
		if got, want := strings.Join(said, "\n"), "Umask: 0077\n"+who+"\n"+rest; got != want {
			t.Errorf("the helper has\n%s\nwant\n%s", got, want)
		}
	}
	if os.Geteuid() != 0 {
		lacks(t, "not root")
	}
	need(t, "setpriv")
	const root = "Uid: 0 0 0 0\nGid: 0 0 0 0\nGroups:"
	is(root, look())
	// As su and sudo are: the user is the real one, root the effective one.
	is(root, look("/usr/bin/setpriv", "--ruid=12345", "--rgid=12346", "--egid=12346", "--groups=12347"))
	// And a host that is nobody much stays that.
	h.open()
	is("Uid: 12345 12345 12345 12345\nGid: 12346 12346 12346 12346\nGroups: 12347",
		look("/usr/bin/setpriv", "--reuid=12345", "--regid=12346", "--groups=12347"))
}

// open lets everybody use what is there, whatever the umask of the test is.
func (p *pamLab) open() {
	p.t.Helper()
	err := filepath.WalkDir(p.dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Chmod(path, 0o755))
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.mustChmod(p.dir, 0o755)
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
	secret := strings.Repeat("=", 80) + "the-very-secret-one"
	for name, script := range map[string]string{
		"accepted":  "echo ask code; read -r a; echo verdict accepted\n",
		"refused":   "echo ask code; read -r a; echo verdict refused\n",
		"gone":      "echo ask code; exec <&-; kill -9 $$\n",
		"malformed": "echo ask code; read -r a; echo nonsense\n",
		"shown":     "printf 'tell %03000d%s-very-secret-one\\n' 0 the; echo verdict accepted\n",
	} {
		t.Run(name, func(t *testing.T) {
			h := h.in(t)
			h.finish(h.command([]string{"-m"}, h.script("memory", script), "alice", secret))
		})
	}
	h.finish(h.command([]string{"-m"}, h.script("memory", "echo ask code; read -r a; echo verdict refused\n"), "alice", "\x01"+secret))
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
