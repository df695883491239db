package mfa

import (
	"errors"

	"oathkit/pkg/oath"
)

// A Sealer makes a secret unreadable to whoever has the record alone, and
// readable again. What was sealed for one user and credential must not open for
// another. It is used by several goroutines at once.
type Sealer interface {
	// Seal returns the sealed secret as text: ASCII without blanks, quotes or
	// backslashes.
	Seal(secret []byte, user, cred string) (string, error)
	// Open is the inverse of Seal. It is not current when Seal would use
	// another key by now. No error holds the secret.
	Open(sealed, user, cred string) (secret []byte, current bool, err error)
}

// ErrSealed means that a secret is sealed and that there is no Sealer.
var ErrSealed = errors.New("the secret is sealed, and the file of keys that [seal] key_file named is not configured any more")

// Stale reports whether the record, as it was read with a Sealer, has a secret
// in clear or under a key that is not the present one: the next write of the
// record seals it.
func (r Record) Stale() bool { return r.stale }

// appendSecret writes the field "secret" or, with a Sealer, "sealed".
func appendSecret(b []byte, in, user string, c *Credential, sealer Sealer) ([]byte, error) {
	if sealer == nil {
		b = append(b, ',')
		b = append(b, in...)
		b = append(b, "\"secret\": \""...)
		b = c.Key.AppendBase32(b)
		return append(b, '"'), nil
	}
	secret := c.Key.Bytes()
	sealed, err := sealer.Seal(secret, user, c.ID)
	clear(secret)
	if err != nil {
		return nil, err
	}
	return appendField(b, in, "sealed", sealed), nil
}

// sealedText is a sealed secret and where it is in the record. It can be opened
// only once the credential's id is known, which may come later.
type sealedText struct {
	text string
	at   int
}

func (s *scanner) sealed(where string) sealedText {
	at := s.i
	return sealedText{s.text(where), at}
}

// open opens the sealed secret of a credential.
func (s *scanner) open(where string, t sealedText, cred string, both bool) oath.Key {
	switch {
	case s.err != nil:
		return oath.Key{}
	case both:
		s.failAt(t.at, "%s: there is a %q and a %q", where, "secret", "sealed")
		return oath.Key{}
	case s.sealer == nil:
		s.failAt(t.at, "%s: %w", where, ErrSealed)
		return oath.Key{}
	}
	secret, current, err := s.sealer.Open(t.text, s.user, cred)
	if err != nil {
		s.failAt(t.at, "%s: %w", where, err)
		return oath.Key{}
	}
	k, err := oath.KeyFromBytes(secret)
	clear(secret)
	if err != nil {
		s.failAt(t.at, "%s: the secret: %w", where, err)
	}
	s.stale = s.stale || !current
	return k
}

// secret reads a key as AppendBase32 writes it. Package oath's errors name the
// character that is wrong; one of a record's secret is not for a log.
func (s *scanner) secret(where string) oath.Key {
	at := s.i
	text := s.text(where)
	if s.err != nil {
		return oath.Key{}
	}
	k, err := oath.ParseBase32(text)
	if err != nil || k.Base32() != text {
		s.failAt(at, "%s: the secret is not a key of %d to %d bits in upper-case base32 without padding", where, oath.MinBits, oath.MaxBits)
		return oath.Key{}
	}
	s.stale = s.stale || s.sealer != nil
	return k
}
