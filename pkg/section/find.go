package section

import (
	"bytes"
	"iter"
)

// SectionsOf returns the sections with that id, in the order of the file. It
// finds them by their id, without reading the rest of the file, and remembers
// the answer to the last question.
func (f *File) SectionsOf(id string) []Section {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lastID != id || id == "" {
		f.lastID, f.last = id, f.sectionsOf(id)
	}
	return f.last
}

func (f *File) sectionsOf(id string) []Section {
	var found []Section
	if f.old || id == "" {
		for _, s := range f.Sections() {
			if string(f.ID(s)) == id {
				found = append(found, s)
			}
		}
		return found
	}
	var scout scout
	below := 0
	for l := range LinesWith(f.src, id) {
		if l.Start < below { // in the body of the one before
			continue
		}
		s, ok := sectionAt(f.src[l.Start:l.End], l.Start, l.Next)
		if ok && string(f.ID(s)) == id && scout.outside(f.src, l.Start) {
			s.End, below = bodyEnd(f.src, l.Next)
			found = append(found, s)
		}
	}
	return found
}

// LinesWith yields the lines of b that hold a word, which is not empty. Their
// numbers are 0.
func LinesWith(b []byte, word string) iter.Seq[Line] {
	rare := rarest(b, word)
	return func(yield func(Line) bool) {
		for p := 0; ; { // p is the start of a line
			i := index(b[p:], word, rare)
			if i < 0 {
				return
			}
			start := p + bytes.LastIndexByte(b[p:p+i], '\n') + 1
			end, next := lineEnd(b, p+i)
			if !yield(Line{Start: start, End: end, Next: next}) {
				return
			}
			p = next
		}
	}
}

// rarest returns the position in word of the byte that is rarest in the first
// bytes of b: a search for that one stops least often.
func rarest(b []byte, word string) int {
	var count [256]int
	for _, c := range b[:min(len(b), chunk)] {
		count[c]++
	}
	best := 0
	for i := range len(word) {
		if count[word[i]] < count[word[best]] {
			best = i
		}
	}
	return best
}

// index is bytes.Index, by the byte at the position rare of the word.
func index(b []byte, word string, rare int) int {
	for p := rare; p < len(b); p++ {
		i := bytes.IndexByte(b[p:], word[rare])
		if i < 0 {
			return -1
		}
		p += i
		if start := p - rare; start+len(word) <= len(b) && string(b[start:start+len(word)]) == word {
			return start
		}
	}
	return -1
}

// A scout says where the reader is outside any section. It is asked for rising
// offsets and remembers the last answer, so that no line is looked at twice.
type scout struct {
	asked  int  // the offset of the last question, or 0
	inside bool // the answer: a section began at or before it and has not ended
}

// outside reports whether the reader, at the start of the line at p, is outside
// any section, and takes note that a section begins there if it is.
func (s *scout) outside(b []byte, p int) bool {
	from, met := blockStart(b, p, s.asked)
	inside := s.inside && !met
	for from < p && !inside {
		end, next := lineEnd(b, from)
		_, inside = parseHeader(b[from:end])
		from = next
	}
	s.asked, s.inside = p, true
	return !inside
}

// blockStart goes up from the start of a line at p to the line below the nearest
// one that ends a section, but not above floor, the start of a line. met reports
// whether there is one.
func blockStart(b []byte, p, floor int) (start int, met bool) {
	for p > floor {
		above := bytes.LastIndexByte(b[floor:p-1], '\n') + 1 + floor
		if ends(b[above : p-1]) {
			return p, true
		}
		p = above
	}
	return floor, floor == 0
}

// Changes returns the part of each file that holds all lines in which they
// differ, read by itself: the sections in it, with the bytes of Bytes. What
// stands above and below is the same in both, and read the same way.
func Changes(a, b *File) (inA, inB *File) {
	if a.old || b.old {
		return a, b
	}
	p := commonPrefix(a.src, b.src)
	start, _ := blockStart(a.src, bytes.LastIndexByte(a.src[:p], '\n')+1, 0)
	tail := commonSuffix(a.src[start:], b.src[start:])
	tail -= endOfBlock(a.src[len(a.src)-tail:])
	return Parse(a.src[start : len(a.src)-tail]), Parse(b.src[start : len(b.src)-tail])
}

// endOfBlock returns the offset behind the first line that ends a section, given
// bytes that may begin inside a line.
func endOfBlock(b []byte) int {
	_, p := lineEnd(b, 0)
	_, p = bodyEnd(b, p)
	return p
}

// chunk is how many bytes are compared at once.
const chunk = 4096

func commonPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	i := 0
	for i+chunk <= n && bytes.Equal(a[i:i+chunk], b[i:i+chunk]) {
		i += chunk
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

func commonSuffix(a, b []byte) int {
	n := min(len(a), len(b))
	i := 0
	for i+chunk <= n && bytes.Equal(a[len(a)-i-chunk:len(a)-i], b[len(b)-i-chunk:len(b)-i]) {
		i += chunk
	}
	for i < n && a[len(a)-1-i] == b[len(b)-1-i] {
		i++
	}
	return i
}
