package realm

import (
	"bytes"
	"encoding/binary"
	"unicode"
	"unicode/utf8"

	"oathkit/pkg/section"
)

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

// A viewer reads lines as the eye does.
type viewer struct {
	clean bool     // no line needs a second look: see Domains.isClean
	buf   [24]byte // scratch space
}

// scan yields the lines of b from start to end that are headers or wishes.
func (v *viewer) scan(b []byte, start, end, number int, yield func(eyeLine) bool) {
	crs := !v.clean && bytes.IndexByte(b[start:end], '\r') >= 0
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
	if !v.clean && hasOdd(line) {
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
	if i := bytes.IndexByte(name, '#'); i > 0 { // a comment, to the eye
		name, more = name[:i], true
	}
	name = bytes.TrimRight(name, ":;,")
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
// follows a `:`, a `=` or another sign that is no letter or digit.
func isTFAWord(word []byte) bool {
	return len(word) >= 3 && (len(word) == 3 || !isAlnum(word[3])) &&
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
// byte order mark and other characters without a shape are nothing. What is not
// UTF-8 looks as it does in ISO 8859-1, which is what editors try then.
func visible(line []byte) []byte {
	out := make([]byte, 0, len(line))
	for i := 0; i < len(line); {
		r, n := utf8.DecodeRune(line[i:])
		if r == utf8.RuneError && n == 1 {
			r = rune(line[i])
		}
		switch {
		case unicode.IsSpace(r), r == 0x2800:
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
func hasOdd(line []byte) bool { return !isPlain(line, '\r') }

// isClean reports whether the lines of the file are, for the eye, what they are:
// ASCII without control characters, carriage returns included.
func (d *Domains) isClean() bool {
	d.cleanOnce.Do(func() { d.clean = isPlain(d.Bytes(), '\n') })
	return d.clean
}

// isPlain reports whether all bytes are ASCII that shows, or white space from
// tab up to top, which is less than a blank.
func isPlain(b []byte, top byte) bool {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	past := ones * uint64(0x7f-top)
	// Eight bytes at a time: below 0x80 a sum has the high bit of a byte set
	// from a bound on, and carries nothing into the next byte.
	for ; len(b) >= 8; b = b[8:] {
		x := binary.NativeEndian.Uint64(b)
		atLeastTab, pastTop, atLeastBlank, del := x+ones*(0x80-'\t'), x+past, x+ones*(0x80-' '), x+ones
		if (x|^atLeastTab|pastTop&^atLeastBlank|del)&high != 0 {
			return false
		}
	}
	for _, c := range b {
		if c < '\t' || c > top && c < ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// isInvisible reports whether a character has no shape: controls, and the format
// characters and fillers such as the byte order mark and the zero-width space.
func isInvisible(r rune) bool {
	switch {
	case r < ' ', r >= 0x7f && r < 0xa0, r == 0xad, r == 0x34f, r == 0x61c, r == 0x180e:
		return true
	case r == 0x115f, r == 0x1160, r == 0x3164, r == 0xffa0:
		return true
	case r >= 0x200b && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2060 && r <= 0x206f:
		return true
	}
	return r >= 0xfe00 && r <= 0xfe0f || r == 0xfeff || r >= 0xfff9 && r <= 0xfffb || r >= 0xe0000 && r <= 0xe0fff
}
