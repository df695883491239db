// Package section reads section-config files, the format of Proxmox VE's
// domains.cfg: headers `TYPE: ID` in the first column, indented properties
// below them, an empty line between one section and the next.
//
// It promises two things. Nothing is lost: Parse accepts every byte sequence
// and Format gives back exactly the bytes that were read. And the structure is
// the one that Proxmox VE's reader (PVE::SectionConfig) sees, not the one that
// the file seems to have: lines are split at line feeds only, a carriage return
// is white space, a section ends only at a line without any byte, at a line
// that is exactly `0`, or at the end of the file, and comments end nothing.
//
// It knows no types, no property names and no values: what a section means is
// the business of the caller. Other readers of the same syntax, such as the one
// in Rust, which refuses a whole file for one fault, are left out; the reader of
// Proxmox VE before August 2019 is ParseOld.
//
// A file of 100,000 sections is read in one pass that touches each line break
// once and allocates one slice. SectionsOf and Changes look at even less: the
// state of the reader below an ending line is always the same, so that a part
// of a file between two of them can be read by itself.
package section

import (
	"bytes"
	"slices"
	"sync"
)

// A File is a parsed file. It keeps the bytes given to Parse, which must not
// change while it is in use, and finds the sections when they are asked for. It
// may be used by several goroutines at once.
type File struct {
	src []byte
	old bool

	once     sync.Once
	sections []Section
	end      int // where the reader stopped reading: len(src), but for ParseOld

	mu     sync.Mutex // guards what SectionsOf found last
	lastID string
	last   []Section
}

// A Section is a header and the lines that the reader counts as its body. The
// numbers are offsets into File.Bytes.
type Section struct {
	Start int // the first byte of the header line
	Body  int // the first byte below the header line
	End   int // the first byte of the line that ends the section, or the end of the file

	typeEnd        int // the type is [Start, typeEnd)
	idStart, idEnd int
}

// Parse reads b, and never fails.
func Parse(b []byte) *File { return &File{src: b} }

// ParseOld reads b as Proxmox VE did before August 2019 (pve-common up to 6.0-4):
// an empty line outside a section, thus at the top or as the second of two, ends
// the file.
func ParseOld(b []byte) *File { return &File{src: b, old: true} }

// read finds all sections.
func (f *File) read() {
	b := f.src
	f.end = len(b)
	for p := 0; p < len(b); {
		if b[p] == '\n' && !f.old {
			p++
			continue
		}
		end, next := lineEnd(b, p)
		text := b[p:end]
		if f.old && ends(text) {
			f.end = p
			break
		}
		s, ok := sectionAt(text, p, next)
		if !ok {
			p = next
			continue
		}
		s.End, p = bodyEnd(b, next)
		if n := len(f.sections); n == 256 { // guess the rest from what was read
			f.sections = slices.Grow(f.sections, n*(len(b)-p)/p+n)
		}
		f.sections = append(f.sections, s)
	}
}

// sectionAt returns the section whose header is the line of that text at the
// offset p, without its end.
func sectionAt(text []byte, p, next int) (Section, bool) {
	h, ok := parseHeader(text)
	return Section{Start: p, Body: next, typeEnd: p + h.typeEnd, idStart: p + h.idStart, idEnd: p + h.idEnd}, ok
}

// lineEnd returns the end of the text of the line that starts at p and the
// start of the next line.
func lineEnd(b []byte, p int) (end, next int) {
	if i := bytes.IndexByte(b[p:], '\n'); i >= 0 {
		return p + i, p + i + 1
	}
	return len(b), len(b)
}

// ends reports whether a line ends a section.
func ends(text []byte) bool {
	return len(text) == 0 || len(text) == 1 && text[0] == '0'
}

// bodyEnd finds the line that ends the section whose body starts at p: its
// offset, and the offset of the line below it.
func bodyEnd(b []byte, p int) (end, next int) {
	for p < len(b) {
		if b[p] == '\n' {
			return p, p + 1
		}
		e, n := lineEnd(b, p)
		if e == p+1 && b[p] == '0' {
			return p, n
		}
		p = n
	}
	return len(b), len(b)
}

// Bytes returns the bytes that were parsed, not a copy.
func (f *File) Bytes() []byte { return f.src }

// Format returns the file, line by line: the bytes that Parse was given.
func (f *File) Format() []byte {
	out := make([]byte, 0, len(f.src))
	for l := range f.Lines() {
		out = append(out, f.src[l.Start:l.End]...)
		out = append(out, f.src[l.End:l.Next]...)
	}
	return out
}

// Sections returns the sections in the order of the file, those whose type or
// id means nothing to anybody included.
func (f *File) Sections() []Section {
	f.once.Do(f.read)
	return f.sections
}

// End returns the offset at which the reader stopped: the length of the file,
// unless ParseOld met the empty line that ends it.
func (f *File) End() int {
	f.once.Do(f.read)
	return f.end
}

// Type returns the type of a section as it is spelled in the file.
func (f *File) Type(s Section) []byte { return f.src[s.Start:s.typeEnd] }

// ID returns the id of a section.
func (f *File) ID(s Section) []byte { return f.src[s.idStart:s.idEnd] }

// HeaderEnd returns the offset of the end of the header's text, before its line
// feed.
func (f *File) HeaderEnd(s Section) int {
	if s.Body > s.Start && f.src[s.Body-1] == '\n' {
		return s.Body - 1
	}
	return s.Body
}
