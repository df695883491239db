package cmd

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// labUsers is a user.cfg of n accounts with a key each, and the keys.
func labUsers(t testing.TB, n int) (string, []*token) {
	t.Helper()
	var b strings.Builder
	keys := make([]*token, n)
	for i := range keys {
		keys[i] = newToken(t, i)
		fmt.Fprintf(&b, "user:u%03d@pve:1:0:::::v2-0x%s:\n", i, keys[i].key.Hex())
	}
	return b.String(), keys
}

// results counts what the JSON of an import says became of its users.
func results(t testing.TB, out string) map[string]int {
	t.Helper()
	var said struct {
		Users []struct{ Result string }
	}
	if err := json.Unmarshal([]byte(out), &said); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	n := map[string]int{}
	for _, u := range said.Users {
		n[u.Result]++
	}
	return n
}

// An import that is killed at any moment leaves whole users, and is finished by
// running it again.
func TestImportInterrupted(t *testing.T) {
	const users = 150
	text, keys := labUsers(t, users)
	for i := range rounds(4, 40) {
		l := newLab(t)
		l.write("old.cfg", text)
		cmd := l.command("mfactl", "import", "--activated", "--from", "pve-user", l.path("old.cfg"))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(10+20*(i%8)) * time.Millisecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		n := results(t, l.must("", "mfactl", "import", "--json", "--activated", "--from", "pve-user", l.path("old.cfg")))
		if n["imported"]+n["unchanged"] != users {
			t.Fatalf("round %d: %v", i, n)
		}
		t.Logf("round %d: %d users were imported before the kill", i, n["unchanged"])
		again := results(t, l.must("", "mfactl", "import", "--json", "--from", "pve-user", l.path("old.cfg")))
		if again["unchanged"] != users {
			t.Fatalf("round %d: again: %v", i, again)
		}
		// What comes out is what went in.
		hex := keys[7].key.Hex()
		out := l.must(strings.ReplaceAll(text, "v2-0x"+hex, ""), "mfactl", "export", "--to", "pve-user")
		if out != strings.ReplaceAll(text, "v2-0x"+hex, hex) {
			t.Fatalf("round %d: exported\n%s", i, out)
		}
		if out := l.must("", "mfactl", "ready"); strings.Count(out, "  1 ") < users {
			t.Fatalf("round %d: not everybody is ready\n%s", i, out)
		}
	}
}

// Several imports of one file at once: each user is imported by one of them.
func TestImportsAtOnce(t *testing.T) {
	const users, imports = 60, 4
	text, _ := labUsers(t, users)
	l := newLab(t)
	l.write("old.cfg", text)
	runs := make([]run, imports)
	var wait sync.WaitGroup
	for i := range runs {
		wait.Go(func() {
			runs[i] = l.run("", "mfactl", "import", "--json", "--from", "pve-user", l.path("old.cfg"))
		})
	}
	wait.Wait()
	n := 0
	for _, r := range runs {
		if r.code != 0 {
			t.Fatalf("exit code %d: %s", r.code, r.err)
		}
		n += results(t, r.out)["imported"]
	}
	if n != users {
		t.Errorf("%d users were imported, want %d", n, users)
	}
	if records, err := filepath.Glob(l.path("store/*/*.json")); err != nil || len(records) != users {
		t.Errorf("%d records, %v", len(records), err)
	}
}
