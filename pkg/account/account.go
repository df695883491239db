// Package account says who is in a realm: the users of a user.cfg as Proxmox VE
// reads them, and the entries of /etc/passwd that can log in.
//
// user.cfg is the file of pve-access-control: a line for each user, group,
// pool, role, token and right, with fields between colons. Only user lines are
// read here. Promised is the effective view, that is the users that PVE has
// after it read the file, and the lines it ignores or reads otherwise than they
// look, with their numbers. Left out are writing, groups and rights, and the
// factors in PVE's tfa.cfg.
//
// Nothing here does input or output. The KEYS field is a secret; it is of a type
// that prints as [secret], and no problem's text holds any part of it.
package account

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"
)

// root is the account that is always there.
const root = "root@pam"

// A User is one account of a user.cfg.
type User struct {
	ID      string // "ann@pve"
	Realm   string // "pve"
	Enabled bool
	Expire  int64  // seconds since 1970; 0 means never
	Email   string // as in the file
	Comment string // as in the file: percent-encoded
	Keys    Keys   // the KEYS field
	Line    int    // the line that counts, from 1; 0 for a root@pam without one

	enable string // the ENABLE field
}

// Expired says whether the account's time is over: its EXPIRE is before now. In
// the second of EXPIRE itself it is still valid.
func (u User) Expired(now time.Time) bool { return u.Expire != 0 && u.Expire < now.Unix() }

// Users is what PVE has after it read a user.cfg.
type Users struct {
	list     []User // sorted by ID
	problems []Problem
}

// All returns the users, sorted by id. root@pam is always among them.
func (u Users) All() []User { return slices.Clone(u.list) }

// In returns the users of a realm, sorted by id.
func (u Users) In(realm string) []User {
	var in []User
	for _, user := range u.list {
		if user.Realm == realm {
			in = append(in, user)
		}
	}
	return in
}

// Lookup finds a user by his whole id.
func (u Users) Lookup(id string) (User, bool) {
	i, ok := slices.BinarySearchFunc(u.list, id, func(user User, id string) int { return strings.Compare(user.ID, id) })
	if !ok {
		return User{}, false
	}
	return u.list[i], true
}

// Problems returns what is wrong with the file, in the order of its lines.
func (u Users) Problems() []Problem { return slices.Clone(u.problems) }

// ParseUsers reads a user.cfg. It cannot fail: what PVE ignores is a problem in
// the result. Of several lines of one user the last counts.
func ParseUsers(b []byte) Users {
	p := parser{users: make(map[string]User)}
	line := 0
	for text := range bytes.SplitSeq(b, []byte{'\n'}) {
		line++
		if text = bytes.Trim(text, blanks); len(text) > 0 {
			p.line(line, string(text))
		}
	}
	if _, ok := p.users[root]; !ok {
		p.users[root] = User{ID: root, Realm: "pam", Enabled: true}
	}
	list := make([]User, 0, len(p.users))
	for _, user := range p.users {
		list = append(list, user)
	}
	slices.SortFunc(list, func(a, b User) int { return strings.Compare(a.ID, b.ID) })
	for _, user := range list {
		p.doubts(user)
	}
	slices.SortStableFunc(p.problems, func(a, b Problem) int { return a.Line - b.Line })
	return Users{list: list, problems: p.problems}
}

// blanks is what \s of a Perl pattern matches in bytes.
const blanks = " \t\n\v\f\r"

// A parser collects users and problems over the lines.
type parser struct {
	users    map[string]User
	problems []Problem
}

func (p *parser) line(n int, text string) {
	fields := strings.Split(text, ":")
	for i, f := range fields {
		fields[i] = strings.Trim(f, blanks)
	}
	switch word := fields[0]; {
	case word == "user":
		p.user(n, fields[1:])
	case word == "token" || word == "group" || word == "pool" || word == "role" || word == "acl":
	case strings.HasPrefix(word, "#"):
		p.comment(n, word)
	default:
		p.unknown(n, word)
	}
}

// user takes the fields after the word user.
func (p *parser) user(n int, fields []string) {
	field := func(i int) string {
		if i < len(fields) {
			return fields[i]
		}
		return ""
	}
	id, expireText := field(0), field(2)
	_, realm, ok := SplitUserID(id)
	if !ok {
		p.add(n, Error, "bad-user-id", "PVE ignores this user: "+idFault(id),
			"write NAME@REALM, 3 to 64 characters, no blank or slash in NAME")
		return
	}
	expire, ok := parseExpire(expireText)
	if !ok {
		p.add(n, Error, "bad-expire", "PVE ignores user "+strconv.Quote(id)+": EXPIRE, "+clipped(expireText)+", is not made of digits alone",
			"write seconds since 1970, or 0 for never")
		return
	}
	u := User{ID: id, Realm: realm, Enabled: field(1) != "" && field(1) != "0", Expire: expire, Email: field(5), Line: n, enable: field(1)}
	if c := field(6); c != "0" { // false to Perl, so it is dropped
		u.Comment = c
	}
	if k := field(7); k != "0" {
		u.Keys = Keys{k}
	}
	p.supersede(u)
	p.users[id] = u
}

// supersede tells of the line of a user that a later one replaces.
func (p *parser) supersede(u User) {
	before, ok := p.users[u.ID]
	if !ok {
		return
	}
	same := before
	same.Line = u.Line
	severity := Error
	if same == u {
		severity = Warning
	}
	p.addUser(before, severity, "duplicate-user", "PVE reads "+strconv.Quote(u.ID)+" from line "+strconv.Itoa(u.Line)+", not from this line: the last line of a user counts",
		"keep one of the two lines")
}

// parseExpire reads the EXPIRE field. A number beyond the last second that fits
// is that second.
func parseExpire(s string) (int64, bool) {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	if s == "" {
		return 0, true
	}
	n, _ := strconv.ParseInt(s, 10, 64) // out of range is all that can be wrong, and then n is the last second
	return n, true
}

// SplitUserID splits an id at the last "@". It is not ok unless PVE takes the
// id: 3 to 64 bytes, a name without blanks, ":" and "/", and a realm that is a
// letter and then letters, digits, ".", "-" and "_", two characters at least.
func SplitUserID(id string) (name, realm string, ok bool) {
	at := strings.LastIndexByte(id, '@')
	if len(id) < 3 || len(id) > 64 || at < 1 {
		return "", "", false
	}
	name, realm = id[:at], id[at+1:]
	if strings.ContainsAny(name, blanks+":/") || !isRealm(realm) {
		return "", "", false
	}
	return name, realm, true
}

func isRealm(s string) bool {
	if len(s) < 2 || !isLetter(s[0]) {
		return false
	}
	for _, c := range []byte(s) {
		if !isLetter(c) && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
