package duo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"oathkit/pkg/duo/duotest"
)

const preauthPath = "/auth/v2/preauth"

// What is no answer of Duo's is none, and which of it means that Duo could not
// be reached.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name        string
		fault       duotest.Fault
		unreachable bool
		want        string
	}{
		{"out of order", duotest.Fault{Status: 503, Body: "busy"}, true, "the service cannot be reached: it answered with status 503"},
		{"out of order, in its words", duotest.Fault{Status: 500, Body: `{"stat":"OK","response":{"result":"allow"}}`}, true, "status 500"},
		{"no answer", duotest.Fault{Break: duotest.Reset}, true, "EOF"},
		{"half closed", duotest.Fault{Break: duotest.HalfClosed}, true, "EOF"},
		{"late", duotest.Fault{Delay: time.Hour}, true, "it gave no answer in time"},
		{"broken off", duotest.Fault{Break: duotest.HalfBody, Body: `{"stat":"OK","response":{"result":"allow"}}`}, false, "the answer broke off"},
		{"half an answer", duotest.Fault{Body: `{"stat":"OK","response":{"result":"allow"`}, false, "it is no JSON object, or not all of it"},
		{"an empty answer", duotest.Fault{Status: 200, Body: " "}, false, "it is no JSON object"},
		{"a page", duotest.Fault{Body: "<html>Log in to the network</html>"}, false, "it is no JSON object"},
		{"too long", duotest.Fault{Body: `{"stat":"OK","x":"` + strings.Repeat("x", maxBody) + `"}`}, false, "longer than 262144 bytes"},
		{"sent elsewhere", duotest.Fault{Status: 302, Body: `{}`}, false, "status 302"},
		{"not found", duotest.Fault{Status: 404, Body: "no"}, false, "status 404: Not Found"},
		{"a yes with status 400", duotest.Fault{Status: 400, Body: `{"stat":"OK","response":{"result":"allow"}}`}, false, `status 400 with stat "OK"`},
		{"a refusal with status 200", duotest.Fault{Body: `{"stat":"FAIL","code":40003,"message":"no","message_detail":"a\u001bb"}`}, false, "code 40003: no (a b)"},
		{"no stat", duotest.Fault{Body: `{"response":{"result":"allow"}}`}, false, `with stat ""`},
		{"another stat", duotest.Fault{Body: `{"stat":"ok","response":{"result":"allow"}}`}, false, `with stat "ok"`},
		{"a stat in the wrong case", duotest.Fault{Body: `{"Stat":"OK","response":{"result":"allow"}}`}, false, `with stat ""`},
		{"two stats", duotest.Fault{Body: `{"stat":"FAIL","stat":"OK","response":{"result":"allow"}}`}, false, `it has "stat" twice`},
		{"something after it", duotest.Fault{Body: `{"stat":"OK","response":{"result":"allow"}}{}`}, false, "there is something after it"},
		{"no response", duotest.Fault{Body: `{"stat":"OK"}`}, false, `with stat "OK"`},
		{"a response of null", duotest.Fault{Body: `{"stat":"OK","response":null}`}, false, "it is no JSON object"},
		{"not UTF-8", duotest.Fault{Body: "{\"stat\":\"OK\",\"response\":{\"result\":\"allow\",\"x\":\"\xff\"}}"}, false, "it is not UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := duotest.Serve(t, time.Now)
			s.Know("alice", alice())
			s.Fault(preauthPath, c.fault)
			client := ask(t, s, func(config *Config) {
				if c.fault.Delay > 0 {
					config.Timeout = 300 * time.Millisecond
				}
			})
			p, err := client.Preauth(t.Context(), "alice", "")
			if err == nil || p.Result != "" || errors.Is(err, ErrUnreachable) != c.unreachable || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %+v, %v (unreachable %v), want %s", p, err, errors.Is(err, ErrUnreachable), c.want)
			}
			// The next one is as good as ever.
			if p, err := ask(t, s, nil).Preauth(t.Context(), "alice", ""); err != nil || p.Result != Auth {
				t.Errorf("afterwards: %+v, %v", p, err)
			}
		})
	}
}

