package realm

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"oathkit/pkg/section"
)

// tfaMends writes a line with tfa as Proxmox VE reads it, where there is one way
// to read it.
func tfaMends(n *draft) (changes []change) {
	var v viewer
	secs := n.d.file.Sections()
	codes := make(map[int]string)
	for _, p := range n.d.Problems() {
		if codes[p.Line] == "" && strings.HasPrefix(p.Code, "tfa-") {
			codes[p.Line] = p.Code
		}
	}
	for i, k := range n.in() {
		text := n.text(i)
		if eye, _ := v.classify(text); k < 0 || eye != eyeWish || hasOdd(text) || section.KindOf(text) != section.Property {
			continue
		}
		if typ := n.d.typeOf(secs[k]); typ == "" || typ == "openid" {
			continue
		}
		line, comment, commented := cutComment(string(bytes.TrimRight(text, spaces)))
		lead := line[:len(line)-len(strings.TrimLeft(line, spaces))]
		value, ok := plainTFA(line[len(lead):])
		code := codes[i+1]
		if !ok || code == "" || lead+"tfa "+value == string(text) || len(strings.Trim(lead, " \t")) > 0 {
			continue
		}
		var with []string
		if commented {
			with = append(with, lead+comment+n.lineEnding(i))
		}
		changes = append(changes, n.change(i, code, "the line is tfa "+shown("tfa", value), append(with, lead+"tfa "+value+n.ending(i))...))
	}
	return changes
}

// cutComment parts a line from a comment behind it.
func cutComment(line string) (before, comment string, ok bool) {
	start := len(line) - len(strings.TrimLeft(line, spaces))
	for i := start + 1; i < len(line); i++ {
		if line[i] == '#' && section.IsSpace(line[i-1]) {
			return strings.TrimRight(line[:i], spaces), line[i:], true
		}
	}
	return line, "", false
}

// plainTFA returns the value of a tfa line, given without its white space in
// front, as Proxmox VE reads it. It is not ok where the line could mean two
// things, or something that there is not.
func plainTFA(line string) (value string, ok bool) {
	line = strings.TrimLeft(line[len("tfa"):], ":=,; \t")
	seen := make(map[string]string)
	var parts []string
	for part := range strings.SplitSeq(line, ",") {
		part = strings.Trim(part, spaces)
		if part == "" {
			continue
		}
		key, val, valued := strings.Cut(part, "=")
		key, val = strings.ToLower(strings.TrimRight(key, spaces)), strings.TrimLeft(val, spaces)
		if !valued { // the type alone
			key, val = "type", key
		}
		switch key {
		case "type":
			switch strings.ToLower(val) {
			case "oath", "totp":
				val = "oath"
			case "yubico":
				val = "yubico"
			}
		case "digits":
			val = strings.TrimPrefix(val, "+")
		}
		if before, twice := seen[key]; twice && before != val || strings.ContainsAny(val, spaces) {
			return "", false
		} else if !twice {
			seen[key] = val
			parts = append(parts, key+"="+val)
		}
	}
	value = strings.Join(parts, ",")
	_, err := ParseTFA(value)
	return value, err == nil && !signedDigits(value)
}

// repeatMends removes a property that is given twice with one value.
func repeatMends(n *draft) (changes []change) {
	for _, s := range n.d.file.Sections() {
		typ := n.d.typeOf(s)
		if typ == "" {
			continue
		}
		number := n.number(s)
		n.d.read(s, typ, number, func(l section.Line, key, value string, err error) {
			var dup *duplicateError
			if !errors.As(err, &dup) || hasInnerCR(n.text(l.Number-1)) {
				return
			}
			if stored, err := checkValue(typ, key, value, value != ""); err == nil && stored == dup.first.Value {
				changes = append(changes, n.change(l.Number-1, "duplicate-property", "the line is gone, which repeats line "+itoa(n.from[dup.first.Line-1])))
			}
		})
	}
	return changes
}

// number is the line number of a section's header.
func (n *draft) number(s section.Section) int {
	lo, hi := 0, len(n.lines)
	for lo < hi {
		if mid := (lo + hi) / 2; n.lines[mid].Start < s.Start {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo + 1
}

// duplicateMends makes one section of two of a realm, which stand in two places
// and contradict each other nowhere: the lines of the first go to the end of the
// second, which is the one that counts.
func duplicateMends(n *draft) (changes []change) {
	secs := n.d.file.Sections()
	of := make(map[string][]int)
	for i, s := range secs {
		if n.d.typeOf(s) != "" {
			id := string(n.d.file.ID(s))
			of[id] = append(of[id], i)
		}
	}
	for i, s := range secs { // in the order of the file
		same := of[string(n.d.file.ID(s))]
		// The first into the second, the third into the fourth: of many it is
		// done in few rounds.
		if k := slices.Index(same, i); k >= 0 && k%2 == 0 && k+1 < len(same) {
			changes = append(changes, n.merged(string(n.d.file.ID(s)), s, secs[same[k+1]])...)
		}
	}
	return changes
}

// merged are the changes that put the lines of a section into the next one of its
// realm.
func (n *draft) merged(id string, a, b section.Section) []change {
	typ := n.d.typeOf(a)
	first, second := n.number(a), n.number(b)
	dropped := false
	note := func(section.Line, string, string, error) { dropped = true }
	props, others := n.d.read(a, typ, first, note), n.d.read(b, n.d.typeOf(b), second, note)
	if typ != n.d.typeOf(b) || dropped {
		return nil
	}
	for _, p := range props {
		if q, both := find(others, p.Key); both && q.Value != p.Value {
			return nil
		}
	}
	mend := Mend{n.from[second-1], "duplicate-realm", "the section of realm " + quoteName([]byte(id)) + " at line " + itoa(n.from[first-1]) + " is a part of this one"}
	var changes []change
	var moved []string
	last := second - 1 // the header or the last property of b
	for i := first - 1; i < len(n.lines) && n.lines[i].Start <= a.End; i++ {
		l := n.lines[i]
		changes = append(changes, change{line: l.Number, Mend: mend})
		switch {
		case l.Start == a.Start:
			continue
		case l.Start >= a.End && len(n.text(i)) > 0: // a line that is exactly 0
			return nil
		case l.Start >= a.End:
			continue
		}
		switch kind := section.KindOf(n.text(i)); {
		case kind == section.Header, kind == section.Junk:
			return nil
		case kind == section.Property:
			k, _, _, _ := section.SplitProperty(n.text(i))
			if _, both := find(others, string(k)); both {
				continue
			}
			fallthrough
		case kind == section.Comment:
			moved = append(moved, strings.TrimRight(n.whole(i), "\r\n")+"\n")
		}
	}
	for i := second; i < len(n.lines) && n.lines[i].Start < b.End; i++ {
		switch section.KindOf(n.text(i)) {
		case section.Header, section.Junk:
			return nil
		case section.Property:
			last = i
		}
	}
	with := strings.TrimSuffix(n.whole(last), n.ending(last)) + n.lineEnding(last)
	return append(changes, change{line: last + 1, with: append([]string{with}, moved...), Mend: mend})
}
