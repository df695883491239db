package account

import (
	"strconv"
	"strings"
)

// The severities of a problem.
const (
	Error   = "error"   // it could change who gets in
	Warning = "warning" // it could not, but it is not what it seems
)

// A Problem is a line that PVE reads otherwise than a person does, or not at
// all. No part of a key is in it.
type Problem struct {
	Line     int    // from 1
	Severity string // Error or Warning
	Code     string // a short stable word
	Message  string // what PVE sees, against what the file seems to say
	Mend     string // what to do about it
	User     string // whose line it is; "" when that cannot be told
}

func (p *parser) add(line int, severity, code, message, mend string) {
	p.problems = append(p.problems, Problem{Line: line, Severity: severity, Code: code, Message: message, Mend: mend})
}

// comment tells of a line that begins with "#", which PVE does not know as a
// comment.
func (p *parser) comment(n int, word string) {
	if strings.Trim(word, "#"+blanks) == "user" {
		p.add(n, Warning, "lost-line", "PVE ignores this user and drops the line when it next writes the file: it knows no comments",
			"to keep the user but let him not in, write the line without \"#\" and with ENABLE 0")
		return
	}
	p.add(n, Warning, "lost-line", "PVE knows no comments here: it ignores the line and drops it when it next writes the file",
		"keep notes elsewhere, or in the COMMENT field of a user")
}

// unknown tells of a line whose first word PVE does not know. The word is not
// repeated, for it could be a key in the wrong place.
func (p *parser) unknown(n int, word string) {
	word = strings.TrimPrefix(word, "\ufeff")
	if word == "user" {
		p.add(n, Error, "unknown-line", "PVE ignores this user: a byte order mark stands before the word user",
			"remove the first three bytes of the file")
		return
	}
	if strings.EqualFold(word, "user") || strings.EqualFold(word, "users") {
		p.add(n, Error, "unknown-line", "PVE ignores this line: it seems to be a user, but "+strconv.Quote(word)+" is not the word user",
			"begin the line with user:")
		return
	}
	p.add(n, Warning, "unknown-line", "PVE ignores this line: it begins with none of the words user, token, group, pool, role, acl",
		"remove it, or mend its first word")
}

// doubts tells of an effective user's fields that PVE takes but that seem to say
// something else.
func (p *parser) doubts(u User) {
	if u.Line == 0 {
		return
	}
	switch strings.ToLower(u.enable) {
	case "", "0", "1":
	case "no", "n", "off", "false", "disabled", "disable", "none", "00", "-1":
		p.addUser(u, Error, "odd-enable", "PVE sees "+strconv.Quote(u.ID)+" as enabled: ENABLE is "+clipped(u.enable)+", and only 0 or nothing means off", "write 0")
	default:
		p.addUser(u, Warning, "odd-enable", "PVE sees "+strconv.Quote(u.ID)+" as enabled: ENABLE is neither 0 nor 1, and all but 0 or nothing means on", "write 1")
	}
	switch {
	case looksLikeDate(u.Expire):
		p.addUser(u, Error, "odd-expire", "PVE sees "+strconv.Quote(u.ID)+" as expired in 1970: EXPIRE "+strconv.FormatInt(u.Expire, 10)+" looks like a date, but it is a number of seconds",
			"write seconds since 1970, as date -d '2030-12-31' +%s prints them")
	case u.Expire >= 1e12 && u.Expire < 1e13:
		p.addUser(u, Error, "odd-expire", "PVE sees "+strconv.Quote(u.ID)+" as never expiring in practice: EXPIRE "+strconv.FormatInt(u.Expire, 10)+" looks like milliseconds, but it is a number of seconds",
			"write seconds since 1970, or 0 for never")
	}
	for _, f := range []struct{ name, text string }{{"EMAIL", u.Email}, {"COMMENT", u.Comment}} {
		if u.Keys.IsZero() && f.text != "" && keyFault(f.text) == nil {
			p.addUser(u, Error, "misplaced-key", "PVE sees no key of "+strconv.Quote(u.ID)+": what looks like one is in the "+f.name+" field",
				"move it to the ninth field, as in user:ID:ENABLE:EXPIRE:FIRST:LAST:EMAIL:COMMENT:KEYS:")
		}
	}
	p.keys(u)
}

func (p *parser) addUser(u User, severity, code, message, mend string) {
	p.problems = append(p.problems, Problem{u.Line, severity, code, message, mend, u.ID})
}

// looksLikeDate says whether a number is a day of this or the next century
// written as YYYYMMDD.
func looksLikeDate(n int64) bool {
	return n >= 1990_01_01 && n <= 2199_12_31 && n/100%100 >= 1 && n/100%100 <= 12 && n%100 >= 1 && n%100 <= 31
}

// idFault says why PVE does not take an id.
func idFault(id string) string {
	switch at := strings.LastIndexByte(id, '@'); {
	case id == "":
		return "the line has no name"
	case len(id) < 3:
		return strconv.Quote(id) + " is shorter than 3 characters"
	case len(id) > 64:
		return "its name of " + strconv.Itoa(len(id)) + " characters is longer than 64"
	case at < 0:
		return "there is no @REALM after the name"
	case at == 0:
		return strconv.Quote(id) + " has no name before the \"@\""
	case !isRealm(id[at+1:]):
		return strconv.Quote(id[at+1:]) + " cannot be the id of a realm"
	case strings.ContainsAny(id[:at], blanks):
		return "there is a blank in the name"
	}
	return "there is a slash in the name"
}

// clipped quotes a field that may be anything; what is long enough to be a key
// is only counted.
func clipped(s string) string {
	if len(s) > 12 {
		return "of " + strconv.Itoa(len(s)) + " characters"
	}
	return strconv.Quote(s)
}