// Nothing is a yes but a yes, to this user and in this transaction.
func TestNoYes(t *testing.T) {
	for _, response := range []string{
		`{"result":"Allow","status":"allow"}`,
		`{"result":"ALLOW"}`,
		`{"result":" allow"}`,
		`{"result":"allowed"}`,
		`{"result":true}`,
		`{"result":["allow"]}`,
		`{"result":{"allow":true}}`,
		`{"Result":"allow"}`,
		`{"result":"deny","Result":"allow"}`,
		`{"result":"deny","result":"allow"}`,
		`{"status":"allow"}`,
		`{"result":"allow","status":"deny"}`,
		`{"result":"allow","status":"fraud"}`,
		`{"result":"allow","status":"sent"}`,
		`{"result":"allow","status":1}`,
		`{"result":"allow","username":"mallory"}`,
		`{"result":"allow","username":null}`,
		`{"result":"allow","username":7}`,
		`{"result":"allow","txid":"00000000-0000-4000-8000-000000000099"}`,
		`"allow"`,
		`[{"result":"allow"}]`,
	} {
		s := duotest.Serve(t, time.Now)
		s.Know("alice", alice())
		c := ask(t, s, nil)
		body := `{"stat":"OK","response":` + response + `}`
		if !strings.Contains(response, "txid") {
			s.Fault(authPath, duotest.Fault{Body: body})
			if a, err := c.Auth(t.Context(), "alice", Factor{Method: Passcode, Passcode: "1"}); a.Result == Allow || err == nil && !strings.Contains(response, `"deny","Result"`) {
				t.Errorf("auth, %s: %+v, %v", response, a, err)
			}
		}
		tr, err := c.Begin(t.Context(), "alice", Factor{Method: Push})
		if err != nil {
			t.Fatal(err)
		}
		s.Fault("/auth/v2/auth_status", duotest.Fault{Body: body})
		if a, err := tr.Wait(t.Context(), func(string) {}); a.Result == Allow || err == nil && !strings.Contains(response, `"deny","Result"`) {
			t.Errorf("auth_status, %s: %+v, %v", response, a, err)
		}
	}
	// The same with everything as it should be, or the test above shows nothing.
	s := duotest.Serve(t, time.Now)
	s.Know("alice", alice())
	tr, err := ask(t, s, nil).Begin(t.Context(), "alice", Factor{Method: Push})
	if err != nil {
		t.Fatal(err)
	}
	s.Fault("/auth/v2/auth_status", duotest.Fault{Body: `{"stat":"OK","response":{"result":"allow","status":"allow","username":"alice","txid":"TXID","more":{}}}`})
	if a, err := tr.Status(t.Context()); err != nil || a.Result != Allow {
		t.Errorf("got %+v, %v", a, err)
	}
}

// A transaction that began before is not taken for a new one.
func TestReplayedTransaction(t *testing.T) {
	s := duotest.Serve(t, time.Now)
	s.Know("alice", alice())
	c := ask(t, s, nil)
	again := duotest.Fault{Body: `{"stat":"OK","response":{"txid":"00000000-0000-4000-8000-000000000001"}}`}
	s.Fault(authPath, duotest.Fault{}, again, duotest.Fault{Body: `{"stat":"OK","response":{"txid":""}}`})
	tr, err := c.Begin(t.Context(), "alice", Factor{Method: Push})
	if err != nil {
		t.Fatal(err)
	}
	if a, err := tr.Wait(t.Context(), func(string) {}); err != nil || a.Result != Allow {
		t.Fatalf("got %+v, %v", a, err)
	}
	if _, err := c.Begin(t.Context(), "alice", Factor{Method: Push}); err == nil || !strings.Contains(err.Error(), "is not new") {
		t.Errorf("got %v", err)
	}
	if _, err := c.Begin(t.Context(), "alice", Factor{Method: Push}); err == nil || !strings.Contains(err.Error(), "names no transaction") {
		t.Errorf("got %v", err)
	}
}

