package realm

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// What is done in one pass and without a list is what the list says.
func TestWithoutWishes(t *testing.T) {
	pieces := []string{"pam: pam", "tfa", "\ttfa x", "tfa\u00a0", "x", "", "#", "\r", "\r\r", "\r\n", "\n", "\n\n", " ", "\xff", "0"}
	rapid.Check(t, func(t *rapid.T) {
		b := []byte(strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 20).Draw(t, "file"), ""))
		d := Parse(b)
		var spans []span
		for _, w := range d.Wishes() {
			spans = append(spans, w.span())
		}
		want := d.without(spans)
		if got := withoutWishes(b, nil); !bytes.Equal(got, want) {
			t.Fatalf("%q became %q, want %q", b, got, want)
		}
		if in := bytes.Clone(b); !bytes.Equal(withoutWishes(in, in[:0]), want) {
			t.Fatalf("in its own place %q became %q, want %q", b, withoutWishes(in, in[:0]), want)
		}
		out, _ := DisableAllTFA(b)
		if left := Parse(out).Wishes(); len(left) > 0 || bytes.Equal(want, b) && !bytes.Equal(out, b) {
			t.Fatalf("%q became %q, with %v", b, out, left)
		}
	})
}
