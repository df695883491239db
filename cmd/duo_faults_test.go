package cmd

import (
	"net"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/duo/duotest"
	"oathkit/pkg/mfa"
	"oathkit/pkg/store/filestore"
)

// stateOf is what logins have changed of a user, but for the time of Duo's last
// yes.
func stateOf(t *testing.T, l *lab, id string) mfa.State {
	t.Helper()
	s, err := filestore.Open(l.path("store"), filestore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	u, err := s.View(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for i := range u.State.Counters {
		if c := &u.State.Counters[i]; c.Kind == mfa.Duo {
			c.Next = 0
		}
	}
	return u.State
}

// newDuoLab is a lab whose realm pve has Duo as its factor, with a server that
// answers as Duo does.
func newDuoLab(t *testing.T, settings ...string) (*lab, *duotest.Server) {
	t.Helper()
	l := newLab(t)
	s := duotest.Serve(t, time.Now)
	duoUsers(s)
	table, err := duoTable(s, l.dir, settings...)
	if err != nil {
		t.Fatal(err)
	}
	l.write("oathkit.toml", l.read("oathkit.toml")+"[realm.pve]\nfactor = \"duo\"\n"+table)
	l.must("", "mfactl", "add", "--type", "duo", "carol@pam")
	return l, s
}

// What goes wrong lets nobody in, and where Duo could not be reached at all, and
// the configuration says so, lets in without a factor.
func TestDuoFaults(t *testing.T) {
	const preauth, auth, status = "/auth/v2/preauth", "/auth/v2/auth", "/auth/v2/auth_status"
	yes := `{"stat":"OK","response":{"result":"allow","status":"allow"`
	for _, c := range []struct {
		name  string
		path  string
		fault duotest.Fault
		user  string
		safe  int // the exit code under failmode "safe"; under "secure" it is 111
	}{
		{"5xx", preauth, duotest.Fault{Status: 502}, "alice", 0},
		{"5xx of a yes", preauth, duotest.Fault{Status: 500, Body: yes + "}}"}, "alice", 0},
		{"no answer", preauth, duotest.Fault{Break: duotest.Reset}, "alice", 0},
		{"half closed", preauth, duotest.Fault{Break: duotest.HalfClosed}, "alice", 0},
		{"slow past the deadline", preauth, duotest.Fault{Delay: time.Hour}, "alice", 0},
		{"truncated JSON", preauth, duotest.Fault{Body: yes}, "alice", 111},
		{"broken off", preauth, duotest.Fault{Break: duotest.HalfBody, Body: yes + "}}"}, "alice", 111},
		{"garbage", preauth, duotest.Fault{Body: "<html>"}, "alice", 111},
		{"allow with a wrong user", preauth, duotest.Fault{Body: yes + `,"username":"mallory"}}`}, "alice", 111},
		{"told to come too late", preauth, duotest.Fault{Status: 429, After: "3600", Body: "{}"}, "alice", 111},
		{"our key is refused", preauth, duotest.Fault{Status: 401, Body: `{"stat":"FAIL","code":40103,"message":"Invalid signature"}`}, "alice", 111},
		{"5xx", auth, duotest.Fault{Status: 502}, "alice", 111},
		{"no answer", auth, duotest.Fault{Break: duotest.Reset}, "alice", 111},
		{"half closed", auth, duotest.Fault{Break: duotest.HalfClosed}, "alice", 111},
		{"slow past the deadline", auth, duotest.Fault{Delay: time.Hour}, "alice", 111},
		{"truncated JSON", auth, duotest.Fault{Body: yes}, "alice", 111},
		{"a yes instead of a transaction", auth, duotest.Fault{Body: yes + "}}"}, "alice", 111},
		{"5xx", status, duotest.Fault{Status: 503}, "alice", 111},
		{"truncated JSON", status, duotest.Fault{Body: yes}, "alice", 111},
		{"allow with a wrong user", status, duotest.Fault{Body: yes + `,"username":"mallory"}}`}, "alice", 111},
		{"replayed txid", status, duotest.Fault{Body: yes + `,"txid":"00000000-0000-4000-8000-000000000099"}}`}, "alice", 111},
		{"a push answered after the deadline", "", duotest.Fault{}, "late", 111},
	} {
		for failmode, want := range map[string]int{"secure": 111, "safe": c.safe} {
			t.Run(c.name+" at "+strings.TrimPrefix(c.path, "/auth/v2/")+", "+failmode, func(t *testing.T) {
				t.Parallel()
				l, s := newDuoLab(t, `timeout = "5s"`, `failmode = "`+failmode+`"`)
				s.Know("late", duotest.User{Devices: []duotest.Device{duotest.Phone()}, Phone: "allow", After: 10 * time.Second})
				s.Fault(c.path, c.fault)
				r := l.run("", "oathverify", "--json", "--method", "push", c.user+"@pve")
				if r.code != want {
					t.Errorf("exit code %d, want %d\n%s%s", r.code, want, r.out, r.err)
				}
				log := l.read("audit.jsonl")
				if strings.Contains(log, `"verdict":"accepted"`) || strings.Contains(r.out, `"accepted"`) {
					t.Errorf("accepted:\n%s%s", log, r.out)
				}
				if want == 0 && !strings.Contains(log, `"verdict":"not-required","reason":"duo-unreachable"`) {
					t.Errorf("the audit log has\n%s", log)
				}
				if want == 111 && !strings.Contains(log, `"verdict":"error"`) {
					t.Errorf("the audit log has\n%s", log)
				}
			})
		}
	}
}

// Whoever is not Duo, and nobody at all.
func TestDuoIsNotThere(t *testing.T) {
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	other := duotest.Serve(t, time.Now)
	for name, c := range map[string]struct {
		host string
		safe int
	}{
		"connection refused": {nobody.Addr().String(), 0},
		"another authority":  {other.Host, 111},
		"no such name":       {"host.invalid", 0},
		"no TLS":             {impostor(t, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), 111},
		"hangs up":           {impostor(t, ""), 0},
	} {
		for failmode, want := range map[string]int{"secure": 111, "safe": c.safe} {
			l, s := newDuoLab(t, `failmode = "`+failmode+`"`)
			l.write("oathkit.toml", strings.Replace(l.read("oathkit.toml"), s.Host, c.host, 1))
			if r := l.run("111111\n", "oathverify", "alice@pve"); r.code != want {
				t.Errorf("%s, %s: exit code %d, want %d\n%s", name, failmode, r.code, want, r.err)
			}
		}
	}
	if n := len(other.Requests()); n != 0 {
		t.Errorf("%d requests reached another server", n)
	}
}

// impostor is the address of somebody who says the same to everybody, and hangs up.
func impostor(t *testing.T, says string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 4096)) // or the system would take the words back
			_, _ = conn.Write([]byte(says))
			conn.Close()
		}
	}()
	return l.Addr().String()
}

