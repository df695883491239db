package main

import (
	"bytes"
	"fmt"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/realm"
	"oathkit/pkg/realm/realmfile"
)

// fix mends what can be mended without a guess, after it showed the change, and
// names what is left.
func (t *tool) fix(c *cli.Context) error {
	t.showDiff = true
	var left []byte
	err := t.edit(c, func(doc *realmfile.File, old []byte) ([]byte, []string, error) {
		edited, mends := realm.Fix(old)
		left = edited
		if len(mends) == 0 {
			return old, nil, nil
		}
		var said []string
		for _, m := range mends {
			said = append(said, fmt.Sprintf("%s:%d: mended (%s): %s", doc.Path(), m.Line, m.Code, m.What))
		}
		for _, r := range newlyAsked(doc, old, edited) {
			if err := t.guard(c, doc, edited, r.ID); err != nil {
				return edited, nil, err
			}
		}
		t.plan = nil // the diff is all that is shown
		return edited, append(said, otherwise(doc, old, edited)...), nil
	})
	if err != nil {
		return err
	}
	return t.remaining(c, left)
}

// newlyAsked are the realms that begin to ask for a factor.
func newlyAsked(doc *realmfile.File, old, edited []byte) (begin []realm.Realm) {
	was, now := demands(doc, realm.Parse(old)), realm.Parse(edited)
	is := demands(doc, now)
	for _, r := range now.Realms() {
		if is[r.ID] && !was[r.ID] && r.TFA != nil {
			begin = append(begin, r)
		}
	}
	return begin
}

// otherwise says which realms are asked otherwise than before.
func otherwise(doc *realmfile.File, old, edited []byte) (said []string) {
	was, now := demands(doc, realm.Parse(old)), realm.Parse(edited)
	is := demands(doc, now)
	for _, r := range now.Realms() {
		switch {
		case was[r.ID] && !is[r.ID]:
			said = append(said, fmt.Sprintf("realm %q asks nobody for a second factor any more", r.ID))
		case is[r.ID] && !was[r.ID]:
			said = append(said, fmt.Sprintf("realm %q asks everybody for a second factor now", r.ID))
		}
	}
	return said
}

// remaining names the faults that are left.
func (t *tool) remaining(c *cli.Context, b []byte) error {
	path, err := t.domainsPath()
	if err != nil {
		return err
	}
	faults, warnings := 0, 0
	for _, p := range realm.Parse(b).Problems() {
		if p.Severity != realm.Error {
			warnings++
			continue
		}
		faults++
		c.Say("%s", cli.Printable(fmt.Sprintf("%s:%d: left (%s): %s; mend: %s", path, p.Line, p.Code, p.Message, p.Mend)))
	}
	if faults > 0 {
		return cli.Refused("%s: %s left that could be meant in more than one way, or needs more than this file", path, counted(faults, "fault")).
			Hint("edit the lines, then: realmctl check")
	}
	if warnings > 0 {
		c.Hint("%s left: realmctl check names them", counted(warnings, "warning"))
	}
	return nil
}

// mendable says how to have the faults of a domains file mended. Of a file that is
// larger than any that people write it says nothing.
func mendable(c *cli.Context, b []byte) {
	if len(b) > 64<<10 {
		return
	}
	edited, mends := realm.Fix(b)
	if len(mends) > 0 && !bytes.Equal(b, edited) {
		c.Hint("realmctl fix -n shows what can be mended without a guess")
	}
}
