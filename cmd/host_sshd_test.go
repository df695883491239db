package cmd

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// A sshMachine has sshd, and every user's key.
type sshMachine struct {
	*machine
	port string
}

func newSSHMachine(t *testing.T) *sshMachine {
	t.Helper()
	need(t, "sshd")
	need(t, "ssh")
	m := newMachine(t)
	s := &sshMachine{m, freePort(t)}
	for _, key := range []string{"etc/ssh/host", "id"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", m.path(key)).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen: %v\n%s", err, out)
		}
	}
	for i, name := range people() {
		m.do(os.Mkdir(m.path("home/"+name+"/.ssh"), 0o700))
		m.install("home/"+name+"/.ssh/authorized_keys", m.read("id.pub"), 0o600)
		m.do(os.Chown(m.path("home/"+name+"/.ssh"), firstUID+i, firstUID+i))
		m.do(os.Chown(m.path("home/"+name+"/.ssh/authorized_keys"), firstUID+i, firstUID+i))
	}
	m.sample("pam.d/exec/sshd", "etc/pam.d/sshd", 0o644)
	// What Debian has, on a port of the test's. Every login comes from one
	// address, and many at once.
	m.install("etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\nPort "+s.port+
		"\nListenAddress 127.0.0.1\nHostKey /etc/ssh/host\nPidFile none\nMaxStartups 200\nUseDNS no\n"+
		"KbdInteractiveAuthentication no\nUsePAM yes\nX11Forwarding yes\nPrintMotd no\nAcceptEnv LANG LC_*\n"+
		"Subsystem sftp /usr/lib/openssh/sftp-server\n", 0o644)
	m.install("askpass", "#!/bin/sh\nprintf '%s\\n' \"$CODE\"\n", 0o755)
	return s
}

// start starts sshd.
func (s *sshMachine) start() {
	s.t.Helper()
	s.serve(listens("tcp", "127.0.0.1:"+s.port), "/usr/sbin/sshd", "-D", "-e")
}

// options are those of ssh, scp, sftp and others for this machine.
func (s *sshMachine) options(more ...string) []string {
	list := []string{
		"-F", "/dev/null", "-i", s.path("id"), "-o", "IdentitiesOnly=yes", "-o", "LogLevel=ERROR",
		"-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=no",
		"-o", "NumberOfPasswordPrompts=1", "-o", "Port=" + s.port,
	}
	return append(list, more...)
}

// client is a program of ssh's family, which gives the code where it is asked.
func (s *sshMachine) client(code, prog string, args ...string) *exec.Cmd {
	cmd := exec.Command(prog, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "CODE=" + code, "SSH_ASKPASS=" + s.path("askpass"), "SSH_ASKPASS_REQUIRE=force"}
	return cmd
}

func (s *sshMachine) ssh(user, code string, words ...string) run {
	return finish(s.t, s.client(code, "ssh", append(s.options(user+"@127.0.0.1"), words...)...))
}

func TestSSHKeyAndCode(t *testing.T) {
	s := newSSHMachine(t)
	s.sample("sshd/publickey-code.conf", "etc/ssh/sshd_config.d/oathkit.conf", 0o644)
	s.start()
	s.enrolPeople()
	login := func(user, code string) (bool, string) {
		r := s.ssh(user, code, "id -un")
		return r.code == 0 && r.out == user+"\n", r.out + r.err
	}
	s.letsInWhomItShould(login, `"service":"sshd"`, `"rhost":"127.0.0.1"`, `"tty":"ssh"`)
	// Neither of the two is enough: no code is asked of whoever has no key, and
	// the password is no way around.
	before := strings.Count(s.read("audit.jsonl"), "\n")
	r := finish(t, s.client(s.code("alice"), "ssh", append(s.options("-o", "PubkeyAuthentication=no", "alice@127.0.0.1"), "true")...))
	if r.code != 255 || !strings.Contains(r.err, "Permission denied (publickey)") {
		t.Errorf("without a key: %+v", r)
	}
	if r := s.ssh("alice", "ecila", "true"); r.code != 255 {
		t.Errorf("with the password instead of a code: %+v", r)
	}
	if n := strings.Count(s.read("audit.jsonl"), "\n") - before; n != 1 {
		t.Errorf("%d answers were judged, want the one of whoever has the key", n)
	}
}

// What else goes through ssh does, with a code for each connection, and none
// without.
func TestSSHKeyAndCodeCopies(t *testing.T) {
	s := newSSHMachine(t)
	s.sample("sshd/publickey-code.conf", "etc/ssh/sshd_config.d/oathkit.conf", 0o644)
	s.start()
	s.enrolPeople()
	s.depot("alice")
	// The next code of a list answers each question.
	s.install("askpass", "#!/bin/sh\nhead -n 1 '"+s.path("codes")+"' && sed -i 1d '"+s.path("codes")+"'\n", 0o755)
	tunnel := func() error {
		// -W is a forwarding to sshd itself, which greets first.
		r := finish(t, s.client("", "ssh", append(s.options("-W", "127.0.0.1:"+s.port), "alice@127.0.0.1")...))
		if !strings.HasPrefix(r.out, "SSH-2.0-") {
			return fmt.Errorf("%+v", r)
		}
		return nil
	}
	all := s.copies("alice", "-o", "BatchMode=no") // which sftp -b would set
	all["forwarding"] = tunnel
	for name, do := range all {
		s.write("codes", "000000\n000000\n000000\n")
		if err := do(); err == nil {
			t.Errorf("%s works with a wrong code", name)
		}
		s.write("codes", s.code("alice")+"\n"+s.code("alice")+"\n"+s.code("alice")+"\n")
		if err := do(); err != nil {
			t.Errorf("%s with right codes: %v", name, err)
		}
	}
}
