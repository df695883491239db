// Package exchange reads and writes the second factors of users in the formats
// of other systems, and says of each conversion what it cannot carry.
//
// The formats are Proxmox VE's two: user.cfg, whose lines hold a user's keys
// (package account reads the lines), and priv/tfa.cfg, which is JSON with
// otpauth URIs since Proxmox VE 7 and was a line USER:TYPE:BASE64 for each user
// before.
//
// Promised: a file is read as Proxmox VE reads it, so that nobody has a factor
// here that he does not have there; what Proxmox VE refuses is refused whole,
// with the user and the field named. What was used there is used here: the last
// step that it has written down, and where it writes none every step until now.
// Codes for recovery stay good, and those that are used stay used. Whoever is
// locked there is locked here. Whatever of a user is left behind is a [Loss];
// nothing is dropped without one. What is carried is the same after a way there
// and back. No error and no Loss holds a secret.
//
// Left out: the factors of U2F, WebAuthn and YubiKey OTP, which are no
// credentials of ours; entries that are switched off there, for there is no such
// state here; writing into a tfa.cfg that exists.
//
// Nothing here does input or output.
package exchange

import (
	"fmt"
	"time"

	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
)

// A Person is one user as far as he can be carried.
type Person struct {
	ID string // as the file spells it
	mfa.Imported

	Locked      bool      // until somebody opens it
	LockedUntil time.Time // zero: not for a time

	// Needed means that a login needs a second factor there, whether or not it
	// can be carried.
	Needed bool
}

// A Loss is something that a conversion leaves behind, or carries with a change.
type Loss struct {
	User string
	What string // "yubico", "key 2", "recovery codes"
	Why  string
}

// String is the loss as a line.
func (l Loss) String() string { return fmt.Sprintf("%s: %s: %s", l.User, l.What, l.Why) }

// A Clock says when a conversion takes place and how far a code may be from that
// time, in steps to either side. What was used is not known to be over before.
type Clock struct {
	Now    time.Time
	Window int
}

// lastStep is the last step of a credential that can no more be used; -1 if each
// can be.
func (c Clock) lastStep(cr *mfa.ImportedCredential) int64 {
	period := max(cr.Period, 1)
	last := int64((min(cr.Next, mfa.MaxCounter-uint64(period))+uint64(period)-1)/uint64(period)) - 1
	if cr.UnknownUse {
		last = max(last, int64(oath.StepAt(c.Now, period))+int64(c.Window))
	}
	return last
}

// PersonOf is a user of ours as the formats here can hold him: credentials that
// follow the clock, recovery codes that came from Proxmox VE. Needed is true if
// he has an activated credential. Whether he is locked the caller knows.
func PersonOf(u mfa.User) (Person, []Loss) {
	p := Person{ID: u.ID, Needed: u.Activated()}
	var losses []Loss
	state := u.State.For(u.Record)
	for i := range u.Record.Credentials {
		c := &u.Record.Credentials[i]
		if c.Kind != mfa.TOTP {
			losses = append(losses, Loss{u.ID, what(c.Kind, c.Label, i), "there are only codes that follow the clock (totp) there"})
			continue
		}
		n, ok := state.Counter(c.ID)
		p.Credentials = append(p.Credentials, mfa.ImportedCredential{
			ID: c.ID, Label: c.Label, Issuer: c.Issuer, Key: c.Key, Algorithm: c.Algorithm, Digits: c.Digits, Period: c.Period,
			Created: c.Created, Activated: c.Activated, Next: n.Next, UnknownUse: !ok || n.Lost,
		})
	}
	set := u.Record.Recovery
	left := set.Left(state.RecoveryUsed)
	switch {
	case left == 0:
	case set.Form != mfa.PVECodes:
		losses = append(losses, Loss{u.ID, "recovery codes", fmt.Sprintf("the %d that are left were made here, and are hashed in another way there", left)})
	default:
		p.Recovery = mfa.RecoverySet{Form: set.Form, Salt: set.Salt}
		for i, h := range set.Hashes {
			if state.RecoveryUsed&(1<<i) == 0 {
				p.Recovery.Hashes = append(p.Recovery.Hashes, h)
			}
		}
	}
	return p, losses
}

// what names a credential in a Loss.
func what(kind mfa.Kind, label string, i int) string {
	if label == "" {
		return fmt.Sprintf("credential %d (%s)", i+1, kind)
	}
	return fmt.Sprintf("credential %q (%s)", label, kind)
}
