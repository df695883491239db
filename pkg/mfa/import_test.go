package mfa_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
)

func key(t testing.TB, s string) oath.Key {
	t.Helper()
	k, err := oath.ParseKey(s)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

const (
	keyA = "P6NDPDL6QDS7YFP4"
	keyB = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	keyC = "MFRGGZDFMZTWQ2LK"
)

// pveSet is recovery codes as Proxmox VE hashes them.
func pveSet(codes ...string) mfa.RecoverySet {
	set := mfa.RecoverySet{Form: mfa.PVECodes, Salt: []byte("0123456789abcdef")}
	for _, c := range codes {
		m := hmac.New(sha256.New, set.Salt)
		m.Write([]byte(c))
		set.Hashes = append(set.Hashes, [32]byte(m.Sum(nil)))
	}
	return set
}

var importing = mfa.ImportOptions{Window: 1, Now: noon}

func TestImport(t *testing.T) {
	const id = "1b9d6bcdbbfd4b2d9b5dab8dfbbd4bed"
	in := mfa.Imported{
		Credentials: []mfa.ImportedCredential{
			{ID: id, Label: "phone", Issuer: "PVE", Key: key(t, keyA), Activated: true, Next: 1_700_000_010, Created: noon.Add(-time.Hour)},
			{ID: id, Key: key(t, keyB), Digits: 8, Period: 60, Algorithm: oath.SHA256, UnknownUse: true},
			{ID: "not an id", Key: key(t, keyC), Activated: true},
		},
		Recovery: pveSet("0011-2233-4455-6677", "8899-aabb-ccdd-eeff"),
	}
	o := importing
	o.Random = dice(7)
	u, added, err := mfa.Import(mfa.User{ID: "joe@pve"}, in, o)
	if err != nil || added != 3 {
		t.Fatal(added, err)
	}
	r, err := mfa.DecodeRecord(u.ID, encode(t, u))
	if err != nil || !r.Equal(u.Record) {
		t.Fatalf("not read back: %v", err)
	}
	c := u.Record.Credentials
	if c[0].ID != id || c[1].ID == id || c[0].Label != "phone" || !c[0].Created.Equal(noon.Add(-time.Hour)) || !c[1].Created.Equal(noon) ||
		c[1].Digits != 8 || c[1].Period != 60 || c[1].Algorithm != oath.SHA256 || c[1].Activated || !c[2].Activated {
		t.Errorf("%+v", c)
	}
	for i, want := range []uint64{1_700_000_010, uint64(noon.Unix()) + 120, 0} {
		if n, ok := u.State.For(u.Record).Counter(c[i].ID); !ok || n.Next != want || n.Lost {
			t.Errorf("credential %d begins at %d (lost %v), want %d", i, n.Next, n.Lost, want)
		}
	}
	for code, want := range map[string]int{
		"0011-2233-4455-6677": 0, "8899AABBCCDDEEFF": 1, " 8899 aabb-ccdd eeff": 1, "0011-2233-4455-6678": -1, "": -1, "0011": -1,
		"0011223344556677 ": 0, "00112233445566770": -1,
	} {
		if got := u.Record.Recovery.Find(code); got != want {
			t.Errorf("recovery code %q: %d, want %d", code, got, want)
		}
	}

	// The same again changes nothing, whoever has fewer is enrolled already.
	again, added, err := mfa.Import(u, in, o)
	if err != nil || added != 0 || !again.Record.Equal(u.Record) || again.State != u.State {
		t.Errorf("again: %d, %v", added, err)
	}
	fewer, err := mfa.Remove(u, c[1].ID)
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := mfa.Import(fewer, in, o); !errors.Is(err, mfa.ErrEnrolled) || !got.Record.Equal(fewer.Record) {
		t.Errorf("of one who has fewer: %v", err)
	}
}

func TestImportAdds(t *testing.T) {
	o := importing
	o.Random, o.Add = dice(8), true
	u := enabled(t, mfa.EnableOptions{Key: key(t, keyA)})
	codes, u, err := mfa.NewRecoveryCodes(u, 3, dice(9))
	if err != nil {
		t.Fatal(err)
	}
	in := mfa.Imported{
		Credentials: []mfa.ImportedCredential{{Key: key(t, keyA), Activated: true, Next: 1_700_000_040}, {Key: key(t, keyB), Activated: true, Next: 30}},
		Recovery:    pveSet("0011-2233-4455-6677"),
	}
	n, added, err := mfa.Import(u, in, o)
	if err != nil || added != 1 || len(n.Record.Credentials) != 2 || n.Record.UserID != u.Record.UserID || n.Record.Epoch != u.Record.Epoch {
		t.Fatal(added, err)
	}
	if n.Record.Credentials[0].Activated {
		t.Error("a credential was activated that was there")
	}
	if c, _ := n.State.Counter(n.Record.Credentials[0].ID); c.Next != 1_700_000_040 {
		t.Errorf("what was used there is not used here: %d", c.Next)
	}
	if n.Record.Recovery.Find(codes[1]) != 1 || n.Record.Recovery.Find("0011-2233-4455-6677") >= 0 {
		t.Error("the recovery codes are other ones")
	}
	if len(u.Record.Credentials) != 1 {
		t.Error("the argument was changed")
	}
	// What was used is never forgotten, and an older file moves nothing back.
	in.Credentials[0].Next = 5
	if n, _, err = mfa.Import(n, in, o); err != nil {
		t.Fatal(err)
	}
	if c, _ := n.State.Counter(n.Record.Credentials[0].ID); c.Next != 1_700_000_040 {
		t.Errorf("moved back to %d", c.Next)
	}
	many := mfa.Imported{}
	for i := range byte(mfa.MaxCredentials) {
		k, err := oath.KeyFromBytes([]byte(strings.Repeat(string(rune('a'+i)), 20)))
		if err != nil {
			t.Fatal(err)
		}
		many.Credentials = append(many.Credentials, mfa.ImportedCredential{Key: k})
	}
	if got, _, err := mfa.Import(n, many, o); !errors.Is(err, mfa.ErrTooMany) || !got.Record.Equal(n.Record) {
		t.Errorf("too many: %v", err)
	}
}

func TestImportRefuses(t *testing.T) {
	good := mfa.ImportedCredential{Key: key(t, keyA)}
	bad := func(change func(*mfa.ImportedCredential)) mfa.Imported {
		c := good
		change(&c)
		return mfa.Imported{Credentials: []mfa.ImportedCredential{c}}
	}
	short := pveSet("0011-2233-4455-6677")
	short.Salt = short.Salt[1:]
	odd := pveSet("0011-2233-4455-6677")
	odd.Form = "x"
	for name, in := range map[string]mfa.Imported{
		"nothing":    {},
		"no key":     bad(func(c *mfa.ImportedCredential) { c.Key = oath.Key{} }),
		"digits":     bad(func(c *mfa.ImportedCredential) { c.Digits = 11 }),
		"period":     bad(func(c *mfa.ImportedCredential) { c.Period = oath.MaxPeriod + 1 }),
		"label":      bad(func(c *mfa.ImportedCredential) { c.Label = "a\nb" }),
		"year":       bad(func(c *mfa.ImportedCredential) { c.Created = time.Unix(1<<40, 0) }),
		"salt":       {Credentials: []mfa.ImportedCredential{good}, Recovery: short},
		"form":       {Credentials: []mfa.ImportedCredential{good}, Recovery: odd},
		"codes only": {Recovery: pveSet("0011-2233-4455-6677")},
	} {
		o := importing
		o.Random = dice(10)
		if u, _, err := mfa.Import(mfa.User{ID: "joe@pve"}, in, o); err == nil || u.Enrolled() {
			t.Errorf("%s: taken", name)
		} else if strings.Contains(err.Error(), keyA) {
			t.Errorf("%s: the key is in %v", name, err)
		}
	}
	o := importing
	o.Random = strings.NewReader("short")
	if _, _, err := mfa.Import(mfa.User{ID: "joe@pve"}, mfa.Imported{Credentials: []mfa.ImportedCredential{good}}, o); err == nil {
		t.Error("without randomness")
	}
	o.Random = dice(11)
	if _, _, err := mfa.Import(mfa.User{ID: "joe"}, mfa.Imported{Credentials: []mfa.ImportedCredential{good}}, o); err == nil {
		t.Error("an id without a realm")
	}
}

// The form is in the record only where it is not ours, and no other is read.
func TestRecordRecoveryForm(t *testing.T) {
	text := strings.Replace(golden, `"salt"`, "\"form\": \"pve\",\n    \"salt\"", 1)
	r, err := mfa.DecodeRecord("alice@pam", []byte(text))
	if err != nil || r.Recovery.Form != mfa.PVECodes {
		t.Fatal(r.Recovery.Form, err)
	}
	if got := string(encode(t, mfa.User{ID: "alice@pam", Record: r})); got != text {
		t.Errorf("written again:\n%s", got)
	}
	for _, form := range []string{`""`, `"PVE"`, `"other"`, `1`, `null`} {
		if _, err := mfa.DecodeRecord("alice@pam", []byte(strings.Replace(text, `"pve"`, form, 1))); err == nil {
			t.Errorf("form %s was read", form)
		}
	}
}
