package seal

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// KeySize is the length of a key in bytes.
const KeySize = 32

// MaxKeys is how many keys a file may have.
const MaxKeys = 32

const hidden = "[secret]"

// A Key seals and opens. Every verb of package fmt prints it as [secret].
type Key struct {
	id   string
	aead cipher.AEAD
}

// ID is eight hex digits that name the key, made from it one way.
func (k Key) ID() string { return k.id }

// Format prints [secret], whatever the verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

func newKey(b []byte) (Key, error) {
	block, err := aes.NewCipher(b)
	if err != nil {
		return Key{}, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return Key{}, err
	}
	mac := hmac.New(sha256.New, b)
	_, _ = io.WriteString(mac, "oathkit key id 1")
	return Key{hex.EncodeToString(mac.Sum(nil)[:4]), aead}, nil
}

func isKeyID(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(s) == 8
}

// ParseKeys reads the text of a file of keys. Errors name the line.
func ParseKeys(b []byte) ([]Key, error) {
	var keys []Key
	n := 0
	for line := range bytes.Lines(b) {
		n++
		if line = bytes.TrimSpace(line); isComment(line) {
			continue
		}
		k, err := parseKey(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		for _, other := range keys {
			if other.id == k.id {
				return nil, fmt.Errorf("line %d: key %s is there twice", n, k.id)
			}
		}
		if keys = append(keys, k); len(keys) > MaxKeys {
			return nil, fmt.Errorf("line %d: there are more than %d keys", n, MaxKeys)
		}
	}
	if keys == nil {
		return nil, errors.New("there is no key: `openssl rand -base64 32` makes one")
	}
	return keys, nil
}

func isComment(line []byte) bool { return len(line) == 0 || line[0] == '#' }

var errKey = errors.New("this is no key: it must be 32 bytes in base64, 44 characters with one = at the end")

// parseKey reads a line without the blanks around it. Its errors never quote it.
func parseKey(line []byte) (Key, error) {
	if len(line) != base64.StdEncoding.EncodedLen(KeySize) {
		return Key{}, errKey
	}
	var b [KeySize + 1]byte // room for what 44 characters can hold
	defer clear(b[:])
	n, err := base64.StdEncoding.Strict().Decode(b[:], line)
	if err != nil || n != KeySize {
		return Key{}, errKey
	}
	if bytes.Count(b[:KeySize], b[:1]) == KeySize {
		return Key{}, errors.New("this key is one byte again and again, not a random one")
	}
	return newKey(b[:KeySize])
}

// keyComment begins the line above a key that AddKey made.
const keyComment = "# key "

// AddKey returns the text of the file with a fresh key, out of random, before
// its other keys; the new key's id is in a comment above it. The rest stays as
// it is; what is no file of keys is an error. The empty text becomes a file with
// one key.
func AddKey(b []byte, random io.Reader) ([]byte, error) {
	if len(bytes.TrimSpace(b)) > 0 {
		if _, err := ParseKeys(b); err != nil {
			return nil, err
		}
	}
	var raw [KeySize]byte
	defer clear(raw[:])
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return nil, fmt.Errorf("cannot read randomness: %w", err)
	}
	k, err := newKey(raw[:])
	if err != nil {
		return nil, err
	}
	at := 0
	for line := range bytes.Lines(b) {
		if text := bytes.TrimSpace(line); !isComment(text) || bytes.HasPrefix(text, []byte(keyComment)) {
			break
		}
		at += len(line)
	}
	out := append([]byte(nil), b[:at]...)
	if at > 0 && b[at-1] != '\n' {
		out = append(out, '\n')
	}
	out = fmt.Appendf(out, "%s%s\n", keyComment, k.id)
	out = base64.StdEncoding.AppendEncode(out, raw[:])
	out = append(append(out, '\n'), b[at:]...)
	if _, err := ParseKeys(out); err != nil { // one key too many, or randomness that is none
		return nil, err
	}
	return out, nil
}
