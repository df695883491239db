package pipe

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// program is oath-duo as a script has it.
func program(t *testing.T, text string) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "oath-duo")
	if err := os.WriteFile(path, []byte("#!/bin/sh\ncat >\"$0.in\"\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return []string{path}
}

func ask(t *testing.T, text string, r Request) (Verdict, []string, error) {
	t.Helper()
	var told []string
	v, err := Ask(t.Context(), program(t, text), time.Minute, r, func(m string) { told = append(told, m) })
	return v, told, err
}

const yes = `{"ok":true,"result":"allow","stage":"auth","user":"alice","message":"Success","status":"allow","detail":"","devices":null}`

func TestAsk(t *testing.T) {
	v, told, err := ask(t, `echo '{"progress":"Dialing..."}'; echo nonsense; echo '{"progress":"Answered"}'; echo '`+yes+`'`,
		Request{User: "alice", Ask: Login, Method: Phone, Address: "192.0.2.1"})
	want := Verdict{OK: true, Result: Allow, Stage: AtAuth, User: "alice", Message: "Success", Status: "allow"}
	if err != nil || fmt.Sprint(v) != fmt.Sprint(want) || fmt.Sprint(told) != "[Dialing... Answered]" {
		t.Errorf("got %+v, %v, told %v", v, err, told)
	}
	argv := program(t, `echo '`+yes+`'`)
	if _, err := Ask(t.Context(), argv, time.Minute, Request{User: "alice", Ask: Auth, Method: Passcode, Passcode: "123456"}, func(string) {}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(argv[0] + ".in")
	if want := `{"user":"alice","ask":"auth","method":"passcode","passcode":"123456"}` + "\n"; err != nil || string(got) != want {
		t.Errorf("the request was %s", got)
	}
}

// Whatever is not the whole verdict on this user, with its exit code, is none.
func TestNoVerdict(t *testing.T) {
	login := Request{User: "alice", Ask: Login, Method: Passcode, Passcode: "123456"}
	with := func(old, new string) string { return "echo '" + strings.Replace(yes, old, new, 1) + "'" }
	for name, c := range map[string]struct {
		text string
		r    Request
		want string
	}{
		"nothing":               {"exit 0", login, "it gave no verdict (exit code 0)"},
		"no newline":            {"printf '%s' '" + yes + "'", login, "it gave no verdict (exit code 0)"},
		"half a line":           {"echo '" + yes[:40] + "'", login, "its last line is no verdict (exit code 0)"},
		"more after it":         {"echo '" + yes + "'; echo", login, "its last line is no verdict (exit code 0)"},
		"more on the line":      {"echo '" + yes + "{}'", login, "its last line is no verdict (exit code 0)"},
		"another name":          {with(`"status"`, `"state"`), login, "its last line is no verdict (exit code 0)"},
		"exit code 1":           {"echo '" + yes + "'; exit 1", login, "the verdict is allow, and the exit code 1"},
		"exit code 111":         {"echo '" + yes + "'; echo 'oath-duo: error: it broke for 123456' >&2; exit 111", login, "the verdict is allow, and the exit code 111; it said: oath-duo: error: it broke for [secret]"},
		"no with 0":             {with(`true,"result":"allow"`, `false,"result":"deny"`), login, "the verdict is deny, and the exit code 0"},
		"killed":                {"echo '" + yes + "'; kill -9 $$", login, "it was killed by signal 9 (killed)"},
		"somebody else":         {with("alice", "mallory"), login, "the verdict is about somebody else"},
		"nobody":                {with(`"user":"alice",`, ""), login, "the verdict is about somebody else"},
		"yes and no":            {with("true", "false"), login, "the verdict contradicts itself"},
		"no and yes":            {with(`"allow"`, `"deny"`) + "; exit 1", login, "the verdict contradicts itself"},
		"another result":        {with(`"allow"`, `"maybe"`), login, "the verdict has a result that there is not"},
		"another stage":         {with(`"auth"`, `"later"`), login, "the verdict has a stage that there is not"},
		"preauth not asked for": {with(`"auth"`, `"preauth"`), Request{User: "alice", Ask: Auth, Method: Push}, "the verdict is of a stage that was not asked for"},
		"auth not asked for":    {"echo '" + yes + "'", Request{User: "alice", Ask: Devices}, "the verdict is of a stage that was not asked for"},
		"devices not asked for": {with(`true,"result":"allow","stage":"auth"`, `false,"result":"choose","stage":"preauth"`), login, "the verdict has devices that were not asked for"},
		"control characters":    {with("Success", `\u001b[2J`), login, "the verdict has a control character in it"},
		"too much":              {"head -c 300000 /dev/zero; echo; echo '" + yes + "'", login, "its output is too long"},
		"configuration":         {"echo 'oath-duo: error: Duo is not configured' >&2; exit 111", login, "it gave no verdict (exit code 111); it said: oath-duo: error: Duo is not configured"},
	} {
		v, _, err := ask(t, c.text, c.r)
		if err == nil || v.OK || !strings.HasSuffix(err.Error(), ": "+c.want) {
			t.Errorf("%s: got %+v, %v, want %s", name, v, err, c.want)
		}
	}
	if _, err := Ask(t.Context(), []string{"/nonexistent/oath-duo"}, time.Minute, login, func(string) {}); err == nil {
		t.Error("a program that is not there")
	}
}

func TestKilledAtTheDeadline(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	v, err := Ask(ctx, program(t, "echo '"+yes+"'; sleep 1000"), time.Minute, Request{User: "alice", Ask: Login, Method: Push}, func(string) {})
	if err == nil || v.OK {
		t.Errorf("got %+v, %v", v, err)
	}
}

func TestReadRequest(t *testing.T) {
	for text, want := range map[string]string{
		`{"user":"alice","ask":"login","method":"push","device":"DP1"}`:    "<nil>",
		`{"user":"alice","ask":"auth","method":"passcode","passcode":"1"}`: "<nil>",
		`{"user":"alice","ask":"devices","address":"192.0.2.1"}`:           "<nil>",
		`{"ask":"devices"}`:                                                       "the request names no user",
		`{"user":"a\u0000b","ask":"devices"}`:                                     "the user of the request has a control character in it",
		`{"user":"` + strings.Repeat("x", 257) + `","ask":"devices"}`:             "the user of the request has more than 256 bytes",
		`{"user":"alice"}`:                                                        `the request asks for none of "login", "devices" and "auth"`,
		`{"user":"alice","ask":"devices","method":"push"}`:                        "a request for the devices has no method",
		`{"user":"alice","ask":"login","method":"passcode"}`:                      "the method passcode needs a passcode, and takes no device",
		`{"user":"alice","ask":"login","method":"push","passcode":"1"}`:           "the method push takes no passcode",
		`{"user":"alice","ask":"login","method":"email"}`:                         "the method of the request is none of passcode, push, phone, sms and auto",
		`{"user":"alice","ask":"login","method":"passcode","passcode":"1"} extra`: "the request is no JSON object with user, ask, method, passcode, device and address, or some of them",
		`[]`: "the request is no JSON object with user, ask, method, passcode, device and address, or some of them",
		``:   "the request is no JSON object with user, ask, method, passcode, device and address, or some of them",
	} {
		_, err := ReadRequest([]byte(text))
		if got := fmt.Sprint(err); !strings.HasSuffix(got, want) {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if s := fmt.Sprintf(verb, Request{Passcode: "123456"}); s != "[secret]" {
			t.Errorf("%s: %s", verb, s)
		}
	}
}

func FuzzReadRequest(f *testing.F) {
	f.Add([]byte(`{"user":"alice","ask":"login","method":"passcode","passcode":"1"}`))
	f.Add([]byte(`{"user":"alice","ask":"devices"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ReadRequest(b)
		if err != nil {
			return
		}
		type plain Request
		text, err := json.Marshal(plain(r))
		if err != nil {
			t.Fatal(err)
		}
		if again, err := ReadRequest(text); err != nil || plain(again) != plain(r) || len(text) > 4096 {
			t.Fatalf("%q became %q (%v)", b, text, err)
		}
	})
}
