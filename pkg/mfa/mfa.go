// Package mfa is a user's second factors and their legal changes. It is pure:
// it knows no file, clock or socket; time and randomness are parameters.
//
// A [User] is two things that are kept apart because they are written for
// different reasons. The [Record] is what people decide: credentials, their
// secrets and whether they are activated, the recovery codes. The [State] is
// what each login changes: used steps and counters, failures, used recovery
// codes. Both are plain values; no function here changes its argument.
//
// # The life of a user
//
// A user is none (no record), enabled (a record, no activated credential) or
// activated. Beside that an enabled or activated user may be locked or delayed
// (a matter of the state, and of the policy that package verify applies to it),
// may have a sent code, and may have a removal pending; each of these leaves the
// others as they are. "any" in the table is enabled or activated, "same" leaves
// it so.
//
//	change              from             to         what happens
//	Enable              none             enabled    new user id, epoch, credential id
//	Add                 none             enabled    as Enable
//	Add                 any              same       one more credential, not activated; at most 8
//	Add (of kind duo)   any              activated  one that is activated from the start; at most one
//	SetParameters       any              same       of a credential that is not activated
//	SetEmail            any              same       a pending removal is revoked
//	Send                any              same       a code to a credential's address; the code before it is
//	                                                revoked; not within 30 s of it, unless it was used
//	RevokeSent          any              same       it could not be delivered
//	(a right code)      any              activated  package verify sets Activated; the step is burnt, the
//	                                                sent code used; failures, delay and lock are gone
//	(a recovery code)   any              same       it is used; failures, delay and lock are gone
//	(a wrong answer)    any              same       a failure, which may lock; a try at the sent code
//	(time)              locked           same       a delay, and a lock of 30 days, end
//	Unlock              any              same       failures, delay and lock are gone; what was used stays used
//	NewRecoveryCodes    any              same       a new set; every older code is void
//	Remove              any              same       the counters of that credential go with it, and the code
//	                                                that was sent for it; activated becomes enabled if no
//	                                                activated one is left
//	Remove (the last)   any              none       as Disable
//	RequestRemoval      any              same       removal pending for 15 minutes; the token before it is
//	                                                revoked; not within 30 s of it
//	RevokeRemoval       removal pending  same       it could not be delivered
//	(time)              removal pending  same       after 15 minutes none is pending
//	ConfirmRemoval      removal pending  none       with the right token, as Disable
//	ConfirmRemoval      any              same       else a failure; none is pending after 5 wrong tokens
//	Disable             any              none       credentials, recovery codes and state are gone
//	Reset               any              enabled    new epoch and one new credential; user id and e-mail address
//	                                                stay, recovery codes, failures, locks, a sent code and
//	                                                a pending removal are gone
//	Rebuild             any              same       the state was lost: see Rebuild
//	Import              none             enabled    or activated, as it was elsewhere
//	Import              any              same       with what was there to add, if that was asked for
//	Mirror              none             activated  the record shows the keys of a user.cfg
//	Mirror              a mirror         same       with the keys that are there now; what was used stays
//	                                                used. Add, Remove and Import make it a record like others
//
// Everything else is refused with an error of this package that says why; none
// of the functions then changes the user but ConfirmRemoval, which counts.
//
// # What is promised
//
// The epoch and the id of the recovery set tie a state to its record. What
// hangs on another epoch or set than the record's is void ([State.For]), so
// that a crash between the writing of the two leaves nothing behind: not a
// used code that is good again, not a lock of a user who was reset. Where a
// credential that has been in use comes without its counters (files put back
// from a backup) it is lost, not new: a TOTP credential accepts nothing that
// could have been used, an HOTP credential must be found again by two codes in
// a row, and the recovery codes are void.
//
// Of sent codes and removal tokens a keyed hash is kept, bound to user, epoch
// and, for a code, credential and purpose; so one that was asked for before a
// reset, for another user or for something else is worth nothing.
//
// [DecodeRecord] and [DecodeState] refuse what they do not know in full:
// unknown or double fields, values out of range, other versions. Their errors
// never hold a secret.
//
// # What is left out
//
// How Duo is asked: a credential of that kind only says that it is to be. How a
// sent code or a token reaches the person, and what he has to prove before one
// is made, is the caller's; how a secret is sealed is the [Sealer]'s.
package mfa

import (
	"time"

	"oathkit/pkg/oath"
)

