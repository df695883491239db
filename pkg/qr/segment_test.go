package qr

import (
	"math/rand/v2"
	"strings"
	"testing"

	"rsc.io/qr/coding"
)

func TestSplit(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"digits", "0123456789", "1:0123456789"},
		{"letters", "HTTP://EXAMPLE.ORG/1", "A:HTTP://EXAMPLE.ORG/1"},
		{"bytes", "alice", "b:alice"},
		{"a key among bytes", "x?secret=JBSWY3DPEHPK3PXP&issuer=x", "b:x?secret=|A:JBSWY3DPEHPK3PXP|b:&issuer=x"},
		{"a run too short to pay", "secret=JBSWY3DP&i", "b:secret=JBSWY3DP&i"},
		{"digits at the end", "counter=1234567890", "b:counter=|1:1234567890"},
		{"digits among letters", "ABCDEF" + strings.Repeat("7", 20), "A:ABCDEF|1:" + strings.Repeat("7", 20)},
		{"a few digits among letters", "ABCDEF777", "A:ABCDEF777"},
		{"what a percent code is made of", "%C3%9C%C3%9C%C3%9C", "A:%C3%9C%C3%9C%C3%9C"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			parts, nbit := split([]byte(tt.text), 1)
			var got []string
			begin, sum := 0, 0
			for i, e := range encodings([]byte(tt.text), parts) {
				got = append(got, string("1Ab"[parts[i].mode])+":"+tt.text[begin:parts[i].end])
				begin = parts[i].end
				sum += e.Bits(1)
			}
			if s := strings.Join(got, "|"); s != tt.want {
				t.Errorf("split into %s, want %s", s, tt.want)
			}
			if sum != nbit {
				t.Errorf("split says %d bits, the segments take %d", nbit, sum)
			}
		})
	}
}

// TestSplitIsShortest compares with every way to cut the text.
func TestSplitIsShortest(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		text := runs3(r)
		for _, version := range []coding.Version{9, 26, 40} {
			_, got := split(text, version)
			if want := shortest(text, version); got != want {
				t.Fatalf("version %d: %q takes %d bits, but %d are enough", version, text, got, want)
			}
		}
	}
}

// runs3 is a text of runs of digits, letters and other bytes.
func runs3(r *rand.Rand) []byte {
	var b []byte
	for range r.IntN(8) {
		chars := []string{"0123456789", "ABCXYZ $%*+-./:0", "abcz&=?ü"}[r.IntN(3)]
		for range r.IntN(14) {
			b = append(b, chars[r.IntN(len(chars))])
		}
	}
	return b
}

// shortest tries every last segment, with the exact bits of package coding.
func shortest(text []byte, version coding.Version) int {
	best := make([]int, len(text)+1) // for each length of text
	for end := 1; end <= len(text); end++ {
		best[end] = 1 << 30
		for begin := range end {
			run := string(text[begin:end])
			for _, e := range []coding.Encoding{coding.Num(run), coding.Alpha(run), coding.String(run)} {
				if e.Check() == nil {
					best[end] = min(best[end], best[begin]+e.Bits(version))
				}
			}
		}
	}
	return best[len(text)]
}
