package exchange

import (
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"oathkit/pkg/account"
	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
)

// recoverySalt is the length of the secret that Proxmox VE gives its recovery
// codes, in bytes, and that of our salts.
const recoverySalt = 16

// People are the users of the file with what can be carried of each, in the order
// of the file.
func (t TFA) People() ([]Person, []Loss) {
	people := make([]Person, 0, len(t.users))
	var losses []Loss
	for i := range t.users {
		p, l := t.users[i].person()
		people = append(people, p)
		losses = append(losses, l...)
	}
	return people, losses
}

func (u *tfaUser) person() (Person, []Loss) {
	p := Person{ID: u.id, Locked: u.locked}
	var losses []Loss
	lose := func(what, format string, args ...any) {
		losses = append(losses, Loss{u.id, what, fmt.Sprintf(format, args...)})
	}
	if u.lockedUntil != nil && *u.lockedUntil > 0 {
		p.LockedUntil = time.Unix(min(*u.lockedUntil, lastSecond), 0).UTC()
	}
	for i := range u.totp {
		e := &u.totp[i]
		name := fmt.Sprintf("totp %d", i+1)
		if e.disabled {
			lose(name, "it is switched off there, and there is no such state here")
			continue
		}
		p.Needed = true
		c, changes, err := e.credential()
		if err != nil {
			lose(name, "%v", err)
			continue
		}
		for _, change := range changes {
			lose(name, "%s", change)
		}
		p.take(c, name, lose)
	}
	for i, o := range u.other {
		p.Needed = p.Needed || o.enabled > 0
		switch {
		case o.enabled > 0:
			lose(otherKinds[i], "%s, which cannot be used here", count(o.enabled, "factor"))
		case o.entries > 0:
			lose(otherKinds[i], "%s, switched off there", count(o.entries, "factor"))
		}
	}
	if u.recovery != nil {
		p.Recovery = u.recovery.set(lose)
	}
	if len(p.Credentials) == 0 && len(p.Recovery.Hashes) > 0 {
		p.Recovery = mfa.RecoverySet{}
		lose("recovery codes", "there is no key that they belong to")
	}
	return p, losses
}

// take adds a credential. Of a key that is there twice one is kept, with what was
// used of either.
func (p *Person) take(c mfa.ImportedCredential, name string, lose func(what, format string, args ...any)) {
	for i := range p.Credentials {
		o := &p.Credentials[i]
		if o.Key.Equal(c.Key) {
			o.Next, o.UnknownUse = max(o.Next, c.Next), o.UnknownUse || c.UnknownUse
			lose(name, "it has the key of another one, which is taken once")
			return
		}
	}
	if len(p.Credentials) >= mfa.MaxCredentials {
		lose(name, "it is one too many: a user has at most %d credentials here", mfa.MaxCredentials)
		return
	}
	p.Credentials = append(p.Credentials, c)
}

// credential is what can be taken of an entry. Entries are asked for there
// whatever the realm says, so they are activated.
func (e *tfaEntry) credential() (c mfa.ImportedCredential, changes []string, err error) {
	if c, err = e.uri.credential(); err != nil {
		return c, nil, err
	}
	c.Activated = true
	c.ID = strings.ToLower(strings.ReplaceAll(e.id, "-", ""))
	if e.id == oldID {
		c.ID = ""
	}
	if c.Label = e.description; mfa.CheckLabel(c.Label) != nil {
		c.Label = ""
		changes = append(changes, "its description cannot be a label here")
	}
	if c.Issuer = e.uri.issuer; mfa.CheckLabel(c.Issuer) != nil {
		c.Issuer = ""
		changes = append(changes, "its issuer cannot be one here")
	}
	if e.created > 0 && e.created <= lastSecond {
		c.Created = time.Unix(e.created, 0).UTC()
	}
	// Without a step that was written down the codes may have been used by a
	// version that wrote none.
	if c.UnknownUse = e.lastCount == nil; !c.UnknownUse {
		c.Next = nextTime(*e.lastCount, c.Period)
	}
	return c, changes, nil
}

// maxPVEDigits is how many digits a code can have that Proxmox VE computes.
const maxPVEDigits = 9

// lastSecond is the last one that a record can name: the end of the year 9999.
const lastSecond = 253402300799

// nextTime is when the step after the last used one begins.
func nextTime(last int64, period int) uint64 {
	if last < 0 {
		return 0
	}
	if last >= (math.MaxInt64-int64(period))/int64(period) {
		return mfa.MaxCounter
	}
	return uint64(last+1) * uint64(period)
}

