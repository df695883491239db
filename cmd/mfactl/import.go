package main

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/trusted"
	"oathkit/pkg/account"
	"oathkit/pkg/exchange"
	"oathkit/pkg/mfa"
	"oathkit/pkg/store"
	"oathkit/pkg/verify"
)

// The formats of import and export.
const (
	fromUsers = "pve-user"
	fromTFA   = "pve-tfa"
)

// maxImport bounds a file to import, in bytes.
const maxImport = 64 << 20

// What became of a user.
const (
	imported  = "imported"
	addedTo   = "added to"
	unchanged = "unchanged" // he had all of it
	nothing   = "nothing"   // there was nothing to import
	refused   = "refused"
	failed    = "failed"
)

// An arrival is one user of a file, and what becomes of him.
type arrival struct {
	ID      string `json:"id"`   // ours; empty if there is none
	From    string `json:"from"` // as the file spells it
	Result  string `json:"result"`
	Added   int    `json:"credentials"`
	Codes   int    `json:"recovery_codes"`
	Locked  bool   `json:"locked"`
	Message string `json:"message,omitempty"`

	person  exchange.Person
	target  target
	had     bool // a record of his own
	changed bool
}

// importing is the work on one file.
type importing struct {
	*session
	arrivals []*arrival
	losses   []exchange.Loss
}

func (o *options) declareImport(f *cli.Flags) {
	f.String(&o.format, "from", "FORMAT", "pve-user (a user.cfg) or pve-tfa (a tfa.cfg) of Proxmox VE")
	f.Bool(&o.dryRun, "n,dry-run", "say what would be done, and write nothing")
	f.Bool(&o.addTo, "add-to-existing", "give users who have a record what they do not have yet")
	f.Bool(&o.proved, "activated", "pve-user: the users log in with these keys already, so ask for a code from now on")
	f.Bool(&o.json, "json", "print a JSON object")
}

func (o *options) runImport(c *cli.Context) error {
	if err := o.checkFormat("from", o.format); err != nil {
		return err
	}
	if o.proved && o.format != fromUsers {
		return cli.Misused("option %q goes with %s: what is in a tfa.cfg was proved", "--activated", fromUsers)
	}
	text, err := readImport(c, c.Args[0])
	if err != nil {
		return err
	}
	s, err := o.open(c, true)
	if err != nil {
		return err
	}
	if err := s.Realms.Err(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return advise(cli.Unsure("cannot tell which users are meant: %w", err))
	}
	im := &importing{session: s}
	people, err := im.read(text)
	if err != nil {
		return cli.Refused("%s is no file that Proxmox VE could read: %w", c.Args[0], err).Hint("nothing was imported")
	}
	if !o.dryRun {
		// Also where there is nobody to put into it: with [verify] keys =
		// "user.cfg" logins need a store, and nobody is ever enabled.
		if err := s.makeStore(target{id: "nobody@pam"}); err != nil {
			return err
		}
	}
	im.resolve(people)
	for _, a := range im.arrivals {
		im.settle(a)
	}
	return im.report()
}

func (o *options) checkFormat(option, format string) error {
	if format != fromUsers && format != fromTFA {
		return cli.Misused("option %q must be %s or %s", "--"+option, fromUsers, fromTFA)
	}
	return nil
}

// readImport reads the file, or standard input for "-". Who could have written
// it decides who gets in.
func readImport(c *cli.Context, name string) ([]byte, error) {
	if name != "-" {
		b, err := trusted.ReadFile(name, maxImport)
		if err != nil {
			return nil, cli.Unsure("cannot read what is to be imported: %w", err)
		}
		return b, nil
	}
	b, err := io.ReadAll(io.LimitReader(c.Stdin, maxImport+1))
	switch {
	case err != nil:
		return nil, cli.Unsure("cannot read standard input: %w", err)
	case len(b) > maxImport:
		return nil, cli.Refused("standard input is longer than %d bytes", maxImport)
	}
	return b, nil
}

func (im *importing) read(text []byte) (people []exchange.Person, err error) {
	if im.format == fromUsers {
		users := account.ParseUsers(text)
		for _, p := range users.Problems() {
			// What is wrong with a key is among the losses.
			if p.Severity == account.Error && !strings.HasPrefix(p.Code, "key-") {
				im.c.Warn("%s:%d: %s", im.c.Args[0], p.Line, cli.Printable(p.Message))
			}
		}
		people, im.losses = exchange.Users(users, im.Shape, im.proved, im.now)
		return people, nil
	}
	f, err := exchange.ParseTFA(text)
	if err == nil {
		people, im.losses = f.People()
	}
	return people, err
}

