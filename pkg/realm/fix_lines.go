package realm

import (
	"bytes"
	"strings"

	"oathkit/pkg/section"
)

// in returns the index of the section that each line is in, its header included,
// or -1.
func (n *draft) in() []int {
	secs := n.d.file.Sections()
	at := make([]int, len(n.lines))
	k := 0
	for i, l := range n.lines {
		for k < len(secs) && l.Start >= secs[k].End {
			k++
		}
		at[i] = -1
		if k < len(secs) && l.Start >= secs[k].Start {
			at[i] = k
		}
	}
	return at
}

// markMends removes a byte order mark at the top.
func markMends(n *draft) []change {
	if rest, ok := bytes.CutPrefix(n.bytes, []byte("\xef\xbb\xbf")); ok && len(rest) > 0 {
		return []change{n.change(0, "byte-order-mark", "the byte order mark is gone", strings.TrimPrefix(n.whole(0), "\ufeff"))}
	}
	return nil
}

// crlfMends ends the lines in line feeds alone.
func crlfMends(n *draft) (changes []change) {
	for i := range n.lines {
		if n.ending(i) != "\r\n" {
			continue
		}
		c := n.change(i, "crlf", "the lines end in line feeds", strings.TrimRight(string(n.text(i)), "\r")+"\n")
		if len(changes) > 0 {
			c.Mend = changes[0].Mend
		}
		changes = append(changes, c)
	}
	return changes
}

// headerMends writes a header as one, in the first column and with nothing behind
// it, where a person sees the header of a type that there is.
func headerMends(n *draft) (changes []change) {
	var v viewer
	for i := range n.lines {
		text := n.text(i)
		if kind, _ := v.classify(text); kind != eyeHeader || hasOdd(text) {
			continue
		}
		if _, _, is := section.SplitHeader(text); is {
			continue
		}
		line, comment, _ := strings.Cut(string(bytes.TrimRight(text, "\r")), "#")
		typ, id, _ := strings.Cut(line, ":")
		typ, id = strings.Trim(typ, spaces), strings.Trim(id, spaces)
		if !isType(strings.ToLower(typ)) || !isID(id) {
			continue
		}
		code := "header-blank-before-colon"
		ending := n.lineEnding(i)
		with := []string{typ + ": " + id + ending}
		switch {
		case len(line) < len(bytes.TrimRight(text, "\r")):
			if !section.IsSpace(line[len(line)-1]) {
				continue
			}
			code = "header-comment"
			with = append(with, "\t#"+comment+ending)
		case section.IsSpace(text[0]):
			code = "header-indented"
		}
		changes = append(changes, n.change(i, code, "the header of realm "+quoteName([]byte(id))+" is one", with...))
	}
	return changes
}

// lineEnding is how a line ends, or for the last one would.
func (n *draft) lineEnding(i int) string {
	if e := n.ending(i); e != "" {
		return e
	}
	return "\n"
}

// separatorMends puts a truly empty line above a header that Proxmox VE ignores,
// for the section above it has not ended. A line of blanks there becomes empty.
func separatorMends(n *draft) (changes []change) {
	var v viewer
	secs := n.d.file.Sections()
	blank := -1 // the line of blanks below which nothing but comments came
	for i, k := range n.in() {
		text := n.text(i)
		kind := section.KindOf(text)
		switch {
		case kind == section.Blank:
			blank = i
			continue
		case kind == section.Comment:
			continue
		}
		sep := blank
		blank = -1
		if k < 0 || n.lines[i].Start == secs[k].Start || kind != section.Header || hasOdd(text) {
			continue
		}
		typ, id, _ := section.SplitHeader(text)
		if eye, _ := v.classify(text); eye != eyeHeader || !isType(strings.ToLower(string(typ))) || !isID(string(id)) {
			continue
		}
		what := "an empty line stands above the header of realm " + quoteName(id)
		switch {
		case sep < 0:
			changes = append(changes, n.change(i, "missing-empty-line", what, "\n", n.whole(i)))
		case bytes.IndexByte(n.text(sep), '\r') >= 0:
			changes = append(changes, n.change(sep, "crlf-separator", what, "\n"))
		default:
			changes = append(changes, n.change(sep, "blank-separator", what, "\n"))
		}
	}
	return changes
}

// indentMends indents a line with tfa.
func indentMends(n *draft) (changes []change) {
	var v viewer
	owned := false
	for i := range n.lines {
		text := n.text(i)
		eye, _ := v.classify(text)
		owned = owned || eye == eyeHeader
		if owned && eye == eyeWish && !section.IsSpace(text[0]) && !hasOdd(text) {
			changes = append(changes, n.change(i, "tfa-not-indented", "the line is indented", "\t"+n.whole(i)))
		}
	}
	return changes
}

// orphanMends removes the empty lines between a section and properties that a
// person takes for its own.
func orphanMends(n *draft) (changes []change) {
	var v viewer
	var empty []int
	below := false // of a section, with nothing between that is no part of it
	name := ""
	for i, k := range n.in() {
		text := n.text(i)
		kind := section.KindOf(text)
		eye, _ := v.classify(text)
		switch {
		case k >= 0:
			s := n.d.file.Sections()[k]
			below, empty, name = n.d.typeOf(s) != "", nil, string(n.d.file.ID(s))
		case kind == section.Empty:
			empty = append(empty, i)
		case kind == section.Blank, kind == section.Comment:
		case kind != section.Property || eye == eyeHeader || eye == eyeDoubted || hasOdd(text):
			below = false
		case below:
			code := "orphan-property"
			if eye == eyeWish {
				code = "orphan-tfa"
			}
			for _, e := range empty {
				m := n.change(e, code, "the empty line inside the section of realm "+quoteName([]byte(name))+" is gone")
				m.Line = n.from[i]
				changes = append(changes, m)
			}
			empty = nil
		}
	}
	return changes
}

// emptyLineMends removes the empty lines at which an old Proxmox VE stops.
func emptyLineMends(n *draft) (changes []change) {
	before := true // an empty line, or the top
	for i, k := range n.in() {
		empty := k < 0 && section.KindOf(n.text(i)) == section.Empty
		if empty && before {
			changes = append(changes, n.change(i, "old-pve-stops", "the second empty line is gone"))
		}
		before = empty
	}
	return changes
}
