package qr

import "strconv"

// QuietZone is the width of the light border that readers want, in modules: ISO/IEC
// 18004 section 6.3.8.
const QuietZone = 4

// A Style says how a symbol is drawn.
type Style struct {
	Quiet  int  // width of the quiet zone in modules; readers want QuietZone
	Invert bool // dark and light change places
	Module int  // pixels on the side of a module, for PNG and SVG
}

// side is the modules on a side, with the quiet zone.
func (s Style) side(c *Code) int { return c.Size + 2*s.Quiet }

// dark says whether the module in column x and row y of the picture is drawn
// dark; column and row 0 are in the quiet zone if there is one.
func (s Style) dark(c *Code, x, y int) bool {
	return c.Black(x-s.Quiet, y-s.Quiet) != s.Invert
}

// HalfBlockSize is the columns and rows that AppendHalfBlocks takes of a
// terminal.
func (c *Code) HalfBlockSize(s Style) (columns, rows int) {
	return s.side(c), (s.side(c) + 1) / 2
}

// AppendHalfBlocks draws the symbol in UTF-8 block characters, two rows of
// modules to the line, for light text on a dark ground: light modules are ink.
// On a dark-on-light terminal use Style.Invert.
func (c *Code) AppendHalfBlocks(dst []byte, s Style) []byte {
	n := s.side(c)
	for y := 0; y < n; y += 2 {
		for x := range n {
			upper := !s.dark(c, x, y)
			lower := y+1 < n && !s.dark(c, x, y+1)
			switch {
			case upper && lower:
				dst = append(dst, "█"...)
			case upper:
				dst = append(dst, "▀"...)
			case lower:
				dst = append(dst, "▄"...)
			default:
				dst = append(dst, ' ')
			}
		}
		dst = append(dst, '\n')
	}
	return dst
}

// WideSize is the columns and rows that AppendANSI and AppendASCII take of a
// terminal.
func (c *Code) WideSize(s Style) (columns, rows int) { return 2 * s.side(c), s.side(c) }

// AppendANSI draws the symbol as blanks with the ANSI background colours white
// (47) and black (40), two columns to the module, whatever the terminal's own
// colours are.
func (c *Code) AppendANSI(dst []byte, s Style) []byte {
	n := s.side(c)
	for y := range n {
		for x := range n {
			dark := s.dark(c, x, y)
			if x == 0 || dark != s.dark(c, x-1, y) {
				if dark {
					dst = append(dst, "\x1b[40m"...)
				} else {
					dst = append(dst, "\x1b[47m"...)
				}
			}
			dst = append(dst, "  "...)
		}
		dst = append(dst, "\x1b[0m\n"...)
	}
	return dst
}

// AppendASCII draws dark modules as "##" and light ones as two blanks, as on
// paper. On a light-on-dark terminal use Style.Invert.
func (c *Code) AppendASCII(dst []byte, s Style) []byte {
	n := s.side(c)
	for y := range n {
		for x := range n {
			if s.dark(c, x, y) {
				dst = append(dst, "##"...)
			} else {
				dst = append(dst, "  "...)
			}
		}
		dst = append(dst, '\n')
	}
	return dst
}

// AppendSVG draws the symbol as an SVG 1.1 document: a square and one path, with
// a stroke for every run of modules. A module is one unit of the view box and
// Style.Module pixels at its natural size.
func (c *Code) AppendSVG(dst []byte, s Style) []byte {
	n := s.side(c)
	ground, ink := "#fff", "#000"
	if s.Invert {
		ground, ink = ink, ground
	}
	side, pixels := strconv.Itoa(n), strconv.Itoa(n*s.Module)
	dst = append(dst, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"...)
	dst = append(dst, `<svg xmlns="http://www.w3.org/2000/svg" version="1.1" width="`+pixels+`" height="`+pixels+
		`" viewBox="0 0 `+side+` `+side+`" shape-rendering="crispEdges">`+"\n"...)
	dst = append(dst, `<rect width="`+side+`" height="`+side+`" fill="`+ground+`"/>`+"\n"...)
	dst = append(dst, `<path stroke="`+ink+`" d="`...)
	for y := range c.Size {
		end := -1 // of the run before on this line
		for x := 0; x < c.Size; x++ {
			if !c.Black(x, y) {
				continue
			}
			first := x
			for c.Black(x, y) {
				x++
			}
			if end < 0 {
				dst = append(dst, 'M')
				dst = strconv.AppendInt(dst, int64(s.Quiet+first), 10)
				dst = append(dst, ' ')
				dst = strconv.AppendInt(dst, int64(s.Quiet+y), 10)
				dst = append(dst, ".5h"...)
			} else {
				dst = append(dst, 'm')
				dst = strconv.AppendInt(dst, int64(first-end), 10)
				dst = append(dst, " 0h"...)
			}
			dst = strconv.AppendInt(dst, int64(x-first), 10)
			end = x
		}
	}
	return append(dst, `"/>`+"\n</svg>\n"...)
}
