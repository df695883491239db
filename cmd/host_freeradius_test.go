package cmd

import (
	"errors"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// radiusFrame is what Debian's radiusd.conf has around the samples, with no
// waiting before a refusal.
const radiusFrame = `prefix = /usr
libdir = /usr/lib/freeradius
raddbdir = /etc/freeradius/3.0
run_dir = /run/freeradius
max_request_time = 30
security {
	user = freerad
	group = freerad
	reject_delay = 0
	allow_vulnerable_openssl = yes
}
client device {
	ipaddr = 127.0.0.1
	secret = testing123
}
modules {
	$INCLUDE mods-enabled/
}
$INCLUDE sites-enabled/
`

// radius serves a machine with the samples, and returns its address.
func (m *machine) radius(module ...string) string {
	m.t.Helper()
	need(m.t.(*testing.T), "freeradius")
	need(m.t.(*testing.T), "radclient")
	m.account("freerad", 112)
	m.sudoer("freeradius")
	for _, dir := range []string{"mods-enabled", "sites-enabled"} {
		m.folder("etc/freeradius/3.0/"+dir, 0)
	}
	port := freeUDPPort(m.t)
	for file, text := range map[string]string{
		"radiusd.conf":         radiusFrame,
		"mods-enabled/oathkit": m.template("freeradius/mods-available/oathkit", module...),
		"sites-enabled/oathkit": m.template("freeradius/sites-available/oathkit",
			"ipaddr = *", "ipaddr = 127.0.0.1", "port = 1812", "port = "+port),
	} {
		m.install("etc/freeradius/3.0/"+file, text, 0o644)
	}
	m.folder("run/freeradius", 112)
	address := "127.0.0.1:" + port
	answers := func() error {
		if shown := radclient(m.t, address, 1, "User-Name = nobody-yet"); !strings.Contains(shown, "Access-") {
			return errors.New("no answer")
		}
		return nil
	}
	m.serve(answers, "freeradius", "-f", "-l", "stdout", "-n", "radiusd", "-d", "/etc/freeradius/3.0")
	return address
}

// radclient asks a server of RADIUS for some seconds, and returns the kind of its
// answer with the attributes in it.
func radclient(t testing.TB, address string, seconds int, attributes ...string) string {
	t.Helper()
	cmd := exec.Command("radclient", "-x", "-r", "1", "-t", strconv.Itoa(seconds), address, "auth", "testing123")
	cmd.Stdin = strings.NewReader(strings.Join(attributes, "\n") + "\n")
	_, answer, ok := strings.Cut(finish(t, cmd).out, "\nReceived ")
	if !ok {
		return ""
	}
	kind, _, _ := strings.Cut(answer, " ")
	_, pairs, _ := strings.Cut(answer, "\n")
	return kind + "\n" + pairs
}

// radiusLogin is a login through a network device.
func radiusLogin(t testing.TB, address string) hostLogin {
	quote := strings.NewReplacer("\\", "\\\\", "\"", "\\\"")
	return func(user, secret string) (bool, string) {
		t.Helper()
		shown := radclient(t, address, int(patience/time.Second), `User-Name = "`+quote.Replace(user)+`"`, `User-Password = "`+quote.Replace(secret)+`"`,
			"NAS-IP-Address = 192.0.2.1", `Calling-Station-Id = "00-53-00-12-34-56"`)
		return strings.HasPrefix(shown, "Access-Accept\n"), shown
	}
}

func TestFreeRADIUS(t *testing.T) {
	for _, escape := range []string{"no", "yes"} {
		t.Run("shell_escape="+escape, func(t *testing.T) {
			m := newMachine(t)
			m.enrolPeople()
			address := m.radius("shell_escape = no", "shell_escape = "+escape)
			login := radiusLogin(t, address)
			m.letsInWhomItShould(login, `"service":"radius"`, `"rhost":"00-53-00-12-34-56"`)
			if _, shown := login("alice", "000000"); !strings.Contains(shown, `Reply-Message = "wrong code, or too many tries"`) {
				t.Errorf("the person is told\n%s", shown)
			}
			// What a name has in it stays in it.
			in, _ := login("al'i\"c$(e)`\\ 100", "000000")
			m.audited(`"user":"al'i\"c$(e)`+"`"+`\\ 100"`, `"reason":"bad name`)
			if in {
				t.Error("a strange name is in")
			}
			for _, other := range [][]string{
				{"User-Name = alice", "CHAP-Password = 0x01"},
				{"User-Name = alice"},
				{"User-Name = alice", `User-Password = ""`},
				{`User-Password = "` + m.code("alice") + `"`},
			} {
				if shown := radclient(t, address, 10, other...); strings.HasPrefix(shown, "Access-Accept") {
					t.Errorf("%q is let in:\n%s", other, shown)
				}
			}
		})
	}
}

// With a program that checks passwords, any byte of one arrives as it was typed.
func TestFreeRADIUSWithPassword(t *testing.T) {
	m := newSplitMachine(t)
	login := radiusLogin(t, m.radius())
	m.needsPasswordToo(login)
}

func freeUDPPort(t testing.TB) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, port, _ := net.SplitHostPort(c.LocalAddr().String())
	return port
}
