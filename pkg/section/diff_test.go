package section

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestDiff(t *testing.T) {
	for _, tt := range []struct{ name, a, b, want string }{
		{"the same", "a\n", "a\n", ""},
		{
			"a line more", "1\n2\n3\n4\n5\n6\n7\n8\n", "1\n2\n3\n4\nx\n5\n6\n7\n8\n",
			"@@ -2,6 +2,7 @@\n 2\n 3\n 4\n+x\n 5\n 6\n 7\n",
		},
		{"a line less", "1\n2\n3\n", "1\n3\n", "@@ -1,3 +1,2 @@\n 1\n-2\n 3\n"},
		{"another line", "1\n2\n3\n", "1\nx\n3\n", "@@ -1,3 +1,3 @@\n 1\n-2\n+x\n 3\n"},
		{"from nothing", "", "1\n", "@@ -0,0 +1,1 @@\n+1\n"},
		{"to nothing", "1\n", "", "@@ -1,1 +0,0 @@\n-1\n"},
		{"two places", "1\n2\n3\n4\n5\n6\n7\n8\n9\n0\n", "x\n2\n3\n4\n5\n6\n7\n8\n9\n", "@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n 4\n@@ -7,4 +7,3 @@\n 7\n 8\n 9\n-0\n"},
		{"no line feed at the end", "1\n2", "1\n3", "@@ -1,2 +1,2 @@\n 1\n-2\n\\ No newline at end of file\n+3\n\\ No newline at end of file\n"},
		{"only the line feed", "1", "1\n", "@@ -1,1 +1,1 @@\n-1\n\\ No newline at end of file\n+1\n"},
		{"carriage returns", "1\r\n", "1\n", "@@ -1,1 +1,1 @@\n-1\r\n+1\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := ""
			if tt.want != "" {
				want = "--- old\n+++ new\n" + tt.want
			}
			if got := string(Diff("old", "new", []byte(tt.a), []byte(tt.b))); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestDiffIsWhatPatchReads gives differences to patch(1), which must make the
// second file out of the first.
func TestDiffIsWhatPatchReads(t *testing.T) {
	patch, err := exec.LookPath("patch")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("patch(1) is not installed")
		}
		t.Skip("patch(1) is not installed")
	}
	dir := t.TempDir()
	line := rapid.SampledFrom([]string{"a\n", "b\n", "\n", "c\r\n", "\ttfa type=oath\n", "pam: pam\n", "-- x\n", "++ x\n"})
	file := rapid.Custom(func(t *rapid.T) string {
		s := strings.Join(rapid.SliceOfN(line, 0, 40).Draw(t, "lines"), "")
		if rapid.Bool().Draw(t, "cut") {
			s = strings.TrimSuffix(s, "\n")
		}
		return s
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := file.Draw(t, "a"), file.Draw(t, "b")
		if rapid.Bool().Draw(t, "near") { // an edit: one line of a is another
			at := rapid.IntRange(0, len(a)).Draw(t, "at")
			b = a[:at] + line.Draw(t, "line") + a[at:]
		}
		d := Diff("f", "f", []byte(a), []byte(b))
		if (d == nil) != (a == b) {
			t.Fatalf("difference %q", d)
		}
		if d == nil {
			return
		}
		name := filepath.Join(dir, "f")
		if err := os.WriteFile(name, []byte(a), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(patch, "--binary", "-s", "-f", "-o", "-", name)
		cmd.Stdin = bytes.NewReader(d)
		out, err := cmd.Output()
		if err != nil || string(out) != b {
			t.Fatalf("%v: %q, want %q, by\n%s", err, out, b, d)
		}
	})
}

func TestDiffOfManyChangesIsShort(t *testing.T) {
	a := bytes.Repeat([]byte("ldap: x\n\tserver1 a\n\tbase_dn b\n\ttfa type=oath\n\tuser_attr uid\n\n"), 1000)
	b := bytes.ReplaceAll(a, []byte("\ttfa type=oath\n"), nil)
	d := Diff("f", "f", a, b)
	if n := bytes.Count(d, []byte("\n-")); n != 1000 {
		t.Errorf("%d lines removed, want 1000", n)
	}
	if n := bytes.Count(d, []byte("\n+")); n != 1 {
		t.Errorf("%d lines added, want none", n-1)
	}
}
