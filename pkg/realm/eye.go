package realm

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"oathkit/pkg/section"
)

// A Wish is a line that asks a person's eye for a second factor: no comment,
// and its first word is tfa in any case, perhaps with `:` or `=` and more
// behind it, whatever the value. It need not be one that Proxmox VE reads.
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

// eyeKind is what a line is to the eye.
type eyeKind uint8

const (
	eyeOther   eyeKind = iota
	eyeHeader          // begins a realm
	eyeDoubted         // may begin a realm
	eyeWish            // asks for a factor
)

// An eyeLine is a line as an editor shows it: a carriage return inside a line
// ends it, white space at its ends is nothing.
type eyeLine struct {
	kind       eyeKind
	name       []byte // the realm of a header
	start, end int    // offsets into the file, the ending left out
	number     int    // of the line of the file
	first      bool   // starts where the line of the file starts
	last       bool   // ends where the line of the file ends
}

// Wishes returns the lines that ask for a second factor, in order.
func (d *Domains) Wishes() []Wish {
	d.eyeOnce.Do(func() { d.wishes = d.look() })
	return d.wishes
}

// seen reports whether the eye finds a header of that realm, and where.
func (d *Domains) seen(id string) (line int, ok bool) {
	d.scan(func(l eyeLine) bool {
		if l.kind != eyeWish && string(l.name) == id {
			line, ok = l.number, true
		}
		return !ok
	})
	return line, ok
}

func (d *Domains) scan(yield func(eyeLine) bool) {
	var v viewer
	v.scan(d.file.Bytes(), 0, len(d.file.Bytes()), 1, yield)
}

func (d *Domains) look() (wishes []Wish) {
	var owner, doubt []byte
	d.scan(func(l eyeLine) bool {
		switch l.kind {
		case eyeHeader:
			owner, doubt = l.name, nil
		case eyeDoubted:
			doubt = l.name
		case eyeWish:
			w := Wish{Line: l.number, start: l.start, end: l.end, first: l.first, last: l.last}
			for _, id := range [][]byte{owner, doubt} {
				if len(id) > 0 && !w.of(string(id)) {
					w.Realms = append(w.Realms, string(id))
				}
			}
			wishes = append(wishes, w)
		}
		return true
	})
	return wishes
}

func (w Wish) of(id string) bool {
	for _, r := range w.Realms {
		if r == id {
			return true
		}
	}
	return false
}

// A viewer reads lines as the eye does. It keeps scratch space.
type viewer struct{ buf [24]byte }

// scan yields the lines of b from start to end that are headers or wishes.
func (v *viewer) scan(b []byte, start, end, number int, yield func(eyeLine) bool) {
	crs := bytes.IndexByte(b[start:end], '\r') >= 0
	for l := range section.LinesOf(b, start, end, number) {
		at, stop := l.Start, l.End
		for crs && stop > at && b[stop-1] == '\r' {
			stop--
		}
		for first := true; ; first = false {
			cut := -1
			if crs {
				cut = bytes.IndexByte(b[at:stop], '\r')
			}
			to := stop
			if cut >= 0 {
				to = at + cut
			}
			kind, name := v.classify(b[at:to])
			if kind != eyeOther && !yield(eyeLine{kind, name, at, to, l.Number, first, cut < 0}) {
				return
			}
			if cut < 0 {
				break
			}
			at = to + 1
		}
	}
}

// classify says what a line is to the eye. The name it returns stays good.
func (v *viewer) classify(line []byte) (eyeKind, []byte) {
	seen := line
	if hasOdd(line) {
		seen = visible(line)
	}
	i := 0
	for i < len(seen) && section.IsSpace(seen[i]) {
		i++
	}
	if i == len(seen) || seen[i] == '#' {
		return eyeOther, nil
	}
	end := i
	for end < len(seen) && !section.IsSpace(seen[end]) {
		end++
	}
	word, rest := seen[i:end], bytes.TrimLeft(seen[end:], spaces)
	if isTFAWord(word) {
		return eyeWish, nil
	}
	typ, name, more := splitEyeHeader(word, rest)
	if len(typ) == 0 || len(name) == 0 {
		return eyeOther, nil
	}
	lower := appendLower(v.buf[:0], typ)
	switch {
	case isType(string(lower)):
		return eyeHeader, name
	case isPropertyName(string(lower)):
		return eyeOther, nil
	case i > 0 || more || !isAlnum(name[0]):
		return eyeDoubted, name
	}
	return eyeHeader, name
}

// appendLower appends a word in lower case (ASCII), cut off where it is longer
// than any type or property name.
func appendLower(dst, word []byte) []byte {
	for _, c := range word[:min(len(word), 24)] {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}

// isTFAWord reports whether a first word is tfa, in any case and with whatever
// follows a `:` or `=`.
func isTFAWord(word []byte) bool {
	return len(word) >= 3 && (len(word) == 3 || word[3] == ':' || word[3] == '=') &&
		word[0]|0x20 == 't' && word[1]|0x20 == 'f' && word[2]|0x20 == 'a'
}

// spaces is the white space of the file's reader.
const spaces = " \t\n\v\f\r"

// splitEyeHeader takes the first word of a line and the rest, and returns type
// and name where they look like a header, and whether more text follows.
func splitEyeHeader(word, rest []byte) (typ, name []byte, more bool) {
	colon := bytes.LastIndexByte(word, ':')
	switch {
	case colon < 0: // TYPE : NAME
		if len(rest) == 0 || rest[0] != ':' {
			return nil, nil, false
		}
		typ, rest = word, bytes.TrimLeft(rest, ":"+spaces)
	case colon == len(word)-1 && len(rest) > 0: // TYPE: NAME
		typ = bytes.TrimRight(word, ":")
	default: // TYPE:NAME
		word = bytes.TrimRight(word, ":")
		if colon = bytes.LastIndexByte(word, ':'); colon < 0 {
			return nil, nil, false
		}
		return bytes.TrimRight(word[:colon], ":"), word[colon+1:], len(rest) > 0
	}
	end := 0
	for end < len(rest) && !section.IsSpace(rest[end]) {
		end++
	}
	return typ, rest[:end], len(bytes.TrimRight(rest[end:], spaces)) > 0
}

// visible returns the line as it looks: white space of Unicode is a blank, a
// byte order mark and other characters without a shape are nothing.
func visible(line []byte) []byte {
	out := make([]byte, 0, len(line))
	for i := 0; i < len(line); {
		r, n := utf8.DecodeRune(line[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			out = append(out, line[i])
		case unicode.IsSpace(r):
			out = append(out, ' ')
		case isInvisible(r):
		default:
			out = append(out, line[i:i+n]...)
		}
		i += n
	}
	return out
}

// hasOdd reports whether a line has bytes that may not look like what they are.
func hasOdd(line []byte) bool {
	for _, c := range line {
		if c >= 0x7f || c < ' ' && !section.IsSpace(c) {
			return true
		}
	}
	return false
}

// isInvisible reports whether a character has no shape: controls, and the
// format characters such as the byte order mark and the zero-width space.
func isInvisible(r rune) bool {
	switch {
	case r < ' ' || r >= 0x7f && r < 0xa0, r == 0xad, r == 0x34f, r == 0x61c, r == 0x180e:
		return true
	case r >= 0x200b && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2060 && r <= 0x206f:
		return true
	}
	return r >= 0xfe00 && r <= 0xfe0f || r == 0xfeff || r >= 0xfff9 && r <= 0xfffb
}
