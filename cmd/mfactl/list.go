package main

import (
	"context"
	"errors"
	"strings"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/mfa"
	"oathkit/pkg/store"
)

// everybody calls fn with each user of the realm, or of all realms for "", as he
// is now. A user whose state is lost comes without it. What could not be read is
// told at once; the error says that there was such a thing, after everything else
// was gone through.
func (s *session) everybody(realm string, fn func(u mfa.User, lost bool)) error {
	ids, err := s.Store.List(context.Background())
	if err != nil && len(ids) == 0 {
		return advise(err)
	}
	complete := true
	if err != nil {
		s.c.Warn("%v", err)
		complete = false
	}
	// It is read once: whom it concerns and cannot be known is told below.
	_, _ = s.KeyHolders(realm)
	for _, id := range ids {
		if realm != "" && !strings.HasSuffix(id, "@"+realm) {
			continue
		}
		u, err := s.Store.View(context.Background(), id)
		lost := errors.Is(err, store.ErrStateLost)
		if err != nil {
			s.c.Warn("%v", err)
			complete = complete && lost
		}
		if u, err = s.current(u); err != nil {
			s.c.Warn("%v", err)
			complete = false
			continue
		}
		if u.Enrolled() { // else he was disabled a moment ago
			fn(u, lost)
		}
	}
	if !complete {
		return cli.Unsure("the list is not complete, see the warnings above")
	}
	return nil
}

func (o *options) runList(c *cli.Context) error {
	s, err := o.open(c, false)
	if err != nil {
		return err
	}
	objects := []object{}
	rows := [][]string{}
	err = s.everybody("", func(u mfa.User, _ bool) {
		for _, cr := range u.Record.Credentials {
			if o.json {
				objects = append(objects, newObject(u, cr, o.showKeys))
				continue
			}
			row := []string{u.ID, string(cr.Kind), yesNo(cr.Activated), cr.ID, cr.Label}
			if o.showKeys {
				row = append(row, newObject(u, cr, true).Blob)
			}
			rows = append(rows, row)
		}
	})
	if err != nil && len(objects)+len(rows) == 0 {
		return err
	}
	if o.json {
		return errors.Join(c.JSON(objects), err)
	}
	header := []string{"USER", "TYPE", "ACTIVATED", "ID", "LABEL"}
	if o.showKeys {
		header = append(header, "KEY")
	}
	return errors.Join(cli.Table(c.Stdout, header, rows), err)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
