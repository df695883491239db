// Package seal keeps secrets unreadable at rest: AES-256 in Galois/Counter Mode
// (NIST SP 800-38D) with a random 96-bit nonce, so that a copy of the records
// without the file of keys is worth nothing.
//
// A sealed secret is the text
//
//	aes256gcm.KEYID.TEXT
//
// where KEYID is eight hex digits that name the key without telling it, and TEXT
// is nonce, ciphertext and 128-bit tag in base64url without padding (RFC 4648
// section 5). The user's id and the credential's id are authenticated with it:
// moved to another user or credential, it does not open.
//
// The file of keys has one key a line, 32 bytes in base64 with padding (RFC 4648
// section 4; `openssl rand -base64 32` prints one). Blank lines and lines that
// begin with # are skipped. The first key seals; all of them open, so a new key
// is put before the old ones, and nothing is ever unreadable in between.
//
// What is promised: a text that was changed in any bit, or made without the key,
// does not open, and no error holds a secret or a key. Left out: to hide how long
// a secret is, to notice that an older sealed text of the same credential was put
// back, and to keep keys out of this process's memory. A key is good for 2^32
// sealed texts, by which two of them share a nonce with a probability of 2^-33.
package seal

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The errors that callers tell apart. The text around them names the key.
var (
	// ErrNoSuchKey means that the key of a sealed text is not in the file.
	ErrNoSuchKey = errors.New("that key is not in the file of keys")
	// ErrForged means that the text was changed, or sealed for another user or
	// credential.
	ErrForged = errors.New("it was changed, or belongs to another user or credential")
	// ErrFormat means that the text is no sealed secret at all.
	ErrFormat = errors.New("this is no sealed secret")
)

const (
	scheme    = "aes256gcm."
	nonceSize = 12 // bytes
	tagSize   = 16 // bytes
)

// A Sealer seals with one key and opens with several. It is safe for several
// goroutines at once if its source of randomness is.
type Sealer struct {
	keys   []Key // the first one seals
	random io.Reader
}

// New makes a Sealer of the keys of ParseKeys; nonces are read from random.
func New(keys []Key, random io.Reader) (*Sealer, error) {
	if len(keys) == 0 || random == nil {
		return nil, errors.New("to seal takes a key and randomness")
	}
	return &Sealer{append([]Key(nil), keys...), random}, nil
}

// KeyID names the key that seals.
func (s *Sealer) KeyID() string { return s.keys[0].id }

// Seal seals a secret for one credential of one user.
func (s *Sealer) Seal(secret []byte, user, cred string) (string, error) {
	k := s.keys[0]
	b := make([]byte, nonceSize, nonceSize+len(secret)+tagSize)
	if _, err := io.ReadFull(s.random, b); err != nil {
		return "", fmt.Errorf("cannot read randomness: %w", err)
	}
	b = k.aead.Seal(b, b, secret, bound(user, cred))
	return scheme + k.id + "." + base64.RawURLEncoding.EncodeToString(b), nil
}

// Open returns the secret that was sealed for that credential of that user. It
// is current when it was sealed with the key that Seal uses now.
func (s *Sealer) Open(sealed, user, cred string) (secret []byte, current bool, err error) {
	id, b, err := split(sealed)
	if err != nil {
		return nil, false, err
	}
	for i, k := range s.keys {
		if k.id != id {
			continue
		}
		secret, err := k.aead.Open(nil, b[:nonceSize], b[nonceSize:], bound(user, cred))
		if err != nil {
			return nil, false, fmt.Errorf("sealed with key %s: %w", id, ErrForged)
		}
		return secret, i == 0, nil
	}
	return nil, false, fmt.Errorf("sealed with key %s: %w, which has %s", id, ErrNoSuchKey, s.ids())
}

func (s *Sealer) ids() string {
	ids := make([]string, len(s.keys))
	for i := range s.keys {
		ids[i] = s.keys[i].id
	}
	return strings.Join(ids, ", ")
}

// split takes a sealed text apart. There is one spelling of each.
func split(sealed string) (id string, b []byte, err error) {
	rest, ok := strings.CutPrefix(sealed, scheme)
	id, text, dot := strings.Cut(rest, ".")
	// The decoder would skip line ends.
	if !ok || !dot || !isKeyID(id) || strings.ContainsAny(text, "\r\n") {
		return "", nil, ErrFormat
	}
	b, err = base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) < nonceSize+tagSize {
		return "", nil, ErrFormat
	}
	return id, b, nil
}

// bound is what is authenticated with the secret: whose it is. Each part goes
// with its length, so that no two pairs give the same bytes.
func bound(user, cred string) []byte {
	b := make([]byte, 0, 32+len(user)+len(cred))
	b = append(b, "oathkit sealed secret 1"...)
	for _, s := range [...]string{user, cred} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	return b
}

// Format prints [secret], whatever the verb.
func (s *Sealer) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }
