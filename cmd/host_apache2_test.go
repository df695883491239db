package cmd

import (
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
)

// apacheFrame is what Debian's apache2.conf has around the samples, with the
// modules that they ask for.
const apacheFrame = `ServerRoot /etc/apache2
ServerName www.example.org
Listen 127.0.0.1:%s
User www-data
Group www-data
PidFile /run/apache2.pid
ErrorLog /dev/stderr
DocumentRoot /run/www
<Directory />
	Require all denied
</Directory>
<Directory /run/www>
	Require all granted
</Directory>
`

func (m *machine) apache() string {
	m.t.Helper()
	need(m.t.(*testing.T), "apache2")
	need(m.t.(*testing.T), "curl")
	m.account("www-data", 33)
	m.sudoer("apache2")
	var conf strings.Builder
	for _, module := range strings.Fields("mpm_event authn_core authz_core authz_user alias dir " +
		"authnz_external auth_form session session_cookie session_crypto request") {
		file := "/usr/lib/apache2/modules/mod_" + module + ".so"
		if _, err := os.Stat(file); err != nil {
			lacks(m.t.(*testing.T), err.Error())
		}
		fmt.Fprintf(&conf, "LoadModule %s_module %s\n", module, file)
	}
	port := freePort(m.t)
	fmt.Fprintf(&conf, apacheFrame, port)
	m.folder("run/www/private", 0)
	m.install("run/www/private/index.html", "welcome\n", 0o644)
	m.folder("run/login", 0)
	m.sample("apache2/login.html", "run/login/index.html", 0o644)
	m.folder("etc/apache2", 0)
	m.install("etc/apache2/oathkit-session.key", "a key of the test alone\n", 0o600)
	m.install("etc/apache2/oathkit-site.conf", "Define OATHKIT_SITE abcdef0123456789\n", 0o600)
	m.install("etc/apache2/apache2.conf", conf.String()+m.template("apache2/oathkit.conf", "/var/www/login", "/run/login"), 0o644)
	m.serve(listens("tcp", "127.0.0.1:"+port), "apache2", "-D", "FOREGROUND", "-f", "/etc/apache2/apache2.conf")
	return "http://127.0.0.1:" + port
}

func TestApache(t *testing.T) {
	m := newMachine(t)
	m.enrolPeople()
	site := m.apache()
	var session string
	login := func(user, code string) (bool, string) {
		_, shown := curl(t, site+"/dologin", "--data-urlencode", "httpd_username="+user, "--data-urlencode", "httpd_password="+code)
		location, cookie := header(shown, "Location"), header(shown, "Set-Cookie")
		session, _, _ = strings.Cut(cookie, ";")
		u, err := url.Parse(location)
		m.do(err)
		return u.Path == "/private/", strings.Replace(shown, cookie, "", 1)
	}
	m.letsInWhomItShould(login, `"service":"apache2"`, `"rhost":"127.0.0.1"`)

	// The session goes on without a code, and there is no other way in.
	if in, shown := login("alice", m.code("alice")); !in {
		t.Fatalf("alice is not in:\n%s", shown)
	}
	events := strings.Count(m.read("audit.jsonl"), "\n")
	for range 2 {
		if ok, shown := curl(t, site+"/private/", "-H", "Cookie: "+session); !ok || !strings.Contains(shown, "welcome") {
			t.Errorf("the session does not open:\n%s", shown)
		}
	}
	if now := strings.Count(m.read("audit.jsonl"), "\n"); now != events {
		t.Errorf("%d requests of a session were judged", now-events)
	}
	for _, more := range [][]string{nil, {"-u", "alice:" + m.code("alice")}, {"-H", "Cookie: oathkit=private-user=alice&private-pw=x"}, {"-H", "Cookie: " + session[:len(session)-8]}} {
		if ok, shown := curl(t, append(more, site+"/private/index.html")...); ok || strings.Contains(shown, "welcome") || !strings.HasSuffix(header(shown, "Location"), "/login/") {
			t.Errorf("%q opens the folder:\n%s", more, shown)
		}
	}
	if ok, shown := curl(t, site+"/login/"); !ok || !strings.Contains(shown, "httpd_password") {
		t.Errorf("there is no form:\n%s", shown)
	}
}

// header is a field of the header of an answer.
func header(shown, name string) string {
	for line := range strings.Lines(shown) {
		if value, ok := strings.CutPrefix(line, name+": "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
