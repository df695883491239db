package realm

import (
	"encoding/json"
	"math"
	"os"
	"reflect"
	"strconv"
	"testing"

	"oathkit/pkg/internal/pvetest"
)

// A caseOfPVE is one input and what Proxmox VE's own code made of it.
type caseOfPVE struct {
	Name     string          `json:"name"`
	Kind     string          `json:"kind"`
	Input    json.RawMessage `json:"input"`
	Expected json.RawMessage `json:"expected"`
}

func (c caseOfPVE) text(t *testing.T) string {
	var s string
	if err := json.Unmarshal(c.Input, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func (c caseOfPVE) expect(t *testing.T, into any) {
	if err := json.Unmarshal(c.Expected, into); err != nil {
		t.Fatal(err)
	}
}

// eachCase runs fn for every case of a kind, of which there are n.
func eachCase(t *testing.T, kind string, n int, fn func(t *testing.T, c caseOfPVE)) {
	data, err := os.ReadFile("testdata/pve.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []caseOfPVE
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if c.Kind == kind {
			n--
			t.Run(c.Name, func(t *testing.T) { fn(t, c) })
		}
	}
	if n != 0 {
		t.Errorf("%d cases of kind %s too few", n, kind)
	}
}

func TestEffectiveViewIsPVEs(t *testing.T) {
	eachCase(t, "domains.cfg/parse", 49, func(t *testing.T, c caseOfPVE) {
		compareView(t, Parse([]byte(c.text(t))), c)
	})
}

func TestEffectiveViewOfOldPVE(t *testing.T) {
	eachCase(t, "domains.cfg/parse-old", 4, func(t *testing.T, c caseOfPVE) {
		compareView(t, ParseOld([]byte(c.text(t))), c)
	})
}

func compareView(t *testing.T, d *Domains, c caseOfPVE) {
	var want struct {
		IDs   map[string]map[string]string `json:"ids"`
		Order []string                     `json:"order"`
	}
	c.expect(t, &want)
	got := make(map[string]map[string]string)
	var order []string
	for _, r := range d.Realms() {
		if r.InFile {
			order = append(order, r.ID)
		}
		got[r.ID] = asPVE(r)
		again, ok := d.Lookup(r.ID)
		if !ok || !reflect.DeepEqual(again, r) {
			t.Errorf("Lookup(%q) differs from Realms: %+v, %+v", r.ID, again, r)
		}
	}
	for _, props := range want.IDs {
		delete(props, "plugin")
	}
	if !reflect.DeepEqual(got, want.IDs) {
		t.Errorf("got  %v\nwant %v", got, want.IDs)
	}
	if want.Order != nil && len(order)+len(want.Order) > 0 && !reflect.DeepEqual(order, want.Order) {
		t.Errorf("order %v, want %v", order, want.Order)
	}
}

// asPVE returns a realm as the parser of Proxmox VE gives it, nil for one whose
// section it does not take over.
func asPVE(r Realm) map[string]string {
	if r.Missing != "" && !isBuiltin(r.ID) {
		return nil
	}
	m := map[string]string{"type": r.Type}
	for _, p := range r.Properties {
		m[p.Key] = p.Value
	}
	if r.Comment != "" {
		m["comment"] = r.Comment
	}
	return m
}

func TestParseTFA(t *testing.T) {
	eachCase(t, "tfa/property-string", 31, func(t *testing.T, c caseOfPVE) {
		var want struct {
			OK map[string]string `json:"ok"`
		}
		c.expect(t, &want)
		got, err := ParseTFA(c.text(t))
		if (err == nil) != (want.OK != nil) {
			t.Fatalf("ParseTFA(%q): %v, want %v", c.text(t), err, want.OK)
		}
		if err != nil {
			return
		}
		wantTFA := TFA{Type: want.OK["type"], Digits: number(want.OK["digits"], 6), Step: number(want.OK["step"], 30)}
		if got != wantTFA {
			t.Errorf("ParseTFA(%q) = %+v, want %+v", c.text(t), got, wantTFA)
		}
	})
}

func number(s string, otherwise int) int {
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return math.MaxInt
	}
	return n
}

func TestValueOfTFA(t *testing.T) {
	l := pvetest.NewLedger(t, manual, "tfa/print-property-string")
	for _, c := range pvetest.Cases(t, "tfa/print-property-string", 3) {
		var in struct {
			Type   string
			Digits int
			Step   int
		}
		var want string
		pvetest.Read(t, c.Input, &in)
		pvetest.Read(t, c.Expected, &want)
		l.Compare(t, c, TFA{Type: in.Type, Digits: in.Digits, Step: in.Step}.Value(), want)
	}
	l.Done(t)
}

func TestCheckID(t *testing.T) {
	eachCase(t, "realm-id", 11, func(t *testing.T, c caseOfPVE) {
		var want bool
		c.expect(t, &want)
		if err := CheckID(c.text(t)); (err == nil) != want {
			t.Errorf("CheckID(%q) = %v, want ok %v", c.text(t), err, want)
		}
	})
}

func TestText(t *testing.T) {
	eachCase(t, "encode_text", 7, func(t *testing.T, c caseOfPVE) {
		var want string
		c.expect(t, &want)
		if got := EncodeText(c.text(t)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
	eachCase(t, "decode_text", 5, func(t *testing.T, c caseOfPVE) {
		var want string
		c.expect(t, &want)
		if got := DecodeText(c.text(t)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
	eachCase(t, "digest", 1, func(t *testing.T, c caseOfPVE) {
		var want string
		c.expect(t, &want)
		if got := Digest([]byte(c.text(t))); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
