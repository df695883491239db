package realm

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// anyFile draws files of lines that are right, wrong, and wrong in ways that
// matter.
func anyFile() *rapid.Generator[[]byte] {
	right := []string{
		"pam: pam\n", "pve: pve\n", "ldap: corp\n\tserver1 a\n\tbase_dn dc=x\n\tuser_attr uid\n", "openid: sso\n\tissuer-url x\n\tclient-id y\n",
		"ad: win\n\tserver1 a\n\tdomain b\n", "\n", "\n", "\n", "\ttfa type=oath\n", "\tcomment x\n", "\tdefault 1\n", "# comment\n",
	}
	wrong := []string{
		"pam : pam\n", " pve: pve\n", "foo: corp\n", "a:pam: pam\n", "pam: pam # x\n", "ldap: pve\n\tserver1 a\n", "pam: PAM\n", "x\n", "0\n", " \n", "\r\n",
		"pam: pam\r\n", "pve: pve\r\n\ttfa type=oath\r\n", "\ttfa type=totp\n", "tfa type=oath\n", "\tTFA: yes\n", "\ttfa\n", "tfa: pam\n", "\tnote: pve\n", "\tpve: hm\n",
		"\u00a0tfa type=oath\n", "\xef\xbb\xbfpam: pam\n", "\ttfa type=oath\rpve: pve\r", "\tcomment\n", "\tcomment a\r\ttfa type=oath\n", "\tfoo bar\n", "\x00",
		"\ttfa type=oath,digits=8\n", "ldap: corp\n\tserver1 a\n", "pam: pam", "pam:\rpam\n",
	}
	return rapid.Custom(func(t *rapid.T) []byte {
		lines := rapid.SampledFrom(right)
		if rapid.IntRange(0, 3).Draw(t, "faults") > 0 {
			lines = rapid.SampledFrom(slices.Concat(right, wrong))
		}
		return []byte(strings.Join(rapid.SliceOfN(lines, 0, 24).Draw(t, "lines"), ""))
	})
}

// raw is what Proxmox VE takes over of each section that counts, and whether
// the section lacks nothing.
func raw(b []byte) map[string]map[string]string {
	d := Parse(b)
	all := make(map[string]map[string]string)
	for _, s := range d.file.Sections() {
		typ := d.typeOf(s)
		if typ == "" {
			continue
		}
		m := map[string]string{"type": typ}
		for _, p := range d.read(s, typ, 0, nil) {
			m[p.Key] = p.Value
		}
		all[string(d.file.ID(s))] = m
	}
	return all
}

func required(b []byte, ids []string) []string {
	d := Parse(b)
	var req []string
	for _, id := range ids {
		if _, _, ok := d.Required(id); ok {
			req = append(req, id)
		}
	}
	return req
}

var someRealms = []string{"pam", "pve", "corp", "win", "sso", "PAM"}

func TestAnEditChangesWhatWasAsked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := anyFile().Draw(t, "file")
		id := rapid.SampledFrom(someRealms).Draw(t, "realm")
		key := rapid.SampledFrom([]string{"tfa", "tfa", "comment", "default", "base_dn"}).Draw(t, "key")
		value, unset := map[string]string{"tfa": "type=oath,step=60", "comment": "new", "default": "0", "base_dn": "dc=new"}[key], false
		var out []byte
		var err error
		if unset = rapid.Bool().Draw(t, "unset"); unset {
			value = ""
			out, err = Unset(in, id, key)
		} else {
			out, err = Set(in, id, key, value)
		}
		var e *EditError
		if err != nil {
			if !errors.As(err, &e) || out != nil || e.Line > 1+bytes.Count(in, []byte("\n")) {
				t.Fatalf("%v", err)
			}
			return
		}
		checkEdit(t, in, out, id, key, value)
		others := slices.DeleteFunc(slices.Clone(someRealms), func(s string) bool { return s == id })
		if was, is := required(in, others), required(out, others); !slices.Equal(was, is) {
			t.Fatalf("%q\nto %q: factors were required in %v, and are in %v", in, out, was, is)
		}
		if _, _, req := Parse(out).Required(id); key == "tfa" && !unset && !req {
			t.Fatalf("%q: no factor required", out)
		}
	})
}

// checkEdit proves, the slow way, that only one property of one realm changed,
// and only lines of that realm.
func checkEdit(t *rapid.T, in, out []byte, id, key, value string) {
	want := raw(in)
	if want[id] == nil && value != "" {
		want[id] = map[string]string{"type": id}
	}
	if value != "" {
		want[id][key] = value
	} else {
		delete(want[id], key)
	}
	got := raw(out)
	if !maps.EqualFunc(got, want, maps.Equal[map[string]string]) {
		t.Fatalf("%q\nto %q\nreads %v\nwant  %v", in, out, got, want)
	}
	a, b := lines(in), lines(out)
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	if value == "" { // what went are lines of the key, and nothing came
		kept := slices.DeleteFunc(slices.Clone(a), func(s string) bool { return strings.HasPrefix(strings.TrimLeft(s, spaces), key) })
		for _, s := range b {
			if !slices.Contains(kept, s) {
				t.Fatalf("%q\nto %q: new line %q", in, out, s)
			}
		}
		return
	}
	if raw(in)[id] == nil { // a new section at the end
		if !bytes.HasPrefix(out, in) {
			t.Fatalf("%q\nto %q", in, out)
		}
		return
	}
	// One line is another, or is new; the last one may get a line feed.
	if len(a) > 1 || len(b) > 1+len(a) || len(a) == 1 && len(b) == 2 && b[0] != a[0]+"\n" {
		t.Fatalf("%q\nto %q: lines %q became %q", in, out, a, b)
	}
}

