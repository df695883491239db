package main

import (
	"bytes"
	"testing"

	"oathkit/pkg/oath"
)

// TestAmbiguousIsDrawnAgain: 20 zero bytes would be 32 times A, which reads
// back as hex. In hex, and in 16 characters, nothing is ambiguous.
func TestAmbiguousIsDrawnAgain(t *testing.T) {
	raw := append(make([]byte, 20), "12345678901234567890"...)
	out, err := appendKeys(nil, raw, 20, false)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(out, []byte("\n"))
	if len(lines) != 3 || len(lines[0]) != 32 || oath.Ambiguous(lines[0]) {
		t.Errorf("lines: %q", lines)
	}
	if got := string(lines[1]); got != "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" {
		t.Errorf("second line: %s", got)
	}
	out, _ = appendKeys(nil, make([]byte, 20), 20, true)
	if got := string(out); got != "0000000000000000000000000000000000000000\n" {
		t.Errorf("hex: %s", got)
	}
	out, _ = appendKeys(nil, make([]byte, 10), 10, false)
	if got := string(out); got != "AAAAAAAAAAAAAAAA\n" {
		t.Errorf("pve: %s", got)
	}
}

func TestSpellingAllocatesNothing(t *testing.T) {
	raw := bytes.Repeat([]byte("12345678901234567890"), 100)
	out := make([]byte, 0, 33*100)
	for _, hex := range []bool{false, true} {
		dst := out
		if hex {
			dst = make([]byte, 0, 41*100)
		}
		n := testing.AllocsPerRun(10, func() {
			if _, err := appendKeys(dst[:0], raw, 20, hex); err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 {
			t.Errorf("hex %t: %v allocations", hex, n)
		}
	}
}
