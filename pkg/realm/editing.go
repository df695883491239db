package realm

import (
	"bytes"
	"iter"
	"strings"

	"oathkit/pkg/section"
)

// An edit is the change of one property of one realm.
type edit struct {
	d     *Domains
	id    string
	key   string
	value string // "" to remove the property

	inFile bool
	sec    section.Section // the section that counts
	typ    string
	header int // the line number of its header, 0 until asked for
}

// newEdit finds the section to change, or says what stands in its place.
func newEdit(b []byte, id, key string) (*edit, error) {
	e := &edit{d: Parse(b), id: id, key: key}
	if err := CheckID(id); err != nil {
		return nil, editErrorf(0, "", "%s", err)
	}
	if e.sec, e.typ, e.inFile = e.d.effective(id); e.inFile {
		return e, nil
	}
	if line, ok := e.d.seen(id); ok {
		return nil, editErrorf(line, "mend that line first: check says how",
			"the line seems to begin realm %q, but Proxmox VE does not read it so", id)
	}
	if !isBuiltin(id) {
		return nil, editErrorf(0, "", "no realm %q in the file", id)
	}
	e.typ = id
	return e, nil
}

// number returns the line number of the section's header.
func (e *edit) number() int {
	if e.header == 0 {
		e.header = e.d.file.LineNumber(e.sec.Start)
	}
	return e.header
}

// body yields the lines below the header; their numbers count from it.
func (e *edit) body() iter.Seq[section.Line] {
	return section.LinesOf(e.d.Bytes(), e.sec.Body, e.sec.End, 1)
}

// owned returns an error when a person takes a line of the section, or a part of
// it, for something else: because a header stands above it that the reader
// ignores, or because a carriage return inside it makes it look like two.
func (e *edit) owned(l section.Line) error {
	if hasInnerCR(l.Text(e.d.file)) {
		return editErrorf(e.number()+l.Number, "end the lines with line feeds",
			"a carriage return stands inside the line, which may show as two")
	}
	in, ok := e.intruder(false)
	if !ok || in.start >= l.Next {
		return nil
	}
	return editErrorf(e.number()+in.number, "mend that line first: check says how",
		"the line seems to begin realm %q, but Proxmox VE reads it, and line %d below it, as part of realm %q", in.name, e.number()+l.Number, e.id)
}

// intruder returns the first line in the section that the eye takes for the
// header of another realm, or, in doubt, may take for one.
func (e *edit) intruder(doubted bool) (found eyeLine, ok bool) {
	var v viewer
	v.scan(e.d.Bytes(), e.sec.Body, e.sec.End, 1, func(l eyeLine) bool {
		if (l.kind == eyeHeader || doubted && l.kind == eyeDoubted) && string(l.name) != e.id {
			found, ok = l, true
		}
		return !ok
	})
	return found, ok
}

// set returns the bytes with the property in place.
func (e *edit) set() ([]byte, error) {
	b := e.d.Bytes()
	if !e.inFile {
		return e.newSection(), nil
	}
	if l, ok := e.target(); ok {
		if err := e.owned(l); err != nil {
			return nil, err
		}
		return e.replaced(l), nil
	}
	at, indent, ending := e.place()
	var line []byte
	if at > 0 && b[at-1] != '\n' {
		line = append(line, ending...)
	}
	line = append(line, indent+e.key+" "+e.value+ending...)
	return splice(b, at, at, line), nil
}

// target returns the line to replace: the one that sets the property; for tfa
// also one that only seems to.
func (e *edit) target() (section.Line, bool) {
	var found, wish section.Line
	for l := range e.body() {
		text := l.Text(e.d.file)
		k, v, hasValue, ok := section.SplitProperty(text)
		if !ok || found.Number != 0 {
			continue
		}
		if string(k) == e.key {
			if _, err := checkValue(e.typ, e.key, string(v), hasValue); err == nil {
				found = l
				continue
			}
		}
		if wish.Number == 0 && (string(k) == e.key || e.key == "tfa" && isTFAWord(k)) && !hasInnerCR(text) {
			wish = l
		}
	}
	if found.Number == 0 {
		found = wish
	}
	return found, found.Number != 0
}

