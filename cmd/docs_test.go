package cmd

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"oathkit/pkg/config/oathtable"
)

// read returns a file of the repository.
func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// manual is the program's own page.
func manual(t *testing.T, prog string) string {
	t.Helper()
	pages, _ := filepath.Glob(filepath.Join("..", "man", "man[18]", prog+".[18]"))
	if len(pages) != 1 {
		t.Fatalf("%s has %d manual pages, want 1", prog, len(pages))
	}
	return read(t, strings.TrimPrefix(pages[0], "../"))
}

// need skips the test where a program of Debian is missing, and fails it where
// none may be.
func need(t *testing.T, prog string) {
	t.Helper()
	if _, err := exec.LookPath(prog); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// The built programs are those that are documented, no more and no fewer.
func TestProgramsAreKnown(t *testing.T) {
	entries, err := os.ReadDir(bin)
	if err != nil {
		t.Fatal(err)
	}
	var built []string
	for _, e := range entries {
		built = append(built, e.Name())
	}
	want := slices.Sorted(slices.Values(programs()))
	if !slices.Equal(built, want) {
		t.Errorf("built are %v, documented %v", built, want)
	}
}

func TestManualsHaveEveryOption(t *testing.T) {
	for _, prog := range programs() {
		t.Run(prog, func(t *testing.T) {
			u := readUsage(t, prog)
			page := manual(t, prog)
			documented := map[string]bool{}
			flag := regexp.MustCompile(`\bFl (\S+)`)
			for line := range strings.Lines(page) {
				if !strings.HasPrefix(line, ".It Fl ") {
					continue
				}
				for _, m := range flag.FindAllStringSubmatch(line, -1) {
					documented["-"+strings.ReplaceAll(m[1], `\-`, "-")] = true
				}
			}
			for _, name := range missing(u.optionNames(), documented) {
				t.Errorf("the manual page has no .It for option %s", name)
			}
			for _, name := range missing(documented, u.optionNames()) {
				t.Errorf("the manual page documents %s, which no usage has", name)
			}
			u.walk(func(u usage) {
				if len(u.words) > 1 && !regexp.MustCompile(`(?m)^\.(It|Nm|Ic|Cm|Op|Ss).*\b`+regexp.QuoteMeta(u.name())+`\b`).MatchString(page) {
					t.Errorf("the manual page has nothing about the command %q", u.path())
				}
			})
		})
	}
}

// missing are the names of a that b lacks.
func missing(a, b map[string]bool) []string {
	var names []string
	for name := range a {
		if !b[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func TestManualsHaveTheirSections(t *testing.T) {
	for _, prog := range programs() {
		page := manual(t, prog)
		for _, section := range []string{"NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "FILES", "EXAMPLES", "SEE ALSO"} {
			if !strings.Contains(page, "\n.Sh "+section+"\n") {
				t.Errorf("%s: no section %s", prog, section)
			}
		}
		codes := map[string]bool{}
		_, status, _ := strings.Cut(page, "\n.Sh EXIT STATUS\n")
		status, _, _ = strings.Cut(status, "\n.Sh ")
		for _, m := range regexp.MustCompile(`(?m)^\.It (?:Li |Sy |Cm )?(\d+)`).FindAllStringSubmatch(status, -1) {
			codes[m[1]] = true
		}
		want := map[string]bool{"0": true, "1": true, "2": true, "111": true}
		switch prog {
		case "oathverify": // hosts read 2 in their own ways
			delete(want, "2")
		case "oathkeygen": // it is asked nothing that could be answered with no
			delete(want, "1")
		}
		if !maps.Equal(codes, want) {
			t.Errorf("%s: EXIT STATUS has the codes %v, want %v", prog,
				slices.Sorted(maps.Keys(codes)), slices.Sorted(maps.Keys(want)))
		}
	}
}

func TestReadmeNamesEveryProgram(t *testing.T) {
	readme := read(t, "README.md")
	for _, prog := range programs() {
		if !strings.Contains(readme, "`"+prog+"`") {
			t.Errorf("README.md does not name `%s`", prog)
		}
	}
	for _, code := range []string{"| 0 |", "| 1 |", "| 2 |", "| 111 |"} {
		if !strings.Contains(readme, code) {
			t.Errorf("README.md has no row for exit code %s", code)
		}
	}
}

// Links between the documents and to files of the repository lead somewhere.
func TestLinks(t *testing.T) {
	for _, doc := range []string{"README.md", "SECURITY.md", "CHANGELOG.md"} {
		for _, m := range regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`).FindAllStringSubmatch(read(t, doc), -1) {
			if _, err := os.Stat(filepath.Join("..", m[1])); err != nil {
				t.Errorf("%s links to %s: %v", doc, m[1], err)
			}
		}
	}
}

// The page of the PAM module has its options, and the defaults that it is built
// with.
func TestManualOfThePAMModule(t *testing.T) {
	page, source := read(t, "man/man8/pam_oathkit.8"), read(t, "cmd/pam_oathkit/pam_oathkit.c")
	documented, known := map[string]bool{}, map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\.It Cm (\w+)( Ns =)?`).FindAllStringSubmatch(page, -1) {
		documented[m[1]+strings.TrimPrefix(m[2], " Ns ")] = true
	}
	for _, m := range regexp.MustCompile(`\{ "(\w+=?)", "-+[\w-]+" \}`).FindAllStringSubmatch(source, -1) {
		known[m[1]] = true
	}
	if len(known) < 5 || !maps.Equal(documented, known) {
		t.Errorf("the page documents %v, the module has %v", documented, known)
	}
	deadline := regexp.MustCompile(`#define DEADLINE (\d+)`).FindStringSubmatch(read(t, "cmd/pam_oathkit/helper.h"))
	if deadline == nil || !strings.Contains(page, "says nothing for "+deadline[1]+" seconds") {
		t.Errorf("the page has another deadline than %v", deadline)
	}
	for _, m := range regexp.MustCompile(`\bPAM_(SUCCESS|IGNORE|\w+_ERR|AUTHINFO_UNAVAIL)\b`).FindAllString(source, -1) {
		if !strings.Contains(page, "\n.It Dv "+m+"\n") {
			t.Errorf("the page does not explain %s", m)
		}
	}
}

func TestManualOfTheConfiguration(t *testing.T) {
	page := read(t, "man/man5/oathkit.toml.5")
	documented := map[string]bool{}
	table := ""
	for line := range strings.Lines(page) {
		if name, ok := strings.CutPrefix(line, ".Ss "); ok {
			table = strings.Trim(name, "[]\n")
		}
		if name, ok := strings.CutPrefix(line, ".It Ic "); ok {
			key, _, _ := strings.Cut(strings.TrimSpace(name), " ")
			documented[table+"."+key] = true
		}
	}
	keys := map[string]bool{}
	for _, table := range oathtable.Tables() {
		for _, key := range oathtable.Keys(table) {
			keys[table+"."+key] = true
		}
	}
	for _, name := range missing(keys, documented) {
		t.Errorf("oathkit.toml.5 does not describe %s", name)
	}
	for _, name := range missing(documented, keys) {
		t.Errorf("oathkit.toml.5 describes %s, which no file may have", name)
	}
}

func TestManualsLint(t *testing.T) {
	need(t, "mandoc")
	pages, _ := filepath.Glob("../man/man?/*.?")
	out, err := exec.Command("mandoc", append([]string{"-Tlint", "-W", "warning"}, pages...)...).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("mandoc: %v\n%s", err, out)
	}
}
