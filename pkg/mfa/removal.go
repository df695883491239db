package mfa

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"oathkit/pkg/oath"
)

// The rules of removal tokens.
const (
	RemovalFor   = 15 * time.Minute // how long a token is good
	RemovalTries = 5                // wrong tokens after which it is not good any more
	tokenBytes   = 20               // 160 random bits, 32 characters
)

// The refusals of ConfirmRemoval.
var (
	ErrNoRemoval      = errors.New("no removal was asked for, or it was revoked")
	ErrRemovalExpired = errors.New("the token is too old: it was good for 15 minutes")
	ErrRemovalTries   = errors.New("too many wrong tokens were tried: ask for a new one")
	ErrWrongToken     = errors.New("the token is wrong")
)

// Removal is the removal that was asked for last. The zero Removal is none; one
// with At alone was revoked.
type Removal struct {
	Hash  [16]byte // of the token; zero: none is pending
	At    int64    // when it was asked for, Unix milliseconds
	Tries uint8    // wrong tokens since
}

// RemovalPending reports whether a removal was asked for and can still be
// confirmed, and until when.
func (u User) RemovalPending(now time.Time) (until time.Time, pending bool) {
	if !u.Enrolled() {
		return time.Time{}, false
	}
	r := u.State.For(u.Record).Removal
	if r.Hash == [16]byte{} || r.Tries >= RemovalTries || !fresh(r.At, now, RemovalFor) {
		return time.Time{}, false
	}
	return time.UnixMilli(r.At).Add(RemovalFor).UTC(), true
}

// RequestRemoval makes the token that takes away everything the user has, and
// revokes the one before it. The token is 160 random bits in groups of lower-case
// base32 and is returned only here; the user holds a keyed hash of it. He must
// be durable before the token is given to anybody. It is good for RemovalFor,
// once, and until RemovalTries wrong ones were tried.
//
// Within SendEvery of the one before it is refused with a *TooSoonError.
func RequestRemoval(u User, now time.Time, random io.Reader) (token string, after User, err error) {
	if !u.Enrolled() {
		return "", u, ErrNotEnrolled
	}
	s := u.State.For(u.Record)
	if wait := tooSoon(s.Removal.At, now, SendEvery); wait > 0 {
		return "", u, &TooSoonError{Wait: wait}
	}
	var raw [tokenBytes]byte
	if err := read(random, raw[:]); err != nil {
		return "", u, err
	}
	text := canonicalCode(string(oath.AppendBase32(nil, raw[:])))
	s.Removal = Removal{Hash: tokenHash(u, text), At: Milliseconds(now)}
	u.State = s
	groups := make([]string, 0, len(text)/4)
	for i := 0; i < len(text); i += 4 {
		groups = append(groups, text[i:i+4])
	}
	return strings.Join(groups, "-"), u, nil
}

// RevokeRemoval takes back a token that could not be delivered. The time of it
// is kept. Where another one was asked for since, nothing changes.
func RevokeRemoval(u User, token string) User {
	if !u.Enrolled() {
		return u
	}
	s := u.State.For(u.Record)
	if s.Removal.matches(u, token) {
		s.Removal = Removal{At: s.Removal.At}
		u.State = s
	}
	return u
}

// ConfirmRemoval takes away everything the user has if the token, after
// dropping case, blanks and dashes, is the one that was asked for. The user it
// returns must be kept whatever the error: a wrong token is counted, as a try
// and as a wrong answer (CountFailure). A token that is too old, or that was
// tried too often, is counted too, and its error says so only to whoever has
// the right one.
//
// Whether the user is delayed or locked is not asked: use package verify's
// ConfirmRemoval wherever a person gives the token.
func ConfirmRemoval(u User, token string, now time.Time) (User, error) {
	if !u.Enrolled() {
		return u, ErrNotEnrolled
	}
	s := u.State.For(u.Record)
	right := s.Removal.matches(u, token)
	_, pending := u.RemovalPending(now)
	if right && pending {
		return Disable(u)
	}
	err := ErrWrongToken
	switch {
	case s.Removal.Hash == [16]byte{}:
		err = ErrNoRemoval
	case right && s.Removal.Tries >= RemovalTries:
		err = ErrRemovalTries
	case right:
		err = ErrRemovalExpired
	case s.Removal.Tries < RemovalTries:
		s.Removal.Tries++
	}
	u.State = s.CountFailure(now)
	return u, err
}

func (r Removal) matches(u User, token string) bool {
	h := tokenHash(u, canonicalCode(token))
	return subtle.ConstantTimeCompare(h[:], r.Hash[:]) == 1 && r.Hash != [16]byte{}
}

// tokenHash is HMAC-SHA256, cut to 128 bits, under the epoch. 160 random bits
// need no secret key; the epoch ties them to this enrolment of this user.
func tokenHash(u User, token string) (h [16]byte) {
	m := hmac.New(sha256.New, u.Record.Epoch[:])
	_, _ = io.WriteString(m, "oathkit removal\x00"+u.ID+"\x00"+token)
	copy(h[:], m.Sum(nil))
	return h
}

// Format prints no hash.
func (r Removal) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "{%d tries:%d}", r.At, r.Tries) }