func lines(b []byte) []string {
	all := strings.SplitAfter(string(b), "\n")
	if all[len(all)-1] == "" {
		all = all[:len(all)-1]
	}
	return all
}

func TestDisableLeavesNoFactor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := anyFile().Draw(t, "file")
		ids := rapid.SliceOfNDistinct(rapid.SampledFrom(someRealms), 1, 3, func(s string) string { return s }).Draw(t, "realms")
		out, changed, err := DisableTFA(in, ids...)
		if err != nil {
			return
		}
		checkDisabled(t, in, out, changed)
		d := Parse(out)
		for _, id := range ids {
			if r, _ := d.Lookup(id); r.TFA != nil || len(d.wishesOf(id)) > 0 {
				t.Fatalf("%q\nto %q: realm %s asks for a factor", in, out, id)
			}
		}
	})
}

type fataler interface {
	Fatalf(format string, args ...any)
	Helper()
}

// checkDisabled proves that only lines with tfa went, and that changed names
// the realms that are not what they were.
func checkDisabled(t fataler, in, out []byte, changed []string) {
	t.Helper()
	rest := string(out)
	for _, l := range strings.SplitAfter(strings.ReplaceAll(string(in), "\r", "\r\n"), "\n") {
		l = strings.ReplaceAll(l, "\r\n", "\r")
		switch {
		case strings.HasPrefix(rest, l):
			rest = rest[len(l):]
		case strings.Contains(strings.ToLower(string(visible([]byte(l)))), "tfa"):
			if i := strings.IndexByte("\r\n", append([]byte(rest), 0)[0]); i >= 0 && strings.HasSuffix(l, rest[:1]) {
				rest = rest[1:]
			}
		case l == "\n" || l == "\r":
		default:
			t.Fatalf("%q\nto %q: lost %q", in, out, l)
		}
	}
	if rest != "" {
		t.Fatalf("%q\nto %q: %q is new", in, out, rest)
	}
	was, is := effectiveOf(in), effectiveOf(out)
	var want []string
	for id := range was {
		if !maps.Equal(was[id], is[id]) {
			want = append(want, id)
		}
	}
	for id := range is {
		if _, ok := was[id]; !ok {
			want = append(want, id)
		}
	}
	slices.Sort(want)
	got := slices.Sorted(slices.Values(changed))
	if !slices.Equal(got, want) {
		t.Fatalf("%q\nto %q: changed %v, want %v", in, out, got, want)
	}
}

// effectiveOf is raw with what lacks a property as good as empty.
func effectiveOf(b []byte) map[string]map[string]string {
	all := raw(b)
	for id, m := range all {
		var props []Property
		for k, v := range m {
			props = append(props, Property{Key: k, Value: v})
		}
		if missing(m["type"], props) != "" {
			all[id] = map[string]string{"type": m["type"]}
		}
	}
	return all
}

// FuzzEffective reads any bytes in every way there is, and proves that to
// disable all factors leaves none.
func FuzzEffective(f *testing.F) {
	for _, tt := range problemCases() {
		f.Add([]byte(tt.in))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d := Parse(b)
		for _, r := range d.Realms() {
			if again, ok := d.Lookup(r.ID); !ok || again.Line != r.Line || (again.TFA == nil) != (r.TFA == nil) {
				t.Fatalf("%q: %+v and %+v", b, r, again)
			}
			if line, _, req := d.Required(r.ID); r.TFA != nil && (!req || line != r.TFALine) {
				t.Fatalf("%q: %s not required", b, r.ID)
			}
			own := 0
			for _, w := range d.Wishes() {
				if w.of(r.ID) {
					own++
				}
			}
			if n := len(d.wishesOf(r.ID)); n != own {
				t.Fatalf("%q: %d wishes of %s, want %d", b, n, r.ID, own)
			}
		}
		for _, p := range d.Problems() {
			if p.Line < 1 || p.Code == "" || p.Message == "" || p.Mend == "" || strings.ContainsAny(p.Message, "\n\r\x1b\x00") {
				t.Fatalf("%q: %+v", b, p)
			}
		}
		ParseOld(b).Realms()
		out, changed := DisableAllTFA(b)
		checkDisabled(t, b, out, changed)
		after := Parse(out)
		if len(after.Wishes()) > 0 {
			t.Fatalf("%q became %q, with wishes %+v", b, out, after.Wishes())
		}
		for _, r := range after.Realms() {
			if r.TFA != nil {
				t.Fatalf("%q became %q, and %s asks for a factor", b, out, r.ID)
			}
		}
		for _, id := range []string{"pam", "pve"} {
			if out, err := EnableTFA(b, id, oath); err == nil {
				if r, _ := Parse(out).Lookup(id); r.TFA == nil {
					t.Fatalf("%q became %q", b, out)
				}
			}
		}
	})
}

func FuzzParseTFA(f *testing.F) {
	for _, s := range []string{"type=oath", "type=oath,digits=8,step=60", "step=+060,,type=yubico,key=a=b", "type=oath # x", "digits=9", "type=oath\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseTFA(s)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		if got.Digits < 6 || got.Digits > 8 || got.Step < 10 || len(s) > 128 {
			t.Fatalf("%q: %+v", s, got)
		}
		if again, err := ParseTFA(got.Value()); err != nil || again != got {
			t.Fatalf("%q: %+v, then %+v, %v", s, got, again, err)
		}
	})
}
