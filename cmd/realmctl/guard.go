package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/account"
	"oathkit/pkg/realm"
	"oathkit/pkg/realm/realmfile"
)

// errUnknown marks a guard that could not be answered and therefore refuses.
var errUnknown = errors.New("it is not known who would be locked out")

// guard refuses an edit that turns the second factor of a realm on while an
// enabled account of it has no usable one, or whoever runs this has none.
func (t *tool) guard(c *cli.Context, doc *realmfile.File, edited []byte, id string) error {
	r, _ := realm.Parse(edited).Lookup(id)
	if t.lockOut && !t.dryRun {
		c.Warn("nobody looked whether the accounts of realm %q have a second factor: who has none is locked out", id)
		t.plan = &outlook{realm: r, err: errors.New("nobody looked, as asked for")}
		return nil
	}
	all, err := t.lookedAt(c, doc, r)
	t.plan = &outlook{realm: r, accounts: all, err: err}
	switch {
	case t.lockOut && err != nil:
		c.Warn("%v", err)
		return nil
	case t.lockOut:
		return nil
	case err != nil:
		f := cli.Unsure("")
		if !errors.As(err, &f) {
			f.Err = err
		}
		f.Err = fmt.Errorf("%w; nothing was changed", f.Err)
		return f.Hint(anyway)
	}
	return t.refusal(c, id, all)
}

const anyway = "--lock-out-anyway does it without looking"

// refusal names who would be locked out.
func (t *tool) refusal(c *cli.Context, id string, all []standing) error {
	n, you := 0, ""
	for _, s := range all {
		switch {
		case s.State == stateLockedOut:
			n++
			if s.You {
				you = s.ID
			}
			if !t.dryRun && !t.json { // else the plan does
				c.Say("%s", cli.Printable(s.String()))
			}
		case s.Locked:
			c.Warn("%s has a second factor, but it is locked now: mfactl unlock frees it", s.ID)
		}
	}
	if n == 0 {
		return nil
	}
	who := "1 account has no usable second factor and"
	if n > 1 {
		who = fmt.Sprintf("%d accounts have no usable second factor and", n)
	}
	and := ""
	if you != "" {
		and = fmt.Sprintf(", your own (%s) among them", you)
	}
	return cli.Refused("realm %q: %s would be locked out%s; nothing was changed", id, who, and).
		Hint("give each of them a factor, or disable the account, and try again").Hint(anyway)
}

// lookedAt is judged, with a warning where there was nobody to judge.
func (t *tool) lookedAt(c *cli.Context, doc *realmfile.File, r realm.Realm) ([]standing, error) {
	users, path, err := t.population(c, doc.Path(), doc.PVE(), r)
	if err != nil {
		return nil, err
	}
	if n := countErrors(users); n > 0 {
		c.Warn("%s has lines that could change who is looked at (%d): realmctl check names them", path, n)
	}
	if !doc.PVE() && t.asksDuo(r) {
		c.Warn("the factor of realm %q is Duo, which is asked about everybody in any case: whom it knows is not known here", r.ID)
	}
	all, err := t.judged(doc.PVE(), r, users)
	if err == nil && !slices.ContainsFunc(all, standing.asked) {
		c.Warn("%s has no enabled account of realm %q, so nobody's factor could be looked at", path, r.ID)
	}
	return all, err
}

// judged says of each account of a realm what would become of it if the realm
// asked for a second factor. Who asks decides what a usable factor is: Proxmox
// VE, or this toolkit with its records.
func (t *tool) judged(pve bool, r realm.Realm, users account.Users) ([]standing, error) {
	if !pve {
		return t.judgedHere(r, users.In(r.ID))
	}
	tfa, err := readTFA(t.tfaPath())
	return t.judgedByPVE(r, users.In(r.ID), tfa, err)
}

