package qr

import (
	"math/bits"

	"rsc.io/qr/coding"
)

// masks is how many mask patterns there are.
const masks = 8

// period is the number of rows and of columns after which every mask pattern
// repeats.
const period = 12

// A masking holds a symbol under one mask, upright and on its side, and moves
// it from mask to mask by flipping what differs.
type masking struct {
	mask int

	rows, columns sheet // the symbol; columns has columns for lines
	free, freeT   sheet // the modules that a mask may flip
	format        []formatModule

	upright, onSide [masks]pattern
}

// A pattern is a mask: bit j of line i says whether it flips the module in
// column j of row i. The rest is repetition.
type pattern [period]uint64

// A formatModule is where a bit of the format information is.
type formatModule struct{ x, y, bit int }

// newMasking takes a symbol that was planned with mask 0.
func newMasking(plan *coding.Plan, symbol *coding.Code) *masking {
	n := symbol.Size
	m := &masking{rows: newSheet(n), columns: newSheet(n), free: newSheet(n), freeT: newSheet(n)}
	m.format = make([]formatModule, 0, 30)
	m.drawPatterns()
	for y, row := range plan.Pixel {
		for x, pixel := range row {
			switch pixel.Role() {
			case coding.Data, coding.Check, coding.Extra:
				m.free.flip(x, y)
				m.freeT.flip(y, x)
			case coding.Format:
				m.format = append(m.format, formatModule{x, y, int(pixel.Offset())})
			}
			if symbol.Bitmap[y*symbol.Stride+x/8]>>(7-x%8)&1 != 0 {
				m.rows.flip(x, y)
				m.columns.flip(y, x)
			}
		}
	}
	return m
}

func (m *masking) drawPatterns() {
	for mask := range masks {
		for i := range period {
			for j := range period {
				if coding.Mask(mask).Invert(i, j) {
					m.upright[mask][i] |= 1 << j
					m.onSide[mask][j] |= 1 << i
				}
			}
		}
	}
}

// best returns the mask with the lowest penalty, the first of equals.
func (m *masking) best() int {
	best, lowest := 0, 0
	for mask := range masks {
		m.apply(mask)
		if p := penalty(&m.rows, &m.columns); mask == 0 || p < lowest {
			best, lowest = mask, p
		}
	}
	return best
}

// apply puts the symbol under another mask.
func (m *masking) apply(mask int) {
	for i := range period {
		flipLines(&m.rows, &m.free, i, m.upright[m.mask][i]^m.upright[mask][i])
		flipLines(&m.columns, &m.freeT, i, m.onSide[m.mask][i]^m.onSide[mask][i])
	}
	change := formatBits(m.mask) ^ formatBits(mask)
	for _, f := range m.format {
		if change>>f.bit&1 != 0 {
			m.rows.flip(f.x, f.y)
			m.columns.flip(f.y, f.x)
		}
	}
	m.mask = mask
}

// flipLines flips the free modules of every line y = first, first+period, …
// where ones, which repeats after period bits, has one.
func flipLines(s, free *sheet, first int, ones uint64) {
	for w := range s.words {
		// The word begins in column 64*w.
		shift := 64 * w % period
		word := (ones>>shift | ones<<(period-shift)) & (1<<period - 1)
		word *= 1 | 1<<12 | 1<<24 | 1<<36 | 1<<48 | 1<<60
		line, may := s.column(w), free.column(w)
		for y := margin + first; y < margin+s.size; y += period {
			line[y] ^= word & may[y]
		}
	}
}

// formatBits is the part of the format information that depends on the mask:
// its number and the check bits (ISO/IEC 18004, annex C). The code is linear, so
// the part of the level cancels out when masks are compared.
func formatBits(mask int) int {
	const generator = 0x537
	rem := mask << 10
	for i := 12; i >= 10; i-- {
		if rem>>i&1 != 0 {
			rem ^= generator << (i - 10)
		}
	}
	return mask<<10 | rem
}

// The penalty points of ISO/IEC 18004, 7.8.3.
const (
	pointsRun    = 3  // a run of five modules of one colour, and 1 for each more
	pointsBlock  = 3  // two by two modules of one colour
	pointsFinder = 40 // what looks like a finder pattern
	pointsShare  = 10 // each 5 % that the dark modules are away from half
)

// penalty is the sum of the four rules over the whole symbol, which is given
// upright and on its side. The quiet zone counts as light, so a finder-like
// pattern at the edge is one. It does not allocate.
func penalty(rows, columns *sheet) int {
	total := rows.size * rows.size
	off := 20*rows.dark() - 10*total // twentieths of the symbol away from half, times its size
	return down(rows) + down(columns) + blocks(rows) + max(off, -off)/total*pointsShare
}

// down scores rules 1 and 3 for the runs from line to line, 64 runs at once.
func down(s *sheet) int {
	points := 0
	for w := range s.words {
		line, valid := s.column(w), s.valid(w)
		points += runs(line, valid) + finders(line)*pointsFinder
	}
	return points
}

// runs is rule 1. A run of n modules has n-4 fours of neighbours that are all
// alike, and one of them is the first; n-2 points are n-4 and 2.
func runs(line []uint64, valid uint64) int {
	const more = pointsRun - 1
	points := 0
	var a, b, c, before uint64 // alike, up to three lines ago; fours, one line ago
	for y := margin + 1; y < len(line)-margin; y++ {
		alike := ^(line[y] ^ line[y-1]) & valid
		fours := alike & a & b & c
		if fours != 0 {
			points += bits.OnesCount64(fours) + more*bits.OnesCount64(fours&^before)
		}
		a, b, c, before = alike, a, b, fours
	}
	return points
}

// finders counts, for rule 3, the runs dark, light, dark, light, dark of 1, 1,
// 3, 1 and 1 modules that have four light modules before or after them.
func finders(line []uint64) int {
	n := 0
	for y := margin; y+6 < len(line)-margin; y++ {
		l := line[y-4 : y+11 : y+11]
		found := l[4] &^ l[5] & l[6] & l[7] & l[8] &^ l[9] & l[10] &^ (l[3] | l[11])
		if found == 0 {
			continue
		}
		found &^= (l[0] | l[1] | l[2]) & (l[12] | l[13] | l[14])
		n += bits.OnesCount64(found)
	}
	return n
}

// blocks is rule 2. Blocks may overlap.
func blocks(s *sheet) int {
	n := 0
	for w := range s.words {
		line, valid := s.column(w), s.valid(w)
		var right []uint64 // the next word, whose first column is this one's neighbour
		if w+1 < s.words {
			right = s.column(w + 1)
		} else {
			valid >>= 1
		}
		for y := margin + 1; y < len(line)-margin; y++ {
			above, here := line[y-1], line[y]
			aboveNext, hereNext := above>>1, here>>1
			if right != nil {
				aboveNext |= right[y-1] << 63
				hereNext |= right[y] << 63
			}
			n += bits.OnesCount64(^(here ^ above) & ^(here ^ hereNext) & ^(above ^ aboveNext) & valid)
		}
	}
	return n * pointsBlock
}
