package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/account"
	"oathkit/pkg/config"
	"oathkit/pkg/realm"
	"oathkit/pkg/realm/realmfile"
)

// A lockout is an account that would be locked out, and why.
type lockout struct{ id, why string }

func (l lockout) String() string { return fmt.Sprintf("%s: %s", l.id, l.why) }

// errUnknown marks a guard that could not be answered and therefore refuses.
var errUnknown = errors.New("it is not known who would be locked out")

// guard refuses an edit that turns the second factor of a realm on while an
// enabled account of it has no usable one.
func (t *tool) guard(c *cli.Context, doc *realmfile.File, edited []byte, id string) error {
	if t.lockOut {
		c.Warn("nobody looked whether the accounts of realm %q have a second factor: who has none is locked out", id)
		return nil
	}
	r, _ := realm.Parse(edited).Lookup(id)
	out, err := t.lockedOut(c, doc, r)
	const anyway = "--lock-out-anyway does it without looking"
	if err != nil {
		f := cli.Unsure("")
		if !errors.As(err, &f) {
			f.Err = err
		}
		f.Err = fmt.Errorf("%w; nothing was changed", f.Err)
		return f.Hint(anyway)
	}
	if len(out) == 0 {
		return nil
	}
	for _, l := range out {
		c.Say("%s", cli.Printable(l.String()))
	}
	who := "1 account has no usable second factor and"
	if len(out) > 1 {
		who = fmt.Sprintf("%d accounts have no usable second factor and", len(out))
	}
	return cli.Refused("realm %q: %s would be locked out; nothing was changed", id, who).
		Hint("give each of them a factor, or disable the account, and try again").Hint(anyway)
}

// lockedOut finds the accounts of a realm that would be locked out if it asked
// for a second factor. Who asks decides what a usable factor is: Proxmox VE,
// or this toolkit with its records.
func (t *tool) lockedOut(c *cli.Context, doc *realmfile.File, r realm.Realm) ([]lockout, error) {
	users, path, err := t.population(c, doc, r)
	if err != nil {
		return nil, err
	}
	if doc.PVE() {
		return t.lockedOutOfPVE(c, doc, r, users, path)
	}
	return t.lockedOutHere(c, r, users, path)
}

// population reads USERFILE for the guard. Without one nothing is known of a
// realm, except of one of type pam, whose accounts are in the passwd file as
// well.
func (t *tool) population(c *cli.Context, doc *realmfile.File, r realm.Realm) (account.Users, string, error) {
	path, named, err := t.askedUsersPath(c, doc.Path())
	if err != nil {
		return account.Users{}, "", err
	}
	users, found, err := t.readUsers(path, named)
	if err != nil {
		return account.Users{}, "", err
	}
	if n := countErrors(users); n > 0 {
		c.Warn("%s has lines that could change who is looked at (%d): realmctl check names them", path, n)
	}
	if !found && (r.Type != "pam" || doc.PVE()) {
		return account.Users{}, "", cli.Refused("realm %q: the accounts are not known, for there is no %s: %w", r.ID, path, errUnknown).
			Hint("name the file of the users with -u")
	}
	return users, path, nil
}

// askedUsersPath is USERFILE, but Proxmox VE's own where Proxmox VE asks for the
// factor: a configuration of ours that names another one says nothing about it.
func (t *tool) askedUsersPath(c *cli.Context, domains string) (path string, named bool, err error) {
	if t.users == "" && t.isPVE(domains) {
		return filepath.Join(t.pve, "user.cfg"), false, nil
	}
	return t.usersPath(c, domains)
}

// lockedOutHere judges by this toolkit's own records.
func (t *tool) lockedOutHere(c *cli.Context, r realm.Realm, users account.Users, path string) ([]lockout, error) {
	if cfg, err := t.loadConfig(); err == nil && cfg.Factor(r.ID) == config.FactorDuo {
		c.Warn("the factor of realm %q is Duo, which is asked about everybody in any case: whom it knows is not known here", r.ID)
		return nil, nil
	}
	fold := func(id string) string { return id }
	if !r.CaseSensitive && (r.Type == "ldap" || r.Type == "ad" || r.Type == "pam") {
		fold = strings.ToLower
	}
	ids, err := t.accounts(r, users, fold)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		c.Warn("%s has no enabled account of realm %q, so nobody's factor could be looked at", path, r.ID)
		return nil, nil
	}
	ready, err := t.ready(r.ID, t.config)
	if err != nil {
		return nil, err
	}
	// Ids are compared as they are: oathverify looks for the folded one, and a
	// record under any other spelling is never found.
	has := make(map[string]readiness, len(ready))
	for _, u := range ready {
		has[u.ID] = u
	}
	var out []lockout
	for _, id := range ids {
		u, enrolled := has[id]
		switch {
		case !enrolled:
			out = append(out, lockout{id, "no second factor; mfactl enable makes one"})
		case u.Usable <= 0 && u.Pending > 0:
			out = append(out, lockout{id, fmt.Sprintf("only unactivated credentials (%d): no right code was given yet", u.Pending)})
		case u.Usable <= 0:
			out = append(out, lockout{id, "no usable credential"})
		case u.Locked:
			c.Warn("%s has a second factor, but it is locked now: mfactl unlock frees it", id)
		}
	}
	return out, nil
}

// accounts are the ids of the enabled, unexpired accounts of a realm, folded, in
// the order of the user file and then of the passwd file. A line of the user
// file decides over a passwd entry of the same name, except for root.
func (t *tool) accounts(r realm.Realm, users account.Users, fold func(string) string) ([]string, error) {
	var ids []string
	listed := make(map[string]bool)
	add := func(id string) {
		if !listed[id] {
			listed[id] = true
			ids = append(ids, id)
		}
	}
	off := make(map[string]bool)
	for _, u := range users.In(r.ID) {
		name, _, _ := account.SplitUserID(u.ID)
		id := fold(name) + "@" + r.ID
		if id == "root@pam" || u.Enabled && !u.Expired(t.now()) {
			add(id)
		} else {
			off[id] = true
		}
	}
	if r.Type != "pam" {
		return ids, nil
	}
	b, err := readFile(t.passwd)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, l := range account.ParsePasswd(b) {
		if id := fold(l.Name) + "@" + r.ID; !off[id] || l.UID == 0 {
			add(id)
		}
	}
	return ids, nil
}
