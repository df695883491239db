package mfa_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"oathkit/pkg/mfa"
)

// box is a Sealer that hides nothing but says what it was asked: the sealed
// text is the box's name, the user, the credential and the secret in hex.
type box struct{ name, older string }

var errBox = errors.New("it does not open")

func (b box) Seal(secret []byte, user, cred string) (string, error) {
	return strings.Join([]string{b.name, user, cred, hex.EncodeToString(secret)}, ":"), nil
}

func (b box) Open(sealed, user, cred string) ([]byte, bool, error) {
	part := strings.Split(sealed, ":")
	if len(part) != 4 || part[0] != b.name && part[0] != b.older || part[1] != user || part[2] != cred {
		return nil, false, errBox
	}
	secret, err := hex.DecodeString(part[3])
	return secret, part[0] == b.name, err
}

func TestSealedRecord(t *testing.T) {
	u := full(t)
	b, err := mfa.EncodeSealed(u, box{name: "new"})
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(b), `"sealed": "new:alice@pam:`); n != mfa.MaxCredentials || strings.Contains(string(b), `"secret"`) {
		t.Errorf("%d secrets are sealed:\n%s", n, b)
	}
	for _, c := range []struct {
		name  string
		s     mfa.Sealer
		text  []byte
		stale bool
	}{
		{"sealed", box{name: "new"}, b, false},
		{"under an older key", box{name: "newest", older: "new"}, b, true},
		{"in clear, and there is a key", box{name: "new"}, encode(t, u), true},
		{"in clear", nil, encode(t, u), false},
	} {
		r, err := mfa.DecodeSealed(u.ID, c.text, c.s)
		if err != nil || !r.Equal(u.Record) || r.Stale() != c.stale {
			t.Errorf("%s: stale %v, error %v", c.name, r.Stale(), err)
		}
	}
}

func TestSealedRecordRefused(t *testing.T) {
	u := enabled(t, mfa.EnableOptions{})
	b, err := mfa.EncodeSealed(u, box{name: "new"})
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for _, c := range []struct {
		name, old, new string
		s              mfa.Sealer
		want           error
		says           string
	}{
		{"no key", "", "", nil, mfa.ErrSealed, "line 13: credential 1: the secret is sealed, and the file of keys"},
		{"another key", "", "", box{name: "other"}, errBox, "line 13: credential 1: it does not open"},
		{"another credential", u.Record.Credentials[0].ID, "00000000000040008000000000000000", box{name: "new"}, errBox, ""},
		{"both spellings", `"kind"`, `"secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "kind"`, box{name: "new"}, nil, `there is a "secret" and a "sealed"`},
		{"twice", `"kind"`, `"sealed": "x", "kind"`, box{name: "new"}, nil, `field "sealed" is there twice`},
		{"neither", `"sealed": "`, `"label2": "`, box{name: "new"}, nil, `field "label2" is unknown`},
		{"too short a key", hex.EncodeToString(u.Record.Credentials[0].Key.Bytes()), "00ff", box{name: "new"}, nil, "key is too short"},
	} {
		changed := text
		if c.old != "" {
			changed = strings.Replace(text, c.old, c.new, 1)
			if i := strings.Index(text, c.old); i < 0 {
				t.Fatalf("%s: %q is not in the record", c.name, c.old)
			}
		}
		_, err := mfa.DecodeSealed(u.ID, []byte(changed), c.s)
		if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	// A record that was copied to another user, with its name changed too.
	copied := strings.Replace(text, `"user": "alice@pam"`, `"user": "bob@pam"`, 1)
	if _, err := mfa.DecodeSealed("bob@pam", []byte(copied), box{name: "new"}); !errors.Is(err, errBox) {
		t.Errorf("copied: %v", err)
	}
	// The fields of a credential may come in any order.
	line := text[strings.Index(text, "      \"sealed\""):]
	line = line[:strings.Index(line, "\n")+1]
	moved := strings.Replace(strings.Replace(text, line, "", 1), "    {\n", "    {\n"+line, 1)
	if r, err := mfa.DecodeSealed(u.ID, []byte(moved), box{name: "new"}); err != nil || !r.Equal(u.Record) {
		t.Errorf("moved: %v\n%s", err, moved)
	}
}

// What is read is written again sealed, and reads as the same.
func FuzzSealedRecord(f *testing.F) {
	s := box{name: "new", older: "old"}
	b, err := mfa.EncodeSealed(full(f), s)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(strings.Replace(string(b), `"new:`, `"old:`, 1)))
	f.Add([]byte(golden))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := mfa.DecodeSealed("alice@pam", b, s)
		if err != nil {
			return
		}
		again, err := mfa.EncodeSealed(mfa.User{ID: "alice@pam", Record: r}, s)
		if err != nil {
			t.Fatalf("read, but not written: %v\n%s", err, b)
		}
		r2, err := mfa.DecodeSealed("alice@pam", again, s)
		if err != nil || !r2.Equal(r) || r2.Stale() || strings.Contains(string(again), `"secret"`) {
			t.Fatalf("stale %v, %v\n%s", r2.Stale(), err, again)
		}
	})
}
