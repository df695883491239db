package section

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// lay shows each line with its kind, and the section it belongs to in front.
func lay(f *File) string {
	var out strings.Builder
	secs := f.Sections()
	for l := range f.Lines() {
		in := "-"
		for _, s := range secs {
			if l.Start == s.Start {
				in = string(f.Type(s)) + "/" + string(f.ID(s))
			} else if l.Start >= s.Body && l.Start < s.End {
				in = string(f.ID(s))
			}
		}
		fmt.Fprintf(&out, "%d %s %s %q\n", l.Number, in, KindOf(l.Text(f)), l.Ending(f))
	}
	return out.String()
}

func TestStructure(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"one section", "pam: pam\n\ttfa type=oath\n", `
1 pam/pam header "\n"
2 pam property "\n"
`},
		{"no line feed at the end", "pam: pam\n\ttfa type=oath", `
1 pam/pam header "\n"
2 pam property ""
`},
		{"two sections", "pam: pam\n\n\npve: pve\n", `
1 pam/pam header "\n"
2 - empty "\n"
3 - empty "\n"
4 pve/pve header "\n"
`},
		{"a missing empty line", "pam: pam\npve: pve\n\tcomment x\n", `
1 pam/pam header "\n"
2 pam header "\n"
3 pam property "\n"
`},
		{"a line of blanks ends nothing", "pam: pam\n \t\npve: pve\n", `
1 pam/pam header "\n"
2 pam blank "\n"
3 pam header "\n"
`},
		{"neither does a carriage return", "pam: pam\r\n\r\npve: pve\r\n", `
1 pam/pam header "\r\n"
2 pam blank "\r\n"
3 pam header "\r\n"
`},
		{"a line that is 0 does", "pam: pam\n0\n\ttfa x\n0", `
1 pam/pam header "\n"
2 - zero "\n"
3 - property "\n"
4 - zero ""
`},
		{"but not 00", "pam: pam\n00\n\ttfa x\n", `
1 pam/pam header "\n"
2 pam junk "\n"
3 pam property "\n"
`},
		{"comments end nothing", "#a\npam: pam\n # b: c\n#\n\tkey\n\n#x: y\n", `
1 - comment "\n"
2 pam/pam header "\n"
3 pam comment "\n"
4 pam comment "\n"
5 pam property "\n"
6 - empty "\n"
7 - comment "\n"
`},
		{"headers that are none", "pam : pam\n pam: pam\npam: pam x\npam:\n: pam\npam pam\n", `
1 - junk "\n"
2 - property "\n"
3 - junk "\n"
4 - junk "\n"
5 - junk "\n"
6 - junk "\n"
`},
		{"the type is as long as can be", "a:b: c\n\na:b:c\n\na::\n\n:::\n", `
1 a:b/c header "\n"
2 - empty "\n"
3 a:b/c header "\n"
4 - empty "\n"
5 a/: header "\n"
6 - empty "\n"
7 :/: header "\n"
`},
		{"white space of every kind", "pam:\v\fpam\t \r\n\f\vkey\rvalue \n\xc2\xa0x y\n", `
1 pam/pam header "\r\n"
2 pam property "\n"
3 pam junk "\n"
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := Parse([]byte(tt.in))
			if got := lay(f); got != strings.TrimPrefix(tt.want, "\n") {
				t.Errorf("got\n%s\nwant%s", got, tt.want)
			}
			if got := f.Format(); string(got) != tt.in {
				t.Errorf("Format: %q", got)
			}
		})
	}
}

func TestSplitProperty(t *testing.T) {
	for _, tt := range []struct {
		line, key, value string
		hasValue, ok     bool
	}{
		{"\tkey value", "key", "value", true, true},
		{" key  two  words \t\r", "key", "two  words", true, true},
		{"\tkey", "key", "", false, true},
		{"\tkey \r", "key", "", false, true},
		{"\tkey: value", "key:", "value", true, true},
		{"key value", "", "", false, false},
		{"\t# key", "", "", false, false},
		{"\t", "", "", false, false},
		{"", "", "", false, false},
	} {
		key, value, hasValue, ok := SplitProperty(tt.line)
		if key != tt.key || value != tt.value || hasValue != tt.hasValue || ok != tt.ok {
			t.Errorf("%q: %q %q %v %v", tt.line, key, value, hasValue, ok)
		}
	}
}

func TestLineNumber(t *testing.T) {
	f := Parse([]byte("a\n\nb"))
	for offset, want := range []int{1, 1, 2, 3} {
		if got := f.LineNumber(offset); got != want {
			t.Errorf("offset %d: line %d, want %d", offset, got, want)
		}
	}
}

func TestOldReaderStops(t *testing.T) {
	for in, want := range map[string]int{
		"pam: pam\n\npve: pve\n":         19,
		"pam: pam\n\n\npve: pve\n":       10,
		"\npam: pam\n":                   0,
		"pam: pam\n  \n\n0\npve: pve\n":  13,
		"# x\npam: pam\n\n# y\npve: pve": 26,
	} {
		if got := ParseOld([]byte(in)).End(); got != want {
			t.Errorf("%q: stops at %d, want %d", in, got, want)
		}
	}
}

var seeds = []string{
	"", "\n", "0", "pam: pam\n\ttfa type=oath\n\npve: pve\n\tcomment x\n\n",
	"pam: pam\r\n\r\npve: pve\r\n\ttfa type=oath\r\n", "a: aa\n0\naa:aa\n\taa: aa\n\naa: aa",
	"\xef\xbb\xbfpam: pam\n", "pam: pam\r\ttfa\r\r", "#: x\n:\n::\n:::\n a: b\n\x00: \xff\n",
}

func FuzzFormatParse(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file := Parse(b)
		if got := file.Format(); !bytes.Equal(got, b) {
			t.Fatalf("%q became %q", b, got)
		}
		end := 0
		for _, s := range file.Sections() {
			if s.Start < end || s.Body <= s.Start || s.End < s.Body || s.End > len(b) {
				t.Fatalf("%q: section %+v after %d", b, s, end)
			}
			typ, id, ok := SplitHeader(b[s.Start:file.HeaderEnd(s)])
			if !ok || !bytes.Equal(typ, file.Type(s)) || !bytes.Equal(id, file.ID(s)) {
				t.Fatalf("%q: header %q %q", b, typ, id)
			}
			end = s.End
			if !contains(file.SectionsOf(string(file.ID(s))), s) {
				t.Fatalf("%q: SectionsOf(%q) lacks %+v", b, file.ID(s), s)
			}
		}
	})
}

func contains(secs []Section, s Section) bool { return slices.Contains(secs, s) }

// FuzzSectionsOf proves the search for one id equal to reading everything.
func FuzzSectionsOf(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s), "pam")
		f.Add([]byte(s), "aa")
	}
	f.Fuzz(func(t *testing.T, b []byte, id string) {
		file := Parse(b)
		var want []Section
		for _, s := range file.Sections() {
			if string(file.ID(s)) == id {
				want = append(want, s)
			}
		}
		if got := Parse(b).SectionsOf(id); !slices.Equal(got, want) {
			t.Fatalf("%q, %q: %v, want %v", b, id, got, want)
		}
	})
}

// FuzzChanges proves that the changed parts, with what is the same above and
// below them, are both files, and that the sections around them are the same.
func FuzzChanges(f *testing.F) {
	for _, s := range seeds {
		for _, r := range seeds {
			f.Add([]byte(s), []byte(r), []byte(seeds[3]))
		}
	}
	f.Fuzz(func(t *testing.T, around, x, y []byte) {
		half := len(around) / 2
		a := slices.Concat(around[:half], x, around[half:])
		b := slices.Concat(around[:half], y, around[half:])
		fa, fb := Parse(a), Parse(b)
		inA, inB := Changes(fa, fb)
		whole := func(f *File) (ids []string) {
			for _, s := range f.Sections() {
				ids = append(ids, fmt.Sprintf("%s/%s/%q", f.Type(s), f.ID(s), f.Bytes()[s.Body:s.End]))
			}
			return ids
		}
		start := bytes.Index(a, inA.Bytes())
		for ; start >= 0; start++ {
			tail := len(a) - start - len(inA.Bytes())
			if tail < 0 {
				t.Fatalf("%q and %q: parts %q and %q do not fit", a, b, inA.Bytes(), inB.Bytes())
			}
			if bytes.Equal(slices.Concat(a[:start], inB.Bytes(), a[len(a)-tail:]), b) {
				head, foot := Parse(a[:start]), Parse(a[len(a)-tail:])
				wantA := slices.Concat(whole(head), whole(inA), whole(foot))
				wantB := slices.Concat(whole(head), whole(inB), whole(foot))
				if slices.Equal(wantA, whole(fa)) && slices.Equal(wantB, whole(fb)) {
					return
				}
			}
			next := bytes.Index(a[min(start+1, len(a)):], inA.Bytes())
			if next < 0 || start >= len(a) {
				t.Fatalf("%q and %q: no place for parts %q and %q", a, b, inA.Bytes(), inB.Bytes())
			}
			start += next
		}
	})
}

func TestJunkIsFast(t *testing.T) {
	// Without care each of these costs the square of its length.
	const n = 1 << 20
	for name, b := range map[string][]byte{
		"one line":          bytes.Repeat([]byte("pam"), n),
		"headers in a body": bytes.Repeat([]byte("pam: pam\n"), n/4),
		"line feeds":        bytes.Repeat([]byte("\n"), n),
		"colons":            bytes.Repeat([]byte(":"), n),
		"no end":            bytes.Repeat([]byte("x pam\n"), n/4),
	} {
		f := Parse(b)
		if len(f.Sections()) != len(f.SectionsOf("pam")) && name != "colons" {
			t.Errorf("%s: %d sections", name, len(f.Sections()))
		}
	}
}

func BenchmarkSections(b *testing.B) {
	file := bytes.Repeat([]byte("ldap: realm000001\n\tserver1 10.0.0.1\n\tbase_dn dc=example,dc=com\n\tuser_attr uid\n\ttfa type=oath\n\n"), 100_000)
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		Parse(file).Sections()
	}
}

func BenchmarkJunk(b *testing.B) {
	file := bytes.Repeat([]byte("some junk\n\tand more junk of all kinds\n"), 50<<20/38)
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		Parse(file).Sections()
	}
}
