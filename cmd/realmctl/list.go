package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/account"
	"oathkit/pkg/realm"
)

// A realmView is a realm as list and show give it in JSON.
type realmView struct {
	ID         string            `json:"id"`
	Type       string            `json:"type"`
	Default    bool              `json:"default"`
	Comment    string            `json:"comment"` // decoded
	TFA        *realm.TFA        `json:"tfa"`
	Line       int               `json:"line"`
	Properties map[string]string `json:"properties"` // secrets are [secret]

	Accounts *census    `json:"accounts,omitempty"` // of list alone
	Trial    *trialView `json:"trial,omitempty"`    // where one runs
}

// A problemView is a fault of a file as the commands give it in JSON.
type problemView struct {
	Line     int    `json:"line"`
	Severity string `json:"severity"`
	Code     string `json:"code"`
	Message  string `json:"message"`
}

func viewRealm(r realm.Realm) realmView {
	v := realmView{
		ID: r.ID, Type: r.Type, Default: r.Default, Comment: r.Comment,
		TFA: r.TFA, Line: r.Line, Properties: map[string]string{},
	}
	for _, p := range r.Properties {
		v.Properties[p.Key] = p.Shown()
	}
	return v
}

// printRealms prints the JSON of list and show.
func printRealms(c *cli.Context, d *realm.Domains, realms []realmView) error {
	out := struct {
		Realms   []realmView   `json:"realms"`
		Problems []problemView `json:"problems"`
	}{append([]realmView{}, realms...), []problemView{}}
	for _, p := range d.Problems() {
		out.Problems = append(out.Problems, problemView{p.Line, string(p.Severity), p.Code, p.Message})
	}
	return c.JSON(out)
}

func (t *tool) list(c *cli.Context) error {
	path, b, _, err := t.readDomains()
	if err != nil {
		return err
	}
	d := realm.Parse(b)
	realms := d.Realms()
	counts, err := t.count(c, path, realms)
	if err != nil {
		c.Warn("not all accounts could be counted: %s", briefly(err))
	}
	tried, trial := t.trialOf(c, path, b)
	views := make([]realmView, 0, len(realms))
	for _, r := range realms {
		v := viewRealm(r)
		n := counts[r.ID]
		v.Accounts = &n
		if trial != nil && r.ID == tried {
			v.Trial = trial
		}
		views = append(views, v)
	}
	if t.json {
		return printRealms(c, d, views)
	}
	header := []string{"REALM", "TYPE", "DEFAULT", "TFA", "USERS", "USABLE", "LOCKED", "TRIAL", "COMMENT"}
	var rows [][]string
	for _, v := range views {
		row := []string{v.ID, v.Type, yes(v.Default), tfaText(v.TFA), numberText(v.Accounts.Users), numberText(v.Accounts.Usable), numberText(v.Accounts.Locked)}
		if trial != nil {
			row = append(row, trialText(v.Trial))
		}
		rows = append(rows, append(row, v.Comment))
	}
	if trial == nil {
		header = slices.Delete(header, 7, 8)
	}
	warnOfProblems(c, path, d)
	return cli.Table(c.Stdout, header, rows)
}

// briefly is the one thing to know of an error: what mfactl said, where it said
// something.
func briefly(err error) string {
	text := err.Error()
	if _, said, ok := strings.Cut(text, ": mfactl: error: "); ok {
		said, _, _ = strings.Cut(said, "; mfactl: hint: ")
		return "mfactl: " + said
	}
	return text
}

// warnOfProblems says that a file has faults: a table does not show them.
func warnOfProblems(c *cli.Context, path string, d *realm.Domains) {
	n := 0
	for _, p := range d.Problems() {
		if p.Severity == realm.Error {
			n++
		}
	}
	switch {
	case n == 1:
		c.Warn("%s has a fault that could change who gets in: realmctl check names it", path)
	case n > 1:
		c.Warn("%s has %d faults that could change who gets in: realmctl check names them", path, n)
	}
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "-"
}

// tfaText is what a realm asks for, in a table.
func tfaText(t *realm.TFA) string {
	if t == nil {
		return "-"
	}
	text := t.Type
	if t.Digits != realm.DefaultDigits {
		text += fmt.Sprintf(", %d digits", t.Digits)
	}
	if t.Step != realm.DefaultStep {
		text += fmt.Sprintf(", %d s", t.Step)
	}
	return text
}

