// Package pvetest gives tests what Proxmox VE's own code made of many inputs, and
// holds what we make of them against it.
//
// The cases are in testdata/pve.json of the package that is tested, an array of
// objects with kind, name, input and expected. Where we mean to differ the manual
// oathkit-differences(7) has a row for the case, below a comment that names the
// kind; a [Ledger] fails a test when a case differs that has no row, and when one
// that has a row no longer differs. So the manual cannot be wrong.
package pvetest

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// A Case is one input and what Proxmox VE made of it.
type Case struct {
	Kind, Name      string
	Input, Expected json.RawMessage
}

// Read decodes JSON of a case.
func Read(t testing.TB, raw json.RawMessage, into any) {
	t.Helper()
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
}

// Cases are those of a kind, of which there must be so many.
func Cases(t testing.TB, kind string, want int) []Case {
	t.Helper()
	b, err := os.ReadFile("testdata/pve.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []Case
	Read(t, b, &all)
	of := slices.DeleteFunc(all, func(c Case) bool { return c.Kind != kind })
	if len(of) != want {
		t.Fatalf("%d cases of %s, want %d", len(of), kind, want)
	}
	return of
}

// A Ledger keeps which cases of a kind differ.
type Ledger struct {
	kind   string
	meant  []string // the rows of the manual
	differ map[string]bool
}

// mark begins the comment that says which kinds the rows below it are of.
const mark = `.\" cases of `

// NewLedger reads the rows of a kind in the manual, whose path is given from the
// package's folder.
func NewLedger(t testing.TB, manual, kind string) *Ledger {
	t.Helper()
	return &Ledger{kind, Rows(t, manual)[kind], map[string]bool{}}
}

// Rows are the names of the cases in the manual, by kind.
func Rows(t testing.TB, manual string) map[string][]string {
	t.Helper()
	b, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	kind := ""
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSuffix(line, "\n")
		if k, ok := strings.CutPrefix(line, mark); ok {
			kind = k
		} else if name, ok := strings.CutPrefix(line, ".It Dq "); ok {
			rows[kind] = append(rows[kind], strings.ReplaceAll(name, `\(dq`, `"`))
		}
	}
	return rows
}

// Compare tells the ledger what we made of a case and what Proxmox VE did.
func (l *Ledger) Compare(t testing.TB, c Case, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	l.differ[c.Name] = true
	if !slices.Contains(l.meant, c.Name) {
		t.Errorf("%s, %q:\n%s\nwant\n%s", c.Kind, c.Name, got, want)
	}
}

// Done fails for every row whose case does not differ.
func (l *Ledger) Done(t testing.TB) {
	t.Helper()
	for _, name := range l.meant {
		if !l.differ[name] {
			t.Errorf("%s, %q: the manual says that we differ, but no such case does", l.kind, name)
		}
	}
}
