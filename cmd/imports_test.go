package cmd

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// allowed says who may import whom within the module, tests aside. Arrows only
// go down: a package that is not here has no place in the architecture yet.
func allowed() map[string][]string {
	return map[string][]string{
		// Leaves know no sibling.
		"pkg/oath":              {},
		"pkg/qr":                {},
		"pkg/section":           {},
		"pkg/account":           {},
		"pkg/audit":             {},
		"pkg/internal/durable":  {},
		"pkg/internal/process":  {},
		"pkg/internal/seal":     {},
		"pkg/internal/pvetest":  {},
		"pkg/deliver":           {"pkg/internal/process"},
		"pkg/deliver/mailtest":  {},
		"pkg/password":          {"pkg/internal/process"},
		"pkg/duo":               {},
		"pkg/duo/duotest":       {},
		"pkg/duo/pipe":          {"pkg/internal/process"},
		"pkg/getent":            {"pkg/internal/process"},
		"pkg/pamstack":          {},
		"pkg/sshdconf":          {"pkg/internal/process"},
		"pkg/config/oathtable":  {},
		"pkg/config":            {"pkg/config/oathtable"},
		"pkg/realm":             {"pkg/section"},
		"pkg/realm/realmfile":   {"pkg/internal/durable"},
		"pkg/mfa":               {"pkg/oath"},
		"pkg/verify":            {"pkg/mfa", "pkg/oath"},
		"pkg/exchange":          {"pkg/oath", "pkg/mfa", "pkg/account"},
		"pkg/store":             {"pkg/mfa"},
		"pkg/store/filestore":   {"pkg/store", "pkg/mfa", "pkg/internal/durable"},
		"pkg/store/sealfile":    {"pkg/mfa", "pkg/internal/durable", "pkg/internal/seal"},
		"pkg/store/storetest":   {"pkg/store", "pkg/mfa", "pkg/oath"},
		"cmd/internal/cli":      {},
		"cmd/internal/host":     {},
		"cmd/internal/trusted":  {},
		"cmd/internal/oathconf": {"cmd/internal/trusted", "pkg/config/oathtable"},
		"cmd/internal/site": {
			"cmd/internal/cli", "cmd/internal/host", "cmd/internal/oathconf", "cmd/internal/trusted",
			"pkg/account", "pkg/config", "pkg/deliver", "pkg/exchange", "pkg/oath", "pkg/realm", "pkg/mfa", "pkg/verify", "pkg/store/filestore", "pkg/store/sealfile", "pkg/audit",
		},
		"pkg/realm/realmfile/pmxcfstest": { // for tests
			"pkg/internal/durable",
		},
		"cmd/internal/caller":   {"cmd/internal/cli", "cmd/internal/site", "pkg/getent", "pkg/mfa"},
		"cmd/internal/converse": {},
		"cmd/internal/request":  {},
		"cmd/internal/login": {
			"cmd/internal/cli", "cmd/internal/site", "cmd/internal/trusted", "pkg/audit", "pkg/config", "pkg/duo/pipe", "pkg/mfa", "pkg/password", "pkg/qr", "pkg/store", "pkg/verify",
		},
		"cmd/internal/doctor": {"cmd/internal/site", "pkg/config", "pkg/pamstack", "pkg/sshdconf"},
		// The programs. What edits realms knows no store.
		"cmd/oathkeygen":    {"cmd/internal/cli", "cmd/internal/oathconf", "pkg/oath"},
		"cmd/oath-qrencode": {"cmd/internal/cli", "cmd/internal/host", "cmd/internal/oathconf", "pkg/oath", "pkg/qr"},
		"cmd/oathverify": {
			"cmd/internal/caller", "cmd/internal/cli", "cmd/internal/converse", "cmd/internal/doctor", "cmd/internal/login", "cmd/internal/request", "cmd/internal/site", "cmd/internal/trusted",
			"pkg/getent", "pkg/realm", "pkg/oath", "pkg/mfa", "pkg/verify",
		},
		"cmd/oath-duo": {
			"cmd/internal/cli", "cmd/internal/oathconf", "cmd/internal/trusted", "pkg/config", "pkg/duo", "pkg/duo/pipe",
		},
		"cmd/realmctl": {
			"cmd/internal/cli", "cmd/internal/oathconf", "pkg/config", "pkg/realm", "pkg/realm/realmfile", "pkg/account", "pkg/exchange", "pkg/oath",
		},
		"cmd/mfactl": {
			"cmd/internal/cli", "cmd/internal/site", "cmd/internal/trusted",
			"pkg/account", "pkg/config", "pkg/exchange", "pkg/realm", "pkg/oath", "pkg/qr", "pkg/mfa", "pkg/verify", "pkg/store", "pkg/store/sealfile", "pkg/audit",
		},
		"cmd/oathenroll": {
			"cmd/internal/caller", "cmd/internal/cli", "cmd/internal/site", "pkg/config", "pkg/getent",
			"pkg/oath", "pkg/qr", "pkg/mfa", "pkg/verify", "pkg/store", "pkg/audit", "pkg/deliver", "pkg/password",
		},
	}
}

