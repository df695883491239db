package qr

import (
	"fmt"
	"image"
	"image/color"
	"math/rand/v2"
	"strings"

	"rsc.io/qr/coding"
)

// A matrix is a symbol from anywhere: rows of modules, true is dark.
type matrix [][]bool

func matrixOf(c *Code) matrix {
	m := make(matrix, c.Size)
	for y := range m {
		m[y] = make([]bool, c.Size)
		for x := range m[y] {
			m[y][x] = c.Black(x, y)
		}
	}
	return m
}

// A reading is what a symbol says when nothing in it is damaged.
type reading struct {
	version  coding.Version
	level    Level
	mask     int
	data     []byte // codewords before error correction, in order
	segments []segment
	text     []byte
}

// read reads a symbol without mending anything, so a wrong module in the data
// shows.
func read(m matrix) (reading, error) {
	r := reading{version: coding.Version((len(m) - 17) / 4)}
	plan, err := coding.NewPlan(r.version, coding.L, 0)
	if err != nil {
		return r, err
	}
	// The level and the mask are the first bits of the format information.
	format := 0
	for y, row := range plan.Pixel {
		for x, p := range row {
			if p.Role() == coding.Format && m[y][x] {
				format |= 1 << p.Offset()
			}
		}
	}
	format ^= 0x5412
	r.level, r.mask = Level(format>>13^1), format>>10&7
	if plan, err = coding.NewPlan(r.version, coding.Level(r.level), coding.Mask(r.mask)); err != nil {
		return r, err
	}
	if !sameFormat(m, plan) {
		return r, fmt.Errorf("wrong format information")
	}
	r.data = make([]byte, plan.DataBytes)
	for y, row := range plan.Pixel {
		for x, p := range row {
			switch p.Role() {
			case coding.Data:
				if m[y][x] != (p&coding.Invert != 0) {
					r.data[p.Offset()/8] |= 0x80 >> (p.Offset() % 8)
				}
			case coding.Check, coding.Extra, coding.Format:
			default:
				if m[y][x] != (p&coding.Black != 0) {
					return r, fmt.Errorf("module %d,%d (%v) is wrong", x, y, p.Role())
				}
			}
		}
	}
	return r, r.readSegments()
}

func sameFormat(m matrix, p *coding.Plan) bool {
	for y, row := range p.Pixel {
		for x, pix := range row {
			if pix.Role() == coding.Format && m[y][x] != (pix&coding.Black != 0) {
				return false
			}
		}
	}
	return true
}

const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

func (r *reading) readSegments() error {
	at := 0
	take := func(n int) int {
		v := 0
		for ; n > 0; n-- {
			v <<= 1
			if at < 8*len(r.data) && r.data[at/8]>>(7-at%8)&1 != 0 {
				v |= 1
			}
			at++
		}
		return v
	}
	class := 0
	if r.version > 9 {
		class++
	}
	if r.version > 26 {
		class++
	}
	for 8*len(r.data)-at >= 4 {
		switch mode := take(4); mode {
		case 0:
			return nil
		case 1:
			n := take([]int{10, 12, 14}[class])
			for ; n >= 3; n -= 3 {
				r.text = fmt.Appendf(r.text, "%03d", take(10))
			}
			if n > 0 {
				r.text = fmt.Appendf(r.text, "%0*d", n, take([]int{0, 4, 7}[n]))
			}
			r.segments = append(r.segments, segment{numeric, len(r.text)})
		case 2:
			n := take([]int{9, 11, 13}[class])
			for ; n >= 2; n -= 2 {
				v := take(11)
				if v >= 45*45 {
					return fmt.Errorf("no pair of letters: %d", v)
				}
				r.text = append(r.text, letters[v/45], letters[v%45])
			}
			if n > 0 {
				r.text = append(r.text, letters[take(6)])
			}
			r.segments = append(r.segments, segment{alphanumeric, len(r.text)})
		case 4:
			for n := take([]int{8, 16, 16}[class]); n > 0; n-- {
				r.text = append(r.text, byte(take(8)))
			}
			r.segments = append(r.segments, segment{eightBit, len(r.text)})
		default:
			return fmt.Errorf("unknown mode %d", mode)
		}
	}
	return nil
}

// picture draws a matrix that already has its quiet zone, for readers of images.
func (m matrix) picture(scale int) image.Image {
	img := image.NewGray(image.Rect(0, 0, len(m[0])*scale, len(m)*scale))
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			if !m[y/scale][x/scale] {
				img.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	return img
}

// randomURI makes an otpauth URI as people have them: short and long names,
// some with blanks and letters beyond ASCII, keys of 80 to 512 bits, all kinds
// of parameters.
func randomURI(r *rand.Rand) string {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	name := func() string {
		const chars = "abcdefghijklmnopqrstuvwxyz0123456789"
		b := []byte(nil)
		for range 1 + r.IntN(12) {
			b = append(b, chars[r.IntN(len(chars))])
		}
		return string(b)
	}
	issuer := pick("PVE", "EXAMPLE", name(), name()+".example.org", "Example%20"+name(), "%C3%9Cbung", "GIT", strings.ToUpper(name()))
	account := pick(name(), name()+"@"+name()+".example.org", strings.ToUpper(name()), fmt.Sprint(r.IntN(1e9)), "%D0%B8%D0%B2%D0%B0%D0%BD")
	key := make([]byte, []int{16, 26, 32, 32, 32, 52, 103}[r.IntN(7)])
	for i := range key {
		key[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[r.IntN(32)]
	}
	kind, rest := "totp", ""
	switch r.IntN(6) {
	case 0:
		kind, rest = "hotp", fmt.Sprintf("&counter=%d", r.Uint64()>>r.IntN(64))
	case 1:
		rest = "&period=60"
	case 2:
		rest = "&algorithm=SHA256&digits=8"
	case 3:
		rest = "&algorithm=SHA1&digits=6&period=30"
	}
	return fmt.Sprintf("otpauth://%s/%s:%s?secret=%s&issuer=%s%s", kind, issuer, account, key, issuer, rest)
}
