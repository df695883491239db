package realm

import (
	"bytes"

	"oathkit/pkg/section"
)

// A Wish is a line that asks a person's eye for a second factor: no comment,
// and its first word is tfa in any case, perhaps with `:`, `=` or another sign
// and more behind it, whatever the value. It need not be one that Proxmox VE
// reads.
//
// For the eye the last header above a line owns it, and a header is any line
// `TYPE : NAME`, indented or not, with or without blanks around the colon, with
// or without text behind it. A line whose first word is the name of a property
// is none, however it is written. Where it is open whether a line is a header
// (its type is unknown, and it is indented, or text follows) both realms own
// what is below, so that doubt requires a factor rather than none.
type Wish struct {
	Realms []string // the owners: none, one or, in doubt, two
	Line   int      // counted from 1

	start, end int // the bytes of the line as the eye sees it, its ending left out
	first      bool
	last       bool
}

// Wishes returns the lines that ask for a second factor, in order.
func (d *Domains) Wishes() []Wish {
	d.eyeOnce.Do(func() { d.wishes = d.look() })
	return d.wishes
}

// seen reports whether the eye finds a header of that realm, and where.
func (d *Domains) seen(id string) (line int, ok bool) {
	b := d.file.Bytes()
	if d.isClean() && id != "" {
		v := viewer{clean: true}
		for l := range section.LinesWith(b, id) {
			if kind, name := v.classify(b[l.Start:l.End]); kind != eyeWish && string(name) == id {
				return d.file.LineNumber(l.Start), true
			}
		}
		return 0, false
	}
	d.scan(func(l eyeLine) bool {
		if l.kind != eyeWish && string(l.name) == id {
			line, ok = l.number, true
		}
		return !ok
	})
	return line, ok
}

func (d *Domains) scan(yield func(eyeLine) bool) {
	b := d.file.Bytes()
	v := viewer{clean: d.isClean()}
	v.scan(b, 0, len(b), 1, yield)
}

func (d *Domains) look() (wishes []Wish) {
	var owner, doubt []byte
	var realms []string // of owner and doubt, once a wish asked for them
	d.scan(func(l eyeLine) bool {
		switch l.kind {
		case eyeHeader:
			owner, doubt, realms = l.name, nil, nil
		case eyeDoubted:
			doubt, realms = l.name, nil
		case eyeWish:
			if realms == nil {
				realms = names(owner, doubt)
			}
			wishes = append(wishes, Wish{Realms: realms, Line: l.number, start: l.start, end: l.end, first: l.first, last: l.last})
		}
		return true
	})
	return wishes
}

// names returns the owner of a line and who may be it, each once.
func names(owner, doubt []byte) []string {
	var ids []string
	if len(owner) > 0 {
		ids = append(ids, string(owner))
	}
	if len(doubt) > 0 && !bytes.Equal(owner, doubt) {
		ids = append(ids, string(doubt))
	}
	return ids
}

func (w Wish) of(id string) bool {
	for _, r := range w.Realms {
		if r == id {
			return true
		}
	}
	return false
}

// wishesOf returns the wishes that a realm owns. In most files it looks only at
// what stands below the headers of that realm.
func (d *Domains) wishesOf(id string) []Wish {
	b := d.file.Bytes()
	var own []Wish
	if !d.isClean() || id == "" {
		for _, w := range d.Wishes() {
			if w.of(id) {
				own = append(own, w)
			}
		}
		return own
	}
	v := viewer{clean: true}
	below, counted, number := 0, 0, 1
	for l := range section.LinesWith(b, id) {
		if l.Start < below {
			continue
		}
		kind, name := v.classify(b[l.Start:l.End])
		if kind != eyeHeader && kind != eyeDoubted || string(name) != id {
			continue
		}
		number += bytes.Count(b[counted:l.Start], []byte{'\n'})
		counted = l.Start
		own, below = v.region(b, l.Start, number, id, own)
	}
	return own
}

// region appends the wishes of a realm below one of its headers, up to where
// another realm begins, and returns the offset of that.
func (v *viewer) region(b []byte, start, number int, id string, own []Wish) ([]Wish, int) {
	end := len(b)
	var owner, doubt bool
	v.scan(b, start, len(b), number, func(l eyeLine) bool {
		switch l.kind {
		case eyeHeader:
			owner, doubt = string(l.name) == id, false
		case eyeDoubted:
			doubt = string(l.name) == id
		case eyeWish:
			own = append(own, Wish{Realms: []string{id}, Line: l.number, start: l.start, end: l.end, first: l.first, last: l.last})
		}
		if !owner && !doubt {
			end = l.start
			return false
		}
		return true
	})
	return own, end
}
