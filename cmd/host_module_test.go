package cmd

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"

	"oathkit/pkg/oath"
)

// moduleSample installs a sample for the PAM module, which is built as for a
// system of ours, but stays in a folder of the test's.
func (m *machine) moduleSample(name string) {
	m.t.Helper()
	t := m.t.(*testing.T)
	module := newPAMLab(t).build("pam_oathkit.so", "/usr/local/sbin/oathverify")
	(&pamLab{t, m.dir}).mustChmod(strings.TrimSuffix(module, "/pam_oathkit.so"), 0o755)
	text, err := os.ReadFile("../configs/pam.d/module/" + name)
	m.do(err)
	// nodelay spares the tests two seconds after each refusal.
	m.install("etc/pam.d/"+name, strings.NewReplacer(" pam_oathkit.so", " "+module, " pam_unix.so", " pam_unix.so nodelay",
		" pam_faildelay.so", " pam_permit.so").Replace(string(text)), 0o644)
}

// Through the module sshd asks for the code in its own words, and whoever needs
// none gets in with the key.
func TestSSHWithPAMModule(t *testing.T) {
	s := newSSHMachine(t)
	s.moduleSample("sshd")
	s.sample("sshd/publickey-code.conf", "etc/ssh/sshd_config.d/oathkit.conf", 0o644)
	s.start()
	s.enrolPeople()
	s.mustOn("oathverify", "doctor", "sshd")
	s.install("askpass", "#!/bin/sh\nprintf '%s\\n' \"$1\" >&2; printf '%s\\n' \"$CODE\"\n", 0o755)
	login := func(user, code string) (bool, string) {
		r := s.ssh(user, code, "id -un")
		in := r.code == 0 && r.out == user+"\n"
		if in && !strings.Contains(r.err, "One-time code:") {
			t.Errorf("asked is %q", r.err)
		}
		return in, r.out + r.err
	}
	s.letsInWhomItShould(login, `"service":"sshd"`, `"rhost":"127.0.0.1"`, `"tty":"ssh"`)
	s.write("domains.cfg", "pam: pam\n\tcomment asks nobody\n\n")
	if r := s.ssh("nobodys", "", "id -un"); r.code != 0 || strings.Contains(r.err, "code") {
		t.Errorf("who needs no code: %+v", r)
	}
	if r := s.ssh("alice", "000000", "id -un"); r.code == 0 {
		t.Errorf("who has a factor: %+v", r)
	}
}

// sudo asks for the password and then for the code. It runs with the user's real
// id, and the store is root's.
func TestSudoWithPAMModule(t *testing.T) {
	need(t, "sudo")
	m := newMachine(t)
	m.enrolPeople()
	m.moduleSample("sudo")
	m.mustOn("oathverify", "doctor", "sudo")
	m.install("etc/sudoers", "Defaults passwd_tries = 1\nALL ALL = (root) /usr/bin/id\n", 0o440)
	try := func(user, password, code string) (bool, string) {
		cmd := m.as(user, "sudo", "-S", "-k", "/usr/bin/id", "-u")
		cmd.Stdin = strings.NewReader(password + "\n" + code + "\n")
		r := finish(t, cmd)
		return r.code == 0 && r.out == "0\n", r.out + r.err
	}
	m.letsInWhomItShould(func(user, code string) (bool, string) { return try(user, backwards(user), code) }, `"service":"sudo"`)
	before := m.read("audit.jsonl")
	if in, shown := try("alice", "wrong", m.code("alice")); in || m.read("audit.jsonl") != before || strings.Contains(shown, "One-time") {
		t.Errorf("without the password: %v\n%s", in, shown)
	}
}

