package qr

import (
	"bytes"
	"compress/zlib"
	"encoding/xml"
	"fmt"
	"hash/adler32"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"io"
	"strings"
	"testing"
)

// The readers of drawn forms below see what a person's screen shows and know
// nothing of how it was drawn.

// forms are all the forms with a reader for each, which gives the picture with
// its quiet zone, dark modules true.
var forms = []struct {
	name string
	draw func(c *Code, dst []byte, s Style) []byte
	see  func(b []byte, s Style) (matrix, error)
}{
	{"utf8", (*Code).AppendHalfBlocks, seeHalfBlocks},
	{"ansi", (*Code).AppendANSI, seeANSI},
	{"ascii", (*Code).AppendASCII, seeASCII},
	{"png", (*Code).AppendPNG, seePNG},
	{"svg", (*Code).AppendSVG, seeSVG},
}

func textLines(b []byte) ([]string, error) {
	s, ended := strings.CutSuffix(string(b), "\n")
	if !ended {
		return nil, fmt.Errorf("the last line has no end")
	}
	return strings.Split(s, "\n"), nil
}

// seeHalfBlocks sees ink as light, as on a dark terminal; on paper with Invert.
func seeHalfBlocks(b []byte, s Style) (matrix, error) {
	lines, err := textLines(b)
	if err != nil {
		return nil, err
	}
	const upperHalf, lowerHalf, full = '▀', '▄', '█'
	var m matrix
	for _, line := range lines {
		var upper, lower []bool
		for _, r := range line {
			if r != ' ' && r != upperHalf && r != lowerHalf && r != full {
				return nil, fmt.Errorf("unexpected %q", r)
			}
			upper = append(upper, (r == upperHalf || r == full) == s.Invert)
			lower = append(lower, (r == lowerHalf || r == full) == s.Invert)
		}
		m = append(m, upper, lower)
	}
	if len(m) > len(m[0]) { // an odd number of rows: half a line is over
		m = m[:len(m[0])]
	}
	return m, nil
}

func seeANSI(b []byte, s Style) (matrix, error) {
	lines, err := textLines(b)
	if err != nil {
		return nil, err
	}
	var m matrix
	for _, line := range lines {
		var row []bool
		colour, blanks := "", 0
		for line != "" {
			if rest, ok := strings.CutPrefix(line, "\x1b["); ok {
				colour, line, _ = strings.Cut(rest, "m")
				continue
			}
			if line[0] != ' ' || colour != "40" && colour != "47" {
				return nil, fmt.Errorf("unexpected %q in colour %q", line[:1], colour)
			}
			if blanks++; blanks%2 == 0 {
				row = append(row, (colour == "40") != s.Invert)
			}
			line = line[1:]
		}
		if colour != "0" {
			return nil, fmt.Errorf("a line ends in colour %q", colour)
		}
		m = append(m, row)
	}
	return m, nil
}

func seeASCII(b []byte, s Style) (matrix, error) {
	lines, err := textLines(b)
	if err != nil {
		return nil, err
	}
	var m matrix
	for _, line := range lines {
		var row []bool
		for ; len(line) >= 2; line = line[2:] {
			if line[:2] != "##" && line[:2] != "  " {
				return nil, fmt.Errorf("unexpected %q", line[:2])
			}
			row = append(row, (line[:2] == "##") != s.Invert)
		}
		m = append(m, row)
	}
	return m, nil
}

func seePNG(b []byte, s Style) (matrix, error) {
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return seeImage(img, max(s.Module, 1), s.Invert)
}

func seeImage(img image.Image, scale int, invert bool) (matrix, error) {
	size := img.Bounds().Size()
	if size.X != size.Y || size.X%scale != 0 {
		return nil, fmt.Errorf("%v pixels", size)
	}
	m := make(matrix, size.Y/scale)
	for y := range size.Y {
		for x := range size.X {
			dark := color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y < 128
			if y%scale == 0 && x%scale == 0 {
				m[y/scale] = append(m[y/scale], dark != invert)
			} else if m[y/scale][x/scale] != (dark != invert) {
				return nil, fmt.Errorf("pixel %d,%d is unlike its module", x, y)
			}
		}
	}
	return m, nil
}

func seeSVG(b []byte, s Style) (matrix, error) {
	var doc struct {
		XMLName xml.Name `xml:"http://www.w3.org/2000/svg svg"`
		Width   int      `xml:"width,attr"`
		Height  int      `xml:"height,attr"`
		ViewBox string   `xml:"viewBox,attr"`
		Rect    struct {
			Width  int    `xml:"width,attr"`
			Height int    `xml:"height,attr"`
			Fill   string `xml:"fill,attr"`
		} `xml:"rect"`
		Path struct {
			Stroke string `xml:"stroke,attr"`
			D      string `xml:"d,attr"`
		} `xml:"path"`
	}
	if err := xml.Unmarshal(b, &doc); err != nil {
		return nil, err
	}
	n := doc.Rect.Width
	if doc.Rect.Height != n || doc.ViewBox != fmt.Sprintf("0 0 %d %d", n, n) || doc.Width != n*s.Module || doc.Height != n*s.Module {
		return nil, fmt.Errorf("sizes differ: %+v", doc)
	}
	if want := [2]string{"#fff", "#000"}; s.Invert == (doc.Rect.Fill == want[0]) || s.Invert == (doc.Path.Stroke == want[1]) {
		return nil, fmt.Errorf("%s on %s with Invert %v", doc.Path.Stroke, doc.Rect.Fill, s.Invert)
	}
	m := make(matrix, n)
	for y := range m {
		m[y] = make([]bool, n)
	}
	d := strings.NewReader(doc.Path.D)
	var x, y float64
	for d.Len() > 0 {
		var a, v, length float64
		cmd, _ := d.ReadByte()
		if _, err := fmt.Fscanf(d, "%g %gh%g", &a, &v, &length); err != nil {
			return nil, fmt.Errorf("path: %w", err)
		}
		if cmd == 'M' {
			x, y = a, v
		} else {
			x, y = x+a, y+v
		}
		if y != float64(int(y))+0.5 { // a stroke of width 1 fills the row around it
			return nil, fmt.Errorf("a run at y = %g", y)
		}
		for range int(length) {
			m[int(y)][int(x)] = true
			x++
		}
	}
	return m, nil
}

