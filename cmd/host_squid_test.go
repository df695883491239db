package cmd

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"oathkit/pkg/oath"
)

// squidFrame is what Debian's squid.conf has around the folder of the sample.
const squidFrame = `http_port 127.0.0.1:%s
visible_hostname proxy.example.org
cache_effective_user proxy
pid_filename none
cache_log stdio:/dev/stderr
access_log none
cache_store_log none
cache deny all
coredump_dir none
pinger_enable off
shutdown_lifetime 1 seconds
mime_table /usr/share/squid/mime.conf
err_page_stylesheet /dev/null
include /etc/squid/conf.d/*.conf
http_access deny all
`

// squid serves a machine's proxy, through the real sudo, and returns its address.
func (m *machine) squid() string {
	m.t.Helper()
	need(m.t.(*testing.T), "squid")
	need(m.t.(*testing.T), "curl")
	m.account("proxy", 13)
	m.sudoer("squid")
	m.do(os.MkdirAll(m.path("etc/squid/conf.d"), 0o755))
	m.sample("squid/oathkit.conf", "etc/squid/conf.d/oathkit.conf", 0o644)
	port := freePort(m.t)
	m.install("etc/squid/squid.conf", fmt.Sprintf(squidFrame, port), 0o644)
	m.serve(listens("tcp", "127.0.0.1:"+port), "squid", "-N", "-f", "/etc/squid/squid.conf")
	return "http://127.0.0.1:" + port
}

func TestSquid(t *testing.T) {
	m := newMachine(t)
	m.enrolPeople()
	proxy, web := m.squid(), origin(t)
	login := func(user, code string) (bool, string) {
		return curl(t, "-x", proxy, "-U", user+":"+code, web)
	}
	m.letsInWhomItShould(login, `"service":"squid"`, `"rhost":"127.0.0.1"`)
	if !strings.Contains(m.read("audit.jsonl"), `"password":"not checked"`) {
		t.Error("the audit log does not say that no password is checked")
	}

	// A login lasts: the same name and code again are not judged again.
	code := m.code("carol")
	for range 2 {
		if in, shown := login("carol", code); !in || !strings.Contains(shown, "welcome") {
			t.Errorf("carol is not in:\n%s", shown)
		}
	}
	// They are worth nothing elsewhere for as long as they are used here.
	if in, shown := curl(t, "--interface", "127.0.0.2", "-x", proxy, "-U", "carol:"+code, web); in {
		t.Errorf("carol is in two places:\n%s", shown)
	}
	if in, shown := login("alice%41 x", "1%2f\"3"); in || !strings.Contains(shown, "HTTP/1.1 407 ") {
		t.Errorf("a strange name is in:\n%s", shown)
	}
	m.audited(`"verdict":"rejected"`, `"reason":"bad name`)
}

// One process takes thousands of lines. Each is answered on its channel; the
// lines of one user are judged in the order in which they come, so that every
// code of HOTP is the next one; of two lines with one code the first gets in; and
// a line that makes no sense is the end of nothing.
func TestSquidManyLines(t *testing.T) {
	l := newLab(t)
	const users, codes = 20, 60
	var in strings.Builder
	want := map[string]string{}
	ask := func(line, answer string) {
		channel := strconv.Itoa(len(want))
		fmt.Fprintf(&in, "%s %s\n", channel, line)
		want[channel] = answer
	}
	var tokens []*token
	for i := range users {
		tokens = append(tokens, newToken(t, i))
		l.enrol(fmt.Sprintf("user%d@pam", i), tokens[i], oath.HOTP)
	}
	for range codes {
		for i, k := range tokens {
			code := k.hotp()
			ask(fmt.Sprintf("user%d %s 192.0.2.1", i, code), "OK")
			ask(fmt.Sprintf("USER%d%%40pam %s", i, code), "ERR")
		}
		ask("mallory 123456", "ERR")
		ask("mallory", "BH")
		ask("mallory "+strings.Repeat("1", 20<<10), "BH")
	}
	// No line leaves a file open.
	cmd := l.command("oathverify", "squid", "-c")
	cmd.Path, cmd.Args = "/bin/sh", append([]string{"sh", "-c", `ulimit -n 256 && exec "$@"`, "sh"}, cmd.Args...)
	cmd.Stdin = strings.NewReader(in.String() + "7 user0")
	r := finish(t, cmd)
	if r.code != 1 {
		t.Errorf("exit code %d, and 0 would let in whoever is called squid", r.code)
	}
	for line := range strings.Lines(r.out) {
		channel, answer, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		word, _, _ := strings.Cut(answer, " ")
		if want[channel] != word {
			t.Errorf("channel %s: %q, want %q", channel, answer, want[channel])
		}
		delete(want, channel)
	}
	if len(want) > 0 {
		t.Errorf("%d lines have no answer: %v", len(want), want)
	}
}

// Whoever has someone else's answer is in by it: without channels answers come in
// the order of the lines.
func TestSquidWithoutChannels(t *testing.T) {
	l := newLab(t)
	k := newToken(t, 0)
	l.enrol("alice@pam", k, oath.HOTP)
	r := l.run(fmt.Sprintf("alice %s\n\nalice 000000 -\n%s\nalice %s\n", k.hotp(), strings.Repeat("x", 40<<10), k.hotp()), "oathverify", "squid")
	const no, unsure = `ERR message="wrong code, or too many tries"`, `BH message="the code cannot be checked now"`
	if want := "OK\n" + unsure + "\n" + no + "\n" + unsure + "\nOK\n"; r.code != 1 || r.out != want {
		t.Errorf("exit code %d, got\n%s\nwant\n%s", r.code, r.out, want)
	}
}
