package filestore

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oathkit/pkg/internal/seal"
	"oathkit/pkg/mfa"
	"oathkit/pkg/store"
	"oathkit/pkg/store/storetest"
)

func sealer(t *testing.T, file string) *seal.Sealer {
	t.Helper()
	keys, err := seal.ParseKeys([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	s, err := seal.New(keys, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const (
	firstKey  = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
	secondKey = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=\n"
)

// The suite of every store, on one that seals.
func TestSealedStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, Options{Sealer: sealer(t, firstKey)}) })
}

// A store in clear gets a key, then another, then loses the first: at every step
// the user is the same, and what is on the disk is as it should be.
func TestReseal(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "store")
	with(t, folder)
	record, _ := Files(someone)
	path := filepath.Join(folder, record)
	ctx := context.Background()
	use := func(file string) *Store {
		t.Helper()
		o := Options{}
		if file != "" {
			o.Sealer = sealer(t, file)
		}
		s, err := Open(folder, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	onDisk := func() string {
		t.Helper()
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	plain, err := use("").View(ctx, someone)
	if err != nil {
		t.Fatal(err)
	}
	secret := plain.Record.Credentials[0].Key.Base32()
	if !strings.Contains(onDisk(), secret) {
		t.Fatal("a store without a key does not hold the secret in clear")
	}

	// A login does not write the record; whatever does seals it.
	s := use(firstKey)
	if err := s.Update(ctx, someone, storetest.Count); err != nil || !strings.Contains(onDisk(), secret) {
		t.Errorf("after a login: %v\n%s", err, onDisk())
	}
	if u, err := s.View(ctx, someone); err != nil || !u.Record.Stale() {
		t.Errorf("in clear, but stale is %v, error %v", u.Record.Stale(), err)
	}
	leftover := filepath.Join(folder, filepath.Dir(record), temp(filepath.Base(record)))
	for i, want := range []bool{true, false} {
		if err := os.WriteFile(leftover, []byte(secret), 0o600); err != nil {
			t.Fatal(err)
		}
		if wrote, err := s.Reseal(ctx, someone); err != nil || wrote != want {
			t.Errorf("time %d: wrote %v, %v", i+1, wrote, err)
		}
		if _, err := os.Stat(leftover); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("time %d: the rest of an interrupted write is still there: %v", i+1, err)
		}
	}
	if text := onDisk(); strings.Contains(text, secret) || !strings.Contains(text, `"sealed": "aes256gcm.72b30f67.`) {
		t.Errorf("after Reseal:\n%s", text)
	}

	// Another key comes before the first.
	both := use(secondKey + firstKey)
	if u, err := both.View(ctx, someone); err != nil || !u.Record.Stale() || !u.Record.Equal(plain.Record) {
		t.Errorf("with both keys: stale %v, %v", u.Record.Stale(), err)
	}
	if wrote, err := both.Reseal(ctx, someone); err != nil || !wrote {
		t.Errorf("with both keys: wrote %v, %v", wrote, err)
	}
	u, err := use(secondKey).View(ctx, someone)
	if err != nil || u.Record.Stale() || !u.Record.Equal(plain.Record) {
		t.Errorf("with the second key alone: stale %v, %v", u.Record.Stale(), err)
	}

	// Without its key nobody is let in, and nothing is written.
	for _, c := range []struct {
		keys string
		want error
	}{{"", mfa.ErrSealed}, {firstKey, seal.ErrNoSuchKey}} {
		before, s := onDisk(), use(c.keys)
		_, err := s.View(ctx, someone)
		_, err2 := s.Reseal(ctx, someone)
		err3 := s.Update(ctx, someone, storetest.Count)
		for _, err := range []error{err, err2, err3} {
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("keys %q: %v", c.keys, err)
			}
		}
		if onDisk() != before {
			t.Errorf("keys %q: the record was written", c.keys)
		}
	}
	if _, err := both.Reseal(ctx, "nobody@pam"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
}

// The record of one user does not open in the place of another's.
func TestSealedRecordMoved(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "store")
	s, err := Open(folder, Options{Create: true, Sealer: sealer(t, firstKey)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx := context.Background()
	for _, id := range []string{someone, "other@pam"} {
		if err := s.Update(ctx, id, storetest.Enable); err != nil {
			t.Fatal(err)
		}
	}
	from, _ := Files(someone)
	to, _ := Files("other@pam")
	b, err := os.ReadFile(filepath.Join(folder, from))
	if err != nil {
		t.Fatal(err)
	}
	b = []byte(strings.Replace(string(b), `"`+someone+`"`, `"other@pam"`, 1))
	if err := os.WriteFile(filepath.Join(folder, to), b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.View(ctx, "other@pam"); !errors.Is(err, seal.ErrForged) {
		t.Errorf("got %v", err)
	}
}
