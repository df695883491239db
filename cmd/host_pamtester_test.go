package cmd

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"oathkit/pkg/oath"
)

// pamtester is a login through the service of that name in /etc/pam.d.
func (m *machine) pamtester(service string) hostLogin {
	return func(user, answer string) (bool, string) {
		cmd := m.on("pamtester", "-I", "rhost=192.0.2.7", "-I", "tty=pts/9", service, user, "authenticate")
		cmd.Stdin = strings.NewReader(answer + "\n")
		r := finish(m.t, cmd)
		return r.code == 0, r.out + r.err
	}
}

func TestPamtesterWithPamExec(t *testing.T) {
	need(t, "pamtester")
	m := newMachine(t)
	m.enrolPeople()
	m.sample("pam.d/exec/sshd", "etc/pam.d/sshd", 0o644)
	login := m.pamtester("sshd")
	m.letsInWhomItShould(login, `"service":"sshd"`, `"rhost":"192.0.2.7"`, `"tty":"pts/9"`)

	// Nobody is let in by his name: one that the system does not know, one that
	// is in another realm, one that is none.
	_, wrong := login("alice", "000000")
	for _, name := range []string{"mallory", "alice@pve", "-x y"} {
		if in, shown := login(name, "000000"); in || shown != wrong {
			t.Errorf("%s is in: %v, and is shown\n%s\ninstead of\n%s", name, in, shown, wrong)
		}
	}
	// An empty answer is one, and where nobody is asked it is enough.
	if in, shown := login("nobodys", ""); in {
		t.Errorf("an empty answer is enough:\n%s", shown)
	}
	m.audited(`"verdict":"not-enrolled"`)
	m.write("domains.cfg", labRealms)
	if in, shown := login("nobodys", ""); !in {
		t.Errorf("nobody is asked for a code, and is not let in:\n%s", shown)
	}
	m.audited(`"verdict":"not-required"`)
	if in, shown := login("alice", ""); in {
		t.Errorf("alice is let in without her code:\n%s", shown)
	}
}

func TestPamtesterSplit(t *testing.T) {
	m := newSplitMachine(t)
	m.sample("pam.d/exec/imap", "etc/pam.d/imap", 0o644)
	login := m.pamtester("imap")
	m.letsInWhomItShould(split(login), `"service":"imap"`, `"rhost":"192.0.2.7"`)
	m.needsPasswordToo(login)

	// Without a program that checks passwords the code alone is judged, and who
	// is asked for none has proved nothing.
	m.more = ""
	m.configure(patient)
	if in, shown := login("alice", "whatever"+m.code("alice")); !in {
		t.Errorf("the code is not judged:\n%s", shown)
	}
	m.audited(`"password":"not checked"`)
	m.write("domains.cfg", labRealms)
	if in, shown := login("nobodys", "sydobon"); in {
		t.Errorf("a password that nobody checked is enough:\n%s", shown)
	}
}

// Of many logins with one code one gets in; many people get in at once.
func TestPamtesterAtOnce(t *testing.T) {
	need(t, "pamtester")
	m := newMachine(t)
	m.sample("pam.d/exec/sshd", "etc/pam.d/sshd", 0o644)
	const n = 64
	var users, codes []string
	for i := range n {
		user := fmt.Sprintf("user%d", i)
		k := newToken(t, i)
		m.enrol(user+"@pam", k, oath.HOTP)
		users, codes = append(users, user), append(codes, k.hotp())
	}
	if in := m.allAtOnce(users, codes); in != n {
		t.Errorf("%d of %d people are in", in, n)
	}
	m.tokens["alice"] = newToken(t, n)
	m.enrol("alice@pam", m.tokens["alice"], oath.HOTP)
	if in := m.allAtOnce(slices.Repeat([]string{"alice"}, n), slices.Repeat([]string{m.code("alice")}, n)); in != 1 {
		t.Errorf("one code lets in %d times", in)
	}
}

// allAtOnce counts who is let in of those who come at one time.
func (m *machine) allAtOnce(users, codes []string) (in int) {
	m.t.Helper()
	login := m.pamtester("sshd")
	let := make([]bool, len(users))
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range users {
		all.Go(func() {
			<-start
			let[i], _ = login(users[i], codes[i])
		})
	}
	close(start)
	all.Wait()
	for _, ok := range let {
		if ok {
			in++
		}
	}
	return in
}