// After a 429 the request comes again, whole.
func TestDuoComesLater(t *testing.T) {
	l, s := newDuoLab(t)
	s.Fault("/auth/v2/auth", duotest.Fault{Status: 429, After: "0", Body: `{"stat":"FAIL","code":42901}`}, duotest.Fault{Status: 429, Body: "{}"})
	if r := l.run("111111\n", "oathverify", "alice@pve"); r.code != 0 {
		t.Errorf("exit code %d\n%s", r.code, r.err)
	}
	for _, q := range s.Requests()[1:] {
		if q.Params.Get("passcode") != "111111" {
			t.Errorf("a request came as %v", q.Params)
		}
	}
	if n := len(s.Requests()); n != 4 {
		t.Errorf("%d requests", n)
	}
}

// What Duo judges changes nothing of codes, and its refusals of passcodes lock.
func TestDuoLocksOut(t *testing.T) {
	l, s := newDuoLab(t)
	s.Know("carol", duotest.User{Devices: []duotest.Device{duotest.Phone()}, Phone: "deny", Passcodes: []string{"555555", "666666"}})
	before := stateOf(t, l, "carol@pam")
	for range 10 { // denied pushes are not counted
		if r := l.run("", "oathverify", "--method", "push", "carol@pam"); r.code != 1 || r.err != "Login request denied.\n" {
			t.Fatalf("push: exit code %d, %s", r.code, r.err)
		}
	}
	if stateOf(t, l, "carol@pam") != before {
		t.Error("pushes have changed the state")
	}
	for i := range 6 {
		if r := l.run("000000\n", "oathverify", "carol@pam"); r.code != 1 || r.err != "Incorrect passcode. Please try again.\n" {
			t.Fatalf("passcode %d: exit code %d, %s", i, r.code, r.err)
		}
	}
	asked := len(s.Requests())
	r := l.run("555555\n", "oathverify", "--json", "carol@pam")
	if r.code != 1 || !strings.Contains(r.out, `"verdict": "locked"`) || !strings.Contains(r.out, "wrong code, or too many tries") {
		t.Errorf("while delayed: exit code %d\n%s", r.code, r.out)
	}
	if n := len(s.Requests()); n != asked {
		t.Errorf("Duo was asked %d times while the user was delayed", n-asked)
	}
	// A push goes on, and opens.
	s.Know("carol", duotest.User{Devices: []duotest.Device{duotest.Phone()}, Phone: "allow", Passcodes: []string{"555555", "666666"}})
	l.must("", "oathverify", "--method", "push", "carol@pam")
	l.must("555555\n", "oathverify", "carol@pam")
	// What could not be found out is not counted.
	for range 8 {
		s.Fault("/auth/v2/auth", duotest.Fault{Status: 503})
		if r := l.run("666666\n", "oathverify", "carol@pam"); r.code != 111 {
			t.Fatalf("503: exit code %d", r.code)
		}
	}
	l.must("666666\n", "oathverify", "carol@pam")
}

