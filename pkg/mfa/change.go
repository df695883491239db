package mfa

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"oathkit/pkg/oath"
)

// The refusals of a change.
var (
	ErrEnrolled     = errors.New("the user is enrolled already")
	ErrNotEnrolled  = errors.New("the user is not enrolled")
	ErrTooMany      = errors.New("a user has at most 8 credentials") // MaxCredentials, not formatted: that would cost every start
	ErrSameKey      = errors.New("the user has a credential with this key already")
	ErrNoCredential = errors.New("the user has no such credential")
	ErrActivated    = errors.New("the credential is activated, so its parameters are proved")
	ErrSentKind     = errors.New("a credential whose codes are sent has no parameters")
	ErrSameKind     = errors.New("the user has a credential of kind duo already")
)

// EnableOptions says what the new credential of Enable, Add and Reset is like.
// Zero values mean: TOTP, SHA1, 6 digits, 30 seconds, a fresh key of 160 bits.
type EnableOptions struct {
	Kind      Kind
	Label     string
	Issuer    string
	Address   string   // Email, SMS: where codes are sent, see CheckEmail and CheckPhone
	Email     string   // if not empty, the user's address from now on, see Record.Email
	Key       oath.Key // zero: a fresh one of Bits
	Bits      int      // a multiple of 8, 128..1024
	Algorithm oath.Algorithm
	Digits    int
	Period    int    // seconds, TOTP
	Counter   uint64 // the first counter that is good, HOTP
	Now       time.Time
	Random    io.Reader // of cryptographic quality
}

// Enable gives a user without a record one with a first credential, not
// activated.
func Enable(u User, o EnableOptions) (User, Credential, error) {
	if u.Enrolled() {
		return u, Credential{}, ErrEnrolled
	}
	userID, err := newID(o.Random)
	if err != nil {
		return u, Credential{}, err
	}
	return begin(u, userID, o)
}

// Reset replaces everything but the user id by one new credential, not
// activated: what Disable and Enable do, under the old user id.
func Reset(u User, o EnableOptions) (User, Credential, error) {
	if !u.Enrolled() {
		return u, Credential{}, ErrNotEnrolled
	}
	return begin(u, u.Record.UserID, o)
}

func begin(u User, userID string, o EnableOptions) (User, Credential, error) {
	if err := CheckID(u.ID); err != nil {
		return u, Credential{}, err
	}
	epoch, err := newEpoch(o.Random)
	if err != nil {
		return u, Credential{}, err
	}
	c, err := o.credential()
	if err != nil {
		return u, Credential{}, err
	}
	n := User{ID: u.ID, Record: Record{UserID: userID, Epoch: epoch, Created: c.Created, Credentials: []Credential{c}}}
	if n.Record.Email, err = o.email(u); err != nil {
		return u, Credential{}, err
	}
	n.State = State{}.For(n.Record)
	return n, c, nil
}

// Add gives the user one more credential, not activated. A user without a
// record is enabled.
func Add(u User, o EnableOptions) (User, Credential, error) {
	if !u.Enrolled() {
		return Enable(u, o)
	}
	if len(u.Record.Credentials) >= MaxCredentials {
		return u, Credential{}, ErrTooMany
	}
	c, err := o.credential()
	if err != nil {
		return u, Credential{}, err
	}
	for i := range u.Record.Credentials {
		if u.Record.Credentials[i].Key.Equal(c.Key) {
			return u, Credential{}, ErrSameKey
		}
		if c.Kind == Duo && u.Record.Credentials[i].Kind == Duo {
			return u, Credential{}, ErrSameKind
		}
	}
	email, err := o.email(u)
	if err != nil {
		return u, Credential{}, err
	}
	n, err := SetEmail(u, email)
	if err != nil {
		return u, Credential{}, err
	}
	n.Record.Credentials = append(slices.Clone(u.Record.Credentials), c)
	n.Record.Source = OwnKeys
	n.State = n.State.For(n.Record)
	return n, c, nil
}

