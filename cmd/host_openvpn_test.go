package cmd

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// needTunnel skips a test where the machine lets nobody make a tunnel, which a
// container may forbid: in CI, too, where these tests alone may be skipped.
func needTunnel(t *testing.T) {
	t.Helper()
	need(t, "openvpn")
	f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("OpenVPN is not tested here: %v", err)
	}
	defer f.Close()
	request, err := unix.NewIfreq("")
	if err == nil {
		request.SetUint16(unix.IFF_TUN)
		err = unix.IoctlIfreq(int(f.Fd()), unix.TUNSETIFF, request)
	}
	if err != nil {
		t.Skipf("OpenVPN is not tested here: a tunnel is not to be had: %v", err)
	}
}

// openvpnFrame is what the server and the client of a test have besides the
// samples: a network that no packet goes through.
const openvpnFrame = `dev tun
ifconfig-noexec
route-noexec
proto %[1]s
verb 3
ca /etc/openvpn/cert.pem
%[2]s
`

const openvpnServer = `local 127.0.0.1
port %s
server 198.51.100.0 255.255.255.0
cert /etc/openvpn/cert.pem
key /etc/openvpn/key.pem
topology subnet
dh none
verify-client-cert none
config /etc/openvpn/server/oathkit.inc
%s
`

const openvpnClient = `client
remote 127.0.0.1 %s
remote-cert-tls server
connect-retry-max 1
config /etc/openvpn/client-oathkit.conf
`

// openvpnUnit bounds the server as Debian's unit does.
const openvpnUnit = "setpriv --bounding-set -all,+ipc_lock,+net_admin,+net_bind_service,+net_raw,+setgid,+setuid,+setpcap,+sys_chroot,+dac_override,+audit_write " +
	"prlimit --nproc=10"

// openvpn serves a machine's tunnel, and returns how to log in to it. The pairs
// are those of template, for the server's sample.
func (m *machine) openvpn(more string, pairs ...string) hostLogin {
	m.t.Helper()
	needTunnel(m.t.(*testing.T))
	m.folder("etc/openvpn/server", 0)
	cert := exec.Command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
		"-subj", "/CN=vpn.example.org", "-addext", "keyUsage=digitalSignature,keyCertSign", "-addext", "extendedKeyUsage=serverAuth",
		"-keyout", m.path("etc/openvpn/key.pem"), "-out", m.path("etc/openvpn/cert.pem"))
	if out, err := cert.CombinedOutput(); err != nil {
		m.t.Fatalf("no certificate: %v\n%s", err, out)
	}
	port := freePort(m.t)
	m.install("etc/openvpn/server/oathkit.inc", m.template("openvpn/server-oathkit.conf", pairs...), 0o644)
	m.sample("openvpn/client-oathkit.conf", "etc/openvpn/client-oathkit.conf", 0o644)
	m.install("etc/openvpn/server/server.conf", fmt.Sprintf(openvpnFrame, "tcp4-server", fmt.Sprintf(openvpnServer, port, more)), 0o644)
	m.install("etc/openvpn/client.conf", fmt.Sprintf(openvpnFrame, "tcp4-client", fmt.Sprintf(openvpnClient, port)), 0o644)
	m.serve(listens("tcp", "127.0.0.1:"+port), append(strings.Fields(openvpnUnit), "openvpn", "--config", "/etc/openvpn/server/server.conf")...)
	return m.connect
}

// A vpnClient is OpenVPN's own client, and what it says.
type vpnClient struct {
	m     *machine
	cmd   *exec.Cmd
	lines chan string
}

// connect connects a client and ends it. What stands before a blank in the answer
// is the password.
func (m *machine) connect(user, answer string) (bool, string) {
	m.t.Helper()
	c, in, shown := m.client(user, answer)
	c.end()
	return in, shown
}

