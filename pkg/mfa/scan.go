package mfa

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// A RecordError says where in a record's text something is wrong. It never
// holds a secret.
type RecordError struct {
	Line int // from 1
	Err  error
}

// Error is the line and what is wrong with it.
func (e *RecordError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns what is wrong.
func (e *RecordError) Unwrap() error { return e.Err }

// scanner reads the part of JSON (RFC 8259) that a record needs, strictly: no
// field twice, none unknown, names in their exact case, whole numbers only,
// valid UTF-8 only. It is written by hand because encoding/json takes double
// fields and any case, and takes five times as long. After the first error
// every method returns at once.
type scanner struct {
	b   []byte
	i   int
	err error

	user   string // whose record it is
	sealer Sealer // nil: no secret may be sealed
	stale  bool   // a secret is not sealed as it should be
}

func (s *scanner) fail(format string, args ...any) { s.failAt(s.i, format, args...) }

func (s *scanner) failAt(at int, format string, args ...any) {
	if s.err == nil {
		at = min(at, len(s.b))
		s.err = &RecordError{Line: 1 + bytes.Count(s.b[:at], []byte("\n")), Err: fmt.Errorf(format, args...)}
	}
}

// peek skips blanks and returns the next byte, 0 at the end or after an error.
func (s *scanner) peek() byte {
	for s.err == nil && s.i < len(s.b) {
		switch c := s.b[s.i]; c {
		case ' ', '\t', '\r', '\n':
			s.i++
		default:
			return c
		}
	}
	return 0
}

func (s *scanner) expect(c byte, where string) bool {
	if s.peek() != c || s.err != nil {
		if s.i >= len(s.b) {
			s.fail("the record ends within %s", where)
		}
		s.fail("%s: %q should be here", where, rune(c))
		return false
	}
	s.i++
	return true
}

// object reads an object whose fields are among names, each at most once, and
// calls field with the index of each. It returns which were there, a bit each.
func (s *scanner) object(where string, names []string, field func(int)) (seen uint64) {
	if !s.expect('{', where) {
		return 0
	}
	for first := true; ; first = false {
		if s.peek() == '}' && first {
			break
		}
		at := s.i
		name := s.bytes(where)
		i := index(names, name)
		switch {
		case s.err != nil:
			return 0
		case i < 0:
			s.failAt(at, "%s: field %s is unknown", where, shown(string(name)))
			return 0
		case seen&(1<<i) != 0:
			s.failAt(at, "%s: field %q is there twice", where, names[i])
			return 0
		}
		seen |= 1 << i
		if !s.expect(':', where) {
			return 0
		}
		s.peek()
		field(i)
		if s.peek() != ',' {
			break
		}
		s.i++
	}
	s.expect('}', where)
	return seen
}

func index(names []string, name []byte) int {
	for i := range names {
		if names[i] == string(name) {
			return i
		}
	}
	return -1
}

// array reads an array and calls item for each item, which must read it.
func (s *scanner) array(where string, item func(int)) {
	if !s.expect('[', where) {
		return
	}
	for n := 0; s.err == nil; n++ {
		if n == 0 && s.peek() == ']' {
			break
		}
		s.peek()
		item(n)
		if s.peek() != ',' {
			break
		}
		s.i++
	}
	s.expect(']', where)
}

// text reads a string.
func (s *scanner) text(where string) string { return string(s.bytes(where)) }

// bytes reads a string as bytes, which may be those of the record.
func (s *scanner) bytes(where string) []byte {
	if !s.expect('"', where) {
		return nil
	}
	start := s.i
	for s.i < len(s.b) {
		switch c := s.b[s.i]; {
		case c == '"':
			raw := s.b[start:s.i]
			s.i++
			if !utf8.Valid(raw) {
				s.failAt(start, "%s: a text is not valid UTF-8", where)
				return nil
			}
			return raw
		case c == '\\':
			return s.escapedText(where, start)
		case c < ' ':
			s.fail("%s: a text has a control character in it", where)
			return nil
		}
		s.i++
	}
	s.fail("the record ends within %s", where)
	return nil
}

// escapedText reads the rest of a string that began at start and has come to
// its first backslash.
func (s *scanner) escapedText(where string, start int) []byte {
	out := append([]byte(nil), s.b[start:s.i]...)
	for s.i < len(s.b) && s.err == nil {
		c := s.b[s.i]
		s.i++
		switch {
		case c == '"':
			if !utf8.Valid(out) {
				s.failAt(start, "%s: a text is not valid UTF-8", where)
				return nil
			}
			return out
		case c == '\\':
			out = s.escape(where, out)
		case c < ' ':
			s.fail("%s: a text has a control character in it", where)
		default:
			out = append(out, c)
		}
	}
	s.fail("the record ends within %s", where)
	return nil
}

func (s *scanner) escape(where string, out []byte) []byte {
	if s.i >= len(s.b) {
		return out
	}
	c := s.b[s.i]
	s.i++
	switch c {
	case '"', '\\', '/':
		return append(out, c)
	case 'b':
		return append(out, '\b')
	case 'f':
		return append(out, '\f')
	case 'n':
		return append(out, '\n')
	case 'r':
		return append(out, '\r')
	case 't':
		return append(out, '\t')
	case 'u':
		r, ok := s.hex4()
		if ok && r >= 0xd800 && r < 0xdc00 && s.i+1 < len(s.b) && s.b[s.i] == '\\' && s.b[s.i+1] == 'u' {
			s.i += 2
			var low rune
			low, ok = s.hex4()
			ok = ok && low >= 0xdc00 && low < 0xe000
			r = 0x10000 + (r-0xd800)<<10 + low - 0xdc00
		}
		if ok && utf8.ValidRune(r) {
			return utf8.AppendRune(out, r)
		}
	}
	s.fail("%s: a text has a wrong escape in it", where)
	return out
}

func (s *scanner) hex4() (r rune, ok bool) {
	if s.i+4 > len(s.b) {
		return 0, false
	}
	for _, c := range s.b[s.i : s.i+4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	s.i += 4
	return r, true
}

// number reads a whole number from 0 to 2^63-1.
func (s *scanner) number(where string) uint64 {
	s.peek()
	start := s.i
	var v uint64
	for ; s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9'; s.i++ {
		d := uint64(s.b[s.i] - '0')
		if v > (MaxCounter-d)/10 {
			s.failAt(start, "%s: the number is too large", where)
			return 0
		}
		v = v*10 + d
	}
	n := s.i - start
	if n == 0 || (n > 1 && s.b[start] == '0') || (s.i < len(s.b) && numberByte(s.b[s.i])) {
		s.failAt(start, "%s: a whole number without a sign should be here", where)
		return 0
	}
	return v
}

// small reads a whole number that is to be small; a huge one stays huge.
func (s *scanner) small(where string) int { return int(min(s.number(where), 1<<30)) }

func numberByte(c byte) bool { return c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-' }

// truth reads true or false.
func (s *scanner) truth(where string) bool {
	s.peek()
	switch rest := s.b[min(s.i, len(s.b)):]; {
	case s.err != nil:
	case bytes.HasPrefix(rest, []byte("true")):
		s.i += 4
		return true
	case bytes.HasPrefix(rest, []byte("false")):
		s.i += 5
	default:
		s.fail("%s: true or false should be here", where)
	}
	return false
}

// skip reads any value, nested at most depth deep, and forgets it.
func (s *scanner) skip(depth int) {
	if depth == 0 {
		s.fail("the record is nested too deep")
		return
	}
	switch c := s.peek(); {
	case c == '"':
		s.text("a text")
	case c == '[':
		s.array("a list", func(int) { s.skip(depth - 1) })
	case c == '{':
		s.i++
		if s.peek() == '}' {
			s.i++
			return
		}
		for s.err == nil {
			s.text("a field")
			s.expect(':', "a field")
			s.skip(depth - 1)
			if s.peek() != ',' {
				break
			}
			s.i++
		}
		s.expect('}', "an object")
	default:
		start := s.i
		for s.i < len(s.b) && (numberByte(s.b[s.i]) || s.b[s.i] >= '0' && s.b[s.i] <= '9' || s.b[s.i] >= 'a' && s.b[s.i] <= 'z') {
			s.i++
		}
		if s.i == start {
			s.fail("a value is missing")
		}
	}
}
