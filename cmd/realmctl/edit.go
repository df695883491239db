package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/realm"
	"oathkit/pkg/realm/realmfile"
)

// lockWait is how long an edit waits for another one to end.
const lockWait = 10 * time.Second

// A plan makes the new bytes of a domains file from the old ones, and says what
// that means. It is made again when the file changed meanwhile. Bytes that come
// with an error are what the edit would have written.
type plan func(doc *realmfile.File, old []byte) (edited []byte, said []string, err error)

// edit changes the domains file by a plan, or with -n shows the change.
func (t *tool) edit(c *cli.Context, make plan) error {
	doc, err := t.openDomains()
	if err != nil {
		return err
	}
	old, err := doc.Read()
	if err != nil {
		return readError(err)
	}
	collect(len(old))
	edited, said, err := make(doc, old)
	if t.plan != nil && (t.dryRun || t.json) {
		if serr := t.showPlan(c, doc.Path(), old, edited, err != nil); serr != nil {
			return serr
		}
	}
	if t.dryRun {
		if edited != nil && !t.json {
			c.Stdout.Write(t.diff(doc.Path(), old, edited))
		}
		if bytes.Equal(old, edited) || t.showDiff && err == nil {
			tell(c, said)
		}
		return err
	}
	if err != nil {
		return err
	}
	if t.showDiff {
		c.Stdout.Write(t.diff(doc.Path(), old, edited))
		if err := c.Stdout.Flush(); err != nil {
			return cli.StdoutError(err)
		}
	}
	switch {
	case bytes.Equal(old, edited):
	case t.trial > 0:
		err = t.writeOnTrial(c, doc, make, old, edited, &said)
	default:
		err = t.write(c, doc, make, old, edited, &said)
		if err != nil && t.emergency && refusesAttributes(err) {
			err = t.writeAnyhow(c, doc, make, &said, err)
		}
	}
	if err == nil {
		tell(c, said)
		t.overtaken(c, doc)
	}
	return err
}

// collect sets how eagerly memory is taken back. An edit makes a few copies of the
// file and ends, so collecting them would take longer than all the rest; but a giant
// file must go into a rescue system.
func collect(size int) {
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(96 << 20)
	if size > realm.MaxNamed {
		debug.SetGCPercent(10)
	}
}

func tell(c *cli.Context, said []string) {
	for _, line := range said {
		c.Say("%s", cli.Printable(line))
	}
}

// write replaces the file. What an error of the plan says stays as it is.
func (t *tool) write(c *cli.Context, doc *realmfile.File, make plan, old, edited []byte, said *[]string) error {
	var refused error
	err := doc.Replace(context.Background(), lockWait, old, edited, func(now []byte) (edited []byte, err error) {
		edited, *said, err = make(doc, now)
		refused = err
		return edited, err
	})
	var kept *realmfile.BackupError
	switch {
	case errors.As(err, &kept):
		c.Warn("%v: the edit is made, but undo has no %s~ to put back", kept, doc.Path())
		return nil
	case err != nil && refused == nil:
		return writeError(doc, err)
	}
	return err
}

// openError adds the way out to an error of finding the file to edit.
func (t *tool) openError(path string, err error) error {
	var link *realmfile.LinkError
	if errors.As(err, &link) {
		return cli.Unsure("%w", err).Hint("name the file itself with -f, after a look at it")
	}
	return t.noDomains(path, err)
}

// editError puts the refusal of an edit in words.
func editError(doc *realmfile.File, err error) error {
	var e *realm.EditError
	if !errors.As(err, &e) {
		return cli.Refused("%s: %w; nothing was changed", doc.Path(), err)
	}
	where := doc.Path()
	if e.Line > 0 {
		where = fmt.Sprintf("%s:%d", doc.Path(), e.Line)
	}
	f := cli.Refused("%s: %s; nothing was changed", where, e.Message)
	if e.Mend != "" {
		f.Hint("%s", e.Mend)
	}
	return f
}
