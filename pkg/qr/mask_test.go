package qr

import (
	"math/rand/v2"
	"testing"

	"rsc.io/qr/coding"
)

// plainPenalty is the penalty module by module.
func plainPenalty(dark func(x, y int) bool, size int) (p1, p2, p3, p4 int) {
	at := func(x, y int, side bool) bool {
		if side {
			x, y = y, x
		}
		return x >= 0 && y >= 0 && x < size && y < size && dark(x, y)
	}
	for _, side := range []bool{false, true} {
		for y := range size {
			for x := 0; x < size; {
				first := x
				for x < size && at(x, y, side) == at(first, y, side) {
					x++
				}
				if n := x - first; n >= 5 {
					p1 += 3 + n - 5
				}
			}
			for x := range size {
				lightBefore, lightAfter, finder := true, true, true
				for i, want := range []bool{false, true, false, true, true, true, false, true, false} {
					finder = finder && at(x-1+i, y, side) == want
				}
				for i := range 4 {
					lightBefore = lightBefore && !at(x-4+i, y, side)
					lightAfter = lightAfter && !at(x+7+i, y, side)
				}
				// What begins in the symbol ends there: a dark module is last.
				if finder && (lightBefore || lightAfter) {
					p3 += 40
				}
			}
		}
	}
	total := 0
	for y := range size {
		for x := range size {
			d := at(x, y, false)
			if d {
				total++
			}
			if x+1 < size && y+1 < size && at(x+1, y, false) == d && at(x, y+1, false) == d && at(x+1, y+1, false) == d {
				p2 += 3
			}
		}
	}
	percent := float64(total) * 100 / float64(size*size)
	for ; percent >= 55; percent -= 5 {
		p4 += 10
	}
	for ; percent <= 45; percent += 5 {
		p4 += 10
	}
	return p1, p2, p3, p4
}

func TestPenalty(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for i := range 400 {
		size := 17 + 4*(1+r.IntN(40))
		share := []float64{0, 0.04, 0.3, 0.5, 0.62, 0.9, 1}[i%7]
		rows, columns := newSheet(size), newSheet(size)
		for y := range size {
			for x := 0; x < size; x++ {
				switch {
				case r.IntN(40) == 0 && x+7 < size: // what rule 3 is about
					for j, d := range "1011101" {
						if d == '1' {
							rows.flip(x+j, y)
							columns.flip(y, x+j)
						}
					}
					x += 7
				case r.Float64() < share:
					rows.flip(x, y)
					columns.flip(y, x)
				}
			}
		}
		dark := func(x, y int) bool { return rows.line(y, x/64)>>(x%64)&1 != 0 }
		p1, p2, p3, p4 := plainPenalty(dark, size)
		if got, want := down(&rows)+down(&columns), p1+p3; got != want {
			t.Fatalf("size %d: rules 1 and 3 give %d, want %d + %d", size, got, p1, p3)
		}
		if got := blocks(&rows); got != p2 {
			t.Fatalf("size %d: rule 2 gives %d, want %d", size, got, p2)
		}
		if got, want := penalty(&rows, &columns), p1+p2+p3+p4; got != want {
			t.Fatalf("size %d: penalty %d, want %d + %d + %d + %d", size, got, p1, p2, p3, p4)
		}
	}
}

// TestMaskIsBest applies every mask, wants the symbol that package coding makes
// for it, and wants the chosen one to have the lowest penalty.
func TestMaskIsBest(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	var chosen [masks]int
	for range 60 {
		uri := []byte(randomURI(r))
		level := Level(r.IntN(4))
		version, parts, err := fit(uri, level)
		if err != nil {
			t.Fatal(err)
		}
		best, lowest := 0, 1<<30
		for mask := range masks {
			plan, err := coding.NewPlan(version, coding.Level(level), coding.Mask(mask))
			if err != nil {
				t.Fatal(err)
			}
			c, err := plan.Encode(encodings(uri, parts)...)
			if err != nil {
				t.Fatal(err)
			}
			p1, p2, p3, p4 := plainPenalty(c.Black, c.Size)
			if p := p1 + p2 + p3 + p4; p < lowest {
				best, lowest = mask, p
			}
		}
		c, err := Encode(uri, level)
		if err != nil {
			t.Fatal(err)
		}
		if c.Mask != best {
			t.Errorf("%v, but mask %d has the lowest penalty", c, best)
		}
		chosen[best]++
	}
	for mask, n := range chosen {
		if n == 0 {
			t.Errorf("mask %d was never the best: the test sees too little", mask)
		}
	}
}

func TestMaskingAllocatesNothing(t *testing.T) {
	m := typicalMasking(t)
	if n := testing.AllocsPerRun(10, func() { m.best() }); n != 0 {
		t.Errorf("the choice of the mask allocates %v times", n)
	}
}

func BenchmarkMask(b *testing.B) {
	m := typicalMasking(b)
	b.ReportAllocs()
	for b.Loop() {
		m.best()
	}
}

func typicalMasking(tb testing.TB) *masking {
	version, parts, err := fit([]byte(typical), L)
	if err != nil {
		tb.Fatal(err)
	}
	plan, err := coding.NewPlan(version, coding.L, 0)
	if err != nil {
		tb.Fatal(err)
	}
	symbol, err := plan.Encode(encodings([]byte(typical), parts)...)
	if err != nil {
		tb.Fatal(err)
	}
	return newMasking(plan, symbol)
}
