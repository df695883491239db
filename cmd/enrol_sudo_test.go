package cmd

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A sudoLab is a machine with a user jm who may run oathenroll through the real
// sudo, as configs/sudoers.d lets him. Its /etc and /usr/local/bin are folders
// of the test's, seen by its processes alone.
type sudoLab struct {
	enrolLab
	home string
}

const jmUID, jmGID, jmGroup = 12345, 12346, 12347

func newSudoLab(t *testing.T) sudoLab {
	t.Helper()
	if os.Geteuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("not root")
		}
		t.Skip("not root")
	}
	need(t, "unshare")
	need(t, "setpriv")
	if out, err := exec.Command("unshare", "-m", "true").CombinedOutput(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no mount namespace of its own: %s", out)
		}
		t.Skipf("no mount namespace of its own: %s", out)
	}
	l := sudoLab{enrolLab: newEnrolLab(t)}
	l.home = l.path("home")
	// Others must come through to the home of jm and to the program.
	for dir := l.dir; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		l.do(os.Chmod(dir, 0o755))
	}
	for _, dir := range []string{"home", "bin", "etc/oathkit", "etc/sudoers.d", "etc/pam.d"} {
		l.do(os.MkdirAll(l.path(dir), 0o755))
	}
	l.do(os.Chown(l.home, jmUID, jmGID))
	l.do(os.Chmod(l.home, 0o700))
	l.write("etc/passwd", fmt.Sprintf("root:x:0:0:root:/root:/bin/sh\njm:x:%d:%d:J M:%s:/bin/sh\nJM:x:4711:%[2]d::/:/bin/sh\n", jmUID, jmGID, l.home))
	l.write("etc/group", fmt.Sprintf("root:x:0:\njm:x:%d:\nfriends:x:%d:jm\n", jmGID, jmGroup))
	l.write("etc/shadow", "root:*:1::::::\njm:*:1::::::\n")
	l.write("etc/sudoers", "@includedir /etc/sudoers.d\n")
	l.write("etc/sudoers.d/oathenroll", read(t, "configs/sudoers.d/oathenroll"))
	l.write("etc/pam.d/sudo", "auth required pam_permit.so\naccount required pam_permit.so\nsession required pam_permit.so\n")
	for name, mode := range map[string]os.FileMode{
		"etc/passwd": 0o644, "etc/group": 0o644, "etc/sudoers": 0o440, "etc/sudoers.d/oathenroll": 0o440, "etc/pam.d/sudo": 0o644,
	} {
		l.do(os.Chmod(l.path(name), mode))
	}
	l.write("etc/oathkit/oathkit.toml", l.read("oathkit.toml"))
	program, err := os.ReadFile(filepath.Join(bin, "oathenroll"))
	l.do(err)
	l.do(os.WriteFile(l.path("bin/oathenroll"), program, 0o755))
	return l
}

