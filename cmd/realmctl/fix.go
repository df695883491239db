package main

import (
	"bytes"
	"fmt"
	"strings"

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
		begin, stop := turned(doc, old, edited)
		if len(stop) > 0 && !t.letIn {
			return edited, nil, letsIn(doc, stop)
		}
		for _, r := range stop {
			said = append(said, fmt.Sprintf("realm %q asks nobody for a second factor any more", r.ID))
		}
		for _, r := range begin {
			said = append(said, fmt.Sprintf("realm %q asks everybody for a second factor now", r.ID))
			if r.TFA == nil {
				continue
			}
			if err := t.guard(c, doc, edited, r.ID); err != nil {
				return edited, nil, err
			}
		}
		t.plan = nil // the diff is all that is shown
		return edited, said, nil
	})
	if err != nil {
		return err
	}
	return t.remaining(c, left)
}

// letsIn refuses mends after which a realm asks for no factor. That is what the file
// means to a person, but until now nobody got in without one.
func letsIn(doc *realmfile.File, stop []realm.Realm) error {
	ids := make([]string, 0, len(stop))
	for _, r := range stop[:min(len(stop), 10)] {
		ids = append(ids, fmt.Sprintf("%q", r.ID))
	}
	more := ""
	if n := len(stop) - len(ids); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return cli.Refused("%s: once mended it would ask nobody of realm %s%s for a second factor, where everybody is asked now; nothing was changed", doc.Path(), strings.Join(ids, ", "), more).
		Hint("realmctl fix -n shows the change; a line tfa type=oath in the realm goes on asking").
		Hint("--let-in-anyway makes the change as it is")
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
