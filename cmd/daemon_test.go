package cmd

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// account adds the account that a host's program runs as, with a group of the
// same name, and returns its number.
func (m *machine) account(name string, uid int) int {
	m.t.Helper()
	m.install("etc/passwd", m.read("etc/passwd")+fmt.Sprintf("%s:x:%d:%[2]d::/nonexistent:/usr/sbin/nologin\n", name, uid), 0o644)
	m.install("etc/group", m.read("etc/group")+fmt.Sprintf("%s:x:%d:\n", name, uid), 0o644)
	m.install("etc/shadow", m.read("etc/shadow")+name+":*:1::::::\n", 0o640)
	return uid
}

// debianSudoers is /etc/sudoers as Debian installs it, so far as it concerns
// accounts that are in no group.
const debianSudoers = `Defaults	env_reset
Defaults	mail_badpass
Defaults	secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
Defaults	use_pty
root	ALL=(ALL:ALL) ALL
@includedir /etc/sudoers.d
`

// sudoer installs a sample of configs/sudoers.d, and sudo as Debian has it.
func (m *machine) sudoer(sample string) {
	m.t.Helper()
	need(m.t.(*testing.T), "sudo")
	m.install("etc/sudoers", debianSudoers, 0o440)
	m.install("etc/pam.d/sudo", "@include common-auth\n@include common-account\n@include common-session-noninteractive\n", 0o644)
	m.sample("sudoers.d/"+sample, "etc/sudoers.d/oathkit-"+sample, 0o440)
	m.mustOn("visudo", "-c", "-q")
}

// template is a sample with other words in the places of some, each of which
// must be in it.
func (m *machine) template(sample string, pairs ...string) string {
	m.t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "configs", sample))
	m.do(err)
	text := string(b)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			m.t.Fatalf("configs/%s does not have %q", sample, pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

// folder makes a folder of the machine that belongs to an account.
func (m *machine) folder(name string, uid int) string {
	m.t.Helper()
	m.do(os.MkdirAll(m.path(name), 0o755))
	m.do(os.Chown(m.path(name), uid, uid))
	return m.path(name)
}

// curl is what curl prints, with the header, but for what changes by itself.
func curl(t testing.TB, args ...string) (ok bool, shown string) {
	t.Helper()
	cmd := exec.Command("curl", append([]string{"-s", "-i", "--max-time", "60", "--noproxy", ""}, args...)...)
	cmd.Env = []string{"PATH=/usr/bin:/bin"}
	r := finish(t, cmd)
	if r.code != 0 {
		t.Fatalf("curl %v: exit code %d\n%s", args, r.code, r.err)
	}
	return strings.HasPrefix(r.out, "HTTP/1.1 200 "), regexp.MustCompile(`(?m)^Date: .*$|Generated .* GMT`).ReplaceAllString(r.out, "")
}

// origin is a web server that whoever was let in gets to.
func origin(t testing.TB) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "welcome") }))
	t.Cleanup(s.Close)
	return s.URL
}