func (l sudoLab) do(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// inside runs a shell's words with the lab's folders in their places, in the
// home of jm.
func (l sudoLab) inside(words string, env ...string) *exec.Cmd {
	cmd := exec.Command("unshare", "-m", "sh", "-c",
		`mount --bind "$LAB/etc" /etc && mount --bind "$LAB/bin" /usr/local/bin && cd "$LAB/home" && unset LAB && exec `+words)
	cmd.Env = append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LAB=" + l.dir, "TERM=xterm"}, env...)
	return cmd
}

// asJM runs words as the user.
func (l sudoLab) asJM(words string) *exec.Cmd {
	return l.inside("setpriv --reuid=jm --regid=jm --init-groups " + words)
}

// Through the real sudo a user enrols himself. The codes file is his.
func TestEnrolThroughSudo(t *testing.T) {
	need(t, "sudo")
	l := newSudoLab(t)
	c := talkTo(t, l.asJM("sudo /usr/local/bin/oathenroll mk AUTHENTICATOR"))
	key := l.enrolBySudo(c, "y")
	c.end(0)
	l.mustBe("jm@pam", 1, 8)
	file := filepath.Join(l.home, "jm_ITS Private Cloud_recovery_codes.txt")
	info, err := os.Stat(file)
	l.do(err)
	if st := info.Sys().(*syscall.Stat_t); st.Uid != jmUID || st.Gid != jmGID || info.Mode() != 0o600 {
		t.Errorf("the codes file is %d:%d %v", st.Uid, st.Gid, info.Mode())
	}
	if !strings.Contains(l.read("audit.jsonl"), fmt.Sprintf(`"by":"%d"`, jmUID)) {
		t.Errorf("the audit log does not say who it was:\n%s", l.read("audit.jsonl"))
	}
	// What sudoers does not list, it refuses; the number for SMS is asked for.
	for _, args := range []string{"-c /dev/null verify", "--user root@pam verify", "mk SMS --phone 123456"} {
		talkTo(t, l.asJM("sudo -n /usr/local/bin/oathenroll "+args)).end(1)
	}
	c = talkTo(t, l.asJM("sudo /usr/local/bin/oathenroll mk SMS"))
	c.answer("Phone number to receive SMS: ", "+1 (416) 555-0100")
	c.answer("\nCurrent code or recovery code: ", key.totp(0))
	c.answer("[y/N]: ", "n")
	c.expect("Verification code requested\n")
	c.answer("Enter the 6-digit Code to verify enrolment was successful: ", l.found("sms.text", sixDigits()))
	c.end(0)
	if got := l.read("sms.args"); got != "+14165550100\n" {
		t.Errorf("the gateway is asked for %q", got)
	}
	l.mustBe("jm@pam", 2, 8)
}

// enrolBySudo answers everything up to the end, and saves the codes or not.
func (l enrolLab) enrolBySudo(c *chat, save string) *token {
	l.t.Helper()
	c.answer("TOTP codes? [y/N]: ", "n")
	c.answer("security key? [y/N]: ", "y")
	c.expect("to scan the QR Code:\n")
	k := keyOf(l.t, c.expect("\n"))
	c.answer("text file? [y/N]: ", save)
	c.answer("enrolment was successful: ", k.totp(-1))
	c.expect("\nTOTP has been enabled\n")
	return k
}

// A wrong code leaves no codes file, either, and a file that is there, or a
// link, is left alone.
func TestEnrolThroughSudoLeavesNothing(t *testing.T) {
	l := newSudoLab(t)
	name := filepath.Join(l.home, "jm_ITS Private Cloud_recovery_codes.txt")
	begin := func() *chat {
		c := talkTo(t, l.sudo("jm", jmUID, "mk AUTHENTICATOR"))
		c.answer("TOTP codes? [y/N]: ", "n")
		c.answer("security key? [y/N]: ", "n")
		c.answer("text file? [y/N]: ", "y")
		return c
	}
	c := begin()
	c.expect("Written ")
	if _, err := os.Stat(name); err != nil {
		t.Error(err)
	}
	c.answer("enrolment was successful: ", "000000")
	c.expect("wrong code: the enrolment was not verified, and nothing has been activated")
	c.end(1)
	if _, err := os.Lstat(name); !os.IsNotExist(err) {
		t.Errorf("void codes are left: %v", err)
	}
	// As root the link would lead into a folder of root's.
	l.do(os.Symlink("/etc/oathkit/new", name))
	c = begin()
	c.expect("exists already, and a file is never overwritten")
	c.answer("text file? [y/N]: ", "n")
	c.answer("enrolment was successful: ", "000000")
	c.end(1)
	if _, err := os.Lstat(l.path("etc/oathkit/new")); !os.IsNotExist(err) {
		t.Errorf("the link was followed: %v", err)
	}
	// A folder where the user may not write.
	l.do(os.Remove(name))
	l.do(os.Chown(l.home, 0, 0))
	l.do(os.Chmod(l.home, 0o755))
	c = begin()
	c.expect("permission denied")
	c.answer("text file? [y/N]: ", "n")
	c.answer("enrolment was successful: ", "000000")
	c.end(1)
	if u := l.show("jm@pam"); u.found {
		t.Errorf("there is %+v", u)
	}
}

// sudo is the program as sudo runs it for a user.
func (l sudoLab) sudo(name string, uid int, args string) *exec.Cmd {
	return l.inside("/usr/local/bin/oathenroll "+args, "SUDO_USER="+name, fmt.Sprintf("SUDO_UID=%d", uid))
}

// Who is not who he says, or wants something else than his own, is refused.
func TestEnrolSudoRefusals(t *testing.T) {
	l := newSudoLab(t)
	l.must("", "mfactl", "enable", "root@pam")
	for _, tt := range []struct {
		name string
		uid  int
		args string
		code int
		want string
	}{
		{"jm", jmUID, "-c /dev/null verify", 2, `option "--config" is not for use under sudo`},
		{"jm", jmUID, "--user root@pam verify", 2, `option "--user" is not for use under sudo`},
		{"jm", 4711, "verify", 111, `whose uid is 12345, but SUDO_UID is 4711`},
		{"root", jmUID, "verify", 111, `whose uid is 0, but SUDO_UID is 12345`},
		{"12345", jmUID, "verify", 111, `SUDO_USER is "12345", which is user "jm"`},
		{"nobody-at-all", jmUID, "verify", 111, `the system knows no such user`},
		{"--help", jmUID, "verify", 111, `the system knows no such user`},
		{"", jmUID, "verify", 111, `SUDO_UID is set, but SUDO_USER is not`},
		{"JM", 4711, "verify", 1, `users "JM" and "jm" have one record`},
		{"jm", jmUID, "verify", 1, `you have no second factor, jm@pam`},
	} {
		c := talkTo(t, l.sudo(tt.name, tt.uid, tt.args))
		c.expect(tt.want)
		c.end(tt.code)
	}
	c := talkTo(t, l.inside("/usr/local/bin/oathenroll verify", "SUDO_USER=jm", "SUDO_UID=-1"))
	c.expect(`SUDO_UID is "-1", which is no number of a user`)
	c.end(111)
	// Root is root, also through sudo, and may name somebody.
	for _, env := range [][]string{nil, {"SUDO_UID=0", "SUDO_USER=root"}} {
		c = talkTo(t, l.inside("/usr/local/bin/oathenroll verify", env...))
		c.expect("Code: ")
		c.send("\x03")
		c.end(111)
	}
}

// sudo passes the user's limits on, but none that keeps the audit log, longer
// than any file of his, from being written. (The hard limit takes a capability
// that a container may lack.)
func TestEnrolLimitsAreNotTheUsers(t *testing.T) {
	l := newSudoLab(t)
	l.write("audit.jsonl", strings.Repeat("{}\n", 8<<10))
	c := talkTo(t, l.inside(`sh -c 'ulimit -S -f 16 && exec /usr/local/bin/oathenroll mk AUTHENTICATOR'`,
		"SUDO_USER=jm", fmt.Sprintf("SUDO_UID=%d", jmUID)))
	l.enrolBySudo(c, "n")
	c.end(0)
	if !strings.Contains(l.read("audit.jsonl"), `"event":"enrol","user":"jm@pam"`) {
		t.Error("the enrolment is not in the audit log")
	}
}

// What runs for the user gets nothing of the environment.
func TestEnrolChildrenHaveNoEnvironment(t *testing.T) {
	l := newSudoLab(t)
	need(t, "strace")
	c := talkTo(t, l.inside("strace -f -v -s 200 -e trace=execve -o trace /usr/local/bin/oathenroll mk AUTHENTICATOR",
		"SUDO_USER=jm", fmt.Sprintf("SUDO_UID=%d", jmUID), "MARK=here"))
	l.enrolBySudo(c, "y")
	c.end(0)
	var children int
	for line := range strings.Lines(l.read("home/trace")) {
		if !strings.Contains(line, "execve(") || strings.Contains(line, "oathenroll\", [\"/usr") {
			continue
		}
		children++
		if !strings.Contains(line, "], [])") && !strings.Contains(line, "], [] <unfinished") {
			t.Errorf("a child has an environment: %s", line)
		}
	}
	if children != 3 { // getent twice, and the one that writes
		t.Errorf("%d children:\n%s", children, l.read("home/trace"))
	}
}
