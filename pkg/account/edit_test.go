package account_test

import (
	"bytes"
	"strings"
	"testing"

	"oathkit/pkg/account"
)

func TestSetKeys(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"replaced", "user:a@pve:1:0:A:B:a@b.c:n:OLD:\n", "user:a@pve:1:0:A:B:a@b.c:n:NEW:\n"},
		{"none yet", "user:a@pve:1:0::::::\n", "user:a@pve:1:0:::::NEW:\n"},
		{"no colon at the end", "user:a@pve:1:0:A:B:m:c:OLD", "user:a@pve:1:0:A:B:m:c:NEW"},
		{"a short line", "user:a@pve:1\n", "user:a@pve:1::::::NEW:\n"},
		{"blanks stay", "  user : a@pve : 1 : 0 : A : B : m : c : OLD :  \r\n", "  user : a@pve : 1 : 0 : A : B : m : c : NEW :  \r\n"},
		{"blanks alone", "user:a@pve:1:0::::c: \t:\n", "user:a@pve:1:0::::c: \tNEW:\n"},
		{"more fields", "user:a@pve:1:0:::::OLD:x:y:\n", "user:a@pve:1:0:::::NEW:x:y:\n"},
		{"several keys", "user:a@pve:1:0:::::OLD1 OLD2,OLD3:\n", "user:a@pve:1:0:::::NEW:\n"},
		{"another kind of line", "group:g:a@pve:::::::\n", "group:g:a@pve:::::::\n"},
	} {
		const before, after = "# x\n\nuser:z@pve:1:0:::::K:\n", "acl:1:/:z@pve:R:\r\n\xff"
		if !strings.HasSuffix(tt.in, "\n") {
			got := account.SetKeys([]byte(before+tt.in), map[int]account.Keys{4: account.NewKeys("NEW")})
			if string(got) != before+tt.want {
				t.Errorf("%s: %q", tt.name, got)
			}
			continue
		}
		got := account.SetKeys([]byte(before+tt.in+after), map[int]account.Keys{4: account.NewKeys("NEW")})
		if string(got) != before+tt.want+after {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
}

// FuzzSetKeys: PVE sees the new field, the same users, and every other byte is
// the same.
func FuzzSetKeys(f *testing.F) {
	for _, v := range []string{
		"user:ann@pve:1:0:A:B:a@b.c:n:P6NDPDL6QDS7YFP4:\nuser:bob@pve:1:\r\n", "user:a@pve", "\n\nuser:root@pam:::::::: \n\xff\n",
		" user : ann@pve :1:5", "user:ann@pve:1:0::::: \v :\n",
	} {
		f.Add([]byte(v), uint8(0))
	}
	f.Fuzz(func(t *testing.T, file []byte, which uint8) {
		before := account.ParseUsers(file)
		all := before.All()
		u := all[int(which)%len(all)]
		if u.Line == 0 {
			return
		}
		const key = "v2-0xabcdef,P6NDPDL6QDS7YFP4"
		edited := account.SetKeys(file, map[int]account.Keys{u.Line: account.NewKeys(key)})
		after := account.ParseUsers(edited)
		for _, was := range all {
			is, ok := after.Lookup(was.ID)
			want := was
			if was.ID == u.ID {
				want.Keys = account.NewKeys(key)
			}
			if !ok || is != want {
				t.Fatalf("%q\nbecame %q:\n%+v, want %+v", file, edited, is, want)
			}
		}
		if len(after.All()) != len(all) {
			t.Fatalf("%q\nbecame %q: another number of users", file, edited)
		}
		old, now := bytes.SplitAfter(file, []byte("\n")), bytes.SplitAfter(edited, []byte("\n"))
		if len(old) != len(now) {
			t.Fatalf("another number of lines: %q", edited)
		}
		for i := range old {
			if i != u.Line-1 && !bytes.Equal(old[i], now[i]) {
				t.Fatalf("line %d became %q", i+1, now[i])
			}
		}
		if again := account.SetKeys(edited, map[int]account.Keys{u.Line: u.Keys}); bytes.Count(old[u.Line-1], []byte(":")) > 8 && !bytes.Equal(again, file) && len(u.Keys.Reveal()) > 0 {
			t.Fatalf("not undone: %q, was %q", again, file)
		}
	})
}