// The limits of a record.
const (
	MaxCredentials   = 8         // credentials of one user
	MaxRecoveryCodes = 64        // codes of one recovery set
	MaxText          = 128       // bytes of a label or an issuer
	MaxCounter       = 1<<63 - 1 // the highest HOTP counter, and TOTP time in seconds
)

// Kind is what a credential is.
type Kind string

// The kinds of this version.
const (
	TOTP  Kind = "totp"  // RFC 6238
	HOTP  Kind = "hotp"  // RFC 4226
	Email Kind = "email" // a code is sent by e-mail, see Send
	SMS   Kind = "sms"   // a code is sent to a phone
	Duo   Kind = "duo"   // Duo's service is asked, which has the factors
)

// Sent reports whether a credential of this kind has no parameters, because its
// codes are not computed from its key: those of Email and SMS, which have an
// address instead, are made by Send, and Duo's are none of ours.
func (k Kind) Sent() bool { return k == Email || k == SMS || k == Duo }

// User is a person as the store keeps him. One without a record is
// User{ID: id}.
type User struct {
	ID     string // name@realm, see CheckID
	Record Record
	State  State
}

// Enrolled reports whether the user has a record.
func (u User) Enrolled() bool { return u.Record.Epoch != [16]byte{} }

// Activated reports whether the user has a credential that was proved by a
// right code.
func (u User) Activated() bool {
	for i := range u.Record.Credentials {
		if u.Record.Credentials[i].Activated {
			return true
		}
	}
	return false
}

// Source says who decides which keys a record has.
type Source string

// The sources.
const (
	OwnKeys  Source = ""         // the record itself
	UserFile Source = "user.cfg" // a user.cfg, see Mirror
)

// Record is what was decided about a user.
type Record struct {
	UserID      string   // 32 lower-case hex digits, version-4 shape; stays across resets
	Epoch       [16]byte // random, new at enable and reset; zero: no record
	Created     time.Time
	Email       string       // where removal tokens go, see CheckEmail; may be empty
	Source      Source       // who decides which keys there are
	Credentials []Credential // 1..MaxCredentials
	Recovery    RecoverySet

	stale bool // see Stale
}

// Credential is one factor. Times are UTC, in whole seconds.
type Credential struct {
	ID        string // 32 lower-case hex digits, version-4 shape
	Label     string // what people call it; may be empty
	Issuer    string // as in the URI that was shown; may be empty
	Kind      Kind
	Address   string   // Email: see CheckEmail; SMS: see CheckPhone; else empty
	Key       oath.Key // Email, SMS: random, for the hash of sent codes alone; Duo: random, for nothing but to be like them
	Algorithm oath.Algorithm
	Digits    int    // 6..10; Email, SMS, Duo: SentDigits
	Period    int    // seconds, 1..oath.MaxPeriod; TOTP only
	Counter   uint64 // the first counter that was good; HOTP only
	Activated bool
	Created   time.Time
}

// Find returns the index of the credential with that id, -1 if there is none.
func (r Record) Find(credID string) int {
	for i := range r.Credentials {
		if r.Credentials[i].ID == credID {
			return i
		}
	}
	return -1
}

// Equal reports whether two records say the same. Secrets are compared in
// constant time.
func (r Record) Equal(o Record) bool {
	if r.UserID != o.UserID || r.Epoch != o.Epoch || !r.Created.Equal(o.Created) || r.Email != o.Email || r.Source != o.Source ||
		len(r.Credentials) != len(o.Credentials) || !r.Recovery.equal(o.Recovery) {
		return false
	}
	for i := range r.Credentials {
		if !r.Credentials[i].equal(o.Credentials[i]) {
			return false
		}
	}
	return true
}

func (c Credential) equal(o Credential) bool {
	return c.ID == o.ID && c.Label == o.Label && c.Issuer == o.Issuer && c.Kind == o.Kind && c.Address == o.Address && c.Key.Equal(o.Key) &&
		c.Algorithm == o.Algorithm && c.Digits == o.Digits && c.Period == o.Period && c.Counter == o.Counter &&
		c.Activated == o.Activated && c.Created.Equal(o.Created)
}

// URI is what the user's app reads of a credential, for the account that it is
// to show. One whose codes are sent has none: its key never leaves us.
func (c Credential) URI(account string) (oath.URI, error) {
	kind, err := oath.ParseKind(string(c.Kind))
	return oath.URI{
		Kind: kind, Issuer: c.Issuer, Account: account, Key: c.Key, Algorithm: c.Algorithm,
		Digits: c.Digits, Period: c.Period, Counter: c.Counter,
	}, err
}