func hasInnerCR(text []byte) bool { return bytes.IndexByte(bytes.TrimRight(text, spaces), '\r') >= 0 }

// replaced returns the bytes with another property on the line; its white space
// stays.
func (e *edit) replaced(l section.Line) []byte {
	text := l.Text(e.d.file)
	k, v, hasValue, _ := section.SplitProperty(text)
	key := bytes.Index(text, k)
	end := len(bytes.TrimRight(text, spaces))
	gap := " "
	if hasValue {
		gap = string(text[key+len(k) : end-len(v)])
	}
	if strings.Trim(gap, " \t") != "" {
		gap = " "
	}
	if stored, err := checkValue(e.typ, e.key, string(v), hasValue); err == nil && string(k) == e.key && stored == e.value {
		return e.d.Bytes()
	}
	return splice(e.d.Bytes(), l.Start+key, l.Start+end, []byte(e.key+gap+e.value))
}

// place returns where to add a line to the section, and how it is indented and
// ends: below the last property, like that one, and above any line that a
// person may take for the next realm's header.
func (e *edit) place() (at int, indent, ending string) {
	stop := e.sec.End
	if in, ok := e.intruder(true); ok {
		stop = in.start
	}
	head := section.Line{Start: e.sec.Start, End: e.d.file.HeaderEnd(e.sec), Next: e.sec.Body}
	at, indent, ending = head.Next, "\t", head.Ending(e.d.file)
	for l := range e.body() {
		if l.Next > stop {
			break
		}
		text := l.Text(e.d.file)
		if k, _, _, ok := section.SplitProperty(text); ok {
			at, ending = l.Next, l.Ending(e.d.file)
			if lead := text[:bytes.Index(text, k)]; len(bytes.Trim(lead, " \t")) == 0 {
				indent = string(lead)
			}
		}
	}
	if ending == "" {
		ending = "\n"
	}
	return at, indent, ending
}

// newSection returns the bytes with a section for pam or pve at the end. Above
// it goes a line that is truly empty, whatever line ending the file uses, as
// nothing else ends the section before.
func (e *edit) newSection() []byte {
	b := e.d.Bytes()
	var add []byte
	if len(b) > 0 && b[len(b)-1] != '\n' {
		add = append(add, '\n')
	}
	ended := len(b) == 0 || len(b) > 1 && b[len(b)-1] == '\n' && b[len(b)-2] == '\n' || string(b) == "\n"
	if !ended {
		add = append(add, '\n')
	}
	add = append(add, e.id+": "+e.id+"\n\t"+e.key+" "+e.value+"\n"...)
	return splice(b, len(b), len(b), add)
}

// otherDefault refuses a second realm that is marked default.
func (e *edit) otherDefault() error {
	if e.key != "default" || e.value != "1" {
		return nil
	}
	for _, r := range e.d.Realms() {
		if p, ok := r.Property("default"); ok && r.Default && r.ID != e.id {
			return editErrorf(p.Line, "unset default of realm "+quoteName([]byte(r.ID))+" first", "realm %q is the default realm already", r.ID)
		}
	}
	return nil
}

// splice returns a copy of b with the bytes from start to end replaced.
func splice(b []byte, start, end int, by []byte) []byte {
	out := make([]byte, 0, len(b)-(end-start)+len(by))
	out = append(out, b[:start]...)
	out = append(out, by...)
	return append(out, b[end:]...)
}

// A span is a range of bytes.
type span struct{ start, end int }

// cut returns a copy of b without the spans, which are in order.
func cut(b []byte, spans []span) []byte {
	if len(spans) == 0 {
		return b
	}
	out, p := make([]byte, 0, len(b)), 0
	for _, s := range spans {
		out = append(out, b[p:s.start]...)
		p = s.end
	}
	return append(out, b[p:]...)
}
