package cmd

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/oath"
)

// A machine is a Linux with a few users, on which oathkit is installed as the
// samples of configs/ expect it and the hosts' own programs run. Its /etc, /run,
// /var/lib, /var/log and /usr/local/sbin are folders of the test's, which the
// processes of the test alone see in their places: the real ones are never
// touched.
type machine struct {
	*lab
	tokens map[string]*token
	more   string // tables of the configuration that stay as they are
}

// people are the users of a machine, from uid 20001 on. All but the last have a
// token; all have the password that is their name, spelled backwards.
func people() []string { return []string{"alice", "bob", "carol", "nobodys"} }

const firstUID = 20001

// hostRealms asks everybody in pam, which is what the hooks judge, for a factor.
const hostRealms = "pam: pam\n\ttfa type=oath\n\n"

// patient lets wrong codes be tried without a delay.
const patient = "[lockout]\nfree = 100\nlock_at = 100\n"

func newMachine(t *testing.T) *machine {
	t.Helper()
	if os.Geteuid() != 0 {
		lacks(t, "not root")
	}
	need(t, "unshare")
	if out, err := exec.Command("unshare", "-m", "--pid", "--fork", "--kill-child", "--mount-proc", "true").CombinedOutput(); err != nil {
		lacks(t, fmt.Sprintf("no namespaces of its own: %s", out))
	}
	m := &machine{lab: newLab(t), tokens: map[string]*token{}}
	for dir := m.dir; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		m.do(os.Chmod(dir, 0o755)) // users must come through to their homes
	}
	for _, dir := range []string{
		"etc/oathkit", "etc/pam.d", "etc/ssh/sshd_config.d", "etc/sudoers.d", "run/sshd",
		"var/lib/sudo", "var/log", "usr/local/sbin", "home",
	} {
		m.do(os.MkdirAll(m.path(dir), 0o755))
	}
	m.write("domains.cfg", hostRealms)
	m.configure(patient)
	m.addPeople()
	m.addDebian()
	m.program("oathverify")
	return m
}

// lacks skips a test by hand, and fails it where nothing may be skipped.
func lacks(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

func (m *machine) do(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// configure writes oathkit.toml: the lab's paths, a table [lockout], and what the
// machine has more.
func (m *machine) configure(lockout string) {
	m.t.Helper()
	paths, _, _ := strings.Cut(m.read("oathkit.toml"), "[lockout]")
	m.write("oathkit.toml", paths)
	m.install("etc/oathkit/oathkit.toml", paths+lockout+m.more, 0o644)
	m.write("oathkit.toml", paths+lockout+m.more)
}

// install writes a file of the machine.
func (m *machine) install(name, text string, mode os.FileMode) {
	m.t.Helper()
	m.do(os.WriteFile(m.path(name), []byte(text), mode))
	m.do(os.Chmod(m.path(name), mode))
}

// sample installs a file of configs/ as it is.
func (m *machine) sample(sample, name string, mode os.FileMode) {
	m.t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "configs", sample))
	m.do(err)
	m.install(name, string(b), mode)
}

// program installs a program of ours where the samples look for it.
func (m *machine) program(name string) {
	m.t.Helper()
	b, err := os.ReadFile(filepath.Join(bin, name))
	m.do(err)
	m.install("usr/local/sbin/"+name, string(b), 0o755)
}

// addDebian copies what PAM reads on every Debian.
func (m *machine) addDebian() {
	m.t.Helper()
	for _, name := range []string{
		"pam.d/common-auth", "pam.d/common-account", "pam.d/common-password",
		"pam.d/common-session", "pam.d/common-session-noninteractive", "pam.d/sudo", "pam.d/su", "pam.d/su-l", "pam.d/other",
		"login.defs", "security/limits.conf", "security/pam_env.conf",
	} {
		b, err := os.ReadFile("/etc/" + name)
		if err != nil {
			lacks(m.t.(*testing.T), fmt.Sprintf("not a Debian: %v", err))
		}
		m.do(os.MkdirAll(filepath.Dir(m.path("etc/"+name)), 0o755))
		m.install("etc/"+name, string(b), 0o644)
	}
	m.install("etc/environment", "", 0o644)
	m.do(os.MkdirAll(m.path("etc/default"), 0o755))
	m.install("etc/default/locale", "", 0o644)
	name, err := os.Hostname()
	m.do(err)
	m.install("etc/hosts", "127.0.0.1 localhost "+name+"\n", 0o644)
}

