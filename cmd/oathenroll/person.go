package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/site"
	"oathkit/pkg/mfa"
)

// getent is asked who a user is, so that it may be anybody whom the system
// knows, not only who is in /etc/passwd. It runs without an environment.
const getent = "/usr/bin/getent"

// A person is the one who is enrolled.
type person struct {
	id    string // name@realm
	realm string
	name  string // without the realm, as the system spells it
	sudo  *login // as whom files are written; nil when not under sudo
}

// A login is what the system knows of a user.
type login struct {
	name     string
	uid, gid uint32
	groups   []uint32
}

// errSudo begins every refusal of what sudo says.
var errSudo = errors.New("cannot tell who called sudo")

// underSudo says whether the program was called by somebody through sudo. Root
// who calls sudo stays root.
func underSudo() bool {
	uid, ok := os.LookupEnv("SUDO_UID")
	return ok && uid != "0"
}

// checkSudo refuses what lets a user choose whose files are used, and which.
func (o *options) checkSudo() error {
	switch {
	case !underSudo():
	case o.named:
		return cli.Misused("option %q is not for use under sudo: the configuration decides who gets in", "--config")
	case o.user != "":
		return cli.Misused("option %q is not for use under sudo: it is for yourself alone", "--user")
	}
	return nil
}

// person finds out who is enrolled.
func (o *options) person(realms site.Realms) (person, error) {
	if err := realms.Err(); err != nil && !underSudo() && o.user != "" && !strings.Contains(o.user, "@") {
		return person{}, cli.Unsure("cannot tell which user %q is: %w", o.user, err)
	}
	switch {
	case underSudo():
		l, err := callerOfSudo(os.Getenv("SUDO_USER"), os.Getenv("SUDO_UID"))
		if err != nil {
			return person{}, cli.Unsure("%w: %w", errSudo, err)
		}
		p, err := inPAM(realms, l.name)
		p.sudo = l
		if err == nil {
			err = onlyOne(p, l)
		}
		return p, err
	case o.user != "":
		id, realm, err := realms.Resolve(o.user, "")
		if err != nil {
			return person{}, cli.Misused("%w", err).Hint("a USER is NAME@REALM, such as alice@pam")
		}
		name, _, _ := mfa.SplitID(id)
		return person{id: id, realm: realm, name: name}, nil
	}
	l, err := lookUp(strconv.Itoa(os.Getuid()))
	if err != nil {
		return person{}, cli.Unsure("cannot tell whose process this is: %w", err).Hint("say --user USER")
	}
	return inPAM(realms, l.name)
}

// inPAM is the person with that name in the system's own realm.
func inPAM(realms site.Realms, name string) (person, error) {
	id, realm, err := realms.Resolve(name+"@pam", "")
	if err != nil {
		return person{}, cli.Unsure("user %q: %w", name, err)
	}
	return person{id: id, realm: realm, name: name}, nil
}

// callerOfSudo is the user that sudo speaks of. Name and number must be those
// of one user, and not root's.
func callerOfSudo(name, uid string) (*login, error) {
	n, err := strconv.ParseUint(uid, 10, 32)
	if err != nil || n == 0 || strconv.FormatUint(n, 10) != uid {
		return nil, fmt.Errorf("SUDO_UID is %q, which is no number of a user", uid)
	}
	if name == "" {
		return nil, errors.New("SUDO_UID is set, but SUDO_USER is not")
	}
	l, err := lookUp(name)
	switch {
	case err != nil:
		return nil, err
	case l.name != name:
		return nil, fmt.Errorf("SUDO_USER is %q, which is user %q", name, l.name)
	case uint64(l.uid) != n:
		return nil, fmt.Errorf("SUDO_USER is %q, whose uid is %d, but SUDO_UID is %d", name, l.uid, n)
	}
	l.groups, err = groupsOf(name)
	return &l, err
}

// onlyOne refuses a name of which, in lower case, there is another user: both
// would have one record.
func onlyOne(p person, l *login) error {
	kept, _, _ := mfa.SplitID(p.id)
	if kept == l.name {
		return nil
	}
	other, err := lookUp(kept)
	switch {
	case errors.Is(err, errUnknown):
		return nil
	case err != nil:
		return cli.Unsure("%w", err)
	case other.uid != l.uid:
		return cli.Refused("users %q and %q have one record, %q, which is the other's", l.name, other.name, p.id).
			Hint("'case-sensitive 1' in the realm pam keeps them apart")
	}
	return nil
}

var errUnknown = errors.New("the system knows no such user")

// lookUp asks the system for a user, by name or number.
func lookUp(key string) (login, error) {
	out, err := ask("passwd", key)
	if err != nil {
		return login{}, err
	}
	f := strings.Split(strings.TrimSuffix(out, "\n"), ":")
	if len(f) != 7 {
		return login{}, fmt.Errorf("%s passwd %q gives %d fields instead of 7", getent, key, len(f))
	}
	uid, uerr := strconv.ParseUint(f[2], 10, 32)
	gid, gerr := strconv.ParseUint(f[3], 10, 32)
	if err := errors.Join(uerr, gerr); err != nil {
		return login{}, fmt.Errorf("%s passwd %q: %w", getent, key, err)
	}
	return login{name: f[0], uid: uint32(uid), gid: uint32(gid)}, nil
}

// groupsOf asks the system for the groups that a login of the user would have,
// beside his own.
func groupsOf(name string) ([]uint32, error) {
	out, err := ask("initgroups", name)
	if err != nil {
		return nil, err
	}
	var groups []uint32
	for i, field := range strings.Fields(out) {
		if i == 0 { // the name
			continue
		}
		gid, err := strconv.ParseUint(field, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("%s initgroups %q: %w", getent, name, err)
		}
		groups = append(groups, uint32(gid))
	}
	return groups, nil
}

// ask runs getent.
func ask(database, key string) (string, error) {
	cmd := exec.Command(getent, database, "--", key)
	cmd.Env, cmd.Dir = []string{}, "/"
	out, err := cmd.Output()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() == 2:
		return "", fmt.Errorf("%s %s %q: %w", getent, database, key, errUnknown)
	case err != nil:
		return "", fmt.Errorf("%s %s %q: %w", getent, database, key, err)
	}
	return string(out), nil
}
