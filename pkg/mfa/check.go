package mfa

import (
	"errors"
	"fmt"
	"time"

	"oathkit/pkg/oath"
)

// Check says what is wrong with a record; what DecodeRecord and the changes of
// this package return has passed it. No error holds a secret.
func (r *Record) Check() error {
	switch {
	case !isID(r.UserID):
		return errors.New("user_id is not 32 lower-case hex digits in the shape of a version-4 UUID")
	case r.Epoch == [16]byte{}:
		return errors.New("the epoch is zero")
	case len(r.Credentials) == 0:
		return errors.New("there is no credential")
	case len(r.Credentials) > MaxCredentials:
		return ErrTooMany
	}
	if err := checkTime(r.Created); err != nil {
		return fmt.Errorf("created: %w", err)
	}
	if r.Source != OwnKeys && r.Source != UserFile {
		return fmt.Errorf("source %s is unknown, it must be %q, or left out", shown(string(r.Source)), string(UserFile))
	}
	if r.Email != "" {
		if err := CheckEmail(r.Email); err != nil {
			return fmt.Errorf("email: %w", err)
		}
	}
	for i := range r.Credentials {
		c := &r.Credentials[i]
		if err := c.check(); err != nil {
			return fmt.Errorf("credential %d: %w", i+1, err)
		}
		for j := range i {
			if r.Credentials[j].ID == c.ID {
				return fmt.Errorf("credentials %d and %d have the same id", j+1, i+1)
			}
			if r.Credentials[j].Key.Equal(c.Key) {
				return fmt.Errorf("credentials %d and %d have the same secret, so that one code would be good twice", j+1, i+1)
			}
		}
	}
	return r.Recovery.check()
}

func (r *RecoverySet) check() error {
	if r.ID == [8]byte{} {
		if len(r.Salt) > 0 || len(r.Hashes) > 0 || r.Form != OwnCodes {
			return errors.New("recovery: the id is zero")
		}
		return nil
	}
	if r.Form != OwnCodes && r.Form != PVECodes {
		return fmt.Errorf("recovery: form %s is unknown, it must be %q, or left out", shown(string(r.Form)), string(PVECodes))
	}
	if len(r.Salt) != saltBytes {
		return fmt.Errorf("recovery: the salt has %d bytes instead of %d", len(r.Salt), saltBytes)
	}
	if n := len(r.Hashes); n < 1 || n > MaxRecoveryCodes {
		return fmt.Errorf("recovery: there are %d codes, 1 to %d are allowed", n, MaxRecoveryCodes)
	}
	for i := range r.Hashes {
		for j := range i {
			if r.Hashes[i] == r.Hashes[j] {
				return fmt.Errorf("recovery: codes %d and %d are the same", j+1, i+1)
			}
		}
	}
	return nil
}

// check says what is wrong with a credential, never with its secret in it.
func (c *Credential) check() error {
	if !isID(c.ID) {
		return errors.New("the id is not 32 lower-case hex digits in the shape of a version-4 UUID")
	}
	if err := CheckLabel(c.Label); err != nil {
		return fmt.Errorf("label: %w", err)
	}
	if err := CheckLabel(c.Issuer); err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	if c.Key.IsZero() {
		return errors.New("there is no secret")
	}
	if err := checkTime(c.Created); err != nil {
		return fmt.Errorf("created: %w", err)
	}
	if c.Kind.Sent() {
		return c.checkSent()
	}
	if c.Address != "" {
		return fmt.Errorf("kind %q has no address", string(c.Kind))
	}
	if c.Algorithm != oath.SHA1 && c.Algorithm != oath.SHA256 && c.Algorithm != oath.SHA512 {
		return errors.New("the algorithm is unknown, it must be SHA1, SHA256 or SHA512")
	}
	if c.Digits < 6 || c.Digits > 10 {
		return fmt.Errorf("%d digits are out of range, 6 to 10 are allowed", c.Digits)
	}
	switch c.Kind {
	case TOTP:
		if c.Period < 1 || c.Period > oath.MaxPeriod {
			return fmt.Errorf("a period of %d seconds is out of range, 1 to %d are allowed", c.Period, oath.MaxPeriod)
		}
	case HOTP:
		if c.Counter > MaxCounter {
			return fmt.Errorf("counter %d is out of range, at most %d is allowed", c.Counter, uint64(MaxCounter))
		}
	default:
		return fmt.Errorf("kind %s is unknown, it must be %q, %q, %q, %q or %q", shown(string(c.Kind)), string(TOTP), string(HOTP), string(Email), string(SMS), string(Duo))
	}
	return nil
}

// checkSent is check for the kinds that have an address and no parameters.
func (c *Credential) checkSent() error {
	if c.Algorithm != oath.SHA1 || c.Digits != SentDigits || c.Period != 0 || c.Counter != 0 {
		return fmt.Errorf("kind %q has no algorithm, period or counter, and always %d digits", string(c.Kind), SentDigits)
	}
	check := CheckEmail
	switch c.Kind {
	case SMS:
		check = CheckPhone
	case Duo:
		if c.Address != "" {
			return fmt.Errorf("kind %q has no address", string(c.Kind))
		}
		return nil
	}
	if err := check(c.Address); err != nil {
		return fmt.Errorf("address: %w", err)
	}
	return nil
}

func checkTime(t time.Time) error {
	if y := t.UTC().Year(); y < 1 || y > 9999 {
		return fmt.Errorf("the year %d is out of range, 1 to 9999 are allowed", y)
	}
	return nil
}

// shown is a text as an error may show it: not if it could be a key that got
// into the wrong field.
func shown(s string) string {
	run := 0
	for i := range len(s) {
		switch c := s[i] | 0x20; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			run++
		case c == ' ', c == '-', c == '=':
		default:
			run = 0
		}
		if run >= 16 {
			return fmt.Sprintf("(%d bytes, not shown)", len(s))
		}
	}
	return fmt.Sprintf("%q", s)
}
