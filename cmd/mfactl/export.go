package main

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"syscall"
	"time"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/account"
	"oathkit/pkg/exchange"
	"oathkit/pkg/mfa"
	"oathkit/pkg/realm"
)

func (o *options) declareExport(f *cli.Flags) {
	f.String(&o.format, "to", "FORMAT", "pve-user (a user.cfg is edited) or pve-tfa (a tfa.cfg) of Proxmox VE")
	f.String(&o.output, "o,output", "FILE", "write a new file with mode 0600 instead of standard output")
	f.Bool(&o.showKeys, "show-keys", "write to standard output even if it is a terminal")
	f.String(&o.realm, "realm", "REALM", "only the users of this realm")
}

func (o *options) runExport(c *cli.Context) error {
	if err := o.checkExport(c); err != nil {
		return err
	}
	var file []byte
	if o.format == fromUsers {
		name := "-"
		if len(c.Args) > 0 {
			name = c.Args[0]
		}
		var err error
		if file, err = readImport(c, name); err != nil {
			return err
		}
	}
	s, err := o.open(c, false)
	if err != nil {
		return err
	}
	if err := s.Realms.Err(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return advise(cli.Unsure("cannot tell what the realms ask for: %w", err))
	}
	people, losses, err := s.people()
	if err != nil {
		return err
	}
	var out []byte
	var left []exchange.Loss
	if o.format == fromUsers {
		out, left = s.exportUsers(file, people)
	} else {
		out, left = s.exportTFA(people)
	}
	// Before anything is written, for the keys leave the store with it.
	if err := s.record(target{realm: o.realm}, "export", "", "", o.format); err != nil {
		return err
	}
	if err := o.write(c, out); err != nil {
		return err
	}
	for _, l := range append(losses, left...) {
		c.Warn("%s", cli.Printable(l.String()))
	}
	if n := s.leftOut; n > 0 {
		return cli.Refused("%s with a factor left out, see above", plural(n, "user"))
	}
	return nil
}

func (o *options) checkExport(c *cli.Context) error {
	if err := o.checkFormat("to", o.format); err != nil {
		return err
	}
	if o.flags.Given("realm") {
		if err := realm.CheckID(o.realm); err != nil {
			return cli.Misused("%w", err)
		}
	}
	if o.format == fromTFA && len(c.Args) > 0 {
		return cli.Misused("format %s makes a file of its own, and edits none", fromTFA)
	}
	if o.output == "" && !o.showKeys && cli.IsTerminal(os.Stdout) {
		return cli.Refused("the keys would be shown on the terminal").
			Hint("-o FILE writes a new file that only you can read, --show-keys shows them all the same")
	}
	return nil
}

// people are the users with what can be carried of each.
func (s *session) people() (people []exchange.Person, losses []exchange.Loss, err error) {
	s.now = time.Now()
	var standing error
	err = s.everybody(s.realm, func(u mfa.User, lost bool) {
		p, l := exchange.PersonOf(u)
		if lost {
			l = append(l, exchange.Loss{User: u.ID, What: "recovery codes", Why: "which were used is not known: mfactl unlock rebuilds the state"})
		}
		st, err := s.standing(u)
		switch {
		case err != nil:
			standing = err
		case st.Locked && (st.RetryAfter == 0 || st.RetryAfter > s.Config.Lockout.MaxDelay):
			p.Locked = true // there as here a recovery code opens
		case st.Locked:
			p.LockedUntil = s.now.Add(st.RetryAfter + time.Second - 1)
		}
		people, losses = append(people, p), append(losses, l...)
	})
	if err = errors.Join(err, standing); err != nil {
		return nil, nil, cli.Unsure("%w", err).Hint("nothing was exported: what is missing there would be missed later")
	}
	return people, losses, nil
}

func (s *session) exportTFA(people []exchange.Person) ([]byte, []exchange.Loss) {
	f, losses := exchange.NewTFA(people, exchange.Clock{Now: s.now, Window: s.Config.Verify.Window})
	for i := range people {
		if people[i].Needed && !f.Has(people[i].ID) {
			s.leftOut++
		}
	}
	return append(f.Text(), '\n'), losses
}

func (s *session) exportUsers(file []byte, people []exchange.Person) ([]byte, []exchange.Loss) {
	idOf := func(id string) string {
		if ours, _, err := s.Realms.Resolve(id, ""); err == nil {
			return ours
		}
		return id
	}
	out, edits, losses := exchange.EditUsers(file, people, s.Shape, idOf)
	after := account.ParseUsers(out)
	for _, e := range edits {
		s.c.Say("line %d: user %q: %s", e.Line, e.User, plural(e.Keys, "key"))
		if u, _ := after.Lookup(e.User); !u.Keys.Typeable() {
			s.c.Warn("user %q: Proxmox VE reads these keys, but its form for users does not take them: edit him there only with the field emptied", e.User)
		}
	}
	for i := range people {
		lost := func(l exchange.Loss) bool { return l.User == people[i].ID && l.What == "user" }
		if people[i].Needed && slices.ContainsFunc(losses, lost) {
			s.leftOut++
		}
	}
	return out, losses
}

// write puts the file where it was asked for.
func (o *options) write(c *cli.Context, b []byte) error {
	if o.output == "" {
		if _, err := c.Stdout.Write(b); err != nil {
			return cli.StdoutError(err)
		}
		if err := c.Stdout.Flush(); err != nil {
			return cli.StdoutError(err)
		}
		return nil
	}
	f, err := os.OpenFile(o.output, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return cli.Refused("%q exists already, and a file is never overwritten", o.output).Hint("remove it first, or give another name")
	case err != nil:
		return cli.Unsure("cannot create the file: %w", err)
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		_ = os.Remove(o.output)
		return cli.Unsure("cannot write the file, so it was removed: %w", err)
	}
	return nil
}