// resolve finds our user of each person of the file. Two of the file who are one
// here are refused both: nobody knows which of them is meant.
func (im *importing) resolve(people []exchange.Person) {
	of := map[string]*arrival{}
	unknown := map[string]bool{}
	for _, p := range people {
		a := &arrival{From: p.ID, person: p}
		im.arrivals = append(im.arrivals, a)
		if _, _, ok := account.SplitUserID(p.ID); !ok { // else he would be put into some realm
			a.Result, a.Message = refused, "Proxmox VE can have no user of this name"
			continue
		}
		id, realm, err := im.Realms.Resolve(p.ID, "")
		if err != nil {
			a.Result, a.Message = refused, err.Error()
			continue
		}
		a.ID, a.target = id, target{id: id, realm: realm}
		if other := of[id]; other != nil {
			a.Result, a.Message = refused, "the file has "+strconv.Quote(other.From)+", who is the same user here"
			if other.Result == "" {
				other.Result, other.Message = refused, "the file has "+strconv.Quote(a.From)+", who is the same user here"
			}
			continue
		}
		of[id] = a
		if im.Realms.Err() == nil && !im.Realms.Has(realm) && !unknown[realm] {
			unknown[realm] = true
			im.c.Warn("realm %q is not in %s, so it asks everybody for a factor", realm, im.Config.Paths.Domains)
		}
	}
}

// settle imports one user. What goes wrong with him is his alone.
func (im *importing) settle(a *arrival) {
	if a.Result != "" {
		return
	}
	if len(a.person.Credentials) == 0 {
		if a.Result = nothing; a.person.Needed {
			a.Result, a.Message = refused, "none of his factors can be used here"
		}
		return
	}
	err := im.change(a, func(u mfa.User) (mfa.User, error) { return im.take(a, u) })
	switch {
	case errors.Is(err, mfa.ErrEnrolled):
		a.Result, a.Message = refused, "is enabled already, and has other keys"
	case errors.Is(err, mfa.ErrTooMany):
		a.Result, a.Message = refused, err.Error()
	case err != nil:
		a.Result, a.Message = failed, err.Error()
	case !a.changed:
		a.Result = unchanged
	case a.had:
		a.Result = addedTo
	default:
		a.Result = imported
	}
	if err == nil && !im.dryRun && a.changed {
		if err := im.record(a.target, "import", "", string(mfa.TOTP), im.format); err != nil {
			a.Result, a.Message = failed, err.Error()
		}
	}
}

// take is the change itself.
func (im *importing) take(a *arrival, u mfa.User) (mfa.User, error) {
	after, added, err := mfa.Import(u, a.person.Imported, mfa.ImportOptions{
		Add: im.addTo, Window: im.Config.Verify.Window, Now: im.now, Random: rand.Reader,
	})
	a.had = u.Enrolled() && u.Record.Source == mfa.OwnKeys
	a.Added, a.Codes, a.Locked, a.changed = added, 0, false, false
	if err != nil || a.had && !im.addTo {
		return after, err
	}
	if after.Record.Recovery.ID != u.Record.Recovery.ID {
		a.Codes = len(after.Record.Recovery.Hashes)
	}
	before, err := im.standing(after)
	if err != nil {
		return u, err
	}
	lockout := im.Policy(a.target.realm).Lockout
	if a.person.Locked {
		after, _ = verify.Lock(after, time.Time{}, im.now, lockout)
	}
	if !a.person.LockedUntil.IsZero() {
		after, _ = verify.Lock(after, a.person.LockedUntil, im.now, lockout)
	}
	st, err := im.standing(after)
	a.Locked = st.Locked
	a.changed = st.Locked != before.Locked || !after.Record.Equal(u.Record)
	return after, err
}

// change runs a change on the user, or on a copy of him for a dry run.
func (im *importing) change(a *arrival, fn func(mfa.User) (mfa.User, error)) error {
	ctx, cancel := context.WithTimeout(context.Background(), storeWait)
	defer cancel()
	if im.dryRun {
		im.now = time.Now()
		u := mfa.User{ID: a.ID}
		if im.Store != nil {
			var err error
			if u, err = im.Store.View(ctx, a.ID); err != nil && !errors.Is(err, store.ErrNoStore) {
				return err
			}
		}
		_, err := fn(u)
		return err
	}
	return im.Store.Update(ctx, a.ID, func(u mfa.User) (mfa.User, error) {
		im.now = time.Now() // under the user's lock
		return fn(u)
	})
}
