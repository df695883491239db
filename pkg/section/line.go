package section

import (
	"bytes"
	"iter"
)

// A Kind says what shape a line has. What the reader makes of it depends on
// where it stands: a header inside a section is ignored, so is a property
// outside.
type Kind uint8

// The shapes of a line.
const (
	Empty    Kind = iota // no byte at all; ends a section
	Zero                 // exactly the byte `0`; ends a section as well
	Blank                // white space only; ends nothing
	Comment              // the first byte that is no white space is `#`
	Header               // a type from the first column on, `:`, an id
	Property             // white space, a key, perhaps white space and a value
	Junk                 // anything else
)

// String returns the name of the kind in lower case.
func (k Kind) String() string {
	switch k {
	case Empty:
		return "empty"
	case Zero:
		return "zero"
	case Blank:
		return "blank"
	case Comment:
		return "comment"
	case Header:
		return "header"
	case Property:
		return "property"
	}
	return "junk"
}

// A Line is one line of a file. The offsets are into File.Bytes.
type Line struct {
	Number int // counted from 1
	Start  int // the first byte
	End    int // the end of the text, before the line feed; a carriage return is text
	Next   int // the first byte of the next line
}

// Text returns the bytes of the line without its line feed.
func (l Line) Text(f *File) []byte { return f.src[l.Start:l.End] }

// Ending returns how the line ends: "\n", "\r\n", or "" at the end of a file
// that lacks the last line feed.
func (l Line) Ending(f *File) string {
	switch {
	case l.Next == l.End:
		return ""
	case l.End > l.Start && f.src[l.End-1] == '\r':
		return "\r\n"
	}
	return "\n"
}

// Lines yields all lines of the file in order. Together they are the file: each
// starts where the one before ended.
func (f *File) Lines() iter.Seq[Line] { return LinesOf(f.src, 0, len(f.src), 1) }

// LinesOf yields the lines of b from the offset start, which is the start of a
// line and has the number first, up to the offset end.
func LinesOf(b []byte, start, end, first int) iter.Seq[Line] {
	return func(yield func(Line) bool) {
		for p, n := start, first; p < end; n++ {
			e, next := lineEnd(b, p)
			if !yield(Line{Number: n, Start: p, End: e, Next: next}) {
				return
			}
			p = next
		}
	}
}

// LineNumber returns the number of the line that holds the offset, counted
// from 1.
func (f *File) LineNumber(offset int) int {
	return 1 + bytes.Count(f.src[:offset], []byte{'\n'})
}

// IsSpace reports whether the reader takes a byte for white space: blank, tab,
// line feed, vertical tab, form feed and carriage return. A no-break space is
// none.
func IsSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// KindOf returns the shape of a line, given without its line feed.
func KindOf(text []byte) Kind {
	i := skipSpace(text, 0)
	switch {
	case len(text) == 0:
		return Empty
	case ends(text):
		return Zero
	case i == len(text):
		return Blank
	case text[i] == '#':
		return Comment
	case i > 0:
		return Property
	}
	if _, ok := parseHeader(text); ok {
		return Header
	}
	return Junk
}

// SplitHeader returns the type, as it is spelled, and the id of a line with the
// shape of a header.
func SplitHeader(text []byte) (typ, id []byte, ok bool) {
	h, ok := parseHeader(text)
	if !ok {
		return nil, nil, false
	}
	return text[:h.typeEnd], text[h.idStart:h.idEnd], true
}

// header holds offsets into the text of a header line.
type header struct{ typeEnd, idStart, idEnd int }

// parseHeader recognises a header: from the first column a run without white
// space, `:`, perhaps white space, a second run, nothing but white space after
// it. The first run is as long as possible, so in `a:b: c` the type is `a:b`
// and in `a:b:c` as well.
func parseHeader(text []byte) (header, bool) {
	run := skipWord(text, 0)
	if run == 0 || text[0] == '#' {
		return header{}, false
	}
	id := skipSpace(text, run)
	if id == len(text) { // `type:id` in one run
		colon := bytes.LastIndexByte(text[:run-1], ':')
		if colon < 1 {
			return header{}, false
		}
		return header{colon, colon + 1, run}, true
	}
	end := skipWord(text, id)
	if text[run-1] != ':' || run < 2 || skipSpace(text, end) != len(text) {
		return header{}, false
	}
	return header{run - 1, id, end}, true
}

// SplitProperty returns the key and the value of a line with the shape of a
// property. The value has no white space at its ends; hasValue is false when
// there is nothing after the key.
func SplitProperty[T []byte | string](text T) (key, value T, hasValue, ok bool) {
	k := skipSpace(text, 0)
	if k == 0 || k == len(text) || text[k] == '#' {
		return key, value, false, false
	}
	kEnd := skipWord(text, k)
	v := skipSpace(text, kEnd)
	if v == len(text) {
		return text[k:kEnd], value, false, true
	}
	end := len(text)
	for IsSpace(text[end-1]) {
		end--
	}
	return text[k:kEnd], text[v:end], true, true
}

func skipSpace[T []byte | string](b T, i int) int {
	for i < len(b) && IsSpace(b[i]) {
		i++
	}
	return i
}

func skipWord[T []byte | string](b T, i int) int {
	for i < len(b) && !IsSpace(b[i]) {
		i++
	}
	return i
}
