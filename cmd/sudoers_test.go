package cmd

import (
	"strings"
	"testing"
)

// What a sample of configs/sudoers.d lets a host's account run is one command
// with its exact arguments. Through none of them does the account choose the
// configuration, what root runs, or what root reads.
func TestSudoersAreExact(t *testing.T) {
	m := newMachine(t)
	const hook = "/usr/local/sbin/oathverify "
	for i, tt := range []struct{ sample, account, allowed string }{
		{"apache2", "www-data", hook + "pipe --service apache2"},
		{"dovecot", "dovecot", hook + "checkpassword /usr/lib/dovecot/checkpassword-reply"},
		{"freeradius", "freerad", hook + "radius"},
		{"openvpn", "openvpn", hook + "openvpn /dev/shm/openvpn_up_0123456789abcdef.tmp"},
		{"squid", "proxy", hook + "squid -c"},
	} {
		m.account(tt.account, 110+i)
		m.sudoer(tt.sample)
		if r := m.maySudo(tt.account, tt.allowed); r.code != 0 {
			t.Errorf("%s may not run %q: %s%s", tt.account, tt.allowed, r.out, r.err)
		}
		_, args, _ := strings.Cut(tt.allowed, " ")
		for _, words := range []string{
			"/bin/sh", hook, hook + "-c /tmp/x " + args, hook + args + " --any-realm", hook + args + " x", tt.allowed + "/../x",
			hook + "checkpassword /bin/sh", hook + "checkpassword /usr/lib/dovecot/checkpassword-reply x",
			hook + "openvpn /etc/shadow", hook + "openvpn /dev/shm/openvpn_up_0/../../etc/shadow.tmp", hook + "openvpn /dev/shm/openvpn_up_0.tmp x",
			"/usr/local/sbin/mfactl list", "-u nobody " + tt.allowed,
		} {
			if r := m.maySudo(tt.account, words); r.code == 0 && words != tt.allowed {
				t.Errorf("%s may run %q", tt.account, words)
			}
		}
	}
}

// maySudo asks sudo whether an account may run a command.
func (m *machine) maySudo(account, words string) run {
	m.t.Helper()
	return finish(m.t, m.as(account, append([]string{"sudo", "-n", "-l"}, strings.Fields(words)...)...))
}
