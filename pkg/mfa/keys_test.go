package mfa_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
)

func TestKeys(t *testing.T) {
	for _, c := range []struct {
		key             string
		printable, test bool
	}{
		{"12345678901234567890", true, true},
		{"12345678901234567890123456789012", true, true},
		{strings.Repeat("1234567890", 6) + "1234", true, true},
		{"Hello!\xde\xad\xbe\xef", false, true},
		{"12345678901234567891", true, false},
		{"abcdefghijklmnop", true, false}, // as the keys of the vzapi system
		{"correct horse battery", true, false},
		{"0123456789~ ~ ", true, false},
		{"0123456789\x7f", false, false},
		{"0123456789\x1f", false, false},
		{"\x00123456789012345678", false, false},
		{"\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7\xf6", false, false},
	} {
		k, err := oath.KeyFromBytes([]byte(c.key))
		if err != nil {
			t.Fatal(err)
		}
		if mfa.PrintableKey(k) != c.printable || mfa.TestKey(k) != c.test {
			t.Errorf("%q: printable %v, a test key %v", c.key, mfa.PrintableKey(k), mfa.TestKey(k))
		}
	}
	if mfa.PrintableKey(oath.Key{}) || mfa.TestKey(oath.Key{}) {
		t.Error("no key")
	}
	r := dice(1)
	for range 10000 {
		k, err := oath.NewKey(r, 160)
		if err != nil || mfa.PrintableKey(k) || mfa.TestKey(k) {
			t.Fatal("a fresh key: ", err)
		}
	}
}

func TestSetParameters(t *testing.T) {
	u := reachable(t)
	c := u.Record.Credentials[0]
	v, err := mfa.SetParameters(u, c.ID, oath.SHA256, 8)
	if err != nil || v.Record.Credentials[0].Algorithm != oath.SHA256 || v.Record.Credentials[0].Digits != 8 || u.Record.Credentials[0].Digits != 6 || v.State != u.State {
		t.Error(err)
	}
	if !v.Record.Credentials[0].Key.Equal(c.Key) || v.Record.Credentials[0].Activated {
		t.Error("it changes more than that")
	}
	for name, change := range map[string]func() (mfa.User, error){
		"digits":      func() (mfa.User, error) { return mfa.SetParameters(u, c.ID, oath.SHA1, 5) },
		"algorithm":   func() (mfa.User, error) { return mfa.SetParameters(u, c.ID, 7, 6) },
		"an unknown":  func() (mfa.User, error) { return mfa.SetParameters(u, u.Record.UserID, oath.SHA1, 6) },
		"a sent kind": func() (mfa.User, error) { return mfa.SetParameters(u, u.Record.Credentials[1].ID, oath.SHA1, 6) },
	} {
		if v, err := change(); err == nil || !v.Record.Equal(u.Record) {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := mfa.SetParameters(mfa.User{ID: "a@b"}, c.ID, oath.SHA1, 6); !errors.Is(err, mfa.ErrNotEnrolled) {
		t.Error("of nobody: ", err)
	}
	u.Record.Credentials[0].Activated = true
	if _, err := mfa.SetParameters(u, c.ID, oath.SHA1, 6); !errors.Is(err, mfa.ErrActivated) {
		t.Error("of an activated one: ", err)
	}
}

func TestLastUse(t *testing.T) {
	u := reachable(t)
	u, h, err := mfa.Add(u, mfa.EnableOptions{Kind: mfa.HOTP, Counter: 40, Now: noon, Random: dice(5)})
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{u.Record.Credentials[0].ID, u.Record.Credentials[1].ID, u.Record.Credentials[2].ID, h.ID}
	for _, id := range append(ids, "x", u.Record.UserID) {
		if at, used := u.LastUse(id); used || !at.IsZero() {
			t.Errorf("a new one was used at %v", at)
		}
	}
	u.State.Counters[0].Next = uint64(noon.Unix()) + 30
	u.State.Counters[1].Next = uint64(noon.Unix())
	u.State.Counters[3].Next = 41
	for i, want := range []time.Time{noon, noon, {}, {}} {
		if at, used := u.LastUse(ids[i]); used != (i != 2) || !at.Equal(want) {
			t.Errorf("credential %d: %v %v", i, at, used)
		}
	}
	u.State.Counters[0].Next = 1 // of a period that was longer
	if at, used := u.LastUse(ids[0]); !used || at.Unix() != 0 {
		t.Error(at)
	}
	u.State.Counters[3].Lost = true
	if at, used := u.LastUse(h.ID); !used || !at.IsZero() {
		t.Error("a lost one: ", at)
	}
}