// banned says what a program must not link, directly or not: each costs time at
// every start, or is a power that the program has no use for.
func banned() map[string][]string {
	everywhere := []string{"crypto/tls", "log/slog", "net/http", "regexp"}
	leaf := append([]string{"net", "os/exec", "github.com/BurntSushi/toml"}, everywhere...)
	return map[string][]string{
		"cmd/oathkeygen":    leaf,
		"cmd/oath-qrencode": leaf,
		"cmd/oathverify":    append([]string{"net", "os/exec"}, everywhere...),
		"cmd/realmctl":      append([]string{"net", "oathkit/pkg/store", "oathkit/pkg/store/filestore"}, everywhere...),
		"cmd/oathenroll":    append([]string{"net"}, everywhere...),
		// It alone links age, for what a person carries away, and age brings
		// net and regexp with it.
		"cmd/mfactl": {"crypto/tls", "log/slog", "net/http", "os/exec"},
		// It opens connections, and knows no records.
		"cmd/oath-duo": {"log/slog", "os/exec", "oathkit/pkg/mfa", "oathkit/pkg/store", "oathkit/pkg/store/filestore"},
	}
}

// A listed package is what "go list -json" tells of it.
type listed struct {
	ImportPath string
	Name       string
	Dir        string
	GoFiles    []string
	Imports    []string
	Deps       []string
	Standard   bool
	Module     *struct{ Path string }
}

func goList(t *testing.T, args ...string) []listed {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Name,Dir,GoFiles,Imports,Deps,Standard,Module"}, args...)...)
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var packages []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

func TestArrowsGoDown(t *testing.T) {
	allowed := allowed()
	for _, p := range goList(t, "./cmd/...", "./pkg/...") {
		if len(p.GoFiles) == 0 { // tests only
			continue
		}
		name := strings.TrimPrefix(p.ImportPath, "oathkit/")
		may, ok := allowed[name]
		if !ok {
			t.Errorf("%s has no place in the architecture; give it one in imports_test.go", name)
			continue
		}
		for _, imported := range p.Imports {
			if own, ok := strings.CutPrefix(imported, "oathkit/"); ok && !slices.Contains(may, own) {
				t.Errorf("%s imports %s", name, own)
			}
		}
	}
}

func TestNothingBelowKnowsAbove(t *testing.T) {
	for _, p := range goList(t, "./pkg/...") {
		for _, dep := range p.Deps {
			if strings.HasPrefix(dep, "oathkit/cmd") {
				t.Errorf("%s links %s", p.ImportPath, dep)
			}
		}
	}
}

func TestProgramsLinkNoMoreThanTheyNeed(t *testing.T) {
	banned := banned()
	for _, prog := range programs() {
		bans := banned["cmd/"+prog]
		if len(bans) == 0 {
			t.Errorf("%s has no list of bans", prog)
		}
		for _, p := range goList(t, "./cmd/"+prog) {
			for _, dep := range p.Deps {
				if slices.Contains(bans, dep) {
					t.Errorf("%s links %s", prog, dep)
				}
			}
		}
	}
}

// The network is a privilege of one program.
func TestOnlyOneProgramOpensConnections(t *testing.T) {
	var linked []string
	for _, prog := range programs() {
		for _, p := range goList(t, "./cmd/"+prog) {
			for _, dep := range p.Deps {
				// Package age brings net to mfactl, and never dials.
				if dep == "net/http" || dep == "crypto/tls" || dep == "net" && prog != "mfactl" {
					linked = append(linked, prog+": "+dep)
				}
			}
		}
	}
	slices.Sort(linked)
	if want := []string{"oath-duo: crypto/tls", "oath-duo: net", "oath-duo: net/http"}; !slices.Equal(linked, want) {
		t.Errorf("linked: %q, want %q", linked, want)
	}
}

// The code of others has one door into the house, so that it can be judged and
// replaced in one place. x/sys is the system's own interface and has no door.
func TestOutsideLibrariesHaveOneDoor(t *testing.T) {
	module := map[string]string{}
	packages := goList(t, "-deps", "./cmd/...", "./pkg/...")
	for _, p := range packages {
		if !p.Standard && p.Module != nil {
			module[p.ImportPath] = p.Module.Path
		}
	}
	doors := map[string][]string{}
	for _, p := range packages {
		if module[p.ImportPath] != "oathkit" {
			continue
		}
		for _, imported := range p.Imports {
			m := module[imported]
			if m != "" && m != "oathkit" && m != "golang.org/x/sys" && !slices.Contains(doors[m], p.ImportPath) {
				doors[m] = append(doors[m], p.ImportPath)
			}
		}
	}
	for m, importers := range doors {
		if len(importers) > 1 {
			t.Errorf("%s is imported by %v", m, importers)
		}
	}
}

// Packages below cmd are given time, randomness and files; they take none.
func TestPackagesTakeNothing(t *testing.T) {
	calls := map[string][]string{
		"os":   {"Exit", "Getenv", "LookupEnv", "Environ", "Stdin", "Stdout", "Stderr", "Args"},
		"fmt":  {"Print", "Printf", "Println"},
		"time": {"Now", "Since", "Until"},
		"log":  nil,
		"flag": nil,
	}
	eachFile(t, "pkg", func(path string, fset *gotoken.FileSet, file *ast.File) {
		for _, imp := range file.Imports {
			switch name := strings.Trim(imp.Path.Value, `"`); name {
			case "log", "flag", "crypto/rand", "math/rand", "math/rand/v2":
				if !strings.Contains(path, "pkg/internal/durable/") { // names of temporary files
					t.Errorf("%s imports %s", path, name)
				}
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); ok && slices.Contains(calls[x.Name], sel.Sel.Name) && !waits(path, x.Name) {
				t.Errorf("%s: %s.%s", fset.Position(sel.Pos()), x.Name, sel.Sel.Name)
			}
			return true
		})
	})
}

