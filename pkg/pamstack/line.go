package pamstack

import (
	"bytes"
	"strings"
)

// maxLine is the longest line in bytes, with its newline, that every version of
// libpam reads whole. Older ones take the rest for another line.
const maxLine = 1023

// A Line is one line of a service file as libpam puts it together: comments are
// gone, lines that end in a backslash are joined.
type Line struct {
	Number int    // of its first line in the file, from 1
	Raw    []byte // its bytes, with the comments and blank lines before it
	Text   string // what libpam looks at; empty for what is left at the end
	Fault  string // the code of a Fault, or empty
}

// Lines puts the lines of a file together. Their Raw, joined, are the file. The
// fault "unended" is on the last line only.
func Lines(b []byte) []Line {
	var lines []Line
	for number := 1; len(b) > 0; {
		l, n := assemble(b, number)
		number += bytes.Count(b[:n], []byte("\n"))
		b = b[n:]
		lines = append(lines, l)
	}
	return lines
}

// assemble takes one line from the front of b, and says how many bytes that
// were.
func assemble(b []byte, number int) (Line, int) {
	var l Line
	var text strings.Builder
	used, joined := 0, false
	for used < len(b) {
		end := used + bytes.IndexByte(b[used:], '\n') + 1
		if end == used { // the last line has no newline
			end = len(b)
		}
		piece := string(b[used:end])
		at := number
		number++
		used = end
		if i := strings.IndexByte(piece, 0); i >= 0 {
			piece, l.Fault = piece[:i], "nul"
		}
		if text.Len()+len(piece) > maxLine {
			l.Fault = "long-line"
		}
		piece = strings.TrimLeft(piece, " \n\t")
		if piece == "" || piece[0] == '#' {
			if joined {
				l.Fault = "continuation"
			}
			continue
		}
		if !joined {
			l.Number = at
		}
		more := false
		if i := strings.IndexByte(piece, '#'); i >= 0 {
			piece = piece[:i]
		} else if cut := strings.TrimRight(piece, " \t\n"); strings.HasSuffix(cut, "\\") {
			piece, more = cut[:len(cut)-1]+" ", true
		}
		text.WriteString(piece)
		if joined = more; !more {
			break
		}
	}
	if joined {
		l.Fault = "unended"
	}
	l.Raw, l.Text = b[:used], text.String()
	return l, used
}

// token takes the next word: up to a blank, or what stands in brackets, where
// "\]" is a bracket of the text. ok is false where there is none.
func token(s string) (word, rest string, ok bool) {
	s = strings.TrimLeft(s, " \n\t")
	if s == "" {
		return "", "", false
	}
	if s[0] != '[' {
		if i := strings.IndexAny(s, " \n\t"); i >= 0 {
			return s[:i], s[i+1:], true
		}
		return s, "", true
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == ']':
			return b.String(), s[i+1:], true
		case s[i] == '\\' && i+1 < len(s) && s[i+1] == ']':
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), "", true
}
