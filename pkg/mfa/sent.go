package mfa

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"oathkit/pkg/oath"
)

// The rules of sent codes.
const (
	SentDigits = 6               // digits of a sent code
	SentFor    = 5 * time.Minute // how long it is good
	SentTries  = 5               // wrong answers after which it is not good any more
	SendEvery  = 30 * time.Second
)

// clockSlack is how far ahead of the clock a stamp may lie: as long as a
// process that looked at its clock may have waited for its user. What lies
// further ahead was made by a clock that was set back since.
const clockSlack = 10 * time.Second

// The refusals of Send and RequestRemoval.
var (
	ErrTooSoon = errors.New("it is too soon for another one") // see TooSoonError
	ErrNotSent = errors.New("no codes are sent for a credential of this kind")
)

// A TooSoonError is an ErrTooSoon that says how long it is still too soon.
type TooSoonError struct{ Wait time.Duration }

// Error says when the next try makes sense.
func (e *TooSoonError) Error() string {
	return fmt.Sprintf("%v: wait %d seconds", ErrTooSoon, (e.Wait+time.Second-1)/time.Second)
}

// Unwrap returns ErrTooSoon.
func (e *TooSoonError) Unwrap() error { return ErrTooSoon }

// Purpose is what a sent code is for. A code is good for no other.
type Purpose uint8

// The purposes. The zero Purpose is none.
const (
	ForLogin  Purpose = 1 // a login, which also activates
	ForEnrol  Purpose = 2 // the proof at the end of an enrolment
	ForChange Purpose = 3 // the proof before somebody changes what he has
)

// String is the purpose as audit events and sentences call it.
func (p Purpose) String() string {
	switch p {
	case ForLogin:
		return "login"
	case ForEnrol:
		return "enrolment"
	case ForChange:
		return "change"
	}
	return "nothing"
}

// Sent is the code that was sent last. A user has at most one. The zero Sent is
// none; one with At alone is a code that was revoked, of which only the time is
// kept.
type Sent struct {
	ID      [16]byte // the credential's id; zero: there is no code
	Purpose Purpose
	Hash    [16]byte // see Sent.Matches
	At      int64    // when it was made, Unix milliseconds
	Tries   uint8    // wrong answers since
	Used    bool     // it was accepted
}

// Format prints no hash, because 6 digits are guessed from it by whoever has
// the key.
func (s Sent) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "{%x %s %d tries:%d used:%t}", s.ID, s.Purpose, s.At, s.Tries, s.Used)
}

// Open reports whether the code may still be accepted at a time. A stamp that
// lies in the future by more than 10 seconds is that of a clock set back, and
// its code is not good.
func (s Sent) Open(now time.Time) bool {
	return s.ID != [16]byte{} && !s.Used && s.Tries < SentTries && fresh(s.At, now, SentFor)
}

// Expires returns when the code ends to be good.
func (s Sent) Expires() time.Time { return time.UnixMilli(s.At).Add(SentFor).UTC() }

// Revoked returns what is kept of a code that is revoked: when it was sent.
func (s Sent) Revoked() Sent { return Sent{At: s.At} }

// Matches reports whether an answer of SentDigits digits is the code that was
// sent to the credential of that user, whether or not it is still good. What is
// kept of a code is HMAC-SHA256 under the credential's key over user, epoch,
// credential, purpose, time and code, cut to 128 bits (RFC 2104 section 5). The
// work is the same whatever comes of it.
func (s Sent) Matches(id string, r *Record, c *Credential, code string) bool {
	h := s.hash(id, r, c, code)
	same := subtle.ConstantTimeCompare(h[:], s.Hash[:]) == 1
	return same && s.ID != [16]byte{} && s.ID == binaryID(c.ID)
}