// waits says that a package may look at the clock, for it waits for locks.
func waits(path, pkg string) bool {
	return pkg == "time" && strings.Contains(path, "pkg/internal/durable/")
}

// Nothing runs before main: no init, and no package-level variable that is
// computed, save plain errors.
func TestNothingRunsBeforeMain(t *testing.T) {
	check := func(path string, fset *gotoken.FileSet, file *ast.File) {
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					t.Errorf("%s: init function", fset.Position(d.Pos()))
				}
			case *ast.GenDecl:
				if d.Tok == gotoken.VAR {
					for _, expr := range computed(d) {
						t.Errorf("%s: computed at every start", fset.Position(expr.Pos()))
					}
				}
			}
		}
	}
	eachFile(t, "pkg", check)
	eachFile(t, "cmd", check)
}

// computed returns the calls and maps among the values of package-level
// variables.
func computed(d *ast.GenDecl) []ast.Expr {
	var found []ast.Expr
	for _, spec := range d.Specs {
		v := spec.(*ast.ValueSpec)
		if v.Names[0].Name == "_" { // a check of types, done by the compiler
			continue
		}
		for _, value := range v.Values {
			ast.Inspect(value, func(n ast.Node) bool {
				switch e := n.(type) {
				case *ast.FuncLit:
					return false
				case *ast.CallExpr:
					if !isPlainError(e) {
						found = append(found, e)
					}
				case *ast.CompositeLit:
					if _, ok := e.Type.(*ast.MapType); ok {
						found = append(found, e)
					}
				}
				return true
			})
		}
	}
	return found
}

// isPlainError recognises errors.New("…"), fmt.Errorf("…") and conversions that
// cost next to nothing.
func isPlainError(e *ast.CallExpr) bool {
	switch f := e.Fun.(type) {
	case *ast.SelectorExpr:
		x, ok := f.X.(*ast.Ident)
		return ok && (x.Name == "errors" && f.Sel.Name == "New" || x.Name == "fmt" && f.Sel.Name == "Errorf")
	case *ast.ArrayType:
		return true
	}
	return false
}

// Only the frame of commands decides an exit code, and main only passes it on.
func TestOnlyTheFrameExits(t *testing.T) {
	eachFile(t, "cmd", func(path string, fset *gotoken.FileSet, file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			if f, ok := n.(*ast.FuncDecl); ok && f.Name.Name == "main" && f.Recv == nil {
				if !isMain(f) {
					t.Errorf("%s: main is not os.Exit(cli.Main(command()))", fset.Position(f.Pos()))
				}
				return false
			}
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			x, ok := sel.X.(*ast.Ident)
			if ok && sel.Sel.Name == "Exit" && (x.Name == "os" || x.Name == "syscall" || x.Name == "unix") {
				t.Errorf("%s: %s.Exit", fset.Position(sel.Pos()), x.Name)
			}
			return true
		})
	})
}

// isMain recognises a body of os.Exit(cli.Main(…)) and no more.
func isMain(f *ast.FuncDecl) bool {
	if len(f.Body.List) != 1 {
		return false
	}
	stmt, ok := f.Body.List[0].(*ast.ExprStmt)
	if !ok {
		return false
	}
	exit, ok := stmt.X.(*ast.CallExpr)
	if !ok || !isCall(exit, "os", "Exit") || len(exit.Args) != 1 {
		return false
	}
	main, ok := exit.Args[0].(*ast.CallExpr)
	return ok && isCall(main, "cli", "Main")
}

func isCall(c *ast.CallExpr, pkg, name string) bool {
	sel, ok := c.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != name {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && x.Name == pkg
}

// eachFile parses every Go file below a folder of the repository, tests aside.
// Suites for tests are tests.
func eachFile(t *testing.T, dir string, fn func(path string, fset *gotoken.FileSet, file *ast.File)) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join("..", dir), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == "storetest" || d.Name() == "duotest") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		fset := gotoken.NewFileSet()
		file, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			return err
		}
		fn(path, fset, file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