// Remove takes a credential away; with the last one the user is disabled.
func Remove(u User, credID string) (User, error) {
	if !u.Enrolled() {
		return u, ErrNotEnrolled
	}
	i := u.Record.Find(credID)
	if i < 0 {
		return u, ErrNoCredential
	}
	if len(u.Record.Credentials) == 1 {
		return Disable(u)
	}
	u.Record.Credentials = slices.Delete(slices.Clone(u.Record.Credentials), i, i+1)
	u.Record.Source = OwnKeys
	u.State = u.State.For(u.Record)
	return u, nil
}

// Disable takes away everything the user has.
func Disable(u User) (User, error) {
	if !u.Enrolled() {
		return u, ErrNotEnrolled
	}
	return User{ID: u.ID}, nil
}

// Unlock forgets the user's failures, both tallies of them, and with them delay
// and lock. What was used stays used.
func Unlock(u User) (User, error) {
	if !u.Enrolled() {
		return u, ErrNotEnrolled
	}
	s := u.State.For(u.Record)
	s.Failures, s.LastFailure, s.FullDelay, s.Month = 0, 0, false, Tally{}
	s.Judged, s.Noted = 0, Noted{}
	u.State = s
	return u, nil
}

// SetParameters changes the algorithm and the number of digits of a credential
// that is not activated yet, to those that a person's app uses whatever it was
// told. Email and SMS have no parameters: ErrSentKind.
func SetParameters(u User, credID string, algorithm oath.Algorithm, digits int) (User, error) {
	if !u.Enrolled() {
		return u, ErrNotEnrolled
	}
	i := u.Record.Find(credID)
	if i < 0 {
		return u, ErrNoCredential
	}
	c := u.Record.Credentials[i]
	switch {
	case c.Kind.Sent():
		return u, ErrSentKind
	case c.Activated:
		return u, ErrActivated
	}
	c.Algorithm, c.Digits = algorithm, digits
	if err := c.check(); err != nil {
		return u, err
	}
	u.Record.Credentials = slices.Clone(u.Record.Credentials)
	u.Record.Credentials[i] = c
	return u, nil
}

func (o EnableOptions) credential() (Credential, error) {
	c := Credential{
		Label: o.Label, Issuer: o.Issuer, Kind: o.Kind, Address: o.Address, Key: o.Key, Algorithm: o.Algorithm,
		Digits: o.Digits, Period: o.Period, Counter: o.Counter, Created: o.Now.UTC().Truncate(time.Second),
	}
	if c.Kind == "" {
		c.Kind = TOTP
	}
	if c.Digits == 0 {
		c.Digits = 6
	}
	switch {
	case c.Kind == HOTP:
		c.Period = 0
	case c.Kind.Sent():
		c.Counter, c.Period, c.Digits, c.Algorithm = 0, 0, SentDigits, oath.SHA1
		c.Key, o.Bits = oath.Key{}, 160
		c.Activated = c.Kind == Duo // which is proved at Duo, if anywhere
	default:
		c.Counter = 0
		if c.Period == 0 {
			c.Period = 30
		}
	}
	var err error
	if c.Key.IsZero() {
		if c.Key, err = o.freshKey(); err != nil {
			return Credential{}, err
		}
	}
	if c.ID, err = newID(o.Random); err != nil {
		return Credential{}, err
	}
	return c, c.check()
}

// email is the user's address after the change.
func (o EnableOptions) email(u User) (string, error) {
	if o.Email == "" {
		return u.Record.Email, nil
	}
	return o.Email, CheckEmail(o.Email)
}

func (o EnableOptions) freshKey() (oath.Key, error) {
	bits := o.Bits
	if bits == 0 {
		bits = 160
	}
	if bits < 128 {
		return oath.Key{}, fmt.Errorf("a new key of %d bits is too short, at least 128 are needed (RFC 4226 R6)", bits)
	}
	return oath.NewKey(o.Random, bits)
}
