package filestore

import (
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// The system calls are those that the package comment lists, line by line.
func TestPackageCommentListsTheCalls(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(file.Doc.Text(), "# What a crash leaves")
	lists := make(map[string][]string) // by the first word or words of their paragraph
	var title string
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		if !strings.HasPrefix(paragraph, "\t") {
			title, _, _ = strings.Cut(paragraph, ",")
			title = strings.ReplaceAll(strings.TrimSuffix(title, ":"), "\n", " ")
			title, _, _ = strings.Cut(title, ";")
			continue
		}
		for line := range strings.Lines(paragraph) {
			call, _, _ := strings.Cut(strings.TrimSpace(line), "  ")
			lists[title] = append(lists[title], strings.TrimSpace(call))
		}
	}
	for _, tt := range []struct{ title, scenario string }{
		{"A login", "a login"},
		{"A login", "a login that changes nothing"},
		{"A login of nobody", "a login of nobody"},
		{"A login that activates", "a login that activates"},
		{"A login that activates", "add"},
		{"Reset", "reset"},
		{"Reset", "new recovery codes"},
		{"Reset", "remove"},
		{"Enable", "enable"},
		{"Disable", "disable"},
	} {
		all := scenarios()
		i := slices.IndexFunc(all, func(sc scenario) bool { return sc.name == tt.scenario })
		if i < 0 {
			t.Fatalf("no scenario %q", tt.scenario)
		}
		tr := prepare(t, all[i])
		var calls []string
		for n := range tr.calls {
			calls = append(calls, tr.show(n))
		}
		if list := lists[tt.title]; !slices.Equal(calls, list) {
			t.Errorf("%s: the calls are\n\t%s\nand the comment says of %q\n\t%s", tt.scenario,
				strings.Join(calls, "\n\t"), tt.title, strings.Join(list, "\n\t"))
		}
	}
}
