package duo

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/duo/duotest"

	duoapi "github.com/duosecurity/duo_api_golang"
	"github.com/duosecurity/duo_api_golang/authapi"
)

// Duo's own client for Go takes the test server for Duo.
func TestOfficialGo(t *testing.T) {
	s := duotest.Serve(t, time.Now)
	s.Know("alice", alice())
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.CA)
	c := authapi.NewAuthApi(*duoapi.NewDuoApi(duotest.IKey, duotest.SKey, s.Host, "peer",
		duoapi.SetProxy(nil), duoapi.SetTransport(func(tr *http.Transport) { tr.TLSClientConfig = &tls.Config{RootCAs: roots} })))
	if r, err := c.Ping(); err != nil || r.Stat != "OK" {
		t.Errorf("ping: %+v, %v", r, err)
	}
	if r, err := c.Check(); err != nil || r.Stat != "OK" {
		t.Errorf("check: %+v, %v", r, err)
	}
	if r, err := c.Preauth(authapi.PreauthUsername("alice")); err != nil || r.Response.Result != "auth" || len(r.Response.Devices) != 1 {
		t.Errorf("preauth: %+v, %v", r, err)
	}
	// The body of a POST of this client comes in chunks.
	if r, err := c.Auth("passcode", authapi.AuthUsername("alice"), authapi.AuthPasscode("123456")); err != nil || r.Response.Result != "allow" {
		t.Errorf("passcode: %+v, %v", r, err)
	}
	if got := s.Requests(); got[len(got)-1].Length != -1 || got[len(got)-1].Digest != "sha512" {
		t.Errorf("the last request: %+v", got[len(got)-1])
	}
	r, err := c.Auth("push", authapi.AuthUsername("alice"), authapi.AuthDevice("auto"), authapi.AuthAsync())
	if err != nil || r.Response.Txid == "" {
		t.Fatalf("push: %+v, %v", r, err)
	}
	for _, want := range []string{"waiting", "allow", ""} {
		if st, err := c.AuthStatus(r.Response.Txid); err != nil || st.Response.Result != want {
			t.Errorf("auth_status: %+v, %v, want %s", st, err, want)
		}
	}
	if e, err := c.Enroll(authapi.EnrollUsername("bob")); err != nil || e.Response.Username != "bob" {
		t.Errorf("enroll: %+v, %v", e, err)
	} else if st, err := c.EnrollStatus(e.Response.User_Id, e.Response.Activation_Code); err != nil || st.Response != "waiting" {
		t.Errorf("enroll_status: %+v, %v", st, err)
	}
}

// The header X-Duo-Date goes before Date, and the host may be signed without its
// port.
func TestServerTakes(t *testing.T) {
	s := duotest.Serve(t, time.Now)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.CA)
	skey, _ := ReadSecret([]byte(duotest.SKey))
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	defer client.CloseIdleConnections()
	now, old := time.Now().UTC().Format(time.RFC1123Z), time.Now().Add(-time.Hour).UTC().Format(time.RFC1123Z)
	for _, c := range []struct {
		host, signed, date, xdate string
		want                      int
	}{
		{s.Host, now, now, "", 200},
		{"127.0.0.1", now, now, "", 200},
		{"localhost", now, now, "", 401},
		{s.Host, now, old, now, 200},
		{s.Host, now, now, old, 401},
		{s.Host, old, old, "", 401},
		{s.Host, now, "", "", 401},
		{s.Host, old, now, "", 401},
	} {
		req, err := http.NewRequest(http.MethodGet, "https://"+s.Host+"/auth/v2/check", nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{
			"Date": c.date, "X-Duo-Date": c.xdate,
			"Authorization": skey.authorization(duotest.IKey, c.signed, "GET", c.host, "/auth/v2/check", ""),
		} {
			if value != "" {
				req.Header.Set(name, value)
			}
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.want {
			t.Errorf("%+v: got %d", c, resp.StatusCode)
		}
	}
}

// Duo's own client for Python, as Debian has it, signs as we do, with either
// digest, and takes the test server for Duo.
func TestOfficialPython(t *testing.T) {
	const python = "/usr/bin/python3" // Debian's own, whatever else is in the path
	if out, err := exec.Command(python, "-c", "import duo_client").CombinedOutput(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("python3-duo-client: %v\n%s", err, out)
		}
		t.Skipf("python3-duo-client: %v", err)
	}
	s := duotest.Serve(t, time.Now)
	s.Know("alice", alice())
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, s.CA, 0o600); err != nil {
		t.Fatal(err)
	}
	values := map[string]string{"username": "alice", "ipaddr": "", "z": "a b+c~d*e/\u20ac&=%", "Z": "-._"}
	given, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	const script = `
import hashlib, json, sys
import duo_client
from duo_client.client import sign, normalize_params
ikey, skey, port, ca, values = sys.argv[1:]
params = normalize_params(json.loads(values))
print(sign(ikey, skey, 'POST', 'API.example', '/p/q', 'Tue, 21 Aug 2012 17:29:18 -0000', 2, params, digestmod=hashlib.sha512))
for digest in hashlib.sha1, hashlib.sha512:
    c = duo_client.Auth(ikey=ikey, skey=skey, host='localhost', port=int(port), ca_certs=ca, digestmod=digest)
    c.ping(); c.check()
    print(c.preauth(username='alice')['result'])
    print(c.auth('passcode', username='alice', passcode='000000')['result'])
    tx = c.auth('push', username='alice', device='auto', async_txn=True)['txid']
    print(c.auth_status(tx)['status'], c.auth_status(tx)['status'])
`
	out, err := exec.Command(python, "-c", script, duotest.IKey, duotest.SKey, s.Port, ca, string(given)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	skey, _ := ReadSecret([]byte(duotest.SKey))
	signed := skey.authorization(duotest.IKey, "Tue, 21 Aug 2012 17:29:18 -0000", "POST", "api.example", "/p/q", encode(values))
	form := url.Values{}
	for name, value := range values {
		form.Set(name, value)
	}
	if got, want := duotest.Canonical("d", "POST", "h", "/p", form), "d\nPOST\nh\n/p\n"+encode(values); got != want {
		t.Errorf("the test server signs %q, we %q", got, want)
	}
	each := "auth\ndeny\npushed allow\n"
	if want := signed + "\n" + each + each; string(out) != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
	digests := map[string]int{}
	for _, r := range s.Requests() {
		digests[r.Digest]++
	}
	if got := fmt.Sprint(digests); !strings.Contains(got, "sha1:6") || !strings.Contains(got, "sha512:6") {
		t.Errorf("signed with %s", got)
	}
}
