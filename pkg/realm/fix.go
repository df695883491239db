package realm

import (
	"bytes"
	"slices"

	"oathkit/pkg/section"
)

// A Mend is one change that Fix made.
type Mend struct {
	Line int    // of the file as it was
	Code string // of the problem; see Problem
	What string // what was done
}

// Fix mends what a file means without doubt and Proxmox VE reads otherwise, and
// returns the new bytes and what was done. It changes no meaning:
//
//   - To a person the file says what it said: the same realms, each with the same
//     properties, and with a factor if it had one.
//   - What Proxmox VE sees of a realm moves towards that: a property that it sees
//     now and did not see before is one that a person sees in that realm, and one
//     that it does not see any more is one that a person does not see there.
//   - There are fewer faults than before, or as many and fewer warnings.
//
// A mend of which that cannot be proved is not made, and where two meanings are
// possible there is none. What is left is in Problems of the result.
//
// That Proxmox VE begins to see a factor can lock somebody out, and that is for
// the caller to look at.
func Fix(b []byte) (out []byte, mends []Mend) {
	f := &fixer{now: newDraft(b), made: make(map[Mend]bool)}
	if bytes.HasPrefix(b, []byte{0xff, 0xfe}) || bytes.HasPrefix(b, []byte{0xfe, 0xff}) {
		return b, nil
	}
	passes := []func(*draft) []change{
		markMends, crlfMends, headerMends, indentMends, separatorMends, orphanMends,
		tfaMends, repeatMends, duplicateMends, emptyLineMends,
	}
	for range maxFixRounds {
		done := len(f.mends)
		if f.try(passes...); len(f.mends) > done {
			continue
		}
		// Somewhere is one that is not safe; the others may be.
		f.try(crlfMends, orphanMends)
		f.try(headerMends, separatorMends)
		f.try(indentMends, orphanMends)
		for _, pass := range passes {
			f.try(pass)
		}
		if len(f.mends) == done {
			break
		}
	}
	slices.SortStableFunc(f.mends, func(a, b Mend) int { return a.Line - b.Line })
	return f.now.bytes, f.mends
}

// maxFixRounds is how often the passes are made: one mend can show the next, and
// two of three sections become one. Of a pass that is not safe as a whole,
// maxFixSingle mends are tried one by one. A file of many thousand faults is not
// worth more than maxFixWork bytes that are read again for proof: what is not
// proved by then is left.
const (
	maxFixRounds = 64
	maxFixWork   = 4 << 20
	maxFixSingle = 64
)

// A change puts lines in the place of one; none removes it.
type change struct {
	line int // of the draft, from 1
	with []string
	Mend
}

// A draft is a file in the making.
type draft struct {
	bytes []byte
	lines []section.Line
	from  []int // the line of the first file that each line comes from
	d     *Domains
}

func newDraft(b []byte) *draft {
	n := &draft{bytes: b, d: Parse(b)}
	for l := range n.d.file.Lines() {
		n.lines = append(n.lines, l)
		n.from = append(n.from, l.Number)
	}
	return n
}

func (n *draft) text(i int) []byte   { return n.lines[i].Text(n.d.file) }
func (n *draft) ending(i int) string { return n.lines[i].Ending(n.d.file) }

// whole is a line with its ending.
func (n *draft) whole(i int) string { return string(n.bytes[n.lines[i].Start:n.lines[i].Next]) }

// change is one of the line with the index i.
func (n *draft) change(i int, code, what string, with ...string) change {
	return change{line: i + 1, with: with, Mend: Mend{n.from[i], code, what}}
}

// apply makes changes, at most one of each line, in the order of the lines.
func (n *draft) apply(changes []change) *draft {
	slices.SortStableFunc(changes, func(a, b change) int { return a.line - b.line })
	var out []byte
	var from []int
	for i, l := range n.lines {
		if len(changes) == 0 || changes[0].line != l.Number {
			out = append(out, n.bytes[l.Start:l.Next]...)
			from = append(from, n.from[i])
			continue
		}
		for _, text := range changes[0].with {
			out = append(out, text...)
			from = append(from, n.from[i])
		}
		changes = changes[1:]
	}
	next := &draft{bytes: out, d: Parse(out), from: from}
	for l := range next.d.file.Lines() {
		next.lines = append(next.lines, l)
	}
	return next
}

// A fixer makes the mends that are safe.
type fixer struct {
	now   *draft
	mends []Mend
	made  map[Mend]bool // what is in mends
	work  int           // how many bytes were read for proof
}

// try makes the mends of the passes one after the other, if that is safe at the
// end. Of a single pass that is not, it tries each mend by itself.
func (f *fixer) try(passes ...func(*draft) []change) {
	next, mends := f.now, []Mend(nil)
	for _, pass := range passes {
		changes := pass(next)
		if len(changes) == 0 {
			continue
		}
		for _, c := range changes {
			mends = append(mends, c.Mend)
		}
		next = next.apply(changes)
	}
	if f.accept(next, mends) || len(passes) > 1 {
		return
	}
	refused := make(map[Mend]bool)
	for range maxFixSingle {
		if f.work > maxFixWork {
			return
		}
		changes := passes[0](f.now)
		i := slices.IndexFunc(changes, func(c change) bool { return !refused[c.Mend] })
		if i < 0 {
			return
		}
		// What belongs together comes together: see duplicateMends.
		var one []change
		for _, c := range changes {
			if c.Mend == changes[i].Mend {
				one = append(one, c)
			}
		}
		if !f.accept(f.now.apply(one), []Mend{changes[i].Mend}) {
			refused[changes[i].Mend] = true
		}
	}
}

func (f *fixer) accept(next *draft, mends []Mend) bool {
	if bytes.Equal(next.bytes, f.now.bytes) || f.work > maxFixWork {
		return false
	}
	f.work += len(next.bytes)
	if !betterButSame(f.now.d, next.d) {
		return false
	}
	f.now = next
	for _, m := range mends {
		if !f.made[m] {
			f.made[m] = true
			f.mends = append(f.mends, m)
		}
	}
	return true
}
