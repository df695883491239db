package pamstack

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// modules are where Debian has those that the test needs.
const modules = "/lib/x86_64-linux-gnu/security"

// authenticate builds the program that asks libpam itself.
func authenticate(t *testing.T) string {
	t.Helper()
	missing := func(why any) {
		if os.Getenv("CI") != "" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	if _, err := os.Stat("/usr/include/security/pam_appl.h"); err != nil {
		missing(err)
	}
	cc, err := exec.LookPath("cc")
	if err != nil {
		missing(err)
	}
	prog := filepath.Join(t.TempDir(), "authenticate")
	if out, err := exec.Command(cc, "-Wall", "-Wextra", "-Werror", "-o", prog, "testdata/authenticate.c", "-lpam").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return prog
}

// A forge makes service files at random, of everything that libpam knows and of
// some things that it does not.
type forge struct {
	*rand.Rand
	names []string
}

func (f forge) pick(list ...string) string { return list[f.IntN(len(list))] }

func (f forge) blank() string { return f.pick(" ", "\t", "  ", " \\\n", " \t \\ \n  ") }

func (f forge) control() string {
	if f.IntN(2) == 0 {
		return f.pick("required", "requisite", "sufficient", "optional", "Sufficient", "REQUIRED")
	}
	if f.IntN(20) == 0 {
		return f.pick("[success]", "[default=0]", "[nonsense=ok]", "[success=ok ]", "[]", "needed", "[success = 1 default= die]",
			"[success=ok default=ignore", "[default=ignore success=ok]", "[=]", "[success=okauth_err=ignore]", "[default=2x]", "[success=99]")
	}
	var b strings.Builder
	b.WriteByte('[')
	for i := range f.IntN(4) {
		if i > 0 {
			b.WriteString(f.blank())
		}
		b.WriteString(Code(f.IntN(Codes-1)).String() + "=" + f.action())
	}
	if f.IntN(3) > 0 {
		b.WriteString(" success=" + f.action())
	}
	if f.IntN(4) > 0 {
		b.WriteString(" default=" + f.action())
	}
	b.WriteByte(']')
	return b.String()
}

func (f forge) action() string {
	return f.pick("ignore", "ok", "done", "bad", "die", "reset", "1", "2", "3")
}

func (f forge) line() string {
	typ := f.pick("auth", "auth", "auth", "auth", "auth", "-auth", "Auth", "account", "[auth]")
	if f.IntN(60) == 0 {
		typ = f.pick("session", "auth", "-", "")
	}
	end := f.pick("\n", "\n", "\n", "  \n", "# comment\n", " # comment \\\n")
	module := "pam_debug.so auth=" + Code(f.IntN(Codes-1)).String()
	switch n := f.IntN(24); {
	case n < 4:
		module = "pam_permit.so"
	case n < 6:
		module = "pam_deny.so"
	case n == 6:
		module = modules + "/pam_permit.so"
	case n == 7:
		module = f.pick("pam_nothere.so", "pam_debug.so", "[pam_debug.so] [auth=auth_err]", "pam_debug.so auth=auth_err auth=success")
	case n < 11:
		return typ + f.blank() + f.pick("include", "substack", "Substack") + f.blank() + f.pick(f.names...) + end
	case n == 11:
		return "@include" + f.blank() + f.pick(f.names...) + end
	case n == 12 && f.IntN(8) == 0:
		return f.pick("auth required\n", "auth\n", "@include\n", "auth include\n", "auth required ?\n", "auth sufficient .so\n", "auth substack\n",
			"auth include no-such-file\n", "auth substack no-such-file\n", "@include no-such-file\n", "pam_permit.so\n", "required pam_permit.so\n")
	}
	return typ + f.blank() + f.control() + f.blank() + module + end
}

func (f forge) file() string {
	var b strings.Builder
	for range 1 + f.IntN(5) {
		b.WriteString(f.pick("", "", "", "\n", "# comment\n", " \t\n"))
		b.WriteString(f.line())
	}
	if f.IntN(100) == 0 {
		b.WriteString("auth required pam_deny.so \\")
	}
	return b.String()
}

// scripted is what the modules of the forge answer.
func scripted(s Step) Code {
	switch s.Name() {
	case "pam_permit.so":
		return Success
	case "pam_deny.so":
		return AuthErr
	case "pam_debug.so":
		code := Success
		for _, arg := range s.Args {
			if name, ok := strings.CutPrefix(arg, "auth="); ok {
				for code = 0; code.String() != name; code++ {
				}
				break
			}
		}
		return code
	}
	return ModuleUnknown
}

// services is how many files are in a folder that is made at random.
const services = 400

// write makes a folder of service files. They include earlier ones alone, or
// libpam would never end.
func write(t *testing.T, dir string, seed uint64, other bool) (names []string) {
	t.Helper()
	file := func(name string, stream uint64, included []string) {
		text := forge{rand.New(rand.NewPCG(seed, stream)), included}.file()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	included := []string{"no-such-file"}
	for i := range services {
		name := "s" + strconv.Itoa(i)
		file(name, uint64(i), included[max(0, len(included)-8):])
		if i == 0 {
			included = nil
		}
		included = append(included, filepath.Join(dir, name))
		names = append(names, name)
	}
	if other {
		file("other", services, []string{filepath.Join(dir, "s7")})
	}
	return append(names, "none", "other")
}

// mine is what this package makes of a service.
func mine(t *testing.T, dir, name string) (*Service, Code) {
	t.Helper()
	s, err := Load(func(path string) ([]byte, error) {
		name, ok := strings.CutPrefix(path, "/etc/pam.d/")
		if !ok && !strings.HasPrefix(path, dir) {
			return nil, fs.ErrNotExist
		}
		return os.ReadFile(filepath.Join(dir, filepath.Base(name)))
	}, name)
	if err != nil {
		t.Fatal(err)
	}
	if s.Aborted {
		return s, 26 // abort
	}
	steps, _ := s.Stack(Auth)
	return s, Run(steps, func(i int) Code { return scripted(steps[i]) })
}

// Of service files made at random libpam and this package make the same answer.
func TestAgainstLibpam(t *testing.T) {
	prog := authenticate(t)
	rounds := 5
	if os.Getenv("SOAK") != "" {
		rounds = 500
	}
	answers := map[Code]int{}
	crashes, undefined := 0, 0
	for round := range rounds {
		dir := t.TempDir()
		seed := rand.Uint64()
		names := write(t, dir, seed, round%5 == 1) // with an "other" that may end every login
		out, err := exec.Command(prog, append([]string{dir}, names...)...).Output()
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for i, line := range strings.Fields(string(out)) {
			want, err := strconv.Atoi(line)
			if err != nil {
				t.Fatal(err)
			}
			s, got := mine(t, dir, names[i])
			answers[got]++
			switch {
			case want < 0 && len(s.Faults) == 0: // some broken lines crash libpam
				t.Errorf("seed %d, service %s: libpam crashed over nothing\n%s", seed, names[i], dump(dir, s))
			case want < 0:
				crashes++
			case slices.ContainsFunc(s.Faults, func(f Fault) bool { return f.Code == "undefined" }):
				undefined++
			case int(got) != want:
				t.Fatalf("seed %d, service %s: libpam says %d (%v), this package %d (%v)\n%s", seed, names[i], want, Code(want), got, got, dump(dir, s))
			}
		}
	}
	t.Logf("%d stacks; answers: %v, crashes: %d, undefined: %d", rounds*(services+2), answers, crashes, undefined)
	if len(answers) < 10 || answers[Success] < services/20 || crashes+undefined > rounds*services/3 {
		t.Errorf("the stacks are too much alike: %v", answers)
	}
}

func dump(dir string, s *Service) string {
	var b strings.Builder
	for _, path := range s.Files {
		text, _ := os.ReadFile(filepath.Join(dir, filepath.Base(path)))
		fmt.Fprintf(&b, "--- %s\n%s\n", path, text)
	}
	fmt.Fprintf(&b, "--- faults %v, aborted %v\n", s.Faults, s.Aborted)
	steps, _ := s.Stack(Auth)
	for _, h := range steps {
		fmt.Fprintf(&b, "%v level %d kind %d %q %q %v\n", h.Place, h.Level, h.Kind, h.Control, h.Path, h.Args)
	}
	return b.String()
}
