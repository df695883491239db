package realm

import (
	"encoding/json"
	"strings"
	"testing"

	"oathkit/pkg/internal/pvetest"
)

const manual = "../../man/man7/oathkit-differences.7"

// There is a second reader of files of this format, written in Rust. Where it
// reads otherwise than the one of Proxmox VE that reads this file, check says so
// or the manual does. The cases use the property tfa for any text; a comment is
// one.
func TestTheOtherReader(t *testing.T) {
	l := pvetest.NewLedger(t, manual, "section-config/rust")
	asComment := strings.NewReplacer("tfa", "comment").Replace
	for _, c := range pvetest.Cases(t, "section-config/rust", 9) {
		var in string
		var out struct {
			OK      map[string]map[string]string
			Rewrite *string
			Error   string
		}
		pvetest.Read(t, c.Input, &in)
		pvetest.Read(t, c.Expected, &out)
		in = asComment(in)
		want := "error"
		switch {
		case out.Rewrite != nil: // we write nothing that we were not asked to
			l.Compare(t, c, string(Parse([]byte(in)).Bytes()), asComment(*out.Rewrite))
			continue
		case out.OK != nil:
			want = asComment(asText(t, out.OK))
		}
		l.Compare(t, c, seenOrError(t, Parse([]byte(in))), want)
	}
	l.Done(t)
}

// seenOrError is the comments of the realms in the file, or "error" where check
// finds something.
func seenOrError(t *testing.T, d *Domains) string {
	for _, p := range d.Problems() {
		if p.Severity == Error {
			return "error"
		}
	}
	seen := map[string]map[string]string{}
	for _, r := range d.Realms() {
		if r.InFile {
			seen[r.ID] = map[string]string{}
			if r.Comment != "" {
				seen[r.ID]["comment"] = r.Comment
			}
		}
	}
	return asText(t, seen)
}

func asText(t *testing.T, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
