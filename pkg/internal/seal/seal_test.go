package seal

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

const (
	keyA = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	keyB = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
)

func dice() io.Reader { return rand.NewChaCha8([32]byte{7}) }

func sealer(t testing.TB, file string) *Sealer {
	t.Helper()
	keys, err := ParseKeys([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(keys, dice())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func seal(t testing.TB, s *Sealer, secret, user, cred string) string {
	t.Helper()
	text, err := s.Seal([]byte(secret), user, cred)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestSealAndOpen(t *testing.T) {
	s := sealer(t, keyA)
	for _, secret := range []string{"", "x", "12345678901234567890", strings.Repeat("k", 128)} {
		text := seal(t, s, secret, "alice@pam", "cred")
		got, current, err := s.Open(text, "alice@pam", "cred")
		if err != nil || string(got) != secret || !current {
			t.Errorf("%q: got %q, current %v, error %v", text, got, current, err)
		}
		if again := seal(t, s, secret, "alice@pam", "cred"); again == text {
			t.Errorf("%q: twice the same nonce", text)
		}
		if strings.ContainsAny(text, " \"\\\n") {
			t.Errorf("%q does not fit into a JSON text as it is", text)
		}
	}
}

// The text is AES-256-GCM as the standard library does it, over what the package
// comment says: somebody with the key can open it without this package.
func TestSealedTextIsGCM(t *testing.T) {
	text := seal(t, sealer(t, keyA), "12345678901234567890", "alice@pam", "a09896fe33f94490953602394a1bc59c")
	part := strings.Split(text, ".")
	key, _ := base64.StdEncoding.DecodeString(keyA)
	b, err := base64.RawURLEncoding.DecodeString(part[2])
	if err != nil || part[0] != "aes256gcm" || part[1] != sealer(t, keyA).KeyID() || len(b) != 12+20+16 {
		t.Fatalf("%q: %d bytes, %v", text, len(b), err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	bind := "oathkit sealed secret 1\x00\x00\x00\x09alice@pam\x00\x00\x00\x20a09896fe33f94490953602394a1bc59c"
	if got, err := gcm.Open(nil, b[:12], b[12:], []byte(bind)); err != nil || string(got) != "12345678901234567890" {
		t.Errorf("opened %q, %v", got, err)
	}
}

func TestRotation(t *testing.T) {
	older, both, newer := sealer(t, keyA), sealer(t, keyB+"\n"+keyA), sealer(t, keyB)
	text := seal(t, older, "secret", "alice@pam", "cred")
	if got, current, err := both.Open(text, "alice@pam", "cred"); err != nil || current || string(got) != "secret" {
		t.Errorf("under the older key: %q, current %v, %v", got, current, err)
	}
	text2 := seal(t, both, "secret", "alice@pam", "cred")
	if got, current, err := newer.Open(text2, "alice@pam", "cred"); err != nil || !current || string(got) != "secret" {
		t.Errorf("under the newer key: %q, current %v, %v", got, current, err)
	}
	_, _, err := newer.Open(text, "alice@pam", "cred")
	want := fmt.Sprintf("sealed with key %s: that key is not in the file of keys, which has %s", older.KeyID(), newer.KeyID())
	if !errors.Is(err, ErrNoSuchKey) || err.Error() != want {
		t.Errorf("without the older key: %v, want %s", err, want)
	}
}

func TestOtherUserOrCredential(t *testing.T) {
	s := sealer(t, keyA)
	text := seal(t, s, "secret", "alice@pam", "cred1")
	for _, c := range [][2]string{
		{"bob@pam", "cred1"}, {"alice@pam", "cred2"}, {"alice@pamc", "red1"}, {"", "alice@pamcred1"}, {"alice@pam", ""}, {"Alice@pam", "cred1"},
	} {
		if got, _, err := s.Open(text, c[0], c[1]); !errors.Is(err, ErrForged) || got != nil {
			t.Errorf("%q opens as %q", c, got)
		}
	}
}

// Every bit of the text counts, also those that base64 does not use.
func TestBitFlips(t *testing.T) {
	s := sealer(t, keyA+"\n"+keyB)
	text := seal(t, s, "12345678901234567890", "alice@pam", "cred")
	for i := range len(text) {
		for bit := range 8 {
			b := []byte(text)
			b[i] ^= 1 << bit
			if got, _, err := s.Open(string(b), "alice@pam", "cred"); err == nil || got != nil {
				t.Fatalf("%q opens as %q", b, got)
			} else if strings.Contains(err.Error(), "1234567890") {
				t.Fatalf("the error holds the secret: %v", err)
			}
		}
	}
	for i := range len(text) {
		if _, _, err := s.Open(text[:i], "alice@pam", "cred"); err == nil {
			t.Errorf("the first %d characters open", i)
		}
		if _, _, err := s.Open(text[:i]+"\n"+text[i:], "alice@pam", "cred"); err == nil {
			t.Errorf("with a line end after %d characters it opens", i)
		}
	}
}

func TestSealWithoutRandomness(t *testing.T) {
	keys, err := ParseKeys([]byte(keyA))
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(keys, strings.NewReader("short"))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := s.Seal([]byte("secret"), "alice@pam", "cred"); err == nil {
		t.Errorf("sealed as %q", text)
	}
	if _, err := New(nil, dice()); err == nil {
		t.Error("sealed without a key")
	}
	if _, err := New(keys, nil); err == nil {
		t.Error("sealed without randomness")
	}
}

func TestNothingPrinted(t *testing.T) {
	s := sealer(t, keyA)
	raw, _ := base64.StdEncoding.DecodeString(keyA)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		for _, v := range []any{s, *s, s.keys, s.keys[0], &s.keys[0], struct{ k Key }{s.keys[0]}, struct{ s *Sealer }{s}} {
			text := fmt.Sprintf(verb, v)
			for _, bad := range []string{keyA, string(raw), fmt.Sprint(raw), fmt.Sprintf("%x", raw)} {
				if strings.Contains(strings.ToLower(text), strings.ToLower(strings.Trim(bad, "[]"))) {
					t.Errorf("%s prints a key: %s", verb, text)
				}
			}
		}
		if got := fmt.Sprintf(verb, s.keys[0]); got != "[secret]" {
			t.Errorf("%s of a key is %s", verb, got)
		}
	}
}

func FuzzOpen(f *testing.F) {
	s := sealer(f, keyB+"\n"+keyA)
	f.Add(seal(f, s, "secret", "alice@pam", "cred"), "alice@pam", "cred")
	f.Add("aes256gcm.00000000.AAAA", "", "")
	f.Fuzz(func(t *testing.T, text, user, cred string) {
		// What opens was sealed for these two, and in this very spelling.
		if secret, _, err := s.Open(text, user, cred); err == nil {
			id, b, err := split(text)
			if err != nil || text != scheme+id+"."+base64.RawURLEncoding.EncodeToString(b) || len(b) != nonceSize+len(secret)+tagSize {
				t.Errorf("%q opens", text)
			}
		}
		secret := []byte(text)
		sealed := seal(t, s, text, user, cred)
		got, current, err := s.Open(sealed, user, cred)
		if err != nil || !current || !bytes.Equal(got, secret) {
			t.Errorf("%q: %q, %v", sealed, got, err)
		}
		if _, _, err := s.Open(sealed, cred+"x", user); err == nil {
			t.Errorf("%q opens for another", sealed)
		}
	})
}