func (t *tool) show(c *cli.Context) error {
	path, b, _, err := t.readDomains()
	if err != nil {
		return err
	}
	d := realm.Parse(b)
	r, ok := d.Lookup(c.Args[0])
	if !ok {
		return noRealm(path, c.Args[0])
	}
	if t.json {
		return printRealms(c, d, []realmView{viewRealm(r)})
	}
	where := fmt.Sprintf("%s:%d", path, r.Line)
	if !r.InFile {
		where = "not in the file, but always there"
	}
	rows := [][]string{{"realm", r.ID}, {"type", r.Type}, {"line", where}, {"default", yes(r.Default)}, {"tfa", tfaText(r.TFA)}, {"comment", r.Comment}}
	for _, p := range r.Properties {
		if p.Key != "tfa" && p.Key != "comment" && p.Key != "default" {
			rows = append(rows, []string{p.Key, p.Shown()})
		}
	}
	warnOfProblems(c, path, d)
	for _, row := range rows {
		fmt.Fprintf(c.Stdout, "%s: %s\n", cli.Printable(row[0]), cli.Printable(row[1]))
	}
	return nil
}

func noRealm(path, id string) error {
	return cli.Refused("%s: there is no realm %q", path, id).Hint("realmctl list shows the realms, realmctl check what the reader drops")
}

// A userView is an account as users gives it in JSON.
type userView struct {
	ID      string  `json:"id"`
	Realm   string  `json:"realm"`
	Enabled bool    `json:"enabled"`
	Expire  int64   `json:"expire"` // seconds since 1970; 0 is never
	Expired bool    `json:"expired"`
	Comment string  `json:"comment"` // decoded
	Keys    keyView `json:"keys"`
}

// A keyView says what the KEYS field of a user holds, as PVE takes it.
type keyView struct {
	Usable   int    `json:"usable"`
	Unusable int    `json:"unusable"`
	Marker   string `json:"marker"`
}

func (t *tool) viewUser(u account.User) userView {
	usable, unusable := u.Keys.Count()
	return userView{
		u.ID, u.Realm, u.Enabled, u.Expire, u.Expired(t.now()), realm.DecodeText(u.Comment),
		keyView{usable, unusable, u.Keys.Marker()},
	}
}

func (t *tool) listUsers(c *cli.Context) error {
	domains := t.file
	if t.users == "" {
		var err error
		if domains, err = t.domainsPath(); err != nil {
			return err
		}
	}
	path, _, err := t.usersPath(c, domains)
	if err != nil {
		return err
	}
	users, _, err := t.readUsers(path, true)
	if err != nil {
		return err
	}
	all := users.All()
	if len(c.Args) > 0 {
		if err := realmOperand(c.Args[0]); err != nil {
			return err
		}
		all = users.In(c.Args[0])
	}
	if t.json {
		return t.printUsers(c, users, all)
	}
	var rows [][]string
	for _, u := range all {
		v := t.viewUser(u)
		rows = append(rows, []string{u.ID, yes(u.Enabled), expireText(v), keysText(v.Keys), v.Comment})
	}
	if n := countErrors(users); n > 0 {
		c.Warn("%s has lines that could change who gets in (%d): realmctl check names them", path, n)
	}
	return cli.Table(c.Stdout, []string{"USER", "ENABLED", "EXPIRES", "KEYS", "COMMENT"}, rows)
}

func (t *tool) printUsers(c *cli.Context, users account.Users, chosen []account.User) error {
	out := struct {
		Users    []userView    `json:"users"`
		Problems []problemView `json:"problems"`
	}{[]userView{}, []problemView{}}
	for _, u := range chosen {
		out.Users = append(out.Users, t.viewUser(u))
	}
	for _, p := range users.Problems() {
		out.Problems = append(out.Problems, problemView{p.Line, p.Severity, p.Code, p.Message})
	}
	return c.JSON(out)
}

func countErrors(users account.Users) int {
	n := 0
	for _, p := range users.Problems() {
		if p.Severity == account.Error {
			n++
		}
	}
	return n
}

func expireText(v userView) string {
	if v.Expire == 0 {
		return "-"
	}
	text := strconv.FormatInt(v.Expire, 10)
	if v.Expire < 1e11 {
		text = time.Unix(v.Expire, 0).UTC().Format("2006-01-02 15:04:05Z")
	}
	if v.Expired {
		text += " (expired)"
	}
	return text
}

func keysText(k keyView) string {
	switch {
	case k.Marker != "":
		return k.Marker
	case k.Usable+k.Unusable == 0:
		return "-"
	case k.Unusable == 0:
		return strconv.Itoa(k.Usable)
	}
	return fmt.Sprintf("%d, %d unusable", k.Usable, k.Unusable)
}
