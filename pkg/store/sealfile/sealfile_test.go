package sealfile

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"oathkit/pkg/internal/seal"
)

func rotate(path string) (string, error) {
	return Rotate(context.Background(), path, 10*time.Second, func() ([]byte, error) { return os.ReadFile(path) }, Group{}, rand.Reader)
}

// A file that is not there is made, 0600; a new key comes before the old ones,
// and what was sealed before opens still.
func TestRotate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seal.keys")
	var texts, ids []string
	for i := range 3 {
		id, err := rotate(path)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Sealer(path, func() ([]byte, error) { return os.ReadFile(path) }, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		for j, text := range texts {
			secret, current, err := s.Open(text, "alice@pam", "id")
			if err != nil || current || string(secret) != "a secret" || !strings.Contains(text, ids[j]) {
				t.Errorf("rotation %d, text of key %d: %q, current %v, %v", i, j, secret, current, err)
			}
		}
		text, err := s.Seal([]byte("a secret"), "alice@pam", "id")
		if err != nil || !strings.Contains(text, id) {
			t.Errorf("sealed %q with key %s: %v", text, id, err)
		}
		texts, ids = append(texts, text), append(ids, id)
		if i == 0 {
			if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
				t.Errorf("mode %v", info.Mode())
			}
			if err := os.Chmod(path, 0o640); err != nil {
				t.Fatal(err)
			}
		}
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o640 {
		t.Errorf("the mode has become %v", info.Mode())
	}
}

// Who has read the file before a rotation opens what was sealed after it, and
// seals with the new key from then on.
func TestSealerFollowsTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seal.keys")
	read := func() ([]byte, error) { return os.ReadFile(path) }
	if _, err := rotate(path); err != nil {
		t.Fatal(err)
	}
	before, err := Sealer(path, read, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id, err := rotate(path)
	if err != nil {
		t.Fatal(err)
	}
	after, err := Sealer(path, read, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text, err := after.Seal([]byte("a secret"), "alice@pam", "id")
	if err != nil {
		t.Fatal(err)
	}
	secret, current, err := before.Open(text, "alice@pam", "id")
	if err != nil || !current || string(secret) != "a secret" {
		t.Errorf("%q, current %v, %v", secret, current, err)
	}
	if text, err = before.Seal([]byte("a secret"), "alice@pam", "id"); err != nil || !strings.Contains(text, id) {
		t.Errorf("sealed %q, not with %s: %v", text, id, err)
	}
	if s := fmt.Sprintf("%v %+v %#v", before, before, before); s != "[secret] [secret] [secret]" {
		t.Errorf("it prints %s", s)
	}

	// A key that is not in the file is missed still.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := rotate(path); err != nil {
		t.Fatal(err)
	}
	if _, _, err := before.Open(strings.Replace(text, id, "00000000", 1), "alice@pam", "id"); !errors.Is(err, seal.ErrNoSuchKey) {
		t.Errorf("got %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, _, err := before.Open(text, "alice@pam", "id"); !errors.Is(err, seal.ErrNoSuchKey) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// Of several at once each adds its own key.
func TestRotateTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seal.keys")
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if _, err := rotate(path); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	b, err := os.ReadFile(path)
	if err != nil || bytes.Count(b, []byte("=\n")) != 8 {
		t.Errorf("%d keys, %v", bytes.Count(b, []byte("=\n")), err)
	}
}

// What is no file of keys is left as it is, and not shown.
func TestRotateRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seal.keys")
	const text = "no-key-but-perhaps-a-secret\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := rotate(path)
	if err == nil || !strings.Contains(err.Error(), path+": line 1: ") || strings.Contains(err.Error(), "perhaps") {
		t.Errorf("got %v", err)
	}
	if b, _ := os.ReadFile(path); string(b) != text {
		t.Errorf("the file has become %q", b)
	}
	if _, err := Sealer("FILE", func() ([]byte, error) { return []byte(text), nil }, rand.Reader); err == nil || !strings.Contains(err.Error(), "FILE: line 1: ") {
		t.Errorf("got %v", err)
	}
	_, err = Rotate(context.Background(), path, time.Second, func() ([]byte, error) { return nil, fs.ErrPermission }, Group{}, rand.Reader)
	if err == nil {
		t.Error("a file that cannot be read was replaced")
	}
}
