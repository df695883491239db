// Package qr makes QR codes (ISO/IEC 18004, model 2) and draws them as text
// for a terminal, as PNG and as SVG.
//
// A text becomes the smallest symbol that can hold it: it is cut into numeric,
// alphanumeric and byte segments so that the bits are fewest, which often saves
// a version against one byte segment, and the mask with the lowest penalty is
// chosen. Reed-Solomon and the placement of the modules are those of
// rsc.io/qr/coding.
//
// Bytes are written as they are, without an ECI header; readers take them for
// UTF-8. Left out: Kanji segments, structured append, FNC1 and Micro QR.
//
// A QR code of a secret is a secret: nothing here keeps or prints one.
package qr

import (
	"errors"
	"fmt"
	"math/bits"
	"strings"

	"rsc.io/qr/coding"
)

// A Level says how much of a symbol may be damaged and still be read.
type Level int

// The levels of error correction, with the part of a symbol each can restore.
const (
	L Level = iota // about 7 %
	M              // about 15 %
	Q              // about 25 %
	H              // about 30 %
)

// String is the letter of the level.
func (l Level) String() string { return coding.Level(l).String() }

// ParseLevel reads the letter of a level, in either case.
func ParseLevel(s string) (Level, error) {
	if len(s) == 1 {
		if i := strings.Index("LMQH", strings.ToUpper(s)); i >= 0 {
			return Level(i), nil
		}
	}
	return 0, errors.New("a level is L, M, Q or H")
}

// ErrTooLong is in the chain of Encode's error for a text that no version holds
// at the level.
var ErrTooLong = errors.New("too long for a QR code")

// A Code is a symbol: a square of dark and light modules, without its quiet
// zone. It does not change, so it is safe for concurrent use.
type Code struct {
	Version int   // 1..40
	Level   Level // as asked
	Mask    int   // 0..7
	Size    int   // modules on a side: 17 + 4 × Version

	rows sheet
}

// String tells the shape of the symbol, never what it holds.
func (c *Code) String() string {
	return fmt.Sprintf("QR code version %d-%v, mask %d", c.Version, c.Level, c.Mask)
}

// Format prints what String tells, with every verb.
func (c *Code) Format(f fmt.State, _ rune) { fmt.Fprint(f, c.String()) }

// Black says whether the module in column x and row y is dark. Column and row 0
// are left and top; modules outside the symbol are light.
func (c *Code) Black(x, y int) bool {
	return 0 <= x && x < c.Size && 0 <= y && y < c.Size && c.rows.line(y, x/64)>>(x%64)&1 != 0
}

// Encode makes the smallest symbol that holds the text at the level. The error
// for a text that is too long wraps ErrTooLong; it does not repeat the text.
func Encode(text []byte, level Level) (*Code, error) {
	if level < L || level > H {
		return nil, fmt.Errorf("unknown level %d", int(level))
	}
	version, parts, err := fit(text, level)
	if err != nil {
		return nil, err
	}
	// Every symbol is planned and filled with mask 0; the choice of the mask
	// works on that.
	plan, err := coding.NewPlan(version, coding.Level(level), 0)
	if err != nil {
		return nil, err
	}
	symbol, err := plan.Encode(encodings(text, parts)...)
	if err != nil {
		return nil, err
	}
	m := newMasking(plan, symbol)
	mask := m.best()
	m.apply(mask)
	return &Code{
		Version: int(version),
		Level:   level,
		Mask:    mask,
		Size:    symbol.Size,
		rows:    m.rows,
	}, nil
}

// fit finds the smallest version and the segments for it. The lengths of
// segments are written in wider fields from versions 10 and 27 on, so the best
// cut can differ between these three classes.
func fit(text []byte, level Level) (coding.Version, []segment, error) {
	from := coding.Version(coding.MinVersion)
	for _, to := range []coding.Version{9, 26, 40} {
		// Ten bits for three digits is the densest that there is.
		if len(text)*10/3 <= to.DataBytes(coding.Level(level))*8 {
			parts, nbit := split(text, to)
			for v := from; v <= to; v++ {
				if nbit <= v.DataBytes(coding.Level(level))*8 {
					return v, parts, nil
				}
			}
		}
		from = to + 1
	}
	return 0, nil, fmt.Errorf("text of %d bytes is %w at level %v, which holds %d bytes", len(text), ErrTooLong, level, maxBytes(level))
}

// maxBytes is how many bytes of any kind the largest symbol holds.
func maxBytes(level Level) int {
	const header = 4 + 16 // mode and length of a byte segment
	return coding.Version(coding.MaxVersion).DataBytes(coding.Level(level)) - (header+7)/8
}

// A sheet is a square of modules as bits: lines of 64-bit words, the module of
// column x in bit x%64 of word x/64. Words are stored column of words by column
// of words, with light margins above and below, so that a scan from line to
// line is over neighbours in memory and may look over the edge.
type sheet struct {
	size  int
	words int // 64-bit words in a line: 1..3
	bits  []uint64
}

// margin is how far a scan may look over the edge of a sheet.
const margin = 4

func newSheet(size int) sheet {
	words := (size + 63) / 64
	return sheet{size: size, words: words, bits: make([]uint64, words*(size+2*margin))}
}

// column is column w of words with its margins: line y is at margin+y.
func (s *sheet) column(w int) []uint64 {
	n := s.size + 2*margin
	return s.bits[w*n : (w+1)*n]
}

func (s *sheet) line(y, w int) uint64 { return s.bits[w*(s.size+2*margin)+margin+y] }

func (s *sheet) flip(x, y int) { s.bits[x/64*(s.size+2*margin)+margin+y] ^= 1 << (x % 64) }

// valid has a bit for every module in word w of a line.
func (s *sheet) valid(w int) uint64 {
	if n := s.size - 64*w; n < 64 {
		return 1<<n - 1
	}
	return ^uint64(0)
}

// dark counts the dark modules.
func (s *sheet) dark() int {
	n := 0
	for _, b := range s.bits {
		n += bits.OnesCount64(b)
	}
	return n
}
