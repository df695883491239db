package section

import (
	"bytes"
	"strconv"
)

const (
	diffContext = 3  // unchanged lines around a change
	diffWindow  = 64 // how far a change may reach before the rest counts as changed
)

// Diff returns the difference of two files in the unified format that patch(1)
// reads, or nil when there is none. A last line without a line feed is marked
// as diff(1) marks it; carriage returns are part of their lines. The result is
// right for any two files, and short where few lines in a row differ, which is
// what an edit does; it is not always the shortest.
func Diff(oldName, newName string, a, b []byte) []byte {
	if bytes.Equal(a, b) {
		return nil
	}
	d := &differ{a: splitLines(a), b: splitLines(b)}
	out := []byte("--- " + oldName + "\n+++ " + newName + "\n")
	return d.hunks(out)
}

// differ holds both files as lines with their endings.
type differ struct{ a, b [][]byte }

// change says that a[a0:a1] became b[b0:b1].
type change struct{ a0, a1, b0, b1 int }

func splitLines(b []byte) [][]byte {
	lines := make([][]byte, 0, bytes.Count(b, []byte{'\n'})+1)
	for l := range LinesOf(b, 0, len(b), 1) {
		lines = append(lines, b[l.Start:l.Next])
	}
	return lines
}

// changes walks both files side by side. At a difference it looks for the
// nearest place where they agree again.
func (d *differ) changes() []change {
	var out []change
	x, y := 0, 0
	for x < len(d.a) || y < len(d.b) {
		if x < len(d.a) && y < len(d.b) && bytes.Equal(d.a[x], d.b[y]) {
			x, y = x+1, y+1
			continue
		}
		c := change{a0: x, b0: y}
		x, y = d.resync(x, y)
		c.a1, c.b1 = x, y
		out = append(out, c)
	}
	return out
}

// resync returns the nearest pair of lines at or after (x, y) that are equal,
// nearest by the number of lines passed, or the ends of both files.
func (d *differ) resync(x, y int) (int, int) {
	for n := 1; n <= diffWindow; n++ {
		for i := n; i >= 0; i-- {
			p, q := x+i, y+n-i
			if p == len(d.a) && q == len(d.b) {
				return p, q
			}
			if p < len(d.a) && q < len(d.b) && bytes.Equal(d.a[p], d.b[q]) {
				return p, q
			}
		}
	}
	return len(d.a), len(d.b)
}

// hunks writes the changes, those that are near each other together.
func (d *differ) hunks(out []byte) []byte {
	changes := d.changes()
	for len(changes) > 0 {
		n := 1
		for n < len(changes) && changes[n].a0-changes[n-1].a1 <= 2*diffContext {
			n++
		}
		out = d.hunk(out, changes[:n])
		changes = changes[n:]
	}
	return out
}

func (d *differ) hunk(out []byte, changes []change) []byte {
	first, last := changes[0], changes[len(changes)-1]
	before := min(diffContext, first.a0)
	after := min(diffContext, len(d.a)-last.a1)
	a0, b0 := first.a0-before, first.b0-before
	out = append(out, "@@ -"...)
	out = appendRange(out, a0, last.a1+after-a0)
	out = append(out, " +"...)
	out = appendRange(out, b0, last.b1+after-b0)
	out = append(out, " @@\n"...)
	x := a0
	for _, c := range changes {
		out = appendLines(out, ' ', d.a[x:c.a0])
		out = appendLines(out, '-', d.a[c.a0:c.a1])
		out = appendLines(out, '+', d.b[c.b0:c.b1])
		x = c.a1
	}
	return appendLines(out, ' ', d.a[x:x+after])
}

// appendRange writes the first line, counted from 1, and the number of lines;
// an empty range names the line above it.
func appendRange(out []byte, start, n int) []byte {
	if n > 0 {
		start++
	}
	out = strconv.AppendInt(out, int64(start), 10)
	out = append(out, ',')
	return strconv.AppendInt(out, int64(n), 10)
}

func appendLines(out []byte, sign byte, lines [][]byte) []byte {
	for _, l := range lines {
		out = append(out, sign)
		out = append(out, l...)
		if l[len(l)-1] != '\n' {
			out = append(out, "\n\\ No newline at end of file\n"...)
		}
	}
	return out
}