// A push that is answered after the deadline lets nobody in.
func TestTooLate(t *testing.T) {
	s := duotest.Serve(t, time.Now)
	u := alice()
	u.After = time.Minute
	s.Know("alice", u)
	c := ask(t, s, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if a, err := c.Auth(ctx, "alice", Factor{Method: Push}); !errors.Is(err, ErrUnreachable) || a.Result != "" {
		t.Errorf("auth: %+v, %v", a, err)
	}
	tr, err := c.Begin(t.Context(), "alice", Factor{Method: Push})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if a, err := tr.Wait(ctx, func(string) {}); !errors.Is(err, ErrUnreachable) || a.Result != "" {
		t.Errorf("auth_status: %+v, %v", a, err)
	}
}

// A call that is told to come later comes later, whole.
func TestRateLimit(t *testing.T) {
	late := func(after string) duotest.Fault {
		return duotest.Fault{Status: 429, After: after, Body: `{"stat":"FAIL","code":42901,"message":"Too Many Requests"}`}
	}
	at := time.Now().Add(7 * time.Second).UTC().Truncate(time.Second)
	for _, c := range []struct {
		name   string
		faults []duotest.Fault
		random string
		want   string // the pauses, then the result
	}{
		{"once", []duotest.Fault{late("")}, "", "[1s] allow"},
		{"told how long", []duotest.Fault{late("3"), late("0")}, "", "[3s 0s] allow"},
		{"told until when", []duotest.Fault{late(at.Format(http.TimeFormat))}, "", "[7s] allow"},
		{"told nonsense", []duotest.Fault{late("soon"), late("-1")}, "", "[1s 2s] allow"},
		{"spread", []duotest.Fault{late(""), late(""), late("")}, "\x80\x00\x40\x00\x00\x00", "[1.5s 2.25s 4s] allow"},
		{"too often", []duotest.Fault{late(""), late(""), late(""), late(""), late(""), late(""), late("")}, "", "[1s 2s 4s 8s 16s 32s] 42901"},
		{"longer than there is time", []duotest.Fault{late("3600")}, "", "[] 42901"},
	} {
		s := duotest.Serve(t, time.Now)
		s.Know("alice", alice())
		s.Fault(authPath, c.faults...)
		var pauses []time.Duration
		client := ask(t, s, func(config *Config) {
			config.Timeout = 5 * time.Minute
			config.Now = func() time.Time { return at.Add(-7 * time.Second) }
			if c.random != "" {
				config.Random = strings.NewReader(c.random)
			}
			config.Wait = func(_ context.Context, d time.Duration) error {
				pauses = append(pauses, d)
				return nil
			}
		})
		a, err := client.Auth(t.Context(), "alice", Factor{Method: Passcode, Passcode: "123456"})
		got := a.Result
		if refused := new(Error); errors.As(err, &refused) {
			got = fmt.Sprint(refused.Code)
		}
		if got = fmt.Sprint(pauses, " ", got); got != c.want || errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: got %s, %v, want %s", c.name, got, err, c.want)
		}
		for _, r := range s.Requests() {
			if r.Params.Get("passcode") != "123456" {
				t.Errorf("%s: a request came as %v", c.name, r.Params)
			}
		}
	}
}

