package realm

import (
	"slices"

	"oathkit/pkg/section"
)

// TFALine returns the line that EnableTFA would replace, without its line feed: the
// one that asks for a factor, or only seems to; nil where it would add one.
func TFALine(b []byte, id string) []byte {
	e, err := newEdit(b, id, "tfa")
	if err != nil || !e.inFile {
		return nil
	}
	l, ok := e.target()
	if !ok {
		return nil
	}
	return l.Text(e.d.file)
}

// RevertTFA takes back an edit that gave a realm the tfa value wrote: the line that
// sets it becomes what was there before, see TFALine, or goes where that is nil, and
// a section that the edit made (made) goes as well when it holds nothing else. ok is
// false, and nothing changes, when the line is not there any more, see [AsksStill]. Where other lines of the realm stand in the way all go that ask for a factor
// in it.
func RevertTFA(b []byte, id, wrote string, before []byte, made bool) (out []byte, ok bool, err error) {
	d := Parse(b)
	if !d.reads(id, wrote) {
		l, ok := d.leftover(id, wrote)
		if !ok {
			return b, false, nil
		}
		if out = splice(b, l.Start, l.End, before); len(before) == 0 {
			out = splice(b, l.Start, l.Next, nil)
		}
		return out, true, nil
	}
	e, err := newEdit(b, id, "tfa")
	if err != nil {
		return nil, false, err
	}
	if l, ok := e.target(); ok {
		if out = splice(b, l.Start, l.End, before); len(before) == 0 {
			out = splice(b, l.Start, l.Next, nil)
		}
		if e.reverted(out, wrote) {
			if made {
				out = withoutBare(out, id)
			}
			return out, true, nil
		}
	}
	out, _, err = DisableTFA(b, id)
	return out, err == nil, err
}

// AsksStill says whether the line is there by which a realm got the tfa value wrote:
// Proxmox VE reads that value, or it reads none, for it goes by another section by now,
// and a person still sees the line.
func AsksStill(b []byte, id, wrote string) bool {
	d := Parse(b)
	_, left := d.leftover(id, wrote)
	return left || d.reads(id, wrote)
}

func (d *Domains) reads(id, value string) bool {
	r, _ := d.Lookup(id)
	p, has := r.Property("tfa")
	return has && p.Value == value
}

// leftover is the line with a tfa value that a person sees in a realm for which
// Proxmox VE reads none.
func (d *Domains) leftover(id, value string) (section.Line, bool) {
	if r, _ := d.Lookup(id); r.TFA != nil {
		return section.Line{}, false
	}
	for _, w := range d.wishesOf(id) {
		l := lineOf(d.Bytes(), w.start)
		if k, v, _, ok := section.SplitProperty(l.Text(d.file)); ok && string(k) == "tfa" && string(v) == value {
			return l, true
		}
	}
	return section.Line{}, false
}

// reverted says whether the bytes ask for another factor in the realm than wrote,
// or for none, and say of every other realm what they said.
func (e *edit) reverted(out []byte, wrote string) bool {
	after := Parse(out)
	r, _ := after.Lookup(e.id)
	p, has := r.Property("tfa")
	return (!has || p.Value != wrote) &&
		!slices.ContainsFunc(changedRealms(e.d, after), func(id string) bool { return id != e.id })
}

// withoutBare returns the bytes without the only section of a realm, if that is
// nothing but its header.
func withoutBare(b []byte, id string) []byte {
	d := Parse(b)
	secs := d.file.SectionsOf(id)
	if len(secs) != 1 {
		return b
	}
	s := secs[0]
	for l := range section.LinesOf(b, s.Body, s.End, 0) {
		if section.KindOf(b[l.Start:l.End]) != section.Blank {
			return b
		}
	}
	return cut(b, []span{{s.Start, s.End}})
}
