package realm

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"oathkit/pkg/section"
)

// DisableTFA removes the lines that ask for a second factor in the realms, in
// either reading: the line of the effective view, and every Wish of the realm.
// It works on any bytes, asks for no proof, and removes no other line. changed
// names the realms whose effective view is not what it was, in the order of the
// file; these can be others than those asked for. A realm without such a line is
// no error, one that neither reading finds in the file is.
func DisableTFA(b []byte, ids ...string) (out []byte, changed []string, err error) {
	before := Parse(b)
	if err := before.exist(ids); err != nil {
		return nil, nil, err
	}
	spans := before.wishSpans(ids)
	for d := before; ; d = Parse(out) {
		spans = append(spans, d.tfaSpans(ids)...)
		slices.SortFunc(spans, func(a, b span) int { return a.start - b.start })
		out = d.without(slices.Compact(spans))
		if len(spans) == 0 {
			return out, changedRealms(before, d), nil
		}
		// No line that went was a header, so the eye has no further wish of
		// the realms; the reader can have one, in what it now counts.
		spans = nil
	}
}

// MaxNamed is the size in bytes up to which DisableAllTFA names realms: to remember
// the millions of them that a larger file can hold takes memory that a rescue system
// does not have. It is four times what a file below /etc/pve can have.
const MaxNamed = 4 * MaxPVE

// DisableAllTFA removes every line that asks for a second factor in any realm
// or, standing above the first header, in none. changed names the realms whose
// effective view is not what it was; none of a file larger than MaxNamed, for which
// it needs little more memory than for the bytes themselves.
func DisableAllTFA(b []byte) (out []byte, changed []string) {
	// Once more, for what shared a line with a wish can look otherwise now.
	for out = withoutWishes(b, nil); ; {
		n := len(out)
		if n == len(b) {
			break
		}
		if out = withoutWishes(out, out[:0]); len(out) == n {
			break
		}
	}
	if len(b) > MaxNamed {
		return out, nil
	}
	return out, changedRealms(Parse(b), Parse(out))
}

// withoutWishes returns the bytes without the wishes. They are appended to out, which
// may be the empty start of b; where out is nil, b itself is returned if there is
// nothing to remove. It does what [Domains.without] does, but keeps no list.
func withoutWishes(b, out []byte) []byte {
	var (
		line    = section.Line{Next: -1} // that holds the last wish
		kept    int                      // up to where b is copied
		mark    int                      // the length of out at the start of the line
		covered int                      // where the wishes from the start of the line on end
		found   bool
	)
	finish := func() {
		if found && covered >= 0 && len(bytes.Trim(b[covered:line.End], "\r")) == 0 {
			out, kept = out[:mark], line.Next
		}
	}
	v := viewer{clean: isPlain(b, '\n')}
	v.scan(b, 0, len(b), 1, func(l eyeLine) bool {
		if l.kind != eyeWish {
			return true
		}
		if out == nil {
			out = make([]byte, 0, len(b))
		}
		if !found || l.start >= line.Next {
			finish()
			found, line = true, lineOf(b, l.start)
			out = append(out, b[kept:line.Start]...)
			kept, mark, covered = line.Start, len(out), line.Start
		}
		s := Wish{start: l.start, end: l.end, last: l.last}.span()
		out = append(out, b[kept:s.start]...)
		kept = s.end
		if covered == s.start {
			covered = s.end
		} else {
			covered = -1
		}
		return true
	})
	if !found {
		return b
	}
	finish()
	return append(out, b[kept:]...)
}

// exist returns an error for ids that neither reading finds.
func (d *Domains) exist(ids []string) error {
	var lost []string
	for _, id := range ids {
		if _, _, ok := d.effective(id); ok || isBuiltin(id) {
			continue
		}
		if _, ok := d.seen(id); !ok {
			lost = append(lost, fmt.Sprintf("%q", id))
		}
	}
	if len(lost) > 0 {
		return fmt.Errorf("no realm %s in the file", strings.Join(lost, ", "))
	}
	return nil
}

// wishSpans returns the wishes of the realms.
func (d *Domains) wishSpans(ids []string) (spans []span) {
	if len(ids) < 8 {
		for _, id := range ids {
			for _, w := range d.wishesOf(id) {
				spans = append(spans, w.span())
			}
		}
		return spans
	}
	for _, w := range d.Wishes() {
		if slices.ContainsFunc(ids, w.of) {
			spans = append(spans, w.span())
		}
	}
	return spans
}

// tfaSpans returns the lines that set tfa in the effective view of the realms.
func (d *Domains) tfaSpans(ids []string) (spans []span) {
	find := d.finder(len(ids))
	for _, id := range ids {
		if s, typ, ok := find(id); ok {
			d.wishesAt(s, typ, func(w Wish) { spans = append(spans, w.span()) })
		}
	}
	return spans
}

// wishesAt calls add for each wish on the line that sets tfa in a section.
func (d *Domains) wishesAt(s section.Section, typ string, add func(Wish)) {
	b := d.Bytes()
	for l := range section.LinesOf(b, s.Body, s.End, 0) {
		k, v, hasValue, ok := section.SplitProperty(b[l.Start:l.End])
		if !ok || string(k) != "tfa" {
			continue
		}
		if _, err := checkValue(typ, "tfa", string(v), hasValue); err != nil {
			continue
		}
		var eye viewer
		eye.scan(b, l.Start, l.Next, 0, func(e eyeLine) bool {
			if e.kind == eyeWish {
				add(Wish{start: e.start, end: e.end, first: e.first, last: e.last})
			}
			return true
		})
		return
	}
}

// without returns the bytes without the spans, which are in order. A line that
// goes can change what the reader makes of those below it, so that a further
// line becomes the realm's: callers look again until there is none.
func (d *Domains) without(spans []span) []byte { return cut(d.Bytes(), d.wholeLines(spans)) }

// span returns the bytes to remove for a wish that shares its line with others:
// up to a carriage return with that, behind one without what ends the line.
func (w Wish) span() span {
	if w.last {
		return span{w.start, w.end}
	}
	return span{w.start, w.end + 1}
}

// wholeLines widens the spans that together are all of a line to that line with
// its ending, so that no empty line is left, which would end a section.
func (d *Domains) wholeLines(spans []span) []span {
	b := d.Bytes()
	out := spans[:0]
	for i := 0; i < len(spans); {
		l := lineOf(b, spans[i].start)
		n, covered := i, l.Start
		for n < len(spans) && spans[n].start < l.Next {
			if spans[n].start == covered {
				covered = spans[n].end
			}
			n++
		}
		if strings.Trim(string(b[covered:l.End]), "\r") == "" {
			out = append(out, span{l.Start, l.Next})
		} else {
			out = append(out, spans[i:n]...)
		}
		i = n
	}
	return out
}

// lineOf returns the line that holds the offset, without its number.
func lineOf(b []byte, offset int) section.Line {
	var found section.Line
	for l := range section.LinesOf(b, bytes.LastIndexByte(b[:offset], '\n')+1, len(b), 0) {
		found = l
		break
	}
	return found
}

// changedRealms returns the realms whose effective view differs, in the order of
// the first file, then of the second.
func changedRealms(a, b *Domains) []string {
	var changed []string
	ids := changedIDs(section.Changes(a.file, b.file))
	same := sameRealm(a, b, len(ids))
	for _, id := range ids {
		if !same(id) {
			changed = append(changed, id)
		}
	}
	return changed
}
