package cmd

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A row is one of the tables of oathkit-scenarios(7).
type row struct {
	id, wrong, outcome string
	tests              []string
}

// scenarioRows reads the tables of the page.
func scenarioRows(t *testing.T) []row {
	t.Helper()
	page := read(t, "man/man7/oathkit-scenarios.7")
	var rows []row
	for _, m := range regexp.MustCompile(`(?s)\n([LE]\d+)\tT\{\n(.*?)\nT\}\tT\{\n(.*?)\nT\}`).FindAllStringSubmatch(page, -1) {
		r := row{id: m[1], wrong: strings.ReplaceAll(m[2], "\n", " ")}
		for line := range strings.SplitSeq(m[3], "\n") {
			if name, ok := strings.CutPrefix(line, "["); ok {
				r.tests = append(r.tests, strings.TrimSuffix(name, "]"))
			} else {
				r.outcome += line + " "
			}
		}
		rows = append(rows, r)
	}
	if n := strings.Count(page, "\nL") + strings.Count(page, "\nE"); n != len(rows) {
		t.Errorf("%d rows of %d can be read", len(rows), n)
	}
	return rows
}

// goTests are the names of all Go tests of the repository.
func goTests(t *testing.T) map[string]bool {
	t.Helper()
	names := make(map[string]bool)
	for _, dir := range []string{"../cmd", "../pkg"} {
		err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(gotoken.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			for _, decl := range file.Decls {
				if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") {
					names[f.Name.Name] = true
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return names
}

// subtest is the name of a subtest as go test shows it.
func subtest(of, name string) string { return of + "/" + strings.ReplaceAll(name, " ", "_") }

// Each row of the tables names tests that there are, each test that is there for
// them has a row, and of each kind there are as many as the manual promises.
func TestScenariosHaveTests(t *testing.T) {
	tests := goTests(t)
	own := make(map[string]bool) // to be in the page
	for name := range scenarios() {
		own[subtest("TestScenario", name)] = true
	}
	for name := range mistakes() {
		if name != "no mistake" {
			own[subtest("TestMistakes", name)] = true
		}
	}
	named := make(map[string]bool)
	count := map[string]int{}
	for _, r := range scenarioRows(t) {
		count[r.id[:1]]++
		if len(r.tests) == 0 || r.wrong == "" {
			t.Errorf("%s: %q has no test", r.id, r.wrong)
		}
		if r.id[1:] != strconv.Itoa(count[r.id[:1]]) {
			t.Errorf("row %d of the table has the number %s", count[r.id[:1]], r.id)
		}
		for _, name := range r.tests {
			named[name] = true
			if strings.HasSuffix(name, ".txtar") {
				if _, err := os.Stat(filepath.Join("testdata", "script", name)); err != nil {
					t.Errorf("%s: %v", r.id, err)
				}
				continue
			}
			function, _, sub := strings.Cut(name, "/")
			if sub && !own[name] || !tests[function] {
				t.Errorf("%s: there is no test %s", r.id, name)
			}
		}
	}
	for _, name := range missing(own, named) {
		t.Errorf("oathkit-scenarios.7 has no row with %s", name)
	}
	if count["L"] < 15 || count["E"] < 15 {
		t.Errorf("%v rows, want at least 15 of each kind", count)
	}
}

// Every mistake for which Proxmox VE is known to ask for no factor has its row, in
// the part of the table that is about these, and its file is such a one: with PVE's
// eyes there is no factor in it.
func TestFailOpenListIsWhole(t *testing.T) {
	rows := scenarioRows(t)
	for _, name := range []string{
		"another type", "a slip in the type", "capitals", "no key", "nine digits", "a trailing comment", "more than 128 characters",
		"CRLF", "no empty line between", "an empty line above", "a later section of the name",
	} {
		text, ok := mistakes()[name]
		if !ok {
			t.Errorf("no mistake %q", name)
			continue
		}
		if !slices.ContainsFunc(rows, func(r row) bool {
			return strings.HasPrefix(r.id, "E") && slices.Equal(r.tests, []string{subtest("TestMistakes", name)})
		}) {
			t.Errorf("oathkit-scenarios.7 has no row of its own for %q", name)
		}
		file := filepath.Join(t.TempDir(), "domains.cfg")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		r := realmctl(t, file, "show", "--json", "pve")
		if r.code != 0 || !strings.Contains(r.out, `"tfa": null`) {
			t.Errorf("%s: Proxmox VE asks for a factor\n%s%s", name, r.out, r.err)
		}
	}
}
