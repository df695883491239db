package cmd

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/duo/duotest"

	"github.com/rogpeppe/go-internal/testscript"
)

// duoTable is [duo] for a test server, with its two files in a folder, to which
// settings are added.
func duoTable(s *duotest.Server, folder string, settings ...string) (string, error) {
	for name, text := range map[string][]byte{"duo.pem": s.CA, "duo.skey": []byte(duotest.SKey + "\n")} {
		if err := os.WriteFile(folder+"/"+name, text, 0o600); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("\n[duo]\nhost = %q\nikey = %q\nskey_file = %q\nca_file = %q\n%s\n",
		s.Host, duotest.IKey, folder+"/duo.skey", folder+"/duo.pem", strings.Join(settings, "\n")), nil
}

// duoUsers are who a test server knows: alice, whose phone says yes, dave, who
// presses no, and two whom Duo lets in and keeps out.
func duoUsers(s *duotest.Server) {
	devices := []duotest.Device{duotest.Phone()}
	s.Know("alice", duotest.User{Devices: devices, Phone: "allow", Passcodes: []string{"111111", "222222", "333333"}})
	s.Know("dave", duotest.User{Devices: devices, Phone: "deny", Passcodes: []string{"444444"}})
	s.Know("in", duotest.User{Preauth: "allow", Message: "Account is set to bypass"})
	s.Know("out", duotest.User{Preauth: "deny", Message: "Your account is disabled"})
}

// A duoKey finds a script's test server.
type duoKey struct{}

// scriptDuo runs a server that answers as Duo does, until the script ends:
//
//	duo serve [SETTING]...           appends [duo] to more.toml, for site
//	duo fault PATH [NAME=VALUE]...   does something to the next request of a path
//	duo know USER bypass | barred | PHONE [PASSCODE]...
//	                                 makes a user of whose phone comes allow, deny or fraud
//	duo asked PATH... | nobody       wants these requests since it was asked last
//	duo param NAME VALUE             wants this of the last request
func scriptDuo(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: duo serve|fault|asked|param ...")
	}
	switch s, _ := ts.Value(duoKey{}).(*scriptServer); args[0] {
	case "serve":
		s.serve(ts, args[1:])
	case "fault":
		s.Fault(args[1], readFault(ts, args[2:]))
	case "know":
		s.know(args[1], args[2], args[3:])
	case "asked":
		s.asked(ts, args[1:])
	case "param":
		all := s.Requests()
		if len(args) != 3 || len(all) == 0 || all[len(all)-1].Params.Get(args[1]) != args[2] {
			ts.Fatalf("%v: the requests were %+v", args, all)
		}
	default:
		ts.Fatalf("duo %q", args[0])
	}
}

// A scriptServer is a server of one script; until it serves there is none.
type scriptServer struct {
	t testing.TB
	*duotest.Server
	seen int
}

func (s *scriptServer) serve(ts *testscript.TestScript, settings []string) {
	s.Server = duotest.Serve(s.t, time.Now)
	duoUsers(s.Server)
	table, err := duoTable(s.Server, ts.MkAbs("."), settings...)
	ts.Check(err)
	before, err := os.ReadFile(ts.MkAbs("more.toml"))
	if err != nil && !os.IsNotExist(err) {
		ts.Check(err)
	}
	ts.Check(os.WriteFile(ts.MkAbs("more.toml"), append(before, table...), 0o600))
}

func (s *scriptServer) know(user, how string, passcodes []string) {
	switch how {
	case "bypass":
		s.Know(user, duotest.User{Preauth: "allow", Message: "Account is set to bypass"})
	case "barred":
		s.Know(user, duotest.User{Preauth: "deny", Message: "Your account is disabled"})
	default:
		s.Know(user, duotest.User{Devices: []duotest.Device{duotest.Phone()}, Phone: how, Passcodes: passcodes})
	}
}

func (s *scriptServer) asked(ts *testscript.TestScript, want []string) {
	if len(want) == 1 && want[0] == "nobody" {
		want = nil
	}
	var got []string
	for _, p := range s.Paths()[s.seen:] {
		got = append(got, strings.TrimPrefix(p, "/auth/v2/"))
	}
	s.seen += len(got)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		ts.Fatalf("Duo was asked %v, want %v", got, want)
	}
}

func readFault(ts *testscript.TestScript, settings []string) duotest.Fault {
	var f duotest.Fault
	for _, s := range settings {
		name, value, _ := strings.Cut(s, "=")
		var err error
		switch name {
		case "delay":
			f.Delay, err = time.ParseDuration(value)
		case "status":
			_, err = fmt.Sscan(value, &f.Status)
		case "after":
			f.After = value
		case "body":
			f.Body = value
		case "response":
			f.Body = `{"stat":"OK","response":` + value + `}`
		case "break":
			f.Break = map[string]duotest.Break{"reset": duotest.Reset, "half": duotest.HalfBody, "half-closed": duotest.HalfClosed}[value]
		default:
			ts.Fatalf("duo fault: %q", s)
		}
		ts.Check(err)
	}
	return f
}