// client starts a client, and says through its management interface, as a window
// for the person would, who he is and what he answers.
func (m *machine) client(user, answer string) (c *vpnClient, in bool, shown string) {
	m.t.Helper()
	password, code, ok := strings.Cut(answer, " ")
	if !ok {
		password, code = "any word", answer
	}
	_ = os.Remove(m.path("run/client"))
	c = &vpnClient{m: m, lines: make(chan string, 1024)}
	c.cmd = m.on("openvpn", "--config", "/etc/openvpn/client.conf", "--management", "/run/client", "unix", "--management-query-passwords")
	out, err := c.cmd.StdoutPipe()
	m.do(err)
	m.do(c.cmd.Start())
	m.t.Cleanup(c.end)
	go func() {
		defer close(c.lines)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			c.lines <- lines.Text()
		}
	}()
	eventually(m.t.(*testing.T), func() bool { return listens("unix", m.path("run/client"))() == nil })
	window, err := net.Dial("unix", m.path("run/client"))
	m.do(err)
	m.t.Cleanup(func() { window.Close() })
	go func() { _, _ = io.Copy(io.Discard, window) }()
	encode := base64.StdEncoding.EncodeToString
	secret := "SCRV1:" + encode([]byte(password)) + ":" + encode([]byte(code))
	if !strings.Contains(m.read("etc/openvpn/client-oathkit.conf"), "\nstatic-challenge ") {
		secret = password + code
	}
	fmt.Fprintf(window, "username Auth %s\npassword Auth %s\n", user, secret)
	const completed, failed = "Initialization Sequence Completed", "AUTH: Received control message: "
	line := c.expect(completed, failed)
	_, shown, _ = strings.Cut(line, failed)
	return c, strings.Contains(line, completed), shown
}

// expect waits for a line with one of these in it.
func (c *vpnClient) expect(texts ...string) string {
	c.m.t.Helper()
	var all strings.Builder
	deadline := time.After(patience)
	for {
		select {
		case line, ok := <-c.lines:
			if !ok {
				c.m.t.Fatalf("the client has ended without %q:\n%s", texts, all.String())
			}
			for _, text := range texts {
				if strings.Contains(line, text) {
					return line
				}
			}
			all.WriteString(line + "\n")
		case <-deadline:
			c.m.t.Fatalf("the client does not say %q, but\n%s", texts, all.String())
		}
	}
}

func (c *vpnClient) end() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

func TestOpenVPN(t *testing.T) {
	m := newMachine(t)
	m.enrolPeople()
	login := m.openvpn("")
	m.letsInWhomItShould(login, `"service":"openvpn"`, `"rhost":"127.0.0.1"`)
	if _, shown := login("alice", "000000"); shown != "AUTH_FAILED,wrong code, or too many tries" {
		t.Errorf("the client is told %q", shown)
	}
}

// A server that is not root asks through sudo. Password and code come apart, so
// that both are judged; and the token of the server spares whoever is in another
// code when new keys are made.
func TestOpenVPNAsAccount(t *testing.T) {
	m := newSplitMachine(t)
	m.account("openvpn", 113)
	m.sudoer("openvpn")
	const direct = `"/usr/local/sbin/oathverify openvpn"`
	login := m.openvpn("user openvpn\ngroup openvpn\npersist-tun\npersist-key\nreneg-sec 4\nhand-window 2\n",
		"\nauth-user-pass-verify "+direct, "\nauth-user-pass-verify "+strings.Replace(direct, "/usr", "/usr/bin/sudo -n /usr", 1))
	m.letsInWhomItShould(func(user, code string) (bool, string) { return login(user, backwards(user)+" "+code) }, `"service":"openvpn"`)

	_, wrong := login("alice", "ecila 000000")
	code := m.code("alice")
	if in, shown := login("alice", "xcila "+code); in || shown != wrong {
		t.Errorf("with a wrong password alice is in: %v, and is told %q instead of %q", in, shown, wrong)
	}
	c, in, shown := m.client("alice", "ecila "+code)
	if !in {
		t.Fatalf("a code that a wrong password came with is burnt: %s", shown)
	}
	events := m.read("audit.jsonl")
	for range 2 { // of new keys
		if line := c.expect("Control Channel: TLS", "AUTH_FAILED", "Restart"); !strings.Contains(line, "Control Channel") {
			t.Fatalf("new keys throw the client out: %s", line)
		}
	}
	if now := m.read("audit.jsonl"); now != events {
		t.Errorf("new keys took another login:\n%s", strings.TrimPrefix(now, events))
	}

	// A client that knows no challenge sends both as one string.
	m.change("etc/openvpn/client-oathkit.conf", "\nstatic-challenge ", "\n#")
	if in, shown := login("bob", "bob "+m.code("bob")); !in {
		t.Errorf("with one string bob is not in: %s", shown)
	}
	if in, shown := login("bob", "bob 000000"); in || shown != wrong {
		t.Errorf("with a wrong code in it bob is in: %v, and is told %q", in, shown)
	}
}
