package main

import (
	"errors"
	"strconv"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/mfa"
	"oathkit/pkg/realm"
)

// A readiness is what realmctl asks of a user before a realm asks for a factor.
type readiness struct {
	ID      string `json:"id"`      // name@realm
	Usable  int    `json:"usable"`  // activated credentials
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
	users := []readiness{}
	var unknown error
	err = s.everybody(o.realm, func(u mfa.User, lost bool) {
		judged, err := s.Judged(u, s.now)
		if unknown = errors.Join(unknown, err); err == nil {
			users = append(users, s.readiness(judged, lost))
		}
	})
	if err = errors.Join(err, unknown); err != nil && len(users) == 0 {
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

func (s *session) readiness(u mfa.User, lost bool) readiness {
	r := readiness{ID: u.ID}
	st, err := s.standing(u)
	r.Usable, r.Pending, r.Locked = st.Usable, st.Pending, st.Locked
	if lost || err != nil { // nothing lets him in before the state is rebuilt
		r.Usable, r.Locked = 0, true
	}
	return r
}
