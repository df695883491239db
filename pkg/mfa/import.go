package mfa

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"oathkit/pkg/oath"
)

// ErrNothingToImport means that there is no credential among what another
// system knows of a user.
var ErrNothingToImport = errors.New("there is no credential to import")

// Imported is what another system knows of a user, as far as a record can hold
// it.
type Imported struct {
	Credentials []ImportedCredential
	Recovery    RecoverySet // its ID is not looked at; no hashes: there is none
}

func (in Imported) has(k oath.Key) bool {
	return slices.ContainsFunc(in.Credentials, func(c ImportedCredential) bool { return c.Key.Equal(k) })
}

// ImportedCredential is a credential that was in use elsewhere. Zero values of
// the parameters mean the same as in EnableOptions, but there must be a key.
type ImportedCredential struct {
	ID        string // kept if it is an id as ours are; else a new one is made
	Label     string
	Issuer    string
	Key       oath.Key
	Algorithm oath.Algorithm
	Digits    int
	Period    int       // seconds
	Created   time.Time // zero: now
	Activated bool      // it was proved there, or asked for whether proved or not

	// Next is the first second, since 1970, whose step is good. UnknownUse means
	// that codes may have been used there of which nothing is known; then no step
	// is good that the window allows at the time of the import.
	Next       uint64
	UnknownUse bool
}

// ImportOptions says how Import goes about it.
type ImportOptions struct {
	Add    bool // to what the user has already
	Window int  // TOTP steps, see ImportedCredential.UnknownUse
	Now    time.Time
	Random io.Reader // of cryptographic quality
}

// Import gives a user what another system knows of him, and returns how many
// credentials were added. A user who has a record is left as he is: that is nil
// with 0 added if he has each of these keys already, so that an import can be run
// again, and ErrEnrolled else. With Add the keys that he does not have are added,
// recovery codes too if he has none, and what was used there is used here. A mirror
// (see Mirror) is no record of his own. It becomes one, with the keys that are
// imported alone: the others may be in the user.cfg no more.
func Import(u User, in Imported, o ImportOptions) (User, int, error) {
	if len(in.Credentials) == 0 {
		return u, 0, ErrNothingToImport
	}
	if u.Enrolled() && !o.Add && u.Record.Source == OwnKeys {
		for i := range in.Credentials {
			if u.Record.withKey(in.Credentials[i].Key) < 0 {
				return u, 0, ErrEnrolled
			}
		}
		return u, 0, nil
	}
	n := u
	if !u.Enrolled() {
		var err error
		if n, err = blank(u.ID, o); err != nil {
			return u, 0, err
		}
	}
	n.Record.Credentials = slices.Clone(n.Record.Credentials)
	if n.Record.Source == UserFile {
		n.Record.Source = OwnKeys
		n.Record.Credentials = slices.DeleteFunc(n.Record.Credentials, func(c Credential) bool { return !in.has(c.Key) })
	}
	added := 0
	for i := range in.Credentials {
		is, err := n.take(&in.Credentials[i], o)
		if err != nil {
			return u, 0, err
		}
		if is {
			added++
		}
	}
	if err := n.takeRecovery(in.Recovery, o.Random); err != nil {
		return u, 0, err
	}
	if err := n.Record.Check(); err != nil {
		return u, 0, err
	}
	return n, added, nil
}

// blank is a user with a record that still has no credential.
func blank(id string, o ImportOptions) (User, error) {
	if err := CheckID(id); err != nil {
		return User{}, err
	}
	userID, err := newID(o.Random)
	if err != nil {
		return User{}, err
	}
	epoch, err := newEpoch(o.Random)
	if err != nil {
		return User{}, err
	}
	r := Record{UserID: userID, Epoch: epoch, Created: o.Now.UTC().Truncate(time.Second)}
	return User{ID: id, Record: r, State: State{}.For(r)}, nil
}

// withKey is the place of the credential with this key, -1 if there is none.
func (r *Record) withKey(k oath.Key) int {
	for i := range r.Credentials {
		if r.Credentials[i].Key.Equal(k) {
			return i
		}
	}
	return -1
}

// take adds one credential, or only what was used of it if the user has its key.
// The credentials must not be shared with another user.
func (u *User) take(in *ImportedCredential, o ImportOptions) (added bool, err error) {
	at := u.Record.withKey(in.Key)
	if at < 0 {
		if len(u.Record.Credentials) >= MaxCredentials {
			return false, ErrTooMany
		}
		c, err := in.credential(u.Record, o)
		if err != nil {
			return false, err
		}
		at, added = len(u.Record.Credentials), true
		u.Record.Credentials = append(u.Record.Credentials, c)
		u.State = u.State.WithCounter(Counter{ID: binaryID(c.ID), Kind: c.Kind})
	}
	c := &u.Record.Credentials[at]
	u.State = u.State.For(u.Record)
	n, ok := u.State.Counter(c.ID)
	if !ok || c.Kind != TOTP || n.Lost {
		return added, nil // another kind, or nothing that was used can be good again
	}
	n.Next = max(n.Next, min(in.Next, MaxCounter))
	if in.UnknownUse {
		n = n.Behind(o.Now, c.Period, o.Window)
	}
	u.State = u.State.WithCounter(n)
	return added, nil
}

func (in *ImportedCredential) credential(r Record, o ImportOptions) (Credential, error) {
	if in.Key.IsZero() {
		return Credential{}, oath.ErrNoKey
	}
	when := in.Created
	if when.IsZero() {
		when = o.Now
	}
	c, err := EnableOptions{
		Label: in.Label, Issuer: in.Issuer, Key: in.Key, Algorithm: in.Algorithm,
		Digits: in.Digits, Period: in.Period, Now: when, Random: o.Random,
	}.credential()
	if err != nil {
		return Credential{}, err
	}
	c.Activated = in.Activated
	if isID(in.ID) && r.Find(in.ID) < 0 {
		c.ID = in.ID
	}
	return c, nil
}

// takeRecovery gives a user who has no recovery codes those of another system.
func (u *User) takeRecovery(set RecoverySet, random io.Reader) error {
	if len(set.Hashes) == 0 || len(u.Record.Recovery.Hashes) > 0 {
		return nil
	}
	set.ID = [8]byte{}
	for set.ID == [8]byte{} {
		if err := read(random, set.ID[:]); err != nil {
			return err
		}
	}
	if err := set.check(); err != nil {
		return fmt.Errorf("cannot take the recovery codes: %w", err)
	}
	u.Record.Recovery = set
	u.State.RecoverySet, u.State.RecoveryUsed = set.ID, 0
	return nil
}
