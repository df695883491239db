package realm

import (
	"bytes"

	"oathkit/pkg/section"
)

// typeOf returns the type of a section as Proxmox VE takes it, in lower case,
// or "" when it skips the section: an unknown type or a bad realm id.
func (d *Domains) typeOf(s section.Section) string {
	var buf [8]byte
	t := d.file.Type(s)
	if len(t) > len(buf) {
		return ""
	}
	for i, c := range t {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		buf[i] = c
	}
	for _, name := range []string{"pam", "pve", "ldap", "ad", "openid"} {
		if string(buf[:len(t)]) == name {
			if !isID(string(d.file.ID(s))) {
				return ""
			}
			return name
		}
	}
	return ""
}

// effective returns the section that Proxmox VE goes by for a realm: the last
// one of that id that it does not skip.
func (d *Domains) effective(id string) (section.Section, string, bool) {
	secs := d.file.SectionsOf(id)
	for i := len(secs) - 1; i >= 0; i-- {
		if typ := d.typeOf(secs[i]); typ != "" {
			return secs[i], typ, true
		}
	}
	return section.Section{}, "", false
}

// finder returns a function that does what effective does and is fast when it
// is called about n times.
func (d *Domains) finder(n int) func(id string) (section.Section, string, bool) {
	if n < 8 {
		return d.effective
	}
	secs := d.file.Sections()
	last := d.lastSections()
	return func(id string) (section.Section, string, bool) {
		i, ok := last[id]
		if !ok {
			return section.Section{}, "", false
		}
		return secs[i], d.typeOf(secs[i]), true
	}
}

// lastSections returns the index of the effective section of each realm.
func (d *Domains) lastSections() map[string]int {
	secs := d.file.Sections()
	last := make(map[string]int, len(secs))
	for i, s := range secs {
		if d.typeOf(s) != "" {
			last[string(d.file.ID(s))] = i
		}
	}
	return last
}

// A duplicateError is why a second value of a property is not read.
type duplicateError struct{ first Property }

func (e *duplicateError) Error() string { return "only the first value of a property counts" }

// read returns the properties that Proxmox VE takes over from a section, whose
// header is the line number: of each key the first value that it understands.
// It tells note, where there is one, of each line that it drops.
func (d *Domains) read(s section.Section, typ string, number int, note func(l section.Line, key, value string, err error)) []Property {
	b := d.file.Bytes()
	body := string(b[s.Body:s.End]) // one copy for all keys and values
	props := make([]Property, 0, min(8, 1+len(body)/16))
	for l := range section.LinesOf(b, s.Body, s.End, number+1) {
		key, value, hasValue, ok := section.SplitProperty(body[l.Start-s.Body : l.End-s.Body])
		if !ok {
			continue
		}
		if key == "type" && value == typ {
			continue // the reader takes a section's own type as a property
		}
		stored, err := checkValue(typ, key, value, hasValue)
		if first, has := find(props, key); has {
			err = &duplicateError{first}
		}
		if err == nil {
			props = append(props, Property{Key: key, Value: stored, Line: l.Number})
		} else if note != nil {
			note(l, key, value, err)
		}
	}
	return props
}

func find(props []Property, key string) (Property, bool) {
	for _, p := range props {
		if p.Key == key {
			return p, true
		}
	}
	return Property{}, false
}

func missing(typ string, props []Property) string {
	for _, key := range requiredOf(typ) {
		if _, ok := find(props, key); !ok {
			return key
		}
	}
	return ""
}

// view makes the realm of a section; the header is the line number.
func (d *Domains) view(s section.Section, typ string, number int) Realm {
	r := Realm{ID: string(d.file.ID(s)), Type: typ, InFile: true, Line: number}
	r.Properties = d.read(s, typ, number, nil)
	if r.Missing = missing(typ, r.Properties); r.Missing != "" {
		r.Properties = nil // none is taken over
	}
	for _, p := range r.Properties {
		switch p.Key {
		case "default":
			r.Default = p.Value == "1"
		case "comment":
			r.Comment = DecodeText(p.Value)
		case "case-sensitive":
			r.CaseSensitive = p.Value == "1"
		case "tfa":
			t, _ := ParseTFA(p.Value)
			r.TFA, r.TFALine = &t, p.Line
		}
	}
	return r.builtin()
}

// builtin adds what holds for a realm whatever the file says.
func (r Realm) builtin() Realm {
	comment := ""
	switch r.ID {
	case "pam":
		r.Type, comment = "pam", "Linux PAM standard authentication"
	case "pve":
		r.Type, comment = "pve", "Proxmox VE authentication server"
	}
	if r.Comment == "" || comment != "" && r.Comment == "0" {
		r.Comment = comment
	}
	if r.Type == "pve" || r.Type == "openid" {
		r.CaseSensitive = true
	}
	return r
}

func isBuiltin(id string) bool { return id == "pam" || id == "pve" }

// Realms returns the effective view: the realms in the order in which Proxmox
// VE lists them, each once, then pam and pve where the file has none. Where
// several are marked default the first one is; Proxmox VE picks any.
func (d *Domains) Realms() []Realm {
	b, secs := d.file.Bytes(), d.file.Sections()
	last := d.lastSections()
	realms := make([]Realm, 0, len(last)+2)
	number, counted, hasDefault := 1, 0, false
	for i, s := range secs {
		typ := d.typeOf(s)
		if typ == "" || last[string(d.file.ID(s))] != i {
			continue
		}
		number += bytes.Count(b[counted:s.Start], []byte{'\n'})
		counted = s.Start
		r := d.view(s, typ, number)
		if r.Default && hasDefault {
			r = r.withoutDefault()
		}
		hasDefault = hasDefault || r.Default
		realms = append(realms, r)
	}
	for _, id := range []string{"pam", "pve"} {
		if _, ok := last[id]; !ok {
			realms = append(realms, Realm{ID: id}.builtin())
		}
	}
	return realms
}

func (r Realm) withoutDefault() Realm {
	r.Default = false
	kept := make([]Property, 0, len(r.Properties))
	for _, p := range r.Properties {
		if p.Key != "default" {
			kept = append(kept, p)
		}
	}
	r.Properties = kept
	return r
}

// Lookup returns a realm of the effective view. It finds pam and pve even when
// the file has none; see Realm.InFile. A realm whose section lacks a required
// property is found as well; see Realm.Missing.
func (d *Domains) Lookup(id string) (Realm, bool) {
	s, typ, ok := d.effective(id)
	if !ok {
		return Realm{ID: id}.builtin(), isBuiltin(id)
	}
	r := d.view(s, typ, d.file.LineNumber(s.Start))
	if r.Default && d.Default() != id {
		r = r.withoutDefault()
	}
	return r, true
}

// Default returns the id of the realm that is marked default, or "". Of
// several it returns the first.
func (d *Domains) Default() string {
	if !bytes.Contains(d.file.Bytes(), []byte("default")) {
		return ""
	}
	for _, r := range d.Realms() {
		if r.Default {
			return r.ID
		}
	}
	return ""
}