// Of many wrong passcodes at once no more reach Duo than would one by one.
func TestDuoGuessesAtOnce(t *testing.T) {
	l, s := newDuoLab(t)
	s.Know("carol", duotest.User{Devices: []duotest.Device{duotest.Phone()}})
	for i, r := range l.atOnce(repeat("carol@pam", 12), repeat("000000", 12)) {
		if r.code != 1 {
			t.Errorf("%d: exit code %d\n%s", i, r.code, r.err)
		}
	}
	n := 0
	for _, p := range s.Paths() {
		if p == "/auth/v2/auth" {
			n++
		}
	}
	if n != 6 {
		t.Errorf("%d passcodes reached Duo, want 6", n)
	}
}

// A user who has a device of his own beside Duo: its codes go on as ever, Duo is
// asked for the rest, and neither knows of the other.
func TestDuoBesideCodes(t *testing.T) {
	l, s := newDuoLab(t)
	k := newToken(t, 1)
	s.Know("dora", duotest.User{Devices: []duotest.Device{duotest.Phone()}, Phone: "allow", Passcodes: []string{"555555"}})
	l.enrol("dora@pam", k, 0)
	codes := strings.Fields(l.must("", "mfactl", "codes", "dora@pam"))
	l.must("", "mfactl", "add", "--type", "duo", "dora@pam")
	before := stateOf(t, l, "dora@pam")
	l.must("", "oathverify", "--method", "push", "dora@pam")
	l.must("push\n", "oathverify", "dora@pam")
	l.must("\n", "oathverify", "dora@pam")
	if stateOf(t, l, "dora@pam") != before {
		t.Error("Duo's answers have changed the state of codes")
	}
	asked := len(s.Requests())
	away(10 * time.Second)
	code := k.totp(0)
	l.must(code+"\n", "oathverify", "dora@pam")
	if r := l.run(code+"\n", "oathverify", "dora@pam"); r.code != 1 {
		t.Errorf("the same code again: exit code %d", r.code)
	}
	if r := l.run("555555\n", "oathverify", "dora@pam"); r.code != 1 {
		t.Errorf("a passcode of Duo's: exit code %d", r.code)
	}
	l.must(codes[0]+"\n", "oathverify", "dora@pam")
	if n := len(s.Requests()); n != asked {
		t.Errorf("Duo was asked %d times about codes", n-asked)
	}
	// A device that he gets besides is activated by its first code.
	f := newToken(t, 2)
	s.Know("fred", duotest.User{Devices: []duotest.Device{duotest.Phone()}, Passcodes: []string{"777777"}})
	l.must("", "mfactl", "add", "--type", "duo", "fred@pam")
	l.must(f.key.Base32()+"\n", "mfactl", "add", "--type", "hotp", "fred@pam")
	l.must("777777\n", "oathverify", "fred@pam")
	asked = len(s.Requests())
	l.must(f.hotp()+"\n", "oathverify", "fred@pam")
	l.must(f.hotp()+"\n", "oathverify", "fred@pam")
	if n := len(s.Requests()); n != asked {
		t.Errorf("Duo was asked %d times about first codes", n-asked)
	}
	// Without a device of his own the recovery codes are still good.
	l.must("", "mfactl", "add", "--type", "duo", "erik@pam")
	codes = strings.Fields(l.must("", "mfactl", "codes", "erik@pam"))
	l.must(codes[0]+"\n", "oathverify", "erik@pam")
	if n := len(s.Requests()); n != asked {
		t.Errorf("Duo was asked %d times about recovery codes", n-asked)
	}
}