// set is the codes that are not used. One that is there twice is taken once.
func (r *tfaRecovery) set(lose func(what, format string, args ...any)) mfa.RecoverySet {
	set := mfa.RecoverySet{Form: mfa.PVECodes, Salt: []byte(r.secret)}
	for i, e := range r.entries {
		if e == "" {
			continue
		}
		var h [32]byte
		_, err := hex.Decode(h[:], []byte(e[:min(len(e), 2*len(h))]))
		switch {
		case err != nil || len(e) != 2*len(h) || strings.ToLower(e) != e:
			lose(fmt.Sprintf("recovery code %d", i+1), "it is not 64 lower-case hex digits, so it is good for nothing there, either")
		case !slices.Contains(set.Hashes, h):
			set.Hashes = append(set.Hashes, h)
		}
	}
	switch {
	case len(set.Hashes) == 0:
		return mfa.RecoverySet{}
	case len(r.secret) != recoverySalt:
		lose("recovery codes", "their secret has %d bytes; those that PVE makes have %d", len(r.secret), recoverySalt)
		return mfa.RecoverySet{}
	case len(set.Hashes) > mfa.MaxRecoveryCodes:
		lose("recovery codes", "there are %d, a user has at most %d here", len(set.Hashes), mfa.MaxRecoveryCodes)
		return mfa.RecoverySet{}
	}
	return set
}

// NewTFA makes the tfa.cfg of users of ours. Left out are credentials that are
// not activated: there, a user would be asked for their codes from the next login
// on. A user of whom nothing is left is not in it.
func NewTFA(people []Person, clock Clock) (TFA, []Loss) {
	var t TFA
	var losses []Loss
	for i := range people {
		p := &people[i]
		if _, _, ok := account.SplitUserID(p.ID); !ok {
			losses = append(losses, Loss{p.ID, "user", "PVE can have no user of this name"})
			continue
		}
		u := tfaUser{id: p.ID, locked: p.Locked}
		for j := range p.Credentials {
			c := &p.Credentials[j]
			name := what(mfa.TOTP, c.Label, j)
			switch {
			case !c.Activated:
				losses = append(losses, Loss{p.ID, name, "it is not activated; there, every login would ask for it"})
				continue
			case c.Digits > maxPVEDigits:
				losses = append(losses, Loss{p.ID, name, "PVE cannot compute codes of 10 digits"})
				continue
			}
			e := tfaEntry{id: dashed(c.ID), description: c.Label, created: c.Created.Unix(), uri: uriOf(p.ID, c)}
			if last := clock.lastStep(c); last >= 0 {
				e.lastCount = &last
			}
			u.totp = append(u.totp, e)
		}
		if len(u.totp) == 0 {
			continue
		}
		u.recovery = newRecovery(p)
		if until := p.LockedUntil; until.After(clock.Now) {
			u.lockedUntil = new(int64)
			*u.lockedUntil = until.Unix()
		}
		t.put(u)
	}
	return t, losses
}

// Has says whether the user is in the file.
func (t TFA) Has(id string) bool {
	_, ok := t.place[id]
	return ok
}

// A Tally is what the file has of one user, for whoever asks whether Proxmox VE
// lets him in.
type Tally struct {
	TOTP     int        // entries of TOTP that are on
	Disabled int        // those that are switched off
	Broken   int        // those that are on, but of which it can compute no code
	Other    int        // entries of other kinds that are on
	Recovery bool       // there is a set of recovery codes
	Locked   bool       // TOTP is locked after too many wrong codes
	Keys     []oath.Key // of all entries of TOTP, where they are keys here
}

// Of is the tally of a user; nothing is in it where he is not in the file.
func (t TFA) Of(id string) Tally {
	at, ok := t.place[id]
	if !ok {
		return Tally{}
	}
	u := &t.users[at]
	n := Tally{Recovery: u.recovery != nil, Locked: u.locked}
	for i := range u.totp {
		e := &u.totp[i]
		switch {
		case e.disabled:
			n.Disabled++
		case e.uri.period == 0 || e.uri.digits > maxPVEDigits:
			n.Broken++
		default:
			n.TOTP++
		}
		if k, err := oath.KeyFromBytes(e.uri.secret); err == nil {
			n.Keys = append(n.Keys, k)
		}
	}
	for _, o := range u.other {
		n.Other += o.enabled
	}
	return n
}

func newRecovery(p *Person) *tfaRecovery {
	if len(p.Recovery.Hashes) == 0 {
		return nil
	}
	r := &tfaRecovery{secret: string(p.Recovery.Salt), created: p.Credentials[0].Created.Unix()}
	for _, h := range p.Recovery.Hashes {
		r.entries = append(r.entries, hex.EncodeToString(h[:]))
	}
	return r
}

// dashed is an id as a UUID is written.
func dashed(id string) string {
	if len(id) != 32 {
		return id
	}
	return id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
