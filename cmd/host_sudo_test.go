package cmd

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Through pam_exec the code takes the place of sudo's password.
func TestSudoWithPamExec(t *testing.T) {
	need(t, "sudo")
	m := newMachine(t)
	m.enrolPeople()
	m.sample("pam.d/exec/sudo", "etc/pam.d/sudo", 0o644)
	m.install("etc/sudoers", "Defaults passwd_tries = 1\nALL ALL = (root) /usr/bin/id\n", 0o440)
	login := func(user, code string) (bool, string) {
		cmd := m.as(user, "sudo", "-S", "-k", "/usr/bin/id", "-u")
		cmd.Stdin = strings.NewReader(code + "\n")
		r := finish(t, cmd)
		return r.code == 0 && r.out == "0\n", r.out + r.err
	}
	m.letsInWhomItShould(login, `"service":"sudo"`)
	// Where the realm asks nobody, whoever has no factor needs nothing: doctor says so.
	m.write("domains.cfg", "pam: pam\n\tcomment asks nobody\n\n")
	m.examined("sudo", 1, "[nothing-checked]")
	if in, shown := login("nobodys", ""); !in {
		t.Errorf("what doctor says does not happen:\n%s", shown)
	}
	m.write("domains.cfg", hostRealms)
	// Run as the invoking user the hook can read nothing, refuses, and says why.
	cmd := m.as("alice", "env", "PAM_TYPE=auth", "PAM_USER=alice", "/usr/local/sbin/oathverify", "pam")
	cmd.Stdin = strings.NewReader(m.code("alice"))
	if r := finish(t, cmd); r.code != 111 || !strings.Contains(r.err, "pam_exec needs seteuid") {
		t.Errorf("run by the user himself: %+v", r)
	}
}

// With -i sudo asks for another service of PAM: what is said of sudo does not hold
// there before its file has the line that the samples name.
func TestSudoLoginShell(t *testing.T) {
	need(t, "sudo")
	m := newMachine(t)
	m.enrolPeople()
	m.moduleSample("sudo")
	debians, err := os.ReadFile("/etc/pam.d/sudo-i")
	if err != nil {
		lacks(t, "not a Debian: "+err.Error())
	}
	m.install("etc/pam.d/sudo-i", string(debians), 0o644)
	m.install("etc/sudoers", "Defaults passwd_tries = 1\nALL ALL = (root) ALL\n", 0o440)
	shell := func(code string) bool {
		cmd := m.as("alice", "sudo", "-S", "-k", "-i", "id", "-u")
		cmd.Stdin = strings.NewReader(backwards("alice") + "\n" + code + "\n")
		return strings.HasSuffix(finish(t, cmd).out, "0\n")
	}
	m.examined("sudo", 1, "/etc/pam.d/sudo-i: error: 'sudo -i' asks PAM for sudo-i: no line of this service asks for a code [other-service]")
	if !shell("000000") {
		t.Error("with Debian's own file sudo -i wants a code")
	}
	text := m.read("etc/pam.d/sudo-i")
	line := regexp.MustCompile(`(?m)^#     (auth include sudo)$`).FindStringSubmatch(m.read("etc/pam.d/sudo"))
	if line == nil || !strings.Contains(text, "@include common-auth") {
		t.Fatal("the sample does not say what to write instead of common-auth")
	}
	m.install("etc/pam.d/sudo-i", strings.Replace(text, "@include common-auth", line[1], 1), 0o644)
	m.examined("sudo", 0)
	sudos := m.read("etc/pam.d/sudo")
	m.install("etc/pam.d/sudo", strings.Replace(sudos, "auth       requisite", "auth sufficient", 1), 0o644)
	m.examined("sudo", 1, "[sufficient]")
	if strings.Contains(m.doctor("sudo").out, "other-service") {
		t.Error("what is wrong with one line of both services is said twice")
	}
	m.install("etc/pam.d/sudo", sudos, 0o644)
	if shell("000000") {
		t.Error("a wrong code is enough for sudo -i")
	}
	if !shell(m.code("alice")) {
		t.Error("with a right code sudo -i does not start")
	}
}