func (m *machine) addPeople() {
	m.t.Helper()
	passwd := "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/:/usr/sbin/nologin\nsshd:x:100:65534::/run/sshd:/usr/sbin/nologin\nnobody:x:65534:65534::/:/usr/sbin/nologin\n"
	group := "root:x:0:\ndaemon:x:1:\nsasl:x:45:\ntty:x:5:\nnogroup:x:65534:\n"
	shadow := "root:*:1::::::\nsshd:*:1::::::\n"
	for i, name := range people() {
		uid, home := firstUID+i, m.path("home/"+name)
		m.do(os.Mkdir(home, 0o700))
		m.do(os.Chown(home, uid, uid))
		passwd += fmt.Sprintf("%s:x:%d:%d::%s:/bin/bash\n", name, uid, uid, home)
		group += fmt.Sprintf("%s:x:%d:\n", name, uid)
		shadow += fmt.Sprintf("%s:%s:1::::::\n", name, crypt(m.t, backwards(name)))
	}
	m.install("etc/passwd", passwd, 0o644)
	m.install("etc/group", group, 0o644)
	m.install("etc/shadow", shadow, 0o640)
}

// enrolPeople gives everybody but the last a token of HOTP, whose codes can be
// had at any time.
func (m *machine) enrolPeople() {
	m.t.Helper()
	all := people()
	for i, name := range all[:len(all)-1] {
		m.tokens[name] = newToken(m.t, i)
		m.enrol(name+"@pam", m.tokens[name], oath.HOTP)
	}
}

func (m *machine) code(name string) string { return m.tokens[name].hotp() }

func backwards(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}

// crypt is the password as shadow(5) has it.
func crypt(t testing.TB, password string) string {
	t.Helper()
	out, err := exec.Command("openssl", "passwd", "-6", "-salt", "salt", password).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// enter puts the machine's folders in their places, and then becomes a command.
const enter = `for d in etc run var/lib var/log usr/local/sbin; do mount --bind "$LAB/$d" "/$d" || exit 125; done; unset LAB; exec "$@"`

func (m *machine) within(unshare []string, words []string) *exec.Cmd {
	cmd := exec.Command("unshare", slices.Concat(unshare, []string{"sh", "-c", enter, "sh"}, words)...)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "LAB=" + m.dir, "TERM=xterm", "HOME=/root", "LC_ALL=C.UTF-8"}
	cmd.Dir = "/"
	return cmd
}

// on is a command on the machine, run by root.
func (m *machine) on(words ...string) *exec.Cmd { return m.within([]string{"-m"}, words) }

// as is a command on the machine, run by one of its users.
func (m *machine) as(user string, words ...string) *exec.Cmd {
	return m.on(slices.Concat([]string{"setpriv", "--reuid=" + user, "--regid=" + user, "--init-groups"}, words)...)
}

// must runs a command on the machine that has to succeed.
func (m *machine) mustOn(words ...string) string {
	m.t.Helper()
	r := finish(m.t, m.on(words...))
	if r.code != 0 {
		m.t.Fatalf("%v: exit code %d\n%s%s", words, r.code, r.out, r.err)
	}
	return r.out
}

// A daemon is a host's program that serves.
type daemon struct {
	m   *machine
	cmd *exec.Cmd
	log bytes.Buffer
}

// serve starts a daemon, which must stay in the foreground, waits until ready
// says that it listens, and ends it and all its processes with the test.
func (m *machine) serve(ready func() error, words ...string) *daemon {
	m.t.Helper()
	// A daemon that becomes another user loses the signal that would end it with
	// its parent, so that the first process of the namespace must be one that
	// stays what it is.
	first := append([]string{"sh", "-c", `"$@"; exit $?`, "sh"}, words...)
	d := &daemon{m: m, cmd: m.within([]string{"-m", "--pid", "--fork", "--kill-child", "--mount-proc"}, first)}
	d.cmd.Stdout, d.cmd.Stderr = &d.log, &d.log
	d.cmd.WaitDelay = time.Second // others may hold the pipe
	m.do(d.cmd.Start())
	ended := make(chan struct{})
	go func() { _ = d.cmd.Wait(); close(ended) }()
	m.t.Cleanup(func() {
		_ = d.cmd.Process.Kill() // takes its namespace of processes along
		<-ended
		if m.t.Failed() {
			m.t.Logf("%v said:\n%s", words, d.log.String())
		}
	})
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		select {
		case <-ended:
			m.t.Fatalf("%v has ended", words)
		default:
		}
		if err = ready(); err == nil {
			return d
		}
	}
	m.t.Fatalf("%v does not listen: %v", words, err)
	return nil
}

// freePort is a port of the loopback interface that nobody listens on.
func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// listens says whether something can be reached there.
func listens(network, address string) func() error {
	return func() error {
		c, err := net.DialTimeout(network, address, time.Second)
		if err == nil {
			c.Close()
		}
		return err
	}
}

// audited is the last line of the audit log, which must say all of these.
func (m *machine) audited(want ...string) {
	m.t.Helper()
	lines := strings.Split(strings.TrimSpace(m.read("audit.jsonl")), "\n")
	last := lines[len(lines)-1]
	for _, w := range want {
		if !strings.Contains(last, w) {
			m.t.Errorf("the audit log ends in\n%s\nwhich does not have %s", last, w)
		}
	}
}
