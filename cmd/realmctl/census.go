package main

import (
	"slices"
	"strconv"
	"time"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/account"
	"oathkit/pkg/realm"
	"oathkit/pkg/realm/realmfile"
)

// A census counts the accounts of a realm. nil is not known.
type census struct {
	Users  *int `json:"users"`  // that can log in
	Usable *int `json:"usable"` // of these, with a usable factor
	Locked *int `json:"locked"` // of these, with a factor that is locked now
}

// A trialView is a trial as list gives it in JSON.
type trialView struct {
	Value   string    `json:"value"`        // of tfa, without secrets
	Until   time.Time `json:"until"`        // by the clock on the wall
	Left    int       `json:"seconds_left"` // 0 once it is over
	Overdue bool      `json:"overdue"`      // over, and not taken back yet
}

// counter counts the accounts of realms, one realm after the other, and remembers
// why it cannot. Whatever is missing, list goes on without it.
type counter struct {
	pve      bool
	users    account.Users
	found    bool // the user file
	usersErr error
	ready    []readiness
	asked    bool
	err      error
}

// count looks at the accounts of all realms.
func (t *tool) count(c *cli.Context, domains string, realms []realm.Realm) (map[string]census, error) {
	n := &counter{pve: t.isPVE(domains)}
	path, named, err := t.askedUsersPath(c, domains)
	if err == nil {
		n.users, n.found, err = t.readUsers(path, named)
	}
	n.usersErr = err
	counts := make(map[string]census, len(realms))
	for _, r := range realms {
		counts[r.ID] = t.countRealm(n, r)
	}
	if n.usersErr != nil {
		return counts, n.usersErr
	}
	return counts, n.err
}

// countRealm asks as the guard does. mfactl is asked once for all realms.
func (t *tool) countRealm(n *counter, r realm.Realm) census {
	known := n.usersErr == nil && (n.found || r.Type == "pam" && !n.pve)
	var all []standing
	var err error
	switch {
	case n.pve && known && r.TFA != nil && r.TFA.Type != "oath":
		for _, u := range n.users.In(r.ID) {
			all = append(all, t.listed(u))
		}
		users := countOf(all, standing.asked)
		return census{Users: &users}
	case n.pve && known:
		all, err = t.judgedByPVE(r, n.users)
		if err != nil {
			n.err = err
			for _, u := range n.users.In(r.ID) {
				all = append(all, t.listed(u))
			}
		}
	case known:
		session := t.session
		t.session = nil // who runs this is the guard's business
		all, err = t.accounts(r, n.users)
		t.session = session
	}
	if err != nil && !n.pve { // the passwd file
		n.err, known = err, false
	}
	if !n.pve && (!known || slices.ContainsFunc(all, standing.asked)) {
		all, err = t.countRecords(n, r, all, known)
	}
	var out census
	if known {
		users := countOf(all, standing.asked)
		out.Users = &users
	}
	if err == nil && (known || !n.pve) {
		usable := countOf(all, func(s standing) bool { return s.State == stateFine })
		locked := countOf(all, func(s standing) bool { return s.asked() && s.Locked })
		out.Usable, out.Locked = &usable, &locked
	}
	return out
}

// countRecords judges accounts by the records of this toolkit; where the accounts
// are not known, all records of the realm are taken.
func (t *tool) countRecords(n *counter, r realm.Realm, all []standing, known bool) ([]standing, error) {
	if !n.asked {
		n.asked = true
		n.ready, n.err = t.readyAll(t.config)
	}
	if n.err != nil {
		return all, n.err
	}
	has := make(map[string]readiness)
	for _, u := range n.ready {
		_, of, ok := account.SplitUserID(u.ID)
		if !ok || of != r.ID {
			continue
		}
		has[u.ID] = u
		if !known {
			all = append(all, standing{ID: u.ID})
		}
	}
	for i, s := range all {
		if s.asked() {
			u, enrolled := has[s.ID]
			all[i].judge(u, enrolled)
		}
	}
	return all, nil
}

func countOf(all []standing, of func(standing) bool) int {
	n := 0
	for _, s := range all {
		if of(s) {
			n++
		}
	}
	return n
}

// numberText is a number of a table; what is not known is a question mark.
func numberText(n *int) string {
	if n == nil {
		return "?"
	}
	return strconv.Itoa(*n)
}

// trialOf is the trial that runs in the file.
func (t *tool) trialOf(c *cli.Context, path string, b []byte) (id string, view *trialView) {
	doc, err := realmfile.Open(path, t.pve)
	if err != nil {
		return "", nil // a link that nobody follows: no edit, and no trial
	}
	tr, found, err := readNote(doc, trialNote)
	switch {
	case err != nil:
		c.Warn("%v", err)
		return "", nil
	case !found || !tr.inForce(b):
		return "", nil
	}
	left := tr.left(t.clock())
	return tr.Realm, &trialView{shownTFA(tr.Value), tr.Until, int(max(0, left) / time.Second), left <= 0}
}

// trialText is the trial in a table.
func trialText(v *trialView) string {
	switch {
	case v == nil:
		return "-"
	case v.Overdue:
		return "overdue"
	}
	return (time.Duration(v.Left) * time.Second).String() + " left"
}
