package realm

import (
	"bytes"

	"oathkit/pkg/section"
)

// verify reads the edited bytes again and compares the effective views: they
// must differ in the asked property of the asked realm, and in nothing else.
func (e *edit) verify(out []byte) error {
	after := Parse(out)
	was, is := section.Changes(e.d.file, after.file)
	ids := changedIDs(was, is)
	same := sameRealm(e.d, after, len(ids))
	for _, id := range ids {
		if id != e.id && !same(id) {
			line, _ := e.d.seen(id)
			return editErrorf(line, "mend the file first: check says how",
				"the edit of realm %q would change how Proxmox VE reads realm %q", e.id, id)
		}
	}
	var old, props []Property
	if e.inFile {
		old = e.d.read(e.sec, e.typ, 0, nil)
	}
	props = old
	if len(ids) > 0 {
		// The section that counted before is in the changed part, so below that
		// part there is none: the last one in it counts now.
		part := &Domains{file: is}
		sec, typ, ok := part.effective(e.id)
		if !ok || typ != e.typ {
			return e.unproved()
		}
		props = part.read(sec, typ, part.file.LineNumber(sec.Start), nil)
		if p, ok := find(props, "tfa"); ok && e.key == "tfa" && !part.owns(e.id, p.Line) {
			return e.unproved()
		}
	}
	got, _ := find(props, e.key)
	if got.Value != e.value || !sameBut(old, props, e.key) {
		return e.unproved()
	}
	return e.whole(old, props)
}

// owns reports whether a line is, to the eye, a wish of the realm.
func (d *Domains) owns(id string, line int) bool {
	for _, w := range d.Wishes() {
		if w.Line == line && len(w.Realms) > 0 && w.Realms[0] == id {
			return true
		}
	}
	return false
}

// whole refuses an edit that has no effect because the section lacks a required
// property, or that removes one.
func (e *edit) whole(old, props []Property) error {
	lacks := missing(e.typ, props)
	switch {
	case lacks == "" || e.value != "" && e.key != "tfa" && missing(e.typ, old) != "":
		return nil
	case e.value == "" && lacks == e.key:
		return editErrorf(0, "", "a realm of type %s needs %s: without it Proxmox VE takes over nothing of realm %q", e.typ, e.key, e.id)
	}
	return editErrorf(e.number(), "set "+lacks+" first",
		"the section lacks %s, so Proxmox VE takes over nothing of realm %q", lacks, e.id)
}

// unproved names the line in the way: the first in the section that the reader
// drops, else the header.
func (e *edit) unproved() error {
	line := 0
	if e.inFile {
		line = e.number()
		e.d.read(e.sec, e.typ, line, func(l section.Line, key, _ string, _ error) {
			if key == e.key && line == e.number() {
				line = l.Number
			}
		})
	}
	return editErrorf(line, "mend the file first: check says how",
		"Proxmox VE would not read %s of realm %q as asked for", e.key, e.id)
}

// sameBut reports whether two sections say the same but for one property.
func sameBut(a, b []Property, key string) bool {
	return within(a, b, key) && within(b, a, key)
}

func within(a, b []Property, key string) bool {
	for _, p := range a {
		if q, ok := find(b, p.Key); p.Key != key && (!ok || p.Value != q.Value) {
			return false
		}
	}
	return true
}

// sameRealm returns a function that reports whether both files say the same of
// a realm, to be called about n times.
func sameRealm(a, b *Domains, n int) func(id string) bool {
	inA, inB := a.finder(n), b.finder(n)
	return func(id string) bool {
		as, at, aok := inA(id)
		bs, bt, bok := inB(id)
		if aok != bok || at != bt {
			return false
		}
		ap, bp := a.read(as, at, 0, nil), b.read(bs, bt, 0, nil)
		return missing(at, ap) != "" && missing(bt, bp) != "" || sameBut(ap, bp, "")
	}
}

// changedIDs returns the ids of the sections that are not the same bytes in both
// of what section.Changes returned, each once, those of the first first. A realm
// that is not among them has the same sections in both files.
func changedIDs(fa, fb *section.File) []string {
	as, bs := fa.Sections(), fb.Sections()
	for len(as) > 0 && len(bs) > 0 && sameBytes(fa, fb, as[0], bs[0]) {
		as, bs = as[1:], bs[1:]
	}
	for len(as) > 0 && len(bs) > 0 && sameBytes(fa, fb, as[len(as)-1], bs[len(bs)-1]) {
		as, bs = as[:len(as)-1], bs[:len(bs)-1]
	}
	var ids []string
	seen := make(map[string]bool)
	collect := func(f *section.File, secs []section.Section) {
		for _, s := range secs {
			if id := string(f.ID(s)); !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
	}
	collect(fa, as)
	collect(fb, bs)
	return ids
}

func sameBytes(a, b *section.File, s, t section.Section) bool {
	return bytes.Equal(a.Bytes()[s.Start:s.End], b.Bytes()[t.Start:t.End])
}