func TestUnreachable(t *testing.T) {
	s := duotest.Serve(t, time.Now)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := l.Addr().String()
	l.Close()
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	go func() {
		_ = http.Serve(plain, http.NotFoundHandler())
	}()
	other := duotest.Serve(t, time.Now)
	for name, c := range map[string]struct {
		change      func(*Config)
		unreachable bool
	}{
		"nobody listens":    {func(c *Config) { c.Host = gone }, true},
		"no such name":      {func(c *Config) { c.Host = "host.invalid" }, true},
		"no TLS":            {func(c *Config) { c.Host = plain.Addr().String() }, false},
		"another authority": {func(c *Config) { c.Host = other.Host }, false},
		"nobody is a proxy": {func(c *Config) { c.Proxy = &url.URL{Scheme: "http", Host: gone} }, true},
		"no proxy":          {func(c *Config) { c.Proxy = &url.URL{Scheme: "http", Host: plain.Addr().String()} }, false},
	} {
		_, err := ask(t, s, c.change).Preauth(t.Context(), "alice", "")
		if err == nil || errors.Is(err, ErrUnreachable) != c.unreachable {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if n := len(s.Requests()) + len(other.Requests()); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
}

// Through a proxy it works as without, and nothing but a proxy that is
// configured is taken.
func TestProxy(t *testing.T) {
	s := duotest.Serve(t, time.Now)
	s.Know("alice", alice())
	asked := make(chan string, 10)
	var status atomic.Int32
	proxy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	go func() {
		_ = http.Serve(proxy, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked <- r.Method + " " + r.Host
			if code := status.Load(); code != 0 {
				w.WriteHeader(int(code))
				return
			}
			there, err := net.Dial("tcp", s.Host)
			if err != nil {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			defer there.Close()
			here, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				return
			}
			defer here.Close()
			_, _ = io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
			go func() { _, _ = io.Copy(there, here) }()
			_, _ = io.Copy(here, there)
		}))
	}()
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	through := func(c *Config) { c.Proxy = &url.URL{Scheme: "http", Host: proxy.Addr().String()} }
	if p, err := ask(t, s, through).Preauth(t.Context(), "alice", ""); err != nil || p.Result != Auth {
		t.Errorf("got %+v, %v", p, err)
	}
	if got, want := <-asked, "CONNECT "+s.Host; got != want {
		t.Errorf("the proxy was asked for %s, want %s", got, want)
	}
	if p, err := ask(t, s, nil).Preauth(t.Context(), "alice", ""); err != nil || p.Result != Auth {
		t.Errorf("without: %+v, %v", p, err)
	}
	// The server at the other end must have the certificate of the asked name.
	other := func(c *Config) { through(c); c.Host = "api-1.example.org" }
	if _, err := ask(t, s, other).Preauth(t.Context(), "alice", ""); err == nil || errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("another name: got %v", err)
	}
	if got, want := <-asked, "CONNECT api-1.example.org:443"; got != want || len(asked) > 0 {
		t.Errorf("the proxy was asked for %s, want %s", got, want)
	}
	for code, unreachable := range map[int32]bool{502: true, 504: true, 407: false, 403: false} {
		status.Store(code)
		if _, err := ask(t, s, through).Preauth(t.Context(), "alice", ""); err == nil || errors.Is(err, ErrUnreachable) != unreachable {
			t.Errorf("status %d: got %v", code, err)
		}
	}
}

// Whatever an answer is, it is a yes only if every reader takes it for one.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		`{"stat":"OK","response":{"result":"allow","status":"allow","status_msg":"Success"}}`,
		`{"stat":"OK","response":{"result":"deny","Result":"allow","status":"deny"}}`,
		`{"stat":"OK","response":{"result":"deny","result":"allow"}}`,
		`{"stat":"FAIL","code":40103,"message":"no","response":{"result":"allow"}}`,
		`{"stat":"OK","response":{"result":"auth","devices":[{"device":"DP1","capabilities":["push"]}]}}`,
		`{"stat":"OK","response":{"result":"allow","username":"mallory"}}`,
	} {
		f.Add([]byte(s), 200)
	}
	f.Fuzz(func(t *testing.T, b []byte, status int) {
		response, err := open(reply{status: status, body: b})
		if err != nil {
			return
		}
		fields, err := object(response)
		if err != nil {
			return
		}
		for _, d := range mustDevices(readPreauth(fields, "alice")) {
			if !isToken(d.ID) || len(d.Name) <= maxShown && Clean(d.Name) != d.Name {
				t.Fatalf("%q has the device %+v", b, d)
			}
		}
		a, err := readAnswer(fields, "alice")
		if err != nil || a.Result != Allow {
			return
		}
		var whole map[string]any
		err = json.Unmarshal(b, &whole)
		said, _ := whole["response"].(map[string]any)
		if err != nil || status != 200 || whole["stat"] != "OK" || said["result"] != "allow" {
			t.Fatalf("%q with status %d is taken for a yes (%v)", b, status, err)
		}
		if name, there := said["username"]; there && name != "alice" {
			t.Fatalf("%q is taken for a yes to alice", b)
		}
		if Clean(a.Message) != a.Message && len(a.Message) <= maxShown {
			t.Fatalf("%q tells %q", b, a.Message)
		}
	})
}

func mustDevices(p Preauth, err error) []Device {
	if err != nil {
		return nil
	}
	return p.Devices
}
