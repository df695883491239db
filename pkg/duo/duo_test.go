package duo

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/duo/duotest"
)

// ask is a client of the server, changed by change.
func ask(t *testing.T, s *duotest.Server, change func(*Config)) *Client {
	t.Helper()
	skey, err := ReadSecret([]byte(duotest.SKey))
	if err != nil {
		t.Fatal(err)
	}
	config := Config{
		Host: s.Host, IKey: duotest.IKey, SKey: skey, Now: time.Now, Roots: x509.NewCertPool(),
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
	config.Roots.AppendCertsFromPEM(s.CA)
	if change != nil {
		change(&config)
	}
	c, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func alice() duotest.User {
	return duotest.User{Devices: []duotest.Device{duotest.Phone()}, Passcodes: []string{"123456"}, Phone: "allow"}
}

// A login as it goes when all is well, with each call of the API.
func TestLogin(t *testing.T) {
	ctx := t.Context()
	s := duotest.Serve(t, time.Now)
	s.Know("alice", alice())
	c := ask(t, s, func(c *Config) { c.UserAgent = "test/1" })
	for name, call := range map[string]func(context.Context) (time.Time, error){"ping": c.Ping, "check": c.Check} {
		if at, err := call(ctx); err != nil || time.Since(at).Abs() > time.Minute {
			t.Errorf("%s: %v, %v", name, at, err)
		}
	}
	p, err := c.Preauth(ctx, "alice", "192.0.2.1")
	want := Preauth{Result: Auth, Message: "Account is active", Devices: []Device{
		{ID: "DPTESTPHONE000000001", Type: "phone", Number: "XXX-XXX-0100", Capabilities: []string{"auto", "push", "sms", "phone", "mobile_otp"}},
	}}
	if err != nil || !reflect.DeepEqual(p, want) {
		t.Errorf("preauth: %+v, %v", p, err)
	}
	for _, step := range []struct {
		name   string
		factor Factor
		want   Answer
	}{
		{"wrong passcode", Factor{Method: Passcode, Passcode: "000000"}, Answer{Deny, "deny", "Incorrect passcode. Please try again."}},
		{"passcode", Factor{Method: Passcode, Passcode: "123456"}, Answer{Allow, "allow", "Success. Logging you in..."}},
		{"the same again", Factor{Method: Passcode, Passcode: "123456"}, Answer{Deny, "deny", "Incorrect passcode. Please try again."}},
		{"push", Factor{Method: Push, Info: "from=here"}, Answer{Allow, "allow", "Success. Logging you in..."}},
		{"sms", Factor{Method: SMS, Device: "DPTESTPHONE000000001"}, Answer{Deny, "sent", "New SMS passcodes sent."}},
		{"phone", Factor{Method: Phone}, Answer{Allow, "allow", "Success. Logging you in..."}},
		{"auto", Factor{Method: Auto}, Answer{Allow, "allow", "Success. Logging you in..."}},
	} {
		if a, err := c.Auth(ctx, "alice", step.factor); err != nil || a != step.want {
			t.Errorf("%s: %+v, %v", step.name, a, err)
		}
	}
	for _, r := range s.Requests() {
		if r.Agent != "test/1" || r.Digest != "sha512" && r.Path != "/auth/v2/ping" {
			t.Errorf("%s: agent %q, digest %q", r.Path, r.Agent, r.Digest)
		}
	}
	push := s.Requests()[6].Params.Encode()
	if want := "device=auto&factor=push&pushinfo=from%3Dhere&username=alice"; push != want {
		t.Errorf("push: %s, want %s", push, want)
	}
}

// Whoever does not wait for the answer is told how it goes on, and once how it
// ended.
func TestTransaction(t *testing.T) {
	ctx := t.Context()
	s := duotest.Serve(t, time.Now)
	for phone, want := range map[string]Answer{
		"allow": {Allow, "allow", "Success. Logging you in..."},
		"deny":  {Deny, "deny", "Login request denied."},
		"fraud": {Deny, "fraud", "Login request reported as fraudulent."},
		"":      {Deny, "timeout", "Login timed out."},
	} {
		u := alice()
		u.Phone, u.After = phone, 50*time.Millisecond
		s.Know("alice", u)
		c := ask(t, s, nil)
		tr, err := c.Begin(ctx, "alice", Factor{Method: Push})
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		a, err := tr.Wait(ctx, func(m string) { told = append(told, m) })
		if err != nil || a != want || !slices.Equal(told, []string{"Pushed a login request to your device..."}) {
			t.Errorf("%q: %+v, %v, told %q", phone, a, err, told)
		}
		if a, err := tr.Status(ctx); err == nil || a.Result != "" {
			t.Errorf("%q: answered again: %+v, %v", phone, a, err)
		}
	}
}

func TestPreauth(t *testing.T) {
	s := duotest.Serve(t, time.Now)
	c := ask(t, s, nil)
	s.Know("in", duotest.User{Preauth: "allow", Message: "Account is set to bypass"})
	s.Know("out", duotest.User{Preauth: "deny", Message: "Locked\x1b[2J\nout \u202e"})
	for name, want := range map[string]Preauth{
		"in":     {Result: Allow, Message: "Account is set to bypass"},
		"out":    {Result: Deny, Message: "Locked [2J out ?"},
		"nobody": {Result: Enroll, Message: "Enroll an authentication device to proceed", Portal: "https://api-test.duosecurity.com/portal?code=1234567890abcdef"},
	} {
		if got, err := c.Preauth(t.Context(), name, ""); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestEnroll(t *testing.T) {
	ctx := t.Context()
	s := duotest.Serve(t, time.Now)
	c := ask(t, s, nil)
	e, err := c.Enroll(ctx, "new", time.Hour)
	if err != nil || e.UserID != "DUnew" || e.User != "new" || e.Code != "duo://new" || time.Until(e.Expires) < 50*time.Minute {
		t.Fatalf("%s, %v, %v, %v", e.UserID, e.Code, e.Expires, err)
	}
	status := func(want string) {
		t.Helper()
		if got, err := c.EnrollStatus(ctx, e); err != nil || got != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
	status(Waiting)
	s.Know("new", alice())
	status(Success)
	e.Code = "duo://other"
	status(Invalid)
	var refused *Error
	if _, err := c.Enroll(ctx, "new", 0); !errors.As(err, &refused) || refused.Code != 40003 || refused.Status != 400 {
		t.Errorf("enrolled twice: %v", err)
	}
}

// What the service refuses comes with its own code and words.
func TestRefused(t *testing.T) {
	s := duotest.Serve(t, time.Now)
	other, _ := ReadSecret([]byte(strings.Repeat("x", 40)))
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"other secret": {func(c *Config) { c.SKey = other }, "code 40103: Invalid signature in request credentials"},
		"other key":    {func(c *Config) { c.IKey = "DIXXX" }, "code 40102: Invalid integration key in request credentials"},
		"clock behind": {func(c *Config) { c.Now = func() time.Time { return time.Now().Add(-6 * time.Minute) } }, "code 40105: Bad request timestamp"},
		"clock ahead":  {func(c *Config) { c.Now = func() time.Time { return time.Now().Add(6 * time.Minute) } }, "code 40105: Bad request timestamp"},
	} {
		_, err := ask(t, s, c.change).Check(t.Context())
		if want := "/auth/v2/check at " + s.Host + ": " + c.want; err == nil || err.Error() != want || errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
	if _, err := ask(t, s, func(c *Config) { c.Now = func() time.Time { return time.Now().Add(-4 * time.Minute) } }).Check(t.Context()); err != nil {
		t.Errorf("a clock four minutes behind: %v", err)
	}
}

func TestNew(t *testing.T) {
	skey, _ := ReadSecret([]byte(duotest.SKey))
	good := Config{Host: "api-1.duosecurity.com", IKey: "DI", SKey: skey, Now: time.Now}
	for want, change := range map[string]func(*Config){
		"<nil>":                            func(*Config) {},
		`the host "" is no name of a host`: func(c *Config) { c.Host = "" },
		`the host "https://a" is no name of a host`: func(c *Config) { c.Host = "https://a" },
		"there is no integration key":               func(c *Config) { c.IKey = "" },
		"there is no secret key":                    func(c *Config) { c.SKey = Secret{} },
		"there is no clock":                         func(c *Config) { c.Now = nil },
	} {
		config := good
		change(&config)
		if _, err := New(config); fmt.Sprint(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// The pinned roots are there, and vouch for nobody else.
func TestPinnedRoots(t *testing.T) {
	roots := PinnedRoots()
	if roots.Equal(x509.NewCertPool()) {
		t.Fatal("there are none")
	}
	s := duotest.Serve(t, time.Now)
	if _, err := ask(t, s, func(c *Config) { c.Roots = nil }).Ping(t.Context()); err == nil || errors.Is(err, ErrUnreachable) {
		t.Errorf("got %v", err)
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"":                        "",
		" a\tb\r\nc ":             "a b c",
		"\x1b[31mred\x07":         "[31mred",
		"a\u0085b\u2028c\u200fd":  "a b c?d",
		"\xff caf\u00e9":          "? caf\u00e9",
		strings.Repeat("x", 1000): strings.Repeat("x", 400) + "...",
	} {
		if got := Clean(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