// population reads USERFILE for the guard. Without one nothing is known of a
// realm, except of one of type pam, whose accounts are in the passwd file as
// well.
func (t *tool) population(c *cli.Context, domains string, pve bool, r realm.Realm) (account.Users, string, error) {
	path, named, err := t.askedUsersPath(c, domains)
	if err != nil {
		return account.Users{}, "", err
	}
	users, found, err := t.readUsers(path, named)
	if err != nil {
		return account.Users{}, "", err
	}
	if !found && (r.Type != "pam" || pve) {
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

// judgedHere judges by this toolkit's own records. Ids are compared as they are:
// oathverify looks for the folded one, and a record under any other spelling is
// never found.
func (t *tool) judgedHere(r realm.Realm, users []account.User) ([]standing, error) {
	all, err := t.accounts(r, users)
	if err != nil || !slices.ContainsFunc(all, standing.asked) {
		return all, err
	}
	if t.asksDuo(r) {
		for i, s := range all {
			if s.asked() {
				all[i].State, all[i].Reason, all[i].Why = stateFine, "duo", "Duo is asked, and whom it knows is not known here"
			}
		}
		return all, nil
	}
	ready, err := t.ready(r.ID, t.config)
	if err != nil {
		return nil, err
	}
	has := make(map[string]readiness, len(ready))
	for _, u := range ready {
		has[u.ID] = u
	}
	for i, s := range all {
		if s.asked() {
			u, enrolled := has[s.ID]
			all[i].judge(u, enrolled)
		}
	}
	return all, nil
}

// judge takes what mfactl says of an account.
func (s *standing) judge(u readiness, enrolled bool) {
	set := func(state, reason, why string) { s.State, s.Reason, s.Why = state, reason, why }
	switch {
	case !enrolled:
		set(stateLockedOut, "no-factor", "no second factor; mfactl enable makes one")
	case u.Usable <= 0 && u.Pending > 0:
		set(stateLockedOut, "not-activated", fmt.Sprintf("only unactivated credentials (%d): no right code was given yet", u.Pending))
	case u.Usable <= 0:
		set(stateLockedOut, "no-credential", "no usable credential")
	case u.Locked && s.You:
		set(stateLockedOut, "locked-now", "the second factor is locked now; mfactl unlock frees it")
	case u.Usable == 1:
		set(stateFine, "activated", "1 activated credential")
	default:
		set(stateFine, "activated", fmt.Sprintf("%d activated credentials", u.Usable))
	}
	s.Locked = u.Locked
	if s.Locked && s.State == stateFine {
		s.Why += ", locked now"
	}
}

// accounts are the accounts of a realm, their ids folded, in the order of the
// user file, then of the passwd file, then who runs this. A line of the user file
// decides over a passwd entry of the same name, except for root and for who runs
// this: oathverify asks everybody, whatever the user file says.
func (t *tool) accounts(r realm.Realm, users []account.User) ([]standing, error) {
	fold := func(id string) string { return id }
	if !r.CaseSensitive && (r.Type == "ldap" || r.Type == "ad" || r.Type == "pam") {
		fold = strings.ToLower
	}
	var all []standing
	at := make(map[string]int)
	add := func(s standing) {
		if i, listed := at[s.ID]; !listed {
			at[s.ID] = len(all)
			all = append(all, s)
		} else if !all[i].asked() && s.asked() {
			all[i] = s
		} else {
			all[i].You = all[i].You || s.You
		}
	}
	for _, u := range users {
		name, _, _ := account.SplitUserID(u.ID)
		u.ID = fold(name) + "@" + r.ID
		if u.ID == "root@pam" {
			add(standing{ID: u.ID})
		} else {
			add(t.listed(u))
		}
	}
	if r.Type == "pam" {
		b, err := readFile(t.passwd)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, l := range account.ParsePasswd(b) {
			id := fold(l.Name) + "@" + r.ID
			if _, listed := at[id]; !listed || l.UID == 0 {
				add(standing{ID: id})
			}
		}
	}
	for _, who := range t.runBy() {
		id := fold(who.name) + "@" + r.ID
		if _, listed := at[id]; listed || r.Type == "pam" || !who.local && (r.Type == "ldap" || r.Type == "ad") {
			add(standing{ID: id, You: true})
		}
	}
	return all, nil
}

// listed is an account of the user file before anybody looked for its factor.
func (t *tool) listed(u account.User) standing {
	switch {
	case !u.Enabled:
		return standing{ID: u.ID, State: stateOff, Reason: "disabled", Why: "the account is disabled"}
	case u.Expired(t.now()):
		return standing{ID: u.ID, State: stateOff, Reason: "expired", Why: "the account has expired"}
	}
	return standing{ID: u.ID}
}
