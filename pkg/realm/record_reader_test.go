package realm_test

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
)

// A recordReader reads a domains file as Proxmox VE does, for the tests alone: it
// shares no code with package section, nor with what package realm makes of it, so
// that a mistake there is not made here as well. It is slow and simple: regular
// expressions over lines. Of the values it judges tfa, default and comment; the
// others it takes as they are.
type recordReader struct {
	header, property, comment, id, part, number *regexp.Regexp
}

// A recordRealm is a realm as it is read.
type recordRealm struct {
	typ   string
	props map[string]string // without "type"
	void  bool              // it lacks a required one
}

// white is what counts as white space there, as a class of a regular expression.
const white = `\t\n\v\f\r `

func newRecordReader() *recordReader {
	return &recordReader{
		header:   regexp.MustCompile(`^([^` + white + `]+):[` + white + `]*([^` + white + `]+)[` + white + `]*$`),
		property: regexp.MustCompile(`^[` + white + `]+([^` + white + `]+)(?:[` + white + `]+((?s:.*)[^` + white + `]))?[` + white + `]*$`),
		comment:  regexp.MustCompile(`^[` + white + `]*#`),
		id:       regexp.MustCompile(`^[A-Za-z][A-Za-z0-9.\-_]+$`),
		part:     regexp.MustCompile(`^([^=]+)=(.+)$`),
		number:   regexp.MustCompile(`^[+-]?[0-9]+$`),
	}
}

// read returns the realms that are in the file, by id.
func (r *recordReader) read(b []byte) map[string]recordRealm {
	realms := make(map[string]recordRealm)
	var lines []string
	for _, l := range bytes.Split(b, []byte("\n")) {
		if text := string(l); !r.comment.MatchString(text) {
			lines = append(lines, text)
		}
	}
	for i := 0; i < len(lines); i++ {
		m := r.header.FindStringSubmatch(lines[i])
		if m == nil {
			continue
		}
		now := recordRealm{typ: strings.ToLower(m[1]), props: make(map[string]string)}
		for i++; i < len(lines) && lines[i] != "" && lines[i] != "0"; i++ {
			p := r.property.FindStringSubmatch(lines[i])
			if p == nil {
				continue
			}
			if _, twice := now.props[p[1]]; twice {
				continue
			}
			if value, ok := r.value(now.typ, p[1], p[2]); ok {
				now.props[p[1]] = value
			}
		}
		for _, key := range required[now.typ] {
			if _, ok := now.props[key]; !ok {
				now.void = true
			}
		}
		if known[now.typ] && r.id.MatchString(m[2]) {
			realms[m[2]] = now
		}
	}
	for _, always := range []string{"pam", "pve"} {
		if now, ok := realms[always]; ok {
			now.typ = always
			realms[always] = now
		}
	}
	return realms
}

// known are the types of realms.
var known = map[string]bool{"pam": true, "pve": true, "ldap": true, "ad": true, "openid": true}

// required are the properties without which a section is void.
var required = map[string][]string{
	"ldap": {"server1", "base_dn", "user_attr"}, "ad": {"server1", "domain"}, "openid": {"issuer-url", "client-id"},
}

// optional are properties of the types ldap and ad that the tests use.
var optional = map[string]bool{"server2": true, "bind_dn": true, "filter": true, "base_dn": true, "user_attr": true, "server1": true}

// value is a value as it is taken over; not ok means that it is dropped.
func (r *recordReader) value(typ, key, value string) (string, bool) {
	if strings.Contains(value, "\r") {
		return "", false
	}
	switch {
	case key == "default":
		if value == "" {
			value = "1"
		}
		return value, value == "0" || value == "1"
	case value == "":
		return "", false
	case key == "comment":
		return value, len(value) <= 4096
	case key == "tfa":
		return value, typ != "openid" && r.tfa(value)
	case typ == "ldap" || typ == "ad":
		return value, optional[key] || typ == "ad" && key == "domain"
	case typ == "openid":
		return value, key == "issuer-url" || key == "client-id"
	}
	return "", false
}

// tfa says whether a property string is one.
func (r *recordReader) tfa(value string) bool {
	if len(value) > 128 {
		return false
	}
	seen := make(map[string]string)
	for _, part := range strings.Split(value, ",") {
		if strings.Trim(part, "\t\n\v\f\r ") == "" {
			continue
		}
		m := r.part.FindStringSubmatch(part)
		if m == nil {
			return false
		}
		if _, twice := seen[m[1]]; twice {
			return false
		}
		seen[m[1]] = m[2]
		ok := false
		switch m[1] {
		case "type":
			ok = m[2] == "oath" || m[2] == "yubico"
		case "digits":
			ok = r.between(m[2], 6, 8)
		case "step":
			ok = r.between(m[2], 10, 1<<62)
		case "id", "key", "url":
			ok = true
		}
		if !ok {
			return false
		}
	}
	return seen["type"] != ""
}

func (r *recordReader) between(text string, least, most int64) bool {
	if !r.number.MatchString(text) {
		return false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil { // more than the number can be
		return text[0] != '-' && most > 1<<60
	}
	return n >= least && n <= most
}
