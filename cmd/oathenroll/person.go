package main

import (
	"context"
	"os"
	"strconv"
	"strings"

	"oathkit/cmd/internal/caller"
	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/site"
	"oathkit/pkg/getent"
	"oathkit/pkg/mfa"
)

// A person is the one who is enrolled.
type person struct {
	id    string // name@realm
	realm string
	name  string // without the realm, as the system spells it
	sudo  *login // as whom files are written; nil when not under sudo
}

// A login is a user of the system, with the groups beside his own.
type login struct {
	getent.Login
	groups []uint32
}

// checkSudo refuses what lets a user choose whose files are used, and which.
func (o *options) checkSudo() error {
	switch {
	case !caller.UnderSudo():
	case o.named:
		return cli.Misused("option %q is not for use under sudo: the configuration decides who gets in", "--config")
	case o.user != "":
		return cli.Misused("option %q is not for use under sudo: it is for yourself alone", "--user")
	}
	return nil
}

// person finds out who is enrolled.
func (o *options) person(realms site.Realms) (person, error) {
	if err := realms.Err(); err != nil && !caller.UnderSudo() && o.user != "" && !strings.Contains(o.user, "@") {
		return person{}, cli.Unsure("cannot tell which user %q is: %w", o.user, err)
	}
	switch {
	case caller.UnderSudo():
		return ofSudo(realms)
	case o.user != "":
		id, realm, err := realms.Resolve(o.user, "")
		if err != nil {
			return person{}, cli.Misused("%w", err).Hint("a USER is NAME@REALM, such as alice@pam")
		}
		name, _, _ := mfa.SplitID(id)
		return person{id: id, realm: realm, name: name}, nil
	}
	l, err := getent.Lookup(context.Background(), strconv.Itoa(os.Getuid()))
	if err != nil {
		return person{}, cli.Unsure("cannot tell whose process this is: %w", err).Hint("say --user USER")
	}
	id, err := caller.InPAM(realms, l.Name)
	return person{id: id, realm: "pam", name: l.Name}, err
}

// ofSudo is the person who called sudo.
func ofSudo(realms site.Realms) (person, error) {
	l, id, err := caller.Sudo(realms)
	if err != nil {
		return person{}, err
	}
	groups, err := getent.Groups(context.Background(), l.Name)
	if err != nil {
		return person{}, cli.Unsure("%w", err)
	}
	return person{id: id, realm: "pam", name: l.Name, sudo: &login{l, groups}}, nil
}
