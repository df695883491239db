package account_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/account"
)

// vector is one case of testdata/pve.json: what PVE's own code made of an input.
type vector struct {
	Kind, Name string
	Input      json.RawMessage
	Expected   json.RawMessage
}

func vectors(t *testing.T, kind string, want int) []vector {
	t.Helper()
	b, err := os.ReadFile("testdata/pve.json")
	if err != nil {
		t.Fatal(err)
	}
	var all, of []vector
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		if v.Kind == kind {
			of = append(of, v)
		}
	}
	if len(of) != want {
		t.Fatalf("%d cases of %s, want %d", len(of), kind, want)
	}
	return of
}

func decode(t *testing.T, raw json.RawMessage, v any) {
	t.Helper()
	if err := json.Unmarshal(raw, v); err != nil {
		t.Fatal(err)
	}
}

func TestUsersAsPVEReadsThem(t *testing.T) {
	for _, v := range vectors(t, "user.cfg/parse", 18) {
		t.Run(v.Name, func(t *testing.T) {
			var input string
			var want struct {
				Users map[string]struct {
					Enable, Expire, Keys, Comment string
					Email                         *string
				}
				Warnings []string
			}
			decode(t, v.Input, &input)
			decode(t, v.Expected, &want)
			got := account.ParseUsers([]byte(input))
			if len(got.All()) != len(want.Users) {
				t.Errorf("%d users, want %d", len(got.All()), len(want.Users))
			}
			for id, w := range want.Users {
				u, ok := got.Lookup(id)
				if !ok {
					t.Errorf("no user %q", id)
					continue
				}
				expire := fmt.Sprint(u.Expire)
				if w.Expire == "" { // root@pam without a line
					w.Expire = "0"
				}
				if u.ID != id || u.Enabled != (w.Enable == "1") || expire != w.Expire || u.Comment != w.Comment || u.Keys.Reveal() != w.Keys {
					t.Errorf("%q: enabled %v, expire %s, comment %q; want %+v", id, u.Enabled, expire, u.Comment, w)
				}
				if w.Email != nil && u.Email != *w.Email {
					t.Errorf("%q: email %q, want %q", id, u.Email, *w.Email)
				}
			}
			// Every line or user that PVE warns of is a problem here; of groups
			// and privileges nothing is said.
			warned := 0
			for _, w := range want.Warnings {
				if strings.Contains(w, "ignore config line") || strings.Contains(w, "ignore user ") {
					warned++
				}
			}
			dropped := 0
			for _, p := range got.Problems() {
				if slices.Contains([]string{"lost-line", "unknown-line", "bad-user-id", "bad-expire"}, p.Code) {
					dropped++
				}
			}
			if dropped != warned {
				t.Errorf("%d dropped lines, want %d: %+v", dropped, warned, got.Problems())
			}
		})
	}
}

func TestSplitUserID(t *testing.T) {
	for _, v := range vectors(t, "userid", 9) {
		var id string
		decode(t, v.Input, &id)
		name, realm, ok := account.SplitUserID(id)
		var want struct{ User, Realm string }
		if string(v.Expected) != "false" {
			decode(t, v.Expected, &want)
		}
		if ok != (want.User != "") || name != want.User || realm != want.Realm {
			t.Errorf("%q: %q, %q, %v; want %+v", id, name, realm, ok, want)
		}
	}
}

