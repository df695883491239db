package cmd

import (
	"encoding/json"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// onScreen runs mfactl on a terminal and returns what an administrator sees, with
// ids and keys named instead of shown.
func (l *lab) onScreen(args ...string) string {
	l.t.Helper()
	code, shown := converse(l.t.(*testing.T), l.command("mfactl", args...), "\x00", "")
	if code != 0 {
		l.t.Fatalf("%v: exit code %d\n%s", args, code, shown)
	}
	shown = strings.ReplaceAll(shown, "\r\n", "\n")
	shown = regexp.MustCompile(`"[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}"`).ReplaceAllString(shown, `"ID"`)
	return regexp.MustCompile(`"blob": "[A-Z2-7]{32}"`).ReplaceAllString(shown, `"blob": "KEY"`)
}

// On the screen, where both streams meet, the lines are those of vzapi's page,
// in its order.
func TestSeedOnTheScreen(t *testing.T) {
	l := newLab(t)
	object := `{
    "activated": false,
    "blob": "KEY",
    "id": "ID",
    "name": "admin",
    "type": "totp",
    "user_id": "ID"
}
`
	enabled := "The MFA credentials have been successfully enabled for the user admin\n"
	disabled := "The MFA credentials have been successfully disabled for the user admin\n"
	l.must("", "mfactl", "enable", "other@pam") // makes the store
	l.must("", "mfactl", "disable", "other@pam")
	steps := []struct {
		args []string
		want string
	}{
		{[]string{"enable", "--json", "admin"}, object + enabled},
		{[]string{"list", "--json", "--show-keys"}, "[\n" + regexp.MustCompile(`(?m)^`).ReplaceAllString(strings.TrimSuffix(object, "\n"), "    ") + "\n]\n"},
		{[]string{"disable", "admin"}, disabled},
		{[]string{"enable", "--json", "admin"}, object + enabled},
		{[]string{"reset", "--json", "admin"}, disabled + object + enabled},
	}
	for _, s := range steps {
		if shown := l.onScreen(s.args...); shown != s.want {
			t.Errorf("mfactl %v shows\n%swant\n%s", s.args, shown, s.want)
		}
	}
}

// A credential that was made here is one of Keystone's: oathtool, told nothing
// but SHA-1, 6 digits and 30 seconds, makes its codes. So are the two of the
// page.
func TestBlobsAreKeystones(t *testing.T) {
	need(t, "oathtool")
	l := newLab(t)
	var made struct{ Blob, Type string }
	if err := json.Unmarshal([]byte(l.must("", "mfactl", "enable", "--json", "admin")), &made); err != nil {
		t.Fatal(err)
	}
	if made.Type != "totp" || len(made.Blob) != 32 {
		t.Errorf("type %q, blob of %d characters", made.Type, len(made.Blob))
	}
	blobs := map[string]string{"admin": made.Blob, "seed1": "MFWWO4TGMRYHA23RNJXWMZLXNY", "user1": "NRWHE5D2NN4XO3DPOR3WK5DPPA"}
	for user, blob := range blobs {
		if user != "admin" {
			r := l.run(blob+"\n", "mfactl", "add", user)
			if r.code != 0 || strings.Contains(r.out+r.err, blob) {
				t.Errorf("add %s: exit code %d\n%s%s", user, r.code, r.out, r.err)
			}
			if !strings.Contains(r.err, "warning: the key is weak: every byte of it is a printable character") {
				t.Errorf("no word about a key that is text:\n%s", r.err)
			}
		}
		away(3 * time.Second)
		cmd := exec.Command("oathtool", "--totp=sha1", "--digits=6", "--time-step-size=30s", "--base32", "-")
		cmd.Stdin = strings.NewReader(blob + "\n")
		code, err := cmd.Output()
		if err != nil {
			t.Fatalf("oathtool: %v", err)
		}
		l.must(string(code), "oathverify", user)
	}
}
