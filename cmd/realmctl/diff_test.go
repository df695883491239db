package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestUnifiedDiff(t *testing.T) {
	old := "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\n"
	tests := []struct{ name, old, edited, want string }{
		{"the same", old, old, ""},
		{"a line changed", "a\nb\nc\n", "a\nB\nc\n", "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"},
		{"into an empty file", "", "a\n", "@@ -0,0 +1 @@\n+a\n"},
		{"to an empty file", "a\nb\n", "", "@@ -1,2 +0,0 @@\n-a\n-b\n"},
		{"a last line without an ending", "a\nb", "a\nc", "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file\n"},
		{"an ending added", "a", "a\n", "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"},
		{"two hunks", old, strings.Replace(strings.Replace(old, "b\n", "", 1), "k\n", "k\nl\n", 1), "@@ -1,5 +1,4 @@\n a\n-b\n c\n d\n e\n@@ -9,3 +8,4 @@\n i\n j\n k\n+l\n"},
		{"one hunk", old, strings.Replace(strings.Replace(old, "b\n", "", 1), "i\n", "I\n", 1), "@@ -1,11 +1,10 @@\n a\n-b\n c\n d\n e\n f\n g\n h\n-i\n+I\n j\n k\n"},
		{"carriage returns stay", "a\r\nb\r\n", "a\r\n", "@@ -1,2 +1 @@\n a\r\n-b\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.want
			if want != "" {
				want = "--- f\n+++ f\n" + want
			}
			if got := string(unifiedDiff("f", []byte(tt.old), []byte(tt.edited))); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// patch(1) makes the new file of the old one and the diff, whatever was edited.
func TestPatchTakesTheDiff(t *testing.T) {
	if _, err := exec.LookPath("patch"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(1, 2))
	for range 150 {
		old, edited := randomEdit(random)
		diff := unifiedDiff("f", old, edited)
		if bytes.Equal(old, edited) {
			continue
		}
		for name, b := range map[string][]byte{"f": old, "diff": diff} {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command("patch", "--quiet", "--binary", "-i", "diff", "-o", "new", "f")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s\n%s", err, out, diff)
		}
		if got, err := os.ReadFile(filepath.Join(dir, "new")); err != nil || !bytes.Equal(got, edited) {
			t.Fatalf("%v\n%s\nmakes\n%s\nnot\n%s", err, diff, got, edited)
		}
	}
}

// randomEdit is a file with many equal lines, and the same with lines removed,
// added and changed.
func randomEdit(random *rand.Rand) (old, edited []byte) {
	for i := range 5 + random.IntN(400) {
		line := fmt.Sprintf("line %d\n", i)
		if random.IntN(3) == 0 {
			line = []string{"\n", "\ttfa type=oath\n", "pve: x\n", "0\n"}[random.IntN(4)]
		}
		old = append(old, line...)
		switch n := random.IntN(60); {
		case n == 0:
		case n == 1:
			edited = append(edited, "\tcomment new\n"+line...)
		case n == 2:
			edited = append(edited, "changed\n"...)
		default:
			edited = append(edited, line...)
		}
	}
	if random.IntN(3) == 0 {
		old = bytes.TrimSuffix(old, []byte("\n"))
	}
	if random.IntN(3) == 0 {
		edited = bytes.TrimSuffix(edited, []byte("\n"))
	}
	return old, edited
}
