package main

import (
	"bytes"
	"fmt"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/realm"
	"oathkit/pkg/realm/realmfile"
)

func (t *tool) enable(c *cli.Context) error {
	id := c.Args[0]
	if err := realmOperand(id); err != nil {
		return err
	}
	t.trialRealm = id
	return t.edit(c, func(doc *realmfile.File, old []byte) ([]byte, []string, error) {
		want, err := t.wanted(doc, old, id)
		if err != nil {
			return nil, nil, err
		}
		edited, err := realm.EnableTFA(old, id, want)
		if err != nil {
			return nil, nil, editError(doc, err)
		}
		if bytes.Equal(edited, old) {
			if t.dryRun || t.json {
				r, _ := realm.Parse(edited).Lookup(id)
				all, err := t.lookedAt(c, doc, r)
				t.plan = &outlook{realm: r, accounts: all, err: err}
			}
			if err := t.stillOnTrial(doc, old, id); err != nil {
				return nil, nil, err
			}
			return edited, []string{fmt.Sprintf("realm %q asks for a second factor already (tfa %s): nothing to change", id, want.Value())}, nil
		}
		return edited, []string{fmt.Sprintf("realm %q asks everybody for a second factor now (tfa %s)", id, want.Value())}, t.guard(c, doc, edited, id)
	})
}

// wanted is the tfa value to write: what the command line does not say stays as
// it is. A factor of another type is not replaced in passing, for its settings
// would go with it.
func (t *tool) wanted(doc *realmfile.File, old []byte, id string) (realm.TFA, error) {
	want := realm.TFA{Type: "oath", Digits: realm.DefaultDigits, Step: realm.DefaultStep}
	if bytes.Contains(old, []byte("tfa")) { // else reading the file is time lost
		r, _ := realm.Parse(old).Lookup(id)
		switch {
		case r.TFA != nil && r.TFA.Type != want.Type:
			return want, cli.Refused("%s:%d: realm %q asks for a factor of type %s already; nothing was changed", doc.Path(), r.TFALine, id, r.TFA.Type).
				Hint("to have oath in its place: realmctl set %s tfa type=oath", id)
		case r.TFA != nil:
			want.Digits, want.Step = r.TFA.Digits, r.TFA.Step
		}
	}
	if t.digits != 0 {
		want.Digits = t.digits
	}
	if t.step != 0 {
		want.Step = t.step
	}
	return want, nil
}

func (t *tool) disable(c *cli.Context) error {
	switch {
	case t.all && len(c.Args) > 0:
		return cli.Misused("--all means every realm: name none beside it")
	case !t.all && len(c.Args) == 0:
		return cli.Misused("no realm given").Hint("name the realms, or give --all for every one")
	}
	t.emergency = true
	return t.edit(c, func(doc *realmfile.File, old []byte) ([]byte, []string, error) {
		if t.all {
			edited, changed := realm.DisableAllTFA(old)
			return edited, disabled(doc, old, edited, changed, nil), nil
		}
		edited, changed, err := realm.DisableTFA(old, c.Args...)
		if err != nil {
			return nil, nil, editError(doc, err)
		}
		return edited, disabled(doc, old, edited, changed, c.Args), nil
	})
}

// manyRealms is how many realms a disable names.
const manyRealms = 100

// disabled says what a disable did: which realms changed as the reader of the
// file sees them, and what still asks for a factor.
func disabled(doc *realmfile.File, old, edited []byte, changed, asked []string) []string {
	var said []string
	unnamed := 0
	after := realm.Parse(edited)
	was, is := tfaOf(realm.Parse(old), changed), tfaOf(after, changed)
	for i, id := range changed {
		switch {
		case i >= manyRealms && (was[id] || !is[id]):
			unnamed++
		case was[id] && !is[id]:
			said = append(said, fmt.Sprintf("realm %q asks nobody for a second factor any more", id))
		case is[id] && !was[id]:
			said = append(said, fmt.Sprintf("realm %q asks everybody for a second factor now: disable it there, too", id))
		default:
			said = append(said, fmt.Sprintf("realm %q is read otherwise now: realmctl show %s", id, id))
		}
	}
	if unnamed > 0 {
		said = append(said, fmt.Sprintf("and so on for %d more realms: realmctl list shows them", unnamed))
	}
	if bytes.Equal(old, edited) {
		said = append(said, "no line asks for a second factor there: nothing to change")
	} else if asked == nil && len(old) > realm.MaxNamed {
		said = append(said, "no line asks for a second factor any more; the file is too large to name the realms: realmctl list shows them")
	} else if len(changed) == 0 {
		said = append(said, "lines that seemed to ask for a second factor are gone; the reader of the file saw none of them")
	}
	if !doc.PVE() {
		for _, id := range asked {
			if !was[id] { // else it was in the file, and is
				said = append(said, stillRequired(doc, after, id)...)
			}
		}
	}
	switch {
	case len(changed) == 0:
	case doc.PVE():
		said = append(said, "who has an entry in priv/tfa.cfg is still asked for it: pveum user tfa delete USER removes it")
	default:
		said = append(said, "who has an activated credential is still asked for it: mfactl disable USER removes it")
	}
	return said
}

