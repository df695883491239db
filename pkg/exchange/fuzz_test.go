package exchange

import (
	"os"
	"strings"
	"testing"

	"oathkit/pkg/account"
	"oathkit/pkg/mfa"
)

// FuzzTFA: what is read and written is read the same again.
func FuzzTFA(f *testing.F) {
	if b, err := os.ReadFile("testdata/tfa.cfg"); err == nil {
		f.Add(b)
	}
	f.Add([]byte(`{"users":{"joe@pve":{"totp":[{"id":"a","description":"<x>","created":-1,"enable":false,"entry":{"totp":"otpauth://totp/a:b?secret=P6NDPDL6QDS7YFP4&issuer=%C3%A9","last-count":-5}}],"u2f":[{"id":"","created":0,"entry":[ ]}],"recovery":{"secret":"","entries":[null,"x"],"created":0},"yubico":[],"totp-locked":true,"tfa-locked-until":5}}}`))
	f.Add([]byte(line("joe@pve", "oath", `{"keys":"P6NDPDL6QDS7YFP4","config":{}}`)))
	f.Add([]byte(line("joe@pve", "yubico", `{"keys":"ccccccbcgujh"}`)))
	f.Fuzz(func(t *testing.T, b []byte) {
		read, err := ParseTFA(b)
		if err != nil {
			return
		}
		text := read.Text()
		again, err := ParseTFA(text)
		if err != nil {
			t.Fatalf("%v\n%q\nwritten\n%q", err, b, text)
		}
		if got := again.Text(); string(got) != string(text) {
			t.Fatalf("%q\nbecame\n%q\nthen\n%q", b, text, got)
		}
		people, _ := read.People()
		for _, p := range people {
			if len(p.Credentials) == 0 || mfa.CheckID(p.ID) != nil {
				continue
			}
			u, _, err := mfa.Import(mfa.User{ID: p.ID}, p.Imported, mfa.ImportOptions{Window: 1, Now: noon, Random: dice(1)})
			if err != nil {
				t.Fatalf("what was said to be carried is not: %v\n%q", err, b)
			}
			if _, err := mfa.EncodeRecord(u); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// FuzzURI: what is read and written is read the same again.
func FuzzURI(f *testing.F) {
	f.Add("otpauth://totp/Proxmox%20VE:joe%40pve?secret=P6NDPDL6QDS7YFP4&digits=6&algorithm=SHA1&period=30&issuer=Proxmox%20VE")
	f.Add("otpauth://totp/%FF:%3a?secret=me&digits=+255&period=0&issuer=%")
	f.Fuzz(func(t *testing.T, s string) {
		u, err := parsePVEURI(s)
		if err != nil {
			return
		}
		again, err := parsePVEURI(u.text())
		if err != nil || again.text() != u.text() || string(again.secret) != string(u.secret) || again.account != u.account ||
			again.issuer != u.issuer || again.hasIssuer != u.hasIssuer || again.digits != u.digits || again.period != u.period {
			t.Fatalf("%q became %q: %v", s, u.text(), err)
		}
	})
}

// FuzzUsers: an export puts the same keys back, and PVE takes them as they are
// written.
func FuzzUsers(f *testing.F) {
	f.Add("P6NDPDL6QDS7YFP4 bogus")
	f.Add("gezd gnbv gy3t qojq,v2-0x3132333435363738393031323334353637383930")
	f.Add("v2-MFRGGZDFMZTWQ2LK MFRGGZDFMZTWQ2LK")
	f.Fuzz(func(t *testing.T, keys string) {
		file := "user:ann@pve:1:0:::::" + keys + ":\n"
		users := account.ParseUsers([]byte(file))
		if len(users.All()) != 2 || strings.ContainsAny(keys, ":\n") {
			return
		}
		people, _ := Users(users, shape, true, noon)
		if len(people) == 0 || len(people[0].Credentials) == 0 {
			return
		}
		p, _ := PersonOf(arrive(t, people[0], Clock{noon, 1}))
		out, _, _ := EditUsers([]byte(strings.Replace(file, keys, "", 1)), []Person{p}, shape, same)
		back, losses := Users(account.ParseUsers(out), shape, true, noon)
		if len(losses) > 0 || len(back) != 1 || len(back[0].Credentials) != len(p.Credentials) {
			t.Fatalf("%q became %q: %v", keys, out, losses)
		}
		for i := range p.Credentials {
			if !p.Credentials[i].Key.Equal(back[0].Credentials[i].Key) {
				t.Fatalf("%q became %q", keys, out)
			}
		}
		if _, unusable := account.NewKeys(strings.Split(string(out), ":")[8]).Count(); unusable > 0 {
			t.Fatalf("PVE does not take %q", out)
		}
	})
}
