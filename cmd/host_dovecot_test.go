package cmd

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// dovecotFrame is what Debian's configuration has around the sample, with no
// waiting after a refusal, which the test would have to sit through.
const dovecotFrame = `protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
base_dir = /run/dovecot
state_dir = /var/lib/dovecot
log_path = /dev/stderr
mail_location = maildir:~/Maildir
auth_failure_delay = 0
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service imap-login {
  inet_listener imap {
    port = %s
  }
  inet_listener imaps {
    port = 0
  }
}
!include conf.d/*.conf
`

func (m *machine) dovecot() string {
	m.t.Helper()
	need(m.t.(*testing.T), "dovecot")
	m.account("dovecot", 110)
	m.account("dovenull", 111)
	m.account("mail", 8)
	m.sudoer("dovecot")
	m.folder("etc/dovecot/conf.d", 0)
	m.folder("var/lib/dovecot", 0)
	m.sample("dovecot/99-oathkit.conf", "etc/dovecot/conf.d/99-oathkit.conf", 0o644)
	port := freePort(m.t)
	m.install("etc/dovecot/dovecot.conf", fmt.Sprintf(dovecotFrame, port), 0o644)
	m.serve(listens("tcp", "127.0.0.1:"+port), "dovecot", "-F")
	return "127.0.0.1:" + port
}

// imap is a login to a server of IMAP, and what it answers to that.
func (m *machine) imap(address string) hostLogin {
	return func(user, secret string) (bool, string) {
		m.t.Helper()
		c, err := net.Dial("tcp", address)
		m.do(err)
		defer c.Close()
		m.do(c.SetDeadline(time.Now().Add(patience)))
		quote := func(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` }
		fmt.Fprintf(c, "a LOGIN %s %s\r\nb LOGOUT\r\n", quote(user), quote(secret))
		in := bufio.NewScanner(c)
		for in.Scan() {
			if answer, ok := strings.CutPrefix(in.Text(), "a "); ok {
				return strings.HasPrefix(answer, "OK "), answer
			}
		}
		m.t.Fatalf("no answer to a LOGIN: %v", in.Err())
		return false, ""
	}
}

func TestDovecot(t *testing.T) {
	m := newMachine(t)
	m.enrolPeople()
	login := m.imap(m.dovecot())
	m.letsInWhomItShould(login, `"service":"imap"`, `"rhost":"127.0.0.1"`)
	if in, answer := login("bob\"x", "1\\2"); in {
		t.Errorf("a strange name is in: %s", answer)
	}
}

// With a program that checks passwords, the person's password is both.
func TestDovecotWithPassword(t *testing.T) {
	m := newSplitMachine(t)
	m.needsPasswordToo(m.imap(m.dovecot()))
}
