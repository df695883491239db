package mfa

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"math/bits"
	"slices"

	"oathkit/pkg/oath"
)

const saltBytes = 16

// RecoveryForm says what of a recovery code is hashed.
type RecoveryForm string

// The forms of recovery codes.
const (
	// OwnCodes are those of NewRecoveryCodes: the 16 base32 characters alone.
	OwnCodes RecoveryForm = ""
	// PVECodes were made by Proxmox VE: 16 lower-case hex digits with a dash
	// behind every fourth, and the salt is text, too.
	PVECodes RecoveryForm = "pve"
)

// RecoverySet is the recovery codes of a user: 80 random bits each, of which
// only HMAC-SHA256 under the set's salt is kept. Those of Proxmox VE have 64
// bits. The zero set is none.
type RecoverySet struct {
	ID     [8]byte // random; zero: there is no set
	Form   RecoveryForm
	Salt   []byte
	Hashes [][32]byte
}

// Format prints [secret] with every verb.
func (RecoverySet) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[secret]") }

func (r RecoverySet) equal(o RecoverySet) bool {
	return r.ID == o.ID && r.Form == o.Form && string(r.Salt) == string(o.Salt) && slices.Equal(r.Hashes, o.Hashes)
}

// all has the bit of each code set.
func (r RecoverySet) all() uint64 {
	if n := len(r.Hashes); n < 64 {
		return 1<<n - 1
	}
	return 1<<64 - 1
}

// Left returns how many codes are not used, given the state's RecoveryUsed.
func (r RecoverySet) Left(used uint64) int { return bits.OnesCount64(r.all() &^ used) }

// Find returns the index of a code after dropping case, blanks and dashes, -1
// if it is none. Every hash of the set is compared, in constant time.
func (r RecoverySet) Find(code string) int {
	h := hashCode(r.Salt, r.Form.spell(canonicalCode(code)))
	found := -1
	for i := range r.Hashes {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(h[:], r.Hashes[i][:]), i, found)
	}
	return found
}

// NewRecoveryCodes gives the user a new set of n codes (1..MaxRecoveryCodes),
// written xxxx-xxxx-xxxx-xxxx in lower-case base32, and voids every older one.
// The codes are returned only here.
func NewRecoveryCodes(u User, n int, random io.Reader) ([]string, User, error) {
	if !u.Enrolled() {
		return nil, u, ErrNotEnrolled
	}
	if n < 1 || n > MaxRecoveryCodes {
		return nil, u, fmt.Errorf("%d recovery codes cannot be made, 1 to %d can", n, MaxRecoveryCodes)
	}
	set := RecoverySet{Salt: make([]byte, saltBytes), Hashes: make([][32]byte, 0, n)}
	for set.ID == [8]byte{} || set.ID == u.Record.Recovery.ID {
		if err := read(random, set.ID[:]); err != nil {
			return nil, u, err
		}
	}
	if err := read(random, set.Salt); err != nil {
		return nil, u, err
	}
	codes := make([]string, 0, n)
	for len(codes) < n {
		var raw [10]byte
		if err := read(random, raw[:]); err != nil {
			return nil, u, err
		}
		c := canonicalCode(string(oath.AppendBase32(nil, raw[:])))
		h := hashCode(set.Salt, c)
		if slices.Contains(set.Hashes, h) {
			return nil, u, fmt.Errorf("the source of randomness repeats itself")
		}
		set.Hashes = append(set.Hashes, h)
		codes = append(codes, c[:4]+"-"+c[4:8]+"-"+c[8:12]+"-"+c[12:])
	}
	u.Record.Recovery = set
	u.State = u.State.For(u.Record)
	u.State.RecoveryUsed = 0
	return codes, u, nil
}

func hashCode(salt []byte, code string) (h [32]byte) {
	m := hmac.New(sha256.New, salt)
	_, _ = io.WriteString(m, code)
	m.Sum(h[:0])
	return h
}

// canonicalCode drops case, blanks and dashes.
func canonicalCode(s string) string {
	b := []byte(oath.NormalizeCode(s))
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// spell writes a canonical code as it was hashed. What is as long as no code
// stays as it is, and is none.
func (f RecoveryForm) spell(code string) string {
	if f != PVECodes || len(code) != 16 {
		return code
	}
	return code[:4] + "-" + code[4:8] + "-" + code[8:12] + "-" + code[12:]
}
