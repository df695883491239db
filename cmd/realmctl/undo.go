package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/realm/realmfile"
)

func (t *tool) undo(c *cli.Context) error {
	t.emergency = true
	return t.edit(c, func(doc *realmfile.File, old []byte) ([]byte, []string, error) {
		before, err := readBackup(doc)
		if err != nil {
			return nil, nil, err
		}
		if bytes.Equal(before, old) {
			return before, []string{fmt.Sprintf("%s and %s~ are the same: nothing to undo", doc.Path(), doc.Path())}, nil
		}
		said := []string{fmt.Sprintf("%s is as it was before the last edit; undo again brings that back", doc.Path())}
		return before, append(said, t.undone(c, doc, old, before)...), nil
	})
}

func readBackup(doc *realmfile.File) ([]byte, error) {
	b, err := doc.Backup()
	var owner *realmfile.BackupOwnerError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, cli.Refused("%s: no edit to undo: there is no %s~", doc.Path(), doc.Path())
	case errors.As(err, &owner):
		return nil, cli.Unsure("%w", err).Hint("look at it, and if it is right: chown and chmod it like %s", doc.Path())
	}
	return b, readError(err)
}

// undone says which realms ask for a second factor again, and who is locked out
// by that, where it can be found out.
func (t *tool) undone(c *cli.Context, doc *realmfile.File, old, edited []byte) []string {
	begin, stop := turned(doc, old, edited)
	var said []string
	for _, r := range stop {
		said = append(said, fmt.Sprintf("realm %q asks nobody for a second factor any more", r.ID))
	}
	for _, r := range begin {
		said = append(said, fmt.Sprintf("realm %q asks everybody for a second factor again", r.ID))
		all, err := t.lookedAt(c, doc, r)
		for _, s := range all {
			if s.State == stateLockedOut {
				said = append(said, "locked out: "+s.String())
			}
		}
		if err != nil {
			said = append(said, fmt.Sprintf("who is locked out by that could not be found out: %v", err))
		}
	}
	return said
}
