package cmd

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/oath"
)

// newShellMachine is a machine whose sessions begin with 'oathverify shell'.
// Nobody is asked for a code who has no token.
func newShellMachine(t *testing.T, dropIn string) *sshMachine {
	t.Helper()
	need(t, "sudo")
	s := newSSHMachine(t)
	s.write("domains.cfg", labRealms)
	s.install("etc/sudoers", "Defaults env_reset\nDefaults mail_badpass\nDefaults use_pty\n"+ // as in Debian
		"Defaults secure_path=\"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"\n"+
		"root ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n", 0o440)
	s.sample("sudoers.d/oathverify", "etc/sudoers.d/oathverify", 0o440)
	s.enrolPeople()
	s.sample("sshd/"+dropIn, "etc/ssh/sshd_config.d/oathkit.conf", 0o644)
	return s
}

// session opens a session on a terminal.
func (s *sshMachine) session(user string, more ...string) *chat {
	s.t.Helper()
	args := append(s.options("-tt", user+"@127.0.0.1"), more...)
	return talkTo(s.t.(*testing.T), s.client("", "ssh", args...))
}

// shellLogin is a session on a terminal, in which something is run. Where a code
// cannot be judged, none is asked for.
func (s *sshMachine) shellLogin(user, code string) (bool, string) {
	s.t.Helper()
	c := s.session(user, "echo in as $(id -un)")
	defer time.AfterFunc(patience, func() { _ = c.cmd.Process.Kill() }).Stop()
	answered := false
	for more := range c.in {
		c.all.WriteString(more)
		if !answered && strings.HasSuffix(c.shown(), "One-time code: ") {
			answered = true
			c.send(code + "\r")
		}
	}
	_ = c.cmd.Wait()
	return strings.Contains(c.shown(), "in as "+user) && c.cmd.ProcessState.ExitCode() == 0, c.shown()
}

func TestSSHForceCommand(t *testing.T) {
	s := newShellMachine(t, "force-command.conf")
	s.start()
	s.write("domains.cfg", hostRealms)
	s.letsInWhomItShould(s.shellLogin, `"service":"shell"`, `"rhost":"127.0.0.1"`, `"tty":"/dev/pts/`)

	// A session without a command is the user's login shell.
	c := s.session("alice")
	c.answer("One-time code: ", s.code("alice"))
	c.expect("$ ")
	c.send("echo $0 $SHELL; exit 7\r")
	c.expect("-bash /bin/bash\n")
	c.end(7)
	// An interrupt is no answer: nothing is judged, nobody is in.
	c = s.session("alice", "echo in")
	c.expect("One-time code: ")
	c.send("\x03")
	c.end(1)
	s.audited(`"user":"alice@pam"`, `"reason":"cancelled"`)
	if strings.Contains(c.shown(), "in\n") {
		t.Errorf("after an interrupt:\n%s", c.shown())
	}
	// Within a connection that a code has opened she is not asked again. Who
	// becomes somebody else in it is.
	c = s.session("alice", "export SSH_ORIGINAL_COMMAND='echo in again'; /usr/local/sbin/oathverify shell; su bob")
	c.answer("One-time code: ", s.code("alice"))
	c.expect("\nin again\n")
	c.answer("Password: ", "bob")
	c.answer("$ ", "/usr/local/sbin/oathverify shell")
	c.answer("One-time code: ", s.code("bob"))
	c.expect("\nin again\n")
	c.answer("$ ", "exec /usr/local/sbin/oathverify shell")
	c.expect("One-time code: ")
	c.send("\x03")
	c.end(1)
	s.audited(`"user":"bob@pam"`, `"reason":"cancelled"`)
	// Nothing goes around it.
	r := finish(t, s.client("", "ssh", s.options("-W", "127.0.0.1:"+s.port, "alice@127.0.0.1")...))
	if r.code == 0 || strings.Contains(r.out, "SSH-2.0") {
		t.Errorf("a port is forwarded: %+v", r)
	}
	if r := s.ssh("alice", "", "echo in"); r.code != 1 || r.out != "" || !strings.Contains(r.err, "no terminal to ask on") {
		t.Errorf("without a terminal: %+v", r)
	}
}

