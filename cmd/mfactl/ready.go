package main

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/mfa"
	"oathkit/pkg/realm"
)

// A readiness is what realmctl asks of a user before a realm asks for a factor.
type readiness struct {
	ID      string `json:"id"`      // name@realm
	Usable  int    `json:"usable"`  // activated credentials, those of kind duo only where Duo is configured
	Pending int    `json:"pending"` // credentials that no right code has proved yet
	Locked  bool   `json:"locked"`  // now even a right code is refused
}

func (o *options) runReady(c *cli.Context) error {
	if o.flags.Given("realm") {
		if err := realm.CheckID(o.realm); err != nil {
			return cli.Misused("%w", err)
		}
	}
	s, err := o.open(c, false)
	if err != nil {
		return err
	}
	users, err := s.everyReadiness()
	if err != nil && len(users) == 0 {
		return err
	}
	if o.json {
		return errors.Join(c.JSON(struct {
			Users []readiness `json:"users"`
		}{users}), err)
	}
	rows := make([][]string, 0, len(users))
	for _, r := range users {
		rows = append(rows, []string{r.ID, strconv.Itoa(r.Usable), strconv.Itoa(r.Pending), yesNo(r.Locked)})
	}
	return errors.Join(cli.Table(c.Stdout, []string{"USER", "USABLE", "PENDING", "LOCKED"}, rows), err)
}

// everyReadiness is that of every user who has a record, or a key in the file of
// users where that counts.
func (s *session) everyReadiness() ([]readiness, error) {
	users := []readiness{}
	listed := map[string]bool{}
	var unknown error
	add := func(u mfa.User, lost bool) {
		listed[u.ID] = true
		judged, err := s.JudgedWhereAsked(u, s.now)
		if unknown = errors.Join(unknown, err); err == nil && (u.Enrolled() || judged.Enrolled()) {
			users = append(users, s.readiness(judged, lost))
		}
	}
	holders, herr := s.KeyHolders(s.realm)
	err := s.everybody(s.realm, add)
	for _, id := range holders {
		if !listed[id] {
			add(mfa.User{ID: id}, false)
		}
	}
	slices.SortFunc(users, func(a, b readiness) int { return strings.Compare(a.ID, b.ID) })
	return users, errors.Join(err, herr, unknown)
}

func (s *session) readiness(u mfa.User, lost bool) readiness {
	r := readiness{ID: u.ID}
	st, err := s.standing(u)
	r.Usable, r.Pending, r.Locked = st.Usable, st.Pending, st.Locked
	for i := range u.Record.Credentials {
		if c := &u.Record.Credentials[i]; c.Kind == mfa.Duo && c.Activated && !s.Config.Duo.Complete() {
			r.Usable--
		}
	}
	if lost || err != nil { // nothing lets him in before the state is rebuilt
		r.Usable, r.Locked = 0, true
	}
	return r
}
