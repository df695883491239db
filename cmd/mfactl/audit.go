package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/site"
	"oathkit/pkg/store"
)

// A finding is something that an administrator should look at.
type finding struct {
	Check      string `json:"check"`      // one of checks
	User       string `json:"user"`       // name@realm; empty for a fault of the site
	Credential string `json:"credential"` // its id; empty for a fault of the user
	File       string `json:"file"`
	Message    string `json:"message"`
}

// A report is what audit prints.
type report struct {
	Users    int       `json:"users"` // whose record could be read
	Findings []finding `json:"findings"`
}

// checks are all that audit looks for, in the order of the report.
var checks = [...]string{
	"unreadable", "state-lost", "known-key", "shared-key", "weak-key", "text-key", "locked", "file-mode", "file-owner",
	"stray-file", "realm-file", "not-activated", "unused", "few-recovery-codes", "not-sealed", "no-seal-key",
}

// fewRecoveryCodes is from how many left on a user should get new ones; a login
// warns of the same number.
const fewRecoveryCodes = 3

// An inspector goes through a site and keeps what it finds.
type inspector struct {
	s       *session
	report  report
	skipped map[string]bool
	keys    map[[keyTag]byte]string // who has a key, by the tag of it
	salt    []byte
}

func (o *options) skipCheck(name string) error {
	if !slices.Contains(checks[:], name) {
		return fmt.Errorf("want one of %s", strings.Join(checks[:], ", "))
	}
	o.except = append(o.except, name)
	return nil
}

func (o *options) runAudit(c *cli.Context) error {
	if o.idle < 0 || o.unused < 0 {
		return cli.Misused("a number of days is 0 or more")
	}
	s, err := o.open(c, false)
	if err != nil {
		return err
	}
	in, err := newInspector(s)
	if err != nil {
		return err
	}
	if err := in.people(); err != nil {
		return err
	}
	in.files()
	in.site()
	slices.SortStableFunc(in.report.Findings, func(a, b finding) int {
		return slices.Index(checks[:], a.Check) - slices.Index(checks[:], b.Check)
	})
	if o.json {
		err = c.JSON(in.report)
	} else {
		err = in.report.print(c.Stdout)
	}
	if err != nil {
		return err
	}
	if err := c.Stdout.Flush(); err != nil {
		return cli.StdoutError(err)
	}
	n := len(in.report.Findings)
	if n == 0 {
		c.Say("%s looked at, nothing found", plural(in.report.Users, "user"))
		return nil
	}
	c.Say("%s looked at, %s", plural(in.report.Users, "user"), plural(n, "finding"))
	return cli.ErrNo
}

func (in *inspector) add(f finding) {
	if !in.skipped[f.Check] {
		in.report.Findings = append(in.report.Findings, f)
	}
}

// shownOfEach is how many findings of one kind are printed for people.
const shownOfEach = 20

// print writes the findings kind by kind. Of a kind that a whole site has the
// first are enough for a person.
func (r report) print(w io.Writer) error {
	var rows [][]string
	for i := 0; i < len(r.Findings); {
		check := r.Findings[i].Check
		end := i
		for end < len(r.Findings) && r.Findings[end].Check == check {
			end++
		}
		for _, f := range r.Findings[i:min(end, i+shownOfEach)] {
			rows = append(rows, []string{f.Check, f.where(), f.Message})
		}
		if more := end - i - shownOfEach; more > 0 {
			rows = append(rows, []string{check, fmt.Sprintf("(%d more)", more), "all of them are in --json"})
		}
		i = end
	}
	if len(rows) == 0 {
		return nil
	}
	return cli.Table(w, []string{"CHECK", "WHERE", "WHAT"}, rows)
}

func (f finding) where() string {
	switch {
	case f.Credential != "":
		return f.User + " " + f.Credential[:minPrefix]
	case f.User != "":
		return f.User
	}
	return f.File
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// site looks at what is nobody's in particular.
func (in *inspector) site() {
	s := in.s
	if err := s.Realms.Err(); err != nil {
		in.add(finding{Check: "realm-file", File: s.Config.Paths.Domains, Message: fmt.Sprintf("%v, so every realm asks for a factor", err)})
	}
	if _, err := s.KeyHolders(""); err != nil {
		in.add(finding{Check: "unreadable", File: s.UsersFile(), Message: fmt.Sprintf("%v, so nobody gets in by a key that is there", err)})
	} else if _, err := s.EmailOf(""); err != nil && !errors.Is(err, fs.ErrNotExist) {
		in.add(finding{Check: "unreadable", File: s.UsersFile(), Message: fmt.Sprintf("%v; nothing is mailed to an address in it", err)})
	}
	if site.SealFile(&s.Config) == "" && in.report.Users > 0 {
		in.add(finding{Check: "no-seal-key", File: s.Config.Paths.Store, Message: fmt.Sprintf(
			"the secrets of %s are in clear: set key_file in [seal] and run 'mfactl seal --rotate'", plural(in.report.Users, "user"))})
	}
}

// partial says whether an error of List lies beside the ids that it found.
func partial(err error) bool {
	_, joined := err.(interface{ Unwrap() []error })
	return joined && !errors.Is(err, store.ErrNoStore) && !errors.Is(err, context.Canceled)
}

// each calls fn with every error of those that were joined.
func each(err error, fn func(error)) {
	list, joined := err.(interface{ Unwrap() []error })
	if !joined {
		fn(err)
		return
	}
	for _, err := range list.Unwrap() {
		fn(err)
	}
}

// longAgo is how long ago a time is, in words, and whether that is more than a
// number of days.
func longAgo(t, now time.Time, days int) (string, bool) {
	ago := now.Sub(t)
	return plural(int(ago/(24*time.Hour)), "day"), ago > time.Duration(days)*24*time.Hour
}
