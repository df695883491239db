package oath

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
)

// The errors of keys that callers tell apart. None of them holds the key.
var (
	// ErrNoKey means that there was nothing, or nothing but blanks.
	ErrNoKey = errors.New("there is no key")
	// ErrShortKey means less than MinBits.
	ErrShortKey = errors.New("key is too short")
	// ErrLongKey means more than MaxBits.
	ErrLongKey = errors.New("key is too long")
)

// A Key is the secret that a person's device and we share. It does not change
// once made; the zero Key is none. Every verb of package fmt prints it as
// [secret], and it refuses to be marshalled. Keys are compared by Equal.
type Key struct {
	_ [0]func() // == would compare addresses: make it an error
	// fmt cannot ask an unexported Key how to print and follows one pointer,
	// but not two.
	s **[]byte
}

func keyOf(b []byte) Key {
	p := &b
	return Key{s: &p}
}

const hidden = "[secret]"

// NewKey makes a key of this many bits, a multiple of 8 from 80 to 1024, out of
// random. A text that ParseKey would take for hex never comes of it: such a key
// (one of 10^11 at 128 bits) is drawn again.
func NewKey(random io.Reader, bits int) (Key, error) {
	if bits%8 != 0 || bits < MinBits || bits > MaxBits {
		return Key{}, fmt.Errorf("a key has a multiple of 8 from %d to %d bits, not %d", MinBits, MaxBits, bits)
	}
	b := make([]byte, bits/8)
	for range 8 {
		if _, err := io.ReadFull(random, b); err != nil {
			return Key{}, fmt.Errorf("cannot read randomness: %w", err)
		}
		if !Ambiguous(AppendBase32(nil, b)) {
			return keyOf(b), nil
		}
	}
	return Key{}, errors.New("randomness is not random: it gave eight unlikely keys in a row")
}

// KeyFromBytes copies b into a key. Less than 80 bits are ErrShortKey, more
// than 1024 ErrLongKey.
func KeyFromBytes(b []byte) (Key, error) {
	switch n := len(b) * 8; {
	case n == 0:
		return Key{}, ErrNoKey
	case n < MinBits:
		return Key{}, fmt.Errorf("%w: it has %d bits, the least is %d", ErrShortKey, n, MinBits)
	case n > MaxBits:
		return Key{}, fmt.Errorf("%w: it has %d bits, the most is %d", ErrLongKey, n, MaxBits)
	}
	return keyOf(append([]byte(nil), b...)), nil
}

func (k Key) raw() []byte {
	if k.s == nil {
		return nil
	}
	return **k.s
}

// Bytes is a copy of the key.
func (k Key) Bytes() []byte { return append([]byte(nil), k.raw()...) }

// Bits is the length of the key; 0 for the zero Key.
func (k Key) Bits() int { return 8 * len(k.raw()) }

// IsZero says whether there is no key.
func (k Key) IsZero() bool { return k.s == nil }

// Weak says whether the key has less than the 128 bits that RFC 4226 asks for
// (R6). Such keys are taken, with a warning, because Proxmox VE's have 80.
func (k Key) Weak() bool { return k.Bits() < WeakBits }

// Equal compares two keys; for keys of one length the time it takes does not
// depend on what is in them.
func (k Key) Equal(other Key) bool {
	return subtle.ConstantTimeCompare(k.raw(), other.raw()) == 1
}

// Base32 is the key in upper case without padding, which ParseBase32 reads back.
func (k Key) Base32() string { return string(k.AppendBase32(nil)) }

// AppendBase32 appends what Base32 returns.
func (k Key) AppendBase32(dst []byte) []byte { return AppendBase32(dst, k.raw()) }

// Hex is the key in lower-case hex digits.
func (k Key) Hex() string { return string(AppendHex(nil, k.raw())) }

// Format prints [secret], whatever the verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// String is [secret].
func (k Key) String() string { return hidden }

// MarshalText is always an error, so that no encoder writes a key, nor writes
// something else in its place; use Base32.
func (k Key) MarshalText() ([]byte, error) {
	return nil, errors.New("a key is not marshalled: write its Base32 where it belongs")
}
