package qr

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"rsc.io/qr/coding"
)

// typical is the URI of a 160-bit key for a user of a host.
const typical = "otpauth://totp/host.example.org:alice@host.example.org?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=host.example.org"

func TestEncode(t *testing.T) {
	for _, tt := range []struct {
		name    string
		text    string
		level   Level
		version int
	}{
		{"nothing", "", L, 1},
		{"one byte segment", "otpauth", L, 1},
		{"digits fill version 1", strings.Repeat("7", 41), L, 1},
		{"one digit more", strings.Repeat("7", 42), L, 2},
		{"letters fill version 1", strings.Repeat("A", 25), L, 1},
		{"one letter more", strings.Repeat("A", 26), L, 2},
		{"bytes fill version 1", strings.Repeat("a", 17), L, 1},
		{"one byte more", strings.Repeat("a", 18), L, 2},
		{"the seed's form", "otpauth://totp/PVE:root@pve.example.org?secret=P6NDPDL6QDS7YFP4", L, 4},
		{"typical at L", typical, L, 6},
		{"typical at M", typical, M, 7},
		{"typical at Q", typical, Q, 9},
		{"typical at H", typical, H, 10},
		{"digits in the wider fields of 10 to 26", strings.Repeat("7", 1000), L, 13},
		{"digits in the widest fields", strings.Repeat("7", 7089), L, 40},
		{"letters fill version 40", strings.Repeat("A", 4296), L, 40},
		{"bytes fill version 40", strings.Repeat("a", 2953), L, 40},
		{"bytes fill version 40 at H", strings.Repeat("a", 1273), H, 40},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Encode([]byte(tt.text), tt.level)
			if err != nil {
				t.Fatal(err)
			}
			if c.Version != tt.version || c.Size != 17+4*tt.version || c.Level != tt.level {
				t.Errorf("%v of %d modules, want version %d-%v", c, c.Size, tt.version, tt.level)
			}
			checkReading(t, c, tt.text)
		})
	}
}

// checkReading wants the symbol to say the text, and all it says about itself
// to be true.
func checkReading(t *testing.T, c *Code, text string) {
	t.Helper()
	r, err := read(matrixOf(c))
	if err != nil {
		t.Fatalf("%v: %v", c, err)
	}
	if string(r.text) != text {
		t.Errorf("%v reads %q, want %q", c, r.text, text)
	}
	if r.level != c.Level || r.mask != c.Mask || int(r.version) != c.Version {
		t.Errorf("the symbol says version %d-%v, mask %d; the code says %v", r.version, r.level, r.mask, c)
	}
}

func TestEncodeTooLong(t *testing.T) {
	for _, tt := range []struct {
		text  string
		level Level
		want  string
	}{
		{strings.Repeat("a", 2954), L, "text of 2954 bytes is too long for a QR code at level L, which holds 2953 bytes"},
		{strings.Repeat("a", 1274), H, "text of 1274 bytes is too long for a QR code at level H, which holds 1273 bytes"},
		{strings.Repeat("7", 7090), L, "text of 7090 bytes is too long for a QR code at level L, which holds 2953 bytes"},
		{strings.Repeat("a", 1<<20), Q, "text of 1048576 bytes is too long for a QR code at level Q, which holds 1663 bytes"},
	} {
		_, err := Encode([]byte(tt.text), tt.level)
		if err == nil || err.Error() != tt.want {
			t.Errorf("error %v, want %q", err, tt.want)
		}
		if !errors.Is(err, ErrTooLong) {
			t.Errorf("%v is not ErrTooLong", err)
		}
	}
	if _, err := Encode(nil, Level(4)); err == nil {
		t.Error("level 4 is taken")
	}
}

