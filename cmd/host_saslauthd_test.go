package cmd

import (
	"os"
	"strings"
	"testing"
)

// splitting adds checkpassword-pam to the configuration, which says whether the
// part of a secret before the code is the password.
const splitting = "[login]\npassword = [\"/usr/local/sbin/checkpassword-pam\", \"oathkit\"]\n"

// newSplitMachine is a machine whose hooks get password and code as one string.
func newSplitMachine(t *testing.T) *machine {
	t.Helper()
	need(t, "pamtester")
	m := newMachine(t)
	m.more = splitting
	m.configure(patient)
	m.sample("checkpassword/checkpassword-pam", "usr/local/sbin/checkpassword-pam", 0o755)
	m.sample("pam.d/oathkit", "etc/pam.d/oathkit", 0o644)
	m.enrolPeople()
	return m
}

// split is a login with the user's password before the code.
func split(login hostLogin) hostLogin {
	return func(user, code string) (bool, string) { return login(user, backwards(user)+code) }
}

// needsPasswordToo goes through what --split adds: neither a wrong password nor a
// name that the system does not know is to be told from a wrong code, and a wrong
// password burns no code.
func (m *machine) needsPasswordToo(login hostLogin) {
	m.t.Helper()
	_, wrong := login("alice", "ecila000000")
	code := m.code("alice")
	for user, secret := range map[string]string{"alice": "xcila" + code, "mallory": "yrollam000000", "carol": ""} {
		in, shown := login(user, secret)
		if in || shown != wrong {
			m.t.Errorf("%s is in: %v, and is shown\n%s\ninstead of\n%s", user, in, shown, wrong)
		}
	}
	m.sameTime(login, attempt{"carol", "lorac000000"}, attempt{"carol", "xorac000000"})
	m.sameTime(login, attempt{"carol", "lorac000000"}, attempt{"mallory", "yrollam000000"})
	if in, shown := login("alice", "ecila"+code); !in {
		m.t.Errorf("a code that a wrong password came with is burnt:\n%s", shown)
	}
	m.audited(`"password":"held"`)
	// Nobody is asked for a code now who has none: the whole is the password.
	m.write("domains.cfg", labRealms)
	for secret, want := range map[string]bool{"sydobon": true, "sydobon000000": false, "": false} {
		if in, shown := login("nobodys", secret); in != want {
			m.t.Errorf("with the password %q, in is %v:\n%s", secret, in, shown)
		}
	}
	m.write("domains.cfg", hostRealms)
}

// The sample is a checkpassword program.
func TestCheckpasswordSample(t *testing.T) {
	m := newSplitMachine(t)
	const odd = ` a\b "c' $d * `
	m.install("etc/shadow", m.read("etc/shadow")+"odd:"+crypt(t, odd)+":1::::::\n", 0o640)
	m.install("etc/passwd", m.read("etc/passwd")+"odd:x:20100:20100::/:/bin/sh\n", 0o644)
	for _, tt := range []struct {
		input string
		code  int
	}{
		{"odd\x00" + odd + "\x000\x00", 42},
		{"alice\x00ecila\x000\x00", 42},
		{"alice\x00ecila\x00", 42},
		{"alice\x00ecilx\x000\x00", 1},
		{"alice\x00\x000\x00", 1},
		{"mallory\x00x\x000\x00", 1},
		{"alice\x00ecila\n\x000\x00", 1},
		{"alice\n\x00ecila\x000\x00", 1},
		{"-Iuser=alice\x00ecila\x000\x00", 1},
		{"\x00ecila\x000\x00", 1},
		{"alice", 2},
		{"", 2},
	} {
		r, w, err := os.Pipe()
		m.do(err)
		_, err = w.WriteString(tt.input)
		m.do(err)
		w.Close()
		cmd := m.on("/usr/local/sbin/checkpassword-pam", "oathkit", "/bin/sh", "-c", "exit 42")
		cmd.ExtraFiles = []*os.File{r}
		if got := finish(t, cmd); got.code != tt.code || got.out+got.err != "" {
			t.Errorf("%q: %+v, want exit code %d", tt.input, got, tt.code)
		}
		r.Close()
	}
}

func TestSaslauthd(t *testing.T) {
	need(t, "saslauthd")
	need(t, "testsaslauthd")
	m := newSplitMachine(t)
	m.do(os.MkdirAll(m.path("run/saslauthd"), 0o755))
	m.sample("saslauthd/saslauthd", "etc/default/saslauthd", 0o644)
	m.sample("pam.d/exec/imap", "etc/pam.d/imap", 0o644)
	m.serve(listens("unix", m.path("run/saslauthd/mux")), "sh", "-c",
		`. /etc/default/saslauthd && exec saslauthd -d -a $MECHANISMS $OPTIONS -n $THREADS`)
	login := func(user, secret string) (bool, string) {
		r := finish(t, m.on("testsaslauthd", "-u", user, "-p", secret, "-s", "imap"))
		return r.code == 0, r.out + r.err
	}
	m.letsInWhomItShould(split(login), `"service":"imap"`)
	m.needsPasswordToo(login)
}

// With -c, which is what Debian has, saslauthd does not ask again about what was
// right: a used code is good again. doctor says so.
func TestSaslauthdCache(t *testing.T) {
	need(t, "saslauthd")
	need(t, "testsaslauthd")
	m := newSplitMachine(t)
	m.do(os.MkdirAll(m.path("run/saslauthd"), 0o755))
	m.sample("saslauthd/saslauthd", "etc/default/saslauthd", 0o644)
	m.sample("pam.d/exec/imap", "etc/pam.d/imap", 0o644)
	if r := m.doctor("imap"); r.code != 0 || strings.Contains(r.out, "[cache]") {
		t.Errorf("the sample: %+v", r)
	}
	m.change("etc/default/saslauthd", `OPTIONS="-m`, `OPTIONS="-c -m`)
	m.examined("imap", 0, "/etc/default/saslauthd:14: warning: ", "[cache]")
	m.serve(listens("unix", m.path("run/saslauthd/mux")), "sh", "-c",
		`. /etc/default/saslauthd && exec saslauthd -d -a $MECHANISMS $OPTIONS -n $THREADS`)
	secret := backwards("alice") + m.code("alice")
	for range 2 {
		if r := finish(t, m.on("testsaslauthd", "-u", "alice", "-p", secret, "-s", "imap")); r.code != 0 {
			t.Errorf("%+v", r)
		}
	}
}