// tfaOf are those of the realms that have a second factor as the reader of the
// file sees them.
func tfaOf(d *realm.Domains, ids []string) map[string]bool {
	is := make(map[string]bool)
	if len(ids) > 64 { // one pass for all is cheaper than one for each
		for _, r := range d.Realms() {
			is[r.ID] = r.TFA != nil
		}
		return is
	}
	for _, id := range ids {
		r, _ := d.Lookup(id)
		is[id] = r.TFA != nil
	}
	return is
}

// stillRequired says what makes oathverify ask for a factor in the realm all the
// same, now that no line asks for one.
func stillRequired(doc *realmfile.File, d *realm.Domains, id string) []string {
	r, _ := d.Lookup(id)
	switch {
	case r.Missing != "":
		return []string{fmt.Sprintf("oathverify still asks for a factor: %s:%d: realm %q lacks %s, so the reader drops it", doc.Path(), r.Line, id, r.Missing)}
	case r.InFile:
		return nil
	case id == "pam" || id == "pve":
		return []string{fmt.Sprintf("oathverify still asks for a factor, for realm %q is not in %s: realmctl set %s comment TEXT puts it there", id, doc.Path(), id)}
	}
	return []string{fmt.Sprintf("oathverify still asks for a factor, for the reader of %s sees no realm %q: realmctl check says why", doc.Path(), id)}
}

func (t *tool) set(c *cli.Context) error {
	id, key := c.Args[0], c.Args[1]
	if err := realmOperand(id); err != nil {
		return err
	}
	value, err := valueOperand(c, key, c.Args[2])
	if err != nil {
		return err
	}
	return t.edit(c, func(doc *realmfile.File, old []byte) ([]byte, []string, error) {
		edited, err := realm.Set(old, id, key, value)
		if err != nil {
			return nil, nil, editError(doc, err)
		}
		if bytes.Equal(edited, old) {
			if key == "tfa" {
				if err := t.stillOnTrial(doc, old, id); err != nil {
					return nil, nil, err
				}
			}
			return edited, []string{fmt.Sprintf("%s of realm %q is that already: nothing to change", key, id)}, nil
		}
		said := []string{fmt.Sprintf("%s of realm %q is set", key, id)}
		if key == "tfa" { // by whatever way it is turned on
			return edited, said, t.guard(c, doc, edited, id)
		}
		more, err := t.begun(c, doc, old, edited, id)
		return edited, append(said, more...), err
	})
}

// begun looks at a realm whose other properties count from an edit on, for it was
// not in the file or lacked what it needs.
func (t *tool) begun(c *cli.Context, doc *realmfile.File, old, edited []byte, id string) (said []string, err error) {
	if was, _ := realm.Parse(old).Lookup(id); was.InFile && was.Missing == "" {
		return nil, nil
	}
	is := realm.Parse(edited)
	if doc.PVE() {
		if r, _ := is.Lookup(id); r.TFA != nil {
			return nil, t.guard(c, doc, edited, id)
		}
		return nil, nil
	}
	if _, _, required := is.Required(id); !required {
		said = append(said, fmt.Sprintf("realm %q is in the file now and asks for no second factor: oathverify asks only who has an activated one", id))
	}
	return said, nil
}

// valueOperand is the VALUE of set. "-" stands for a line of standard input, which
// is where a secret has to come from.
func valueOperand(c *cli.Context, key, given string) (string, error) {
	if given != "-" {
		if p := (realm.Property{Key: key, Value: given}); p.Shown() != given {
			return "", cli.Misused("%s: a secret is not taken from the command line, where everybody can see it", key).
				Hint("give - as the value, and the secret on standard input")
		}
		return given, nil
	}
	var value string
	var err error
	if cli.IsTerminal(c.Stdin) {
		value, err = cli.AskSecret(key + ": ")
	} else {
		value, err = cli.ReadLine(c.Stdin)
	}
	if err != nil {
		return "", cli.Unsure("cannot read the value: %w", err)
	}
	return value, nil
}

func (t *tool) unset(c *cli.Context) error {
	id, key := c.Args[0], c.Args[1]
	if err := realmOperand(id); err != nil {
		return err
	}
	return t.edit(c, func(doc *realmfile.File, old []byte) ([]byte, []string, error) {
		edited, err := realm.Unset(old, id, key)
		if err != nil {
			return nil, nil, editError(doc, err)
		}
		if bytes.Equal(edited, old) {
			return edited, []string{fmt.Sprintf("realm %q has no %s: nothing to change", id, key)}, nil
		}
		return edited, []string{fmt.Sprintf("realm %q has no %s any more", id, key)}, nil
	})
}
