package site

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/config"
	"oathkit/pkg/mfa"

	"pgregory.net/rapid"
)

const someRealms = "pam: pam\n\ttfa type=oath\n\npve: pve\n\ttfa type=oath,digits=8\n\nldap: corp\n\tserver1 a\n\tbase_dn b\n\tuser_attr c\n\ttfa type=oath,step=60\n"

// keysSite is a site whose logins go by the keys of a file of users.
func keysSite(t *testing.T) *Site {
	t.Helper()
	dir := t.TempDir()
	s := &Site{Config: config.Default()}
	s.Config.Paths.Domains, s.Config.Paths.Users = filepath.Join(dir, "domains.cfg"), filepath.Join(dir, "user.cfg")
	s.Config.Verify.Keys = config.KeysInUserFile
	if err := os.WriteFile(s.Config.Paths.Domains, []byte(someRealms), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Realms = ReadRealms(s.Config.Paths.Domains)
	return s
}

// aUserFile draws lines of accounts, whole and broken ones, some of them of the
// same user in another spelling.
func aUserFile(t *rapid.T) string {
	id := rapid.SampledFrom([]string{"joe@pve", "Joe@pve", " joe@pve ", "joe@pam", "JOE@pam", "\u212aay@pam", "kay@pam", "kay@corp", "Kay@corp", "caf\xe9@pve", "joe", "joe@", "o@e@pve", "ÄN@corp", "än@corp"})
	keys := rapid.SampledFrom([]string{"", "0", "x", "x!oath", "P6NDPDL6QDS7YFP4", " p6ndpdl6qds7yfp4\t", "MFRGGZDFMZTWQ2LK,P6NDPDL6QDS7YFP4", "P6ND PDL6 QDS7 YFP4", "v2-0x3132333435363738393031", "joe@pve", "short", "P6NDPDL6QDS7YF=="})
	end := rapid.SampledFrom([]string{"\n", "\n", "\r\n", "\n\n", "\r", " #\n"})
	var b strings.Builder
	for range rapid.IntRange(0, 8).Draw(t, "lines") {
		fmt.Fprintf(&b, "%s:%s:%s:%s:::::%s:%s", rapid.SampledFrom([]string{"user", "user", "user", " user", "group", "#user"}).Draw(t, "word"), id.Draw(t, "id"),
			rapid.SampledFrom([]string{"1", "1", "1", "0", "", "x"}).Draw(t, "enable"), rapid.SampledFrom([]string{"0", "0", "", "5", "4000000000", "-1"}).Draw(t, "expire"), keys.Draw(t, "keys"), end.Draw(t, "end"))
	}
	return b.String()
}

// A login, which reads the lines of one user alone, judges him by the same keys as
// "mfactl ready", which has read the whole file: so what realmctl is told before a
// realm asks for a factor is what happens then.
func TestReadyIsWhatALoginFinds(t *testing.T) {
	s := keysSite(t)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		if err := os.WriteFile(s.UsersFile(), []byte(aUserFile(t)), 0o600); err != nil {
			t.Fatal(err)
		}
		login, ready := *s, *s
		holders, err := ready.KeyHolders("")
		if err != nil {
			t.Fatal(err)
		}
		holds := map[string]bool{}
		for _, id := range holders {
			holds[id] = true
		}
		for _, id := range append(holders, "joe@pve", "Joe@pve", "joe@pam", "kay@pam", "kay@corp", "än@corp", "o@e@pve", "nobody@pve") {
			u, err := login.JudgedWhereAsked(mfa.User{ID: id}, now)
			v, readyErr := ready.JudgedWhereAsked(mfa.User{ID: id}, now)
			if (err == nil) != (readyErr == nil) || len(u.Record.Credentials) != len(v.Record.Credentials) {
				t.Fatalf("%s: a login finds %d keys, %v; ready %d, %v", id, len(u.Record.Credentials), err, len(v.Record.Credentials), readyErr)
			}
			for i := range u.Record.Credentials {
				a, b := u.Record.Credentials[i], v.Record.Credentials[i]
				if !a.Key.Equal(b.Key) || a.Digits != b.Digits || a.Period != b.Period {
					t.Fatalf("%s: key %d differs", id, i)
				}
			}
			if len(u.Record.Credentials) > 0 && !holds[id] {
				t.Fatalf("%s has a key and is not among the holders", id)
			}
		}
	})
}