func TestSplitList(t *testing.T) {
	for _, v := range vectors(t, "split_list", 10) {
		var text string
		var want []string
		decode(t, v.Input, &text)
		decode(t, v.Expected, &want)
		if got := account.SplitList(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestExpired(t *testing.T) {
	now := time.Unix(1_700_000_000, 999)
	for expire, want := range map[int64]bool{0: false, 1: true, 1_699_999_999: true, 1_700_000_000: false, 1_700_000_001: false, 1<<63 - 1: false} {
		if got := (account.User{Expire: expire}).Expired(now); got != want {
			t.Errorf("expire %d: %v, want %v", expire, got, want)
		}
	}
}

func TestProblems(t *testing.T) {
	const key = "P6NDPDL6QDS7YFP4"
	tests := []struct {
		name, file string
		want       []string // line, severity, code
	}{
		{"as PVE writes it", "user:ann@pve:1:0:Ann:Lee:a@b.c:note:" + key + ":\nuser:root@pam:1:0::::::\n\ngroup:g:ann@pve::\n\npool:p:::\nrole:r::\nacl:1:/:ann@pve:r:\ntoken:ann@pve!t:0:0::\n", nil},
		{"CRLF", "user:ann@pve:1:0:::::" + key + ":\r\n\r\n", nil},
		{"a comment", "# admins\n", []string{"1 warning lost-line"}},
		{"a user behind #", "#user:bob@pve:1:\n", []string{"1 warning lost-line"}},
		{"another word", "foo:bar\n", []string{"1 warning unknown-line"}},
		{"upper case", "USER:ann@pve:1:\n", []string{"1 error unknown-line"}},
		{"byte order mark", "\ufeffuser:ann@pve:1:\n", []string{"1 error unknown-line"}},
		{"no realm", "user:ann:1:\n", []string{"1 error bad-user-id"}},
		{"one-letter realm", "user:ann@p:1:\n", []string{"1 error bad-user-id"}},
		{"blank in the name", "user:an n@pve:1:\n", []string{"1 error bad-user-id"}},
		{"slash in the name", "user:an/n@pve:1:\n", []string{"1 error bad-user-id"}},
		{"no name", "user:@pve:1:\nuser\n", []string{"1 error bad-user-id", "2 error bad-user-id"}},
		{"too long", "user:" + strings.Repeat("x", 61) + "@pve:1:\n", []string{"1 error bad-user-id"}},
		{"negative expire", "user:ann@pve:1:-1:\n", []string{"1 error bad-expire"}},
		{"a date", "user:ann@pve:1:20301231:\n", []string{"1 error odd-expire"}},
		{"milliseconds", "user:ann@pve:1:1900000000000:\n", []string{"1 error odd-expire"}},
		{"no means on", "user:ann@pve:no:0:\n", []string{"1 error odd-enable"}},
		{"yes means on", "user:ann@pve:yes:0:\n", []string{"1 warning odd-enable"}},
		{"duplicate", "user:ann@pve:1:\n\nuser:ann@pve:0:\n", []string{"1 error duplicate-user"}},
		{"same line twice", "user:ann@pve:1:\nuser:ann@pve:1:\n", []string{"1 warning duplicate-user"}},
		{"a dropped line replaces nothing", "user:ann@pve:1:\nuser:ann@pve:0:x:\n", []string{"2 error bad-expire"}},
		{"lower case", "user:ann@pve:1:0:::::p6ndpdl6qds7yfp4:\n", []string{"1 error key-unusable"}},
		{"padding", "user:ann@pve:1:0:::::AAAAAAAAAAAAAA==:\n", []string{"1 error key-unusable"}},
		{"32 characters", "user:ann@pve:1:0:::::" + key + key + ":\n", []string{"1 error key-unusable"}},
		{"one of two", "user:ann@pve:1:0:::::bogus " + key + ":\n", []string{"1 warning key-unusable"}},
		{"two of two", "user:ann@pve:1:0:::::bogus,0x00:\n", []string{"1 error key-unusable", "1 error key-unusable"}},
		{"short", "user:ann@pve:1:0:::::v2-0xaa:\n", []string{"1 warning key-short"}},
		{"markers", "user:ann@pve:1:0:::::x:\nuser:bob@pve:1:0:::::x!u2f:\n", nil},
		{"key one field early", "user:ann@pve:1:0::::" + key + ":\n", []string{"1 error misplaced-key"}},
		{"key two fields early", "user:ann@pve:1:0:::" + key + ":\n", []string{"1 error misplaced-key"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, p := range account.ParseUsers([]byte(tt.file)).Problems() {
				got = append(got, fmt.Sprintf("%d %s %s", p.Line, p.Severity, p.Code))
				if p.Message == "" || p.Mend == "" {
					t.Errorf("no message or no mend: %+v", p)
				}
				for _, secret := range []string{key, "p6ndpdl6", "AAAAAAAA", "bogus"} {
					if strings.Contains(fmt.Sprintf("%+v", p), secret) {
						t.Errorf("a key is in the problem: %+v", p)
					}
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestUsersOfARealm(t *testing.T) {
	users := account.ParseUsers([]byte("user:zed@pve:1:\nuser:ann@pve:0:\nuser:joe@corp@ad1:1:\n"))
	var got []string
	for _, u := range append(users.In("pve"), users.In("pam")...) {
		got = append(got, fmt.Sprintf("%s %v %d", u.ID, u.Enabled, u.Line))
	}
	if want := []string{"ann@pve false 2", "zed@pve true 1", "root@pam true 0"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if u, ok := users.Lookup("joe@corp@ad1"); !ok || u.Realm != "ad1" {
		t.Errorf("%+v, %v", u, ok)
	}
}

// seeds are the files that the fuzz target starts from.
func seeds(f *testing.F) {
	b, err := os.ReadFile("testdata/pve.json")
	if err != nil {
		f.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(b, &all); err != nil {
		f.Fatal(err)
	}
	for _, v := range all {
		var s string
		if v.Kind == "user.cfg/parse" && json.Unmarshal(v.Input, &s) == nil {
			f.Add([]byte(s))
		}
	}
}

// rewrite writes users as PVE writes them, as far as this package reads them.
func rewrite(users account.Users) []byte {
	var b bytes.Buffer
	for _, u := range users.All() {
		enable := 0
		if u.Enabled {
			enable = 1
		}
		fmt.Fprintf(&b, "user:%s:%d:%d:::%s:%s:%s:\n", u.ID, enable, u.Expire, u.Email, u.Comment, u.Keys.Reveal())
	}
	return b.Bytes()
}

func FuzzUsers(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		users := account.ParseUsers(b)
		if u, ok := users.Lookup("root@pam"); !ok || u.Realm != "pam" {
			t.Fatal("no root@pam")
		}
		lines := bytes.Count(b, []byte{'\n'}) + 1
		for _, p := range users.Problems() {
			if p.Line < 1 || p.Line > lines || p.Message == "" || p.Severity != account.Error && p.Severity != account.Warning {
				t.Fatalf("%+v", p)
			}
		}
		for _, u := range users.All() {
			usable, unusable := u.Keys.Count()
			if len(u.Keys.Faults()) != unusable || usable+unusable > 0 && u.Keys.Marker() != "" {
				t.Fatalf("%q: %d usable, %d unusable, faults %q", u.ID, usable, unusable, u.Keys.Faults())
			}
		}
		text := rewrite(users)
		again := account.ParseUsers(text)
		if !bytes.Equal(rewrite(again), text) || len(again.All()) != len(users.All()) {
			t.Fatalf("the users change when written and read:\n%q\n%q", text, rewrite(again))
		}
		if crlf := rewrite(account.ParseUsers(bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n")))); !bytes.Equal(crlf, text) {
			t.Fatalf("CRLF changes the users:\n%q\n%q", text, crlf)
		}
	})
}
