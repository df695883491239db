package realm

import (
	"maps"
	"testing"
)

// requires says of each realm whether it asks for a factor in either reading.
func requires(b []byte, ids []string) map[string]bool {
	d, all := Parse(b), make(map[string]bool)
	for _, id := range ids {
		_, _, all[id] = d.Required(id)
	}
	return all
}

// FuzzEdit edits any bytes, and proves that Proxmox VE sees the one difference
// that was asked for, and that no other realm, and no other property, changes who
// is asked for a factor.
func FuzzEdit(f *testing.F) {
	for _, tt := range problemCases() {
		f.Add([]byte(tt.in), uint8(0), "type=oath")
		f.Add([]byte(tt.in), uint8(6), "x y")
	}
	f.Add([]byte("pam: pam\n\tcomment a\r\ttfa type=oath\n"), uint8(4), "b")
	ids, keys := []string{"pam", "pve", "corp", "win"}, []string{"tfa", "comment", "default", "server1"}
	f.Fuzz(func(t *testing.T, b []byte, which uint8, value string) {
		id, key := ids[which&3], keys[which>>2&3]
		was, _ := Parse(b).Lookup(id)
		check := func(out []byte, err error, unset bool) {
			t.Helper()
			if err != nil {
				return
			}
			want, got := raw(b), raw(out)
			switch {
			case unset && want[id] != nil:
				delete(want[id], key)
			case !unset && want[id] == nil:
				want[id] = map[string]string{"type": id, key: got[id][key]}
			case !unset:
				want[id][key] = got[id][key]
			}
			if !maps.EqualFunc(got, want, maps.Equal[map[string]string]) {
				t.Fatalf("%q\nto %q reads %v\nwant %v", b, out, got, want)
			}
			before, after := requires(b, ids), requires(out, ids)
			switch {
			case key == "tfa" && !unset && !after[id]:
				t.Fatalf("%q\nto %q: no factor is required", b, out)
			case key == "tfa", !was.InFile, was.Missing != "":
				delete(before, id)
				delete(after, id)
			}
			if !maps.Equal(before, after) {
				t.Fatalf("%q\nto %q: required was %v, is %v", b, out, before, after)
			}
		}
		out, err := Set(b, id, key, value)
		check(out, err, false)
		out, err = Unset(b, id, key)
		check(out, err, true)
		if out, changed, err := DisableTFA(b, id); err == nil {
			checkDisabled(t, b, out, changed)
			if r, _ := Parse(out).Lookup(id); r.TFA != nil || len(Parse(out).wishesOf(id)) > 0 {
				t.Fatalf("%q\nto %q: realm %s asks for a factor", b, out, id)
			}
		}
	})
}
