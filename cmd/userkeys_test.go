package cmd

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// The first code ever of users who are judged by the keys in user.cfg makes their
// records. Presented by many at once it lets exactly one in, and later nobody.
func TestOneCodeOneLoginFromUserFile(t *testing.T) {
	l := newLab(t)
	n := rounds(6, 100)
	var lines strings.Builder
	keys := make([]*token, n)
	for i := range keys {
		keys[i] = newToken(t, i)
		fmt.Fprintf(&lines, "user:u%d@pve:1:0:::::v2-0x%s:\n", i, keys[i].key.Hex())
	}
	l.write("user.cfg", lines.String())
	l.write("oathkit.toml", l.read("oathkit.toml")+"[verify]\nkeys = \"user.cfg\"\n")
	l.must("", "mfactl", "import", "--from", "pve-user", "-")
	for i, k := range keys {
		user := fmt.Sprintf("u%d@pve", i)
		away(8 * time.Second)
		code := k.totp(0)
		n := count(l.atOnce(repeat(user, crowd), repeat(code, crowd)))
		if n[0] != 1 || n[1] != crowd-1 {
			t.Fatalf("round %d: exit codes %v, want one 0 and %d of 1", i, n, crowd-1)
		}
		if r := l.run(code+"\n", "oathverify", user); r.code != 1 {
			t.Fatalf("round %d: again: exit code %d", i, r.code)
		}
	}
}