// TestFits80x24 holds what the documentation promises about a terminal of the
// usual size: a URI of 111 bytes whose key is one alphanumeric run fits it, with
// its quiet zone and a line left for the prompt. As bytes alone it would not.
func TestFits80x24(t *testing.T) {
	const uri = "otpauth://totp/git.example.org:alice@example.org?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=git.example.org"
	if len(uri) != 111 {
		t.Fatalf("the URI has %d bytes", len(uri))
	}
	c, err := Encode([]byte(uri), L)
	if err != nil {
		t.Fatal(err)
	}
	columns, rows := c.HalfBlockSize(Style{Quiet: 4})
	if columns > 80 || rows+1 > 24 {
		t.Errorf("%v takes %d columns and %d rows", c, columns, rows)
	}
	if bytesOnly := coding.String(uri).Bits(5); bytesOnly <= coding.Version(5).DataBytes(coding.L)*8 {
		t.Errorf("%d bits fit without segments, so this proves nothing", bytesOnly)
	}
	lines := strings.Split(strings.TrimSuffix(string(c.AppendHalfBlocks(nil, Style{Quiet: 4})), "\n"), "\n")
	if len(lines) != rows {
		t.Errorf("drawn in %d rows, HalfBlockSize says %d", len(lines), rows)
	}
	for i, line := range lines {
		if n := len([]rune(line)); n != columns {
			t.Errorf("line %d has %d columns, HalfBlockSize says %d", i+1, n, columns)
		}
	}
}

// TestEncodeEveryVersion compares every version, level and mask with the plan
// that package coding makes for that mask from the start.
func TestEncodeEveryVersion(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for version := coding.Version(1); version <= 40; version++ {
		for level := L; level <= H; level++ {
			text := make([]byte, version.DataBytes(coding.Level(level))-3)
			for i := range text {
				text[i] = byte(0x80 + r.IntN(128))
			}
			c, err := Encode(text, level)
			if err != nil {
				t.Fatal(err)
			}
			plan, err := coding.NewPlan(version, coding.Level(level), coding.Mask(c.Mask))
			if err != nil {
				t.Fatal(err)
			}
			want, err := plan.Encode(coding.String(text))
			if err != nil {
				t.Fatal(err)
			}
			for y := range want.Size {
				for x := range want.Size {
					if c.Black(x, y) != want.Black(x, y) {
						t.Fatalf("%v: module %d,%d is wrong", c, x, y)
					}
				}
			}
		}
	}
}

func TestCodeKeepsItsSecret(t *testing.T) {
	c, err := Encode([]byte(typical), M)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("QR code version 7-M, mask %d", c.Mask)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if got := fmt.Sprintf(verb, c); got != want {
			t.Errorf("%s prints %q, want %q", verb, got, want)
		}
	}
}

func TestParseLevel(t *testing.T) {
	for i, letter := range []string{"L", "M", "Q", "H"} {
		for _, s := range []string{letter, strings.ToLower(letter)} {
			if l, err := ParseLevel(s); err != nil || l != Level(i) || l.String() != letter {
				t.Errorf("ParseLevel(%q) = %v, %v", s, l, err)
			}
		}
	}
	for _, s := range []string{"", "X", "LM", "low", "0"} {
		if _, err := ParseLevel(s); err == nil {
			t.Errorf("level %q is taken", s)
		}
	}
}

// FuzzEncode wants every symbol to read back as its text.
func FuzzEncode(f *testing.F) {
	f.Add([]byte(""), 0)
	f.Add([]byte(typical), 0)
	f.Add([]byte("OTPAUTH://TOTP/1234567890123"), 1)
	f.Add([]byte("ü 0123456789 ABCDEF"), 2)
	f.Add(bytes.Repeat([]byte("12345678901234567890ABCDEFGHIJabc"), 40), 3)
	f.Add(bytes.Repeat([]byte{0}, 2954), 0)
	f.Fuzz(func(t *testing.T, text []byte, level int) {
		c, err := Encode(text, Level(level))
		switch {
		case level < 0 || level > 3:
			if err == nil {
				t.Fatalf("level %d is taken", level)
			}
		case err == nil:
			checkReading(t, c, string(text))
		case !errors.Is(err, ErrTooLong) || len(text) <= maxBytes(Level(level)):
			t.Fatalf("%d bytes at level %v: %v", len(text), Level(level), err)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Encode([]byte(typical), L); err != nil {
			b.Fatal(err)
		}
	}
}
