package cmd

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"
)

// certificate makes a server's certificate and key, and returns what clients
// know it by: the hash of its public key.
func (m *machine) certificate(cert, key string) (pin string) {
	m.t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	m.do(err)
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, k.Public(), k)
	m.do(err)
	private, err := x509.MarshalPKCS8PrivateKey(k)
	m.do(err)
	public, err := x509.MarshalPKIXPublicKey(k.Public())
	m.do(err)
	m.install(cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), 0o644)
	m.install(key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})), 0o600)
	sum := sha256.Sum256(public)
	return "pin-sha256:" + base64.StdEncoding.EncodeToString(sum[:])
}

// change replaces text of an installed file, which must be there once.
func (m *machine) change(name, from, to string) {
	m.t.Helper()
	text := m.read(name)
	if strings.Count(text, from) != 1 {
		m.t.Fatalf("%s does not have %q once", name, from)
	}
	info, err := os.Stat(m.path(name))
	m.do(err)
	m.install(name, strings.Replace(text, from, to, 1), info.Mode())
}

func TestOcserv(t *testing.T) {
	need(t, "ocserv")
	need(t, "openconnect")
	m := newSplitMachine(t)
	m.do(os.MkdirAll(m.path("etc/ocserv"), 0o755))
	pin := m.certificate("etc/ocserv/server.crt", "etc/ocserv/server.key")
	m.sample("pam.d/exec/ocserv", "etc/pam.d/ocserv", 0o644)
	m.sample("ocserv/ocserv.conf", "etc/ocserv/ocserv.conf", 0o644)
	port := freePort(t)
	m.change("etc/ocserv/ocserv.conf", "tcp-port = 443\nudp-port = 443\n", "listen-host = 127.0.0.1\ntcp-port = "+port+"\n")
	m.change("etc/ocserv/ocserv.conf", "max-ban-score = 80", "max-ban-score = 0") // all come from one address
	m.serve(listens("tcp", "127.0.0.1:"+port), "ocserv", "-f", "-d", "1", "-c", "/etc/ocserv/ocserv.conf")
	login := func(user, secret string) (bool, string) {
		cmd := m.on("openconnect", "--protocol=anyconnect", "--authenticate", "--non-inter", "--passwd-on-stdin",
			"--user="+user, "--servercert="+pin, "https://127.0.0.1:"+port)
		cmd.Stdin = strings.NewReader(secret + "\n")
		r := finish(t, cmd)
		return r.code == 0 && strings.Contains(r.out, "COOKIE="), withoutTimes(r.out + r.err)
	}
	m.letsInWhomItShould(split(login), `"service":"ocserv"`, `"rhost":"127.0.0.1"`)
	m.needsPasswordToo(login)
}

// withoutTimes leaves out of openconnect's talk what differs from run to run.
func withoutTimes(talk string) string {
	var b strings.Builder
	for line := range strings.Lines(talk) {
		if !strings.HasPrefix(line, "COOKIE=") && !strings.HasPrefix(line, "Connected to ") && !strings.HasPrefix(line, "SSL negotiation") {
			b.WriteString(line)
		}
	}
	return b.String()
}