// inner is the picture without its quiet zone, which must be light.
func (m matrix) inner(quiet int) (matrix, error) {
	var in matrix
	for y, row := range m {
		if len(row) != len(m) {
			return nil, fmt.Errorf("row %d has %d modules of %d", y, len(row), len(m))
		}
		for x, dark := range row {
			if dark && (min(x, y) < quiet || max(x, y) >= len(m)-quiet) {
				return nil, fmt.Errorf("module %d,%d of the quiet zone is dark", x, y)
			}
		}
		if y >= quiet && y < len(m)-quiet {
			in = append(in, row[quiet:len(m)-quiet])
		}
	}
	return in, nil
}

func TestForms(t *testing.T) {
	for _, form := range forms {
		for _, text := range []string{"1", typical, strings.Repeat(typical, 8)} {
			for _, s := range []Style{
				{Quiet: 4, Module: 4},
				{Quiet: 4, Module: 3, Invert: true},
				{Quiet: 1, Module: 1},
				{Module: 7},
			} {
				c, err := Encode([]byte(text), M)
				if err != nil {
					t.Fatal(err)
				}
				m, err := form.see(form.draw(c, []byte(nil), s), s)
				if err != nil {
					t.Fatalf("%s of %v, %+v: %v", form.name, c, s, err)
				}
				if m, err = m.inner(s.Quiet); err != nil {
					t.Fatalf("%s of %v, %+v: %v", form.name, c, s, err)
				}
				if got, want := fmt.Sprint(m), fmt.Sprint(matrixOf(c)); got != want {
					t.Errorf("%s of %v, %+v: other modules", form.name, c, s)
				}
			}
		}
	}
}

func TestFormsAppend(t *testing.T) {
	c, err := Encode([]byte("x"), L)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range forms {
		s := Style{Quiet: 4, Module: 4}
		if got, want := form.draw(c, []byte("before "), s), form.draw(c, nil, s); string(got) != "before "+string(want) {
			t.Errorf("%s does not append", form.name)
		}
	}
}

func TestSizes(t *testing.T) {
	c, err := Encode([]byte(typical), L)
	if err != nil {
		t.Fatal(err)
	}
	s := Style{Quiet: 4}
	if columns, rows := c.HalfBlockSize(s); columns != 49 || rows != 25 {
		t.Errorf("half blocks: %d × %d", columns, rows)
	}
	columns, rows := c.WideSize(s)
	lines, err := textLines(c.AppendASCII(nil, s))
	if err != nil || len(lines) != rows || len(lines[0]) != columns {
		t.Errorf("%d lines of %d, WideSize says %d × %d (%v)", len(lines), len(lines[0]), columns, rows, err)
	}
}

// TestSmallFiles keeps the images as small as other programs make them.
func TestSmallFiles(t *testing.T) {
	c, err := Encode([]byte(typical), L)
	if err != nil {
		t.Fatal(err)
	}
	s := Style{Quiet: 4, Module: 4}
	if n := len(c.AppendPNG(nil, s)); n > 1200 {
		t.Errorf("the PNG has %d bytes", n)
	}
	if n := len(c.AppendSVG(nil, s)); n > 3500 {
		t.Errorf("the SVG has %d bytes", n)
	}
}

// FuzzDeflate wants what the compressor makes to be read back by compress/zlib.
func FuzzDeflate(f *testing.F) {
	f.Add([]byte(""), 1)
	f.Add([]byte("abcabcabcabcab"), 3)
	f.Add(bytes.Repeat([]byte{0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 200, 143, 144}, 300), 10)
	f.Add(bytes.Repeat([]byte{7}, 3+258+258), 5)
	long := make([]byte, 100_000)
	for i := range long {
		long[i] = byte(i * i >> 3)
	}
	f.Add(append(long[:32768:32768], long...), 32768)
	f.Fuzz(func(t *testing.T, data []byte, stride int) {
		if stride < 1 || stride > 32768 {
			t.Skip()
		}
		r, err := zlib.NewReader(bytes.NewReader(deflate(data, stride)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, data) {
			t.Fatalf("%d bytes become %d others", len(data), len(got))
		}
		if got, want := crc(data), crc32.ChecksumIEEE(data); got != want {
			t.Fatalf("crc %08x, want %08x", got, want)
		}
		if got, want := adler(data), adler32.Checksum(data); got != want {
			t.Fatalf("adler %08x, want %08x", got, want)
		}
	})
}

func BenchmarkForms(b *testing.B) {
	c, err := Encode([]byte(typical), L)
	if err != nil {
		b.Fatal(err)
	}
	for _, form := range forms {
		b.Run(form.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				form.draw(c, nil, Style{Quiet: 4, Module: 4})
			}
		})
	}
}