// copies are the programs that copy files through ssh. Each takes a file there
// and back.
func (s *sshMachine) copies(user string, more ...string) map[string]func() error {
	ssh := "ssh " + strings.Join(s.options(more...), " ")
	home, host := s.path("home/"+user), user+"@127.0.0.1"
	do := func(prog string, args ...string) error {
		cmd := s.client("", prog, args...)
		cmd.Env = append(cmd.Env, "GIT_SSH_COMMAND="+ssh, "GIT_CONFIG_NOSYSTEM=1")
		cmd.Dir = s.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%v: %w\n%s", args, err, out)
		}
		return nil
	}
	both := func(there, back func() error) func() error {
		return func() error {
			_ = os.Remove(s.path("back"))
			if err := there(); err != nil {
				return err
			}
			if err := back(); err != nil {
				return err
			}
			if got := s.read("back"); got != "cargo\n" {
				s.t.Errorf("what came back is %q", got)
			}
			return nil
		}
	}
	s.write("cargo", "cargo\n")
	s.write("batch", "put "+s.path("cargo")+" "+home+"/sftp\nget "+home+"/sftp "+s.path("back")+"\n")
	options := s.options(more...)
	return map[string]func() error{
		"scp": both(
			func() error { return do("scp", append(options, s.path("cargo"), host+":"+home+"/scp")...) },
			func() error { return do("scp", append(options, host+":"+home+"/scp", s.path("back"))...) }),
		"scp -O": both( // the protocol of old
			func() error {
				return do("scp", append(append([]string{"-O"}, options...), s.path("cargo"), host+":scp-o")...)
			},
			func() error {
				return do("scp", append(append([]string{"-O"}, options...), host+":scp-o", s.path("back"))...)
			}),
		"sftp": both(
			func() error { return do("sftp", append(options, "-b", s.path("batch"), host)...) },
			func() error { return nil }),
		"rsync": both(
			func() error { return do("rsync", "-e", ssh, s.path("cargo"), host+":rsync") },
			func() error { return do("rsync", "-e", ssh, host+":rsync", s.path("back")) }),
		"git": func() error {
			_ = os.RemoveAll(s.path("clone"))
			for _, args := range [][]string{
				{"clone", "-q", "ssh://" + host + home + "/depot", s.path("clone")},
				{"-C", s.path("clone"), "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "--allow-empty", "-m", "one"},
				{"-C", s.path("clone"), "push", "-q", "origin", "HEAD:main"},
			} {
				if err := do("git", args...); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// depot makes a git repository in the user's home.
func (s *sshMachine) depot(user string) {
	s.t.Helper()
	need(s.t.(*testing.T), "git")
	need(s.t.(*testing.T), "rsync")
	s.mustOn("setpriv", "--reuid="+user, "--regid="+user, "--clear-groups", "env", "HOME="+s.path("home/"+user),
		"git", "init", "-q", "--bare", s.path("home/"+user+"/depot"))
}

// scp, sftp, rsync and git go on working for who is not asked, and, in a
// connection that a code has opened, for who is.
func TestSSHForceCommandCopies(t *testing.T) {
	s := newShellMachine(t, "force-command.conf")
	s.start()
	s.depot("nobodys")
	for name, do := range s.copies("nobodys") {
		if err := do(); err != nil {
			t.Errorf("%s of a user who is not asked: %v", name, err)
		}
	}
	s.depot("alice")
	for name, do := range s.copies("alice") {
		if err := do(); err == nil {
			t.Errorf("%s works without a code", name)
		}
		s.audited(`"user":"alice@pam"`, `"reason":"cancelled"`)
	}

	// The socket's path must be short.
	dir, err := os.MkdirTemp("", "oathkit-ssh-")
	s.do(err)
	defer os.RemoveAll(dir)
	control := []string{"-o", "ControlPath=" + filepath.Join(dir, "c"), "-o", "ControlMaster=no"}
	master := talkTo(t, s.client("", "ssh", s.options("-tt", "-M", "-S", filepath.Join(dir, "c"), "alice@127.0.0.1")...))
	master.answer("One-time code: ", s.code("alice"))
	master.expect("$ ")
	for name, do := range s.copies("alice", control...) {
		if err := do(); err != nil {
			t.Errorf("%s in a connection that a code has opened: %v", name, err)
		}
		s.audited(`"user":"alice@pam"`, `"verdict":"accepted"`, `"reason":"same-connection"`)
	}
	s.voided(master, control)
}

// voided goes through what voids that a code has opened a connection.
func (s *sshMachine) voided(master *chat, control []string) {
	t := s.t.(*testing.T)
	inConnection := func() run {
		return finish(t, s.client("", "ssh", append(s.options(control...), "alice@127.0.0.1", "echo in")...))
	}
	kept, err := filepath.Glob(s.path("run/oathkit/connections/*"))
	s.do(err)
	if len(kept) != 1 {
		t.Fatalf("%d connections are remembered, want 1", len(kept))
	}
	for _, dir := range []string{filepath.Dir(kept[0]), kept[0]} {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", dir, info.Mode(), err)
		}
	}
	if r := inConnection(); r.out != "in\n" {
		t.Errorf("in the connection: %+v", r)
	}
	// Another connection is not this one, and another user's code not his.
	if r := s.ssh("alice", "", "echo in"); r.code != 1 || r.out != "" {
		t.Errorf("in another connection: %+v", r)
	}
	// What is not as it was written is nothing.
	text, err := os.ReadFile(kept[0])
	s.do(err)
	s.do(os.WriteFile(kept[0], append(text, '\n'), 0o600))
	if r := inConnection(); r.code != 1 || r.out != "" {
		t.Errorf("with another text: %+v", r)
	}
	s.do(os.WriteFile(kept[0], text, 0o600))
	s.do(os.Chown(kept[0], firstUID, firstUID))
	if r := inConnection(); r.code != 1 || r.out != "" {
		t.Errorf("with the user's own file: %+v", r)
	}
	s.do(os.Chown(kept[0], 0, 0))
	if r := inConnection(); r.out != "in\n" {
		t.Errorf("as it was: %+v", r)
	}
	// A reset voids it, and a code of the new key opens it again.
	s.must("", "mfactl", "disable", "alice@pam")
	s.tokens["alice"] = newToken(t, 99)
	s.enrol("alice@pam", s.tokens["alice"], oath.HOTP)
	if r := inConnection(); r.code != 1 || r.out != "" {
		t.Errorf("after a reset: %+v", r)
	}
	master.send("exit\r")
	master.end(0)
	// It is forgotten with the next one.
	c := s.session("alice", "echo in")
	c.answer("One-time code: ", s.code("alice"))
	c.expect("in\n")
	c.end(0)
	if _, err := os.Stat(kept[0]); !os.IsNotExist(err) {
		t.Errorf("a connection that has ended is remembered: %v", err)
	}
}

// With --stdin the code is the first line of the input, and the rest is the
// command's. What cannot be a code is not judged.
func TestSSHForceCommandStdin(t *testing.T) {
	s := newShellMachine(t, "force-command.conf")
	s.change("etc/ssh/sshd_config.d/oathkit.conf", "oathverify shell\n", "oathverify shell --stdin\n")
	s.start()
	give := func(user, input string) run {
		cmd := s.client("", "ssh", append(s.options(user+"@127.0.0.1"), "cat")...)
		cmd.Stdin = strings.NewReader(input)
		return finish(t, cmd)
	}
	if r := give("alice", s.code("alice")+"\nand the rest\n"); r.code != 0 || r.out != "and the rest\n" {
		t.Errorf("with a code: %+v", r)
	}
	if r := give("nobodys", "all of it\n"); r.code != 0 || r.out != "all of it\n" {
		t.Errorf("of a user who is not asked: %+v", r)
	}
	if r := give("alice", "000000\nthe rest\n"); r.code != 1 || r.out != "" || !strings.Contains(r.err, "wrong code, or too many tries") {
		t.Errorf("with a wrong code: %+v", r)
	}
	s.audited(`"reason":"wrong-code"`)
	for _, input := range []string{"", "\n", "C0644 6 cargo.txt\n", "\x00\x00\x00\x05\x01\x00\x00\x00\x03", strings.Repeat("1", 65) + "\n", s.code("alice")} {
		if r := give("alice", input); r.code != 1 || r.out != "" {
			t.Errorf("with %q: %+v", input, r)
		}
		s.audited(`"reason":"cancelled"`)
	}
}

func TestSSHLoginShell(t *testing.T) {
	s := newShellMachine(t, "login-shell.conf")
	s.sample("sshd/oathshell", "usr/local/sbin/oathshell", 0o755)
	s.start()
	s.install("etc/shells", "/bin/bash\n/usr/local/sbin/oathshell\n", 0o644)
	s.install("etc/passwd", strings.ReplaceAll(s.read("etc/passwd"), "::"+s.path("home/alice")+":/bin/bash", "::"+s.path("home/alice")+":/usr/local/sbin/oathshell"), 0o644)
	if in, shown := s.shellLogin("alice", s.code("alice")); !in {
		t.Errorf("a command: not in\n%s", shown)
	}
	if in, shown := s.shellLogin("alice", "000000"); in {
		t.Errorf("a wrong code: in\n%s", shown)
	}
	c := s.session("alice")
	c.answer("One-time code: ", s.code("alice"))
	c.expect("$ ")
	c.send("echo $0 $SHELL $-; exit 7\r")
	if flags := c.expect("\n-bash /bin/bash ") + c.expect("\n"); !strings.Contains(flags, "i") {
		t.Errorf("the shell is not interactive: %q", flags)
	}
	c.end(7)
	if r := s.ssh("alice", "", "echo in"); r.code != 1 || r.out != "" {
		t.Errorf("without a terminal: %+v", r)
	}
	s.depot("alice")
	for name, do := range s.copies("alice") {
		if do() == nil {
			t.Errorf("%s works without a code", name)
		}
	}
	// su is a login, too, and root does not give her code.
	c = talkTo(t, s.on("su", "-", "alice"))
	c.answer("One-time code: ", s.code("alice"))
	c.answer("$ ", "echo in as $(id -un); exit 7")
	c.expect("in as alice\n")
	c.end(7)
	c = talkTo(t, s.on("su", "-", "alice"))
	c.answer("One-time code: ", "000000")
	c.expect("wrong code, or too many tries")
	c.end(1)
}

// Root is asked without sudo, which says of nobody that he is root.
func TestShellOfRoot(t *testing.T) {
	m := newMachine(t)
	m.tokens["root"] = newToken(t, 1)
	m.enrol("root@pam", m.tokens["root"], oath.HOTP)
	for code, want := range map[string]int{m.code("root"): 42, "000000": 1} {
		c := talkTo(t, m.on("env", "SHELL=/bin/sh", "SUDO_UID=20001", "SUDO_USER=alice", "SSH_ORIGINAL_COMMAND=exit 42", "oathverify", "shell"))
		c.answer("One-time code: ", code)
		c.end(want)
		m.audited(`"user":"root@pam"`)
	}
}

// The samples may be for some users alone.
func TestSSHShellForSomeUsers(t *testing.T) {
	s := newShellMachine(t, "force-command.conf")
	for sample, line := range map[string]string{
		"force-command.conf": "# To ask some users only, put \"Match Group asked\" here, above everything else.\n",
		"login-shell.conf":   "# For some users only, put \"Match Group asked\" here, above everything else.\n",
	} {
		s.sample("sshd/"+sample, "etc/ssh/sshd_config.d/oathkit.conf", 0o644)
		s.change("etc/ssh/sshd_config.d/oathkit.conf", line, "Match Group alice\n")
		for user, want := range map[string]string{"alice": "disableforwarding yes", "bob": "disableforwarding no"} {
			got := s.mustOn("/usr/sbin/sshd", "-T", "-C", "user="+user+",host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22")
			if !strings.Contains(got, want+"\n") {
				t.Errorf("%s for %s: no %q", sample, user, want)
			}
		}
	}
}

// Called wrongly it lets nobody in.
func TestShellMisused(t *testing.T) {
	m := newMachine(t)
	self := "/usr/local/sbin/oathverify"
	for _, tt := range []struct {
		env, args, want string
	}{
		{"SHELL=/bin/bash", "shell -c id", `option "-c" goes with --shell`},
		{"SHELL=/bin/bash", "-c /dev/null shell", `option "--config" does not go with shell`},
		{"SHELL=" + self, "shell", "which is this program"},
		{"SHELL=x", "shell --shell " + self, "which is this program"},
		{"SHELL=bash", "shell", "no absolute path"},
		{"SHELL=/nonexistent", "shell", "no such file"},
		{"SHELL=/bin/bash", "shell id", "too many operands"},
		{"SHELL=/bin/sh SSH_ORIGINAL_COMMAND=id", "shell", "gave no verdict"}, // sudo lets nobody
	} {
		r := finish(t, m.as("alice", "sh", "-c", tt.env+" exec "+self+" "+tt.args))
		if r.code != 111 || r.out != "" || !strings.Contains(r.err, tt.want) {
			t.Errorf("%s %s: %+v", tt.env, tt.args, r)
		}
	}
}
