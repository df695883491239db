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
	for out = b; ; {
		d := Parse(out)
		effective := d.tfaLines(ids)
		next := d.without(func(w Wish) bool {
			return effective[w.Line] || slices.ContainsFunc(ids, w.of)
		})
		if len(next) == len(out) {
			break
		}
		out = next
	}
	return out, changedRealms(before, Parse(out)), nil
}

// DisableAllTFA removes every line that asks for a second factor in any realm
// or, standing above the first header, in none.
func DisableAllTFA(b []byte) (out []byte, changed []string) {
	for out = b; ; {
		next := Parse(out).without(func(Wish) bool { return true })
		if len(next) == len(out) {
			break
		}
		out = next
	}
	return out, changedRealms(Parse(b), Parse(out))
}

// exist returns an error for ids that neither reading finds.
func (d *Domains) exist(ids []string) error {
	var lost []string
	for _, id := range ids {
		if r, ok := d.Lookup(id); ok && (r.InFile || isBuiltin(id)) {
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

// tfaLines returns the lines that set tfa in the effective view of the realms.
func (d *Domains) tfaLines(ids []string) map[int]bool {
	lines := make(map[int]bool)
	find := d.finder(len(ids))
	for _, id := range ids {
		if s, typ, ok := find(id); ok {
			lines[d.view(s, typ, d.file.LineNumber(s.Start)).TFALine] = true
		}
	}
	return lines
}

// without returns the bytes without the chosen wishes. A line that goes can
// change what the reader makes of those below it, so that a further line
// becomes the realm's: callers look again until there is none.
func (d *Domains) without(chosen func(Wish) bool) []byte {
	var spans []span
	for _, w := range d.Wishes() {
		if chosen(w) {
			spans = append(spans, w.span())
		}
	}
	return cut(d.Bytes(), d.wholeLines(spans))
}

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
	ids := changedIDs(a, b)
	same := sameRealm(a, b, len(ids))
	for _, id := range ids {
		if !same(id) {
			changed = append(changed, id)
		}
	}
	return changed
}
