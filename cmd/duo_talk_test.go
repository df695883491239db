package cmd

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/duo/duotest"
	"oathkit/pkg/oath"
)

// On a terminal the ways to be asked are listed there.
func TestDuoOnATerminal(t *testing.T) {
	l, s := newDuoLab(t)
	c := talkTo(t, l.command("oathverify", "--json", "alice@pve"))
	c.expect("1. Push to XXX-XXX-0100")
	c.answer("Passcode or number (1-3): ", "000000")
	c.expect("Incorrect passcode. Please try again.")
	c.answer("Passcode or number (1-3): ", "1")
	c.expect("Pushed a login request to your device...")
	c.expect("Success. Logging you in...")
	c.expect(`"verdict": "accepted"`)
	c.end(0)
	if shown := c.shown(); strings.Contains(shown, "000000") {
		t.Errorf("the passcode was shown:\n%s", shown)
	}
	if os.Getuid() == 0 {
		c = talkTo(t, l.command("oathverify", "--explain", "nobody@pve"))
		c.expect("the verdict is not-enrolled (duo-enroll): Duo was asked")
		c.end(1)
	} else {
		c = talkTo(t, l.command("oathverify", "nobody@pve"))
		c.end(1)
	}
	c = talkTo(t, l.command("oathverify", "nobody@pve"))
	c.expect("https://api-test.duosecurity.com/portal?code=1234567890abcdef")
	c.end(1)
	c = talkTo(t, l.command("oathverify", "alice@pve"))
	c.expect("Passcode or number (1-3): ")
	c.send("\x03")
	c.end(1)
	if n := len(s.Requests()); n != 8 {
		t.Errorf("%d requests: %v", n, s.Paths())
	}
}

// A login without Duo runs no other program, and one with Duo runs one, whose
// arguments hold no secret.
func TestDuoIsRunForDuoAlone(t *testing.T) {
	need(t, "strace")
	l, s := newDuoLab(t)
	k := newToken(t, 1)
	l.enrol("dora@pam", k, oath.HOTP)
	execs := func(stdin string, args ...string) []string {
		t.Helper()
		verify := l.command("oathverify", args...)
		trace := l.path("trace")
		cmd := exec.Command("strace", append([]string{"-f", "-qq", "-v", "-s", "1000", "-o", trace, "-e", "trace=execve,socket,connect", verify.Path}, verify.Args[1:]...)...)
		cmd.Dir, cmd.Env, cmd.Stdin = l.dir, verify.Env, strings.NewReader(stdin)
		if r := finish(t, cmd); r.code != 0 {
			t.Fatalf("%v: exit code %d\n%s", args, r.code, r.err)
		}
		b, err := os.ReadFile(trace)
		if err != nil {
			t.Fatal(err)
		}
		var ran []string
		for line := range strings.Lines(string(b)) {
			if strings.Contains(line, "AF_INET") && !strings.Contains(string(b), "/oath-duo") {
				t.Errorf("%v: %s", args, line)
			}
			if strings.Contains(line, "execve(") && !strings.Contains(line, "= -1") {
				ran = append(ran, line)
			}
		}
		return ran
	}
	if ran := execs(k.hotp()+"\n", "dora@pam"); len(ran) != 1 {
		t.Errorf("a login without Duo ran %q", ran)
	}
	ran := execs("111111\n", "alice@pve")
	if len(ran) != 2 || !strings.Contains(ran[1], `"`+filepath.Join(bin, "oath-duo")+`"`) {
		t.Fatalf("a login with Duo ran %q", ran)
	}
	if strings.Contains(ran[1], "111111") || strings.Contains(ran[1], "tEsTkEy") || strings.Contains(ran[1], "alice") {
		t.Errorf("a secret can be seen in %s", ran[1])
	}
	if n := len(s.Requests()); n != 2 {
		t.Errorf("%d requests", n)
	}
}

// Through sshd and 'oathverify shell', which has sudo run the judge, it is the
// same talk. Where the person is Duo does not hear then: he could say anything.
func TestDuoThroughSSH(t *testing.T) {
	s := newShellMachine(t, "force-command.conf")
	server := duotest.Serve(t, time.Now)
	duoUsers(server)
	table, err := duoTable(server, s.dir)
	if err != nil {
		t.Fatal(err)
	}
	s.more = "[realm.pam]\nfactor = \"duo\"\n" + table
	s.configure(patient)
	s.program("oath-duo")
	s.start()
	c := s.session("alice", "echo in as $(id -un)")
	c.expect("Duo login of alice@pam")
	c.answer("Passcode or number (1-3): ", "1")
	c.expect("Pushed a login request to your device...")
	c.expect("Success. Logging you in...")
	c.expect("in as alice")
	c.end(0)
	s.audited(`"user":"alice@pam"`, `"service":"shell"`, `"rhost":"127.0.0.1"`, `"reason":"duo-push"`)
	for _, r := range server.Requests() {
		if at, said := r.Params["ipaddr"]; said {
			t.Errorf("%s was told the address %v", r.Path, at)
		}
	}
	// Whom Duo does not know, token or not, is told where to enrol.
	c = s.session("bob", "echo in as $(id -un)")
	c.expect("Enroll an authentication device to proceed")
	c.end(1)
}
