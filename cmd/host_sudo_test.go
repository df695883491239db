package cmd

import (
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
	// Run as the invoking user the hook can read nothing, refuses, and says why.
	cmd := m.as("alice", "env", "PAM_TYPE=auth", "PAM_USER=alice", "/usr/local/sbin/oathverify", "pam")
	cmd.Stdin = strings.NewReader(m.code("alice"))
	if r := finish(t, cmd); r.code != 111 || !strings.Contains(r.err, "pam_exec needs seteuid") {
		t.Errorf("run by the user himself: %+v", r)
	}
}