func (s Sent) hash(id string, r *Record, c *Credential, code string) (h [16]byte) {
	m := hmac.New(sha256.New, c.Key.Bytes())
	b := make([]byte, 0, 160)
	b = append(b, "oathkit sent code\x00"...)
	b = append(b, id...)
	b = append(b, 0) // no id has one in it
	b = append(b, r.Epoch[:]...)
	b = append(b, c.ID...)
	b = append(b, byte(s.Purpose))
	b = binary.BigEndian.AppendUint64(b, uint64(s.At))
	b = append(b, code...)
	_, _ = m.Write(b)
	copy(h[:], m.Sum(nil))
	return h
}

// Send makes a code to be sent to the address of a credential of kind email or
// sms, and revokes the one before it, whatever that was for. The code is 6
// random digits and is returned only here; the user holds a keyed hash of it.
// He must be durable before the code is given to anybody. The code is good for
// SentFor, once, for that purpose, and until SentTries wrong answers were given.
//
// Within SendEvery of the one before it is refused with a *TooSoonError, unless
// that was accepted meanwhile. Whether the user is locked is not asked: package
// verify knows, and its Status says so.
func Send(u User, credID string, purpose Purpose, now time.Time, random io.Reader) (code string, after User, err error) {
	if !u.Enrolled() {
		return "", u, ErrNotEnrolled
	}
	i := u.Record.Find(credID)
	if i < 0 {
		return "", u, ErrNoCredential
	}
	c := &u.Record.Credentials[i]
	if c.Kind != Email && c.Kind != SMS {
		return "", u, ErrNotSent
	}
	if purpose < ForLogin || purpose > ForChange {
		return "", u, fmt.Errorf("a code cannot be sent for purpose %d", purpose)
	}
	s := u.State.For(u.Record)
	if wait := tooSoon(s.Sent.At, now, SendEvery); wait > 0 && !s.Sent.Used {
		return "", u, &TooSoonError{Wait: wait}
	}
	if code, err = sixDigits(random); err != nil {
		return "", u, err
	}
	s.Sent = Sent{ID: binaryID(c.ID), Purpose: purpose, At: Milliseconds(now)}
	s.Sent.Hash = s.Sent.hash(u.ID, &u.Record, c, code)
	u.State = s
	return code, u, nil
}

// RevokeSent takes back a code that could not be delivered. The time of it is
// kept, so that a gateway that fails is not asked without end. Where another
// code was sent since, or this one was used, nothing changes.
func RevokeSent(u User, code string) User {
	if !u.Enrolled() {
		return u
	}
	s := u.State.For(u.Record)
	for i := range u.Record.Credentials {
		c := &u.Record.Credentials[i]
		if c.Kind.Sent() && !s.Sent.Used && s.Sent.Matches(u.ID, &u.Record, c, oath.NormalizeCode(code)) {
			s.Sent = s.Sent.Revoked()
			u.State = s
		}
	}
	return u
}

// sixDigits draws a number below 10^6, each as likely as the others: of 32
// random bits those are taken that lie below the largest multiple of 10^6.
func sixDigits(random io.Reader) (string, error) {
	const limit = 1 << 32 / 1000000 * 1000000
	for range 64 {
		var b [4]byte
		if err := read(random, b[:]); err != nil {
			return "", err
		}
		if v := binary.BigEndian.Uint32(b[:]); v < limit {
			return fmt.Sprintf("%06d", v%1000000), nil
		}
	}
	return "", errors.New("the source of randomness repeats itself")
}

// fresh reports whether a stamp is younger than limit, and not of the future.
func fresh(at int64, now time.Time, limit time.Duration) bool {
	age := Milliseconds(now) - at
	return age >= -clockSlack.Milliseconds() && age < limit.Milliseconds()
}

// tooSoon is how long it is still too soon after a stamp; one of a clock that
// was set back hinders nothing.
func tooSoon(at int64, now time.Time, every time.Duration) time.Duration {
	if at == 0 || !fresh(at, now, every) {
		return 0
	}
	return time.Duration(at-Milliseconds(now))*time.Millisecond + every
}