// A user who is enabled sees the QR code after the password, gets in with the
// password alone until his first right code, and then not any more.
func TestLoginEnrolsThroughPAMModule(t *testing.T) {
	need(t, "pamtester")
	m := newMachine(t)
	m.moduleSample("login")
	m.write("domains.cfg", "pam: pam\n\tcomment asks nobody\n\n")
	m.must("", "mfactl", "enable", "bob@pam") // makes the store
	m.mustOn("oathverify", "doctor", "login")
	login := func(password, code string) (bool, string) {
		return m.pamtester("login")("alice", password+"\n"+code)
	}
	is := func(password, code string, want bool, shows, hides string) {
		t.Helper()
		in, shown := login(password, code)
		if in != want || !strings.Contains(shown, shows) || hides != "" && strings.Contains(shown, hides) {
			t.Fatalf("in is %v; shown was\n%s", in, shown)
		}
	}
	is("ecila", "", true, "", "One-time code")
	m.must("", "mfactl", "enable", "alice@pam")
	is("ecila", "", true, "█", "")
	is("wrong", "", false, "", "█")
	is("ecila", "000000", false, "█", "")
	_, shown := login("ecila", "")
	found := regexp.MustCompile(`key: ([A-Z2-7]+)`).FindStringSubmatch(shown)
	if found == nil {
		t.Fatalf("no key in\n%s", shown)
	}
	key, err := oath.ParseKey(found[1])
	m.do(err)
	k := &token{key: key}
	is("ecila", k.totp(-1), true, "█", "wrong code")
	m.audited(`"verdict":"accepted"`, `"service":"login"`, `"tty":"pts/9"`)
	is("ecila", "", false, "wrong code, or too many tries", "█")
	is("ecila", k.totp(0), true, "One-time code", "█")
}

// Many wait at the prompt and answer at one moment: of those with one code one is
// in, and of those with a code each everybody is.
func TestPAMModuleAtOnce(t *testing.T) {
	need(t, "pamtester")
	m := newMachine(t)
	m.moduleSample("sshd")
	const many = 64
	var users []string
	var tokens []*token
	for i := range many {
		users, tokens = append(users, fmt.Sprintf("user%d", i)), append(tokens, newToken(t, i))
		m.enrol(users[i]+"@pam", tokens[i], oath.HOTP)
	}
	for round := range rounds(1, 20) {
		var codes []string
		for _, k := range tokens {
			codes = append(codes, k.hotp())
		}
		if n := m.togetherIn(users, codes); n != many {
			t.Errorf("%d of %d people are in", n, many)
		}
		if n := m.togetherIn(repeat(users[round], many), repeat(tokens[round].hotp(), many)); n != 1 {
			t.Errorf("one code lets in %d times", n)
		}
	}
}

// togetherIn lets everybody come to the prompt, gives all their answers, and
// counts who is in.
func (m *machine) togetherIn(users, codes []string) (in int) {
	m.t.Helper()
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	said := make([]string, len(users))
	codesOf := make([]int, len(users))
	for i := range users {
		ready.Add(1)
		done.Go(func() {
			cmd := m.on("pamtester", "sshd", users[i], "authenticate", "setcred")
			said[i], codesOf[i] = answerAtPrompt(cmd, codes[i], func() { ready.Done(); <-start })
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	for i, code := range codesOf {
		if code == 0 {
			in++
		} else if code != 1 || !strings.Contains(said[i], "wrong code, or too many tries\n") {
			m.t.Errorf("%s: exit code %d\n%s", users[i], code, said[i])
		}
	}
	return in
}

// answerAtPrompt runs a login, calls wait when the prompt is there, and answers.
func answerAtPrompt(cmd *exec.Cmd, answer string, wait func()) (string, int) {
	in, inErr := cmd.StdinPipe()
	out, outErr := cmd.StderrPipe() // pamtester asks there
	if inErr != nil || outErr != nil || cmd.Start() != nil {
		wait()
		return "cannot be started", -1
	}
	var said bytes.Buffer
	buf := make([]byte, 4096)
	for !bytes.Contains(said.Bytes(), []byte("One-time code: ")) {
		n, err := out.Read(buf)
		said.Write(buf[:n])
		if err != nil {
			break
		}
	}
	wait()
	_, _ = io.WriteString(in, answer+"\n")
	rest, _ := io.ReadAll(out)
	_ = cmd.Wait()
	return said.String() + string(rest), cmd.ProcessState.ExitCode()
}
