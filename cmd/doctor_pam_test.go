package cmd

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// codesOfPAM are what a module may return, the likeliest several times.
const codesOfPAM = "success success success success auth_err auth_err ignore user_unknown new_authtok_reqd " +
	"authinfo_unavail perm_denied module_unknown maxtries system_err abort"

// A randomStack is a service "top" that may take in a service "sub". The modules
// are pam_debug.so by other names: it returns what its argument says. An empty
// module is sub.
type randomStack struct{ top, sub []stackLine }

type stackLine struct{ control, module string }

func newRandomStack(r *rand.Rand) (s randomStack) {
	one := func(list ...string) string { return list[r.IntN(len(list))] }
	control := func() string {
		if r.IntN(2) == 0 {
			return one("required", "requisite", "sufficient", "optional")
		}
		action := func() string { return one("ignore", "ok", "done", "bad", "die", "reset", "1", "2", "3") }
		return "[" + one("success", "auth_err", "ignore") + "=" + action() + " default=" + action() + "]"
	}
	for range 1 + r.IntN(4) {
		s.sub = append(s.sub, stackLine{control(), "strange"})
	}
	for range 1 + r.IntN(4) {
		s.top = append(s.top, stackLine{control(), "strange"})
	}
	s.top[r.IntN(len(s.top))] = stackLine{one("include", "substack"), ""}
	list := &s.top
	if r.IntN(3) == 0 {
		list = &s.sub
	}
	ours := stackLine{one("required", "requisite", control()), "oathkit"}
	at := r.IntN(len(*list) + 1)
	*list = append((*list)[:at:at], append([]stackLine{ours}, (*list)[at:]...)...)
	return s
}

// write writes the services into a folder. Each module gets a code of its own, and
// ours one that is a no.
func (s randomStack) write(t *testing.T, r *rand.Rand, dir, modules string) {
	t.Helper()
	codes := strings.Fields(codesOfPAM)
	for name, lines := range map[string][]stackLine{"top": s.top, "sub": s.sub} {
		var text strings.Builder
		for _, l := range lines {
			code := codes[r.IntN(len(codes))]
			for l.module == "oathkit" && (code == "success" || code == "ignore" || code == "new_authtok_reqd") {
				code = codes[r.IntN(len(codes))]
			}
			if l.module == "" {
				fmt.Fprintf(&text, "auth %s %s/sub\n", l.control, dir)
			} else {
				fmt.Fprintf(&text, "auth %s %s/pam_%s.so auth=%s\n", l.control, modules, l.module, code)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Where doctor finds no way around our line, PAM itself grants no login against
// its no, whatever the other modules say.
func TestDoctorAgainstPAM(t *testing.T) {
	need(t, "pamtester")
	wrapper, _ := filepath.Glob("/usr/lib/*/libpam_wrapper.so")
	debug, _ := filepath.Glob("/lib/*/security/pam_debug.so")
	if len(wrapper) == 0 || len(debug) == 0 {
		lacks(t, "no libpam_wrapper.so, or no pam_debug.so")
	}
	dir := t.TempDir()
	root := filepath.Join(dir, "root")
	services := filepath.Join(root, "etc/pam.d")
	// libpam_wrapper does not see to includes, so they have the whole path, which
	// below the root must lead to the same place.
	for _, folder := range []string{services, filepath.Dir(root + services)} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/pam.d", root+services); err != nil {
		t.Fatal(err)
	}
	file := func(name string) string {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for _, name := range []string{"pam_oathkit.so", "pam_strange.so"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(file(debug[0])), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	around := regexp.MustCompile(`"code": "(sufficient|jump|not-binding|reset|around)"`)
	held := 0
	for range rounds(30, 500) {
		s := newRandomStack(r)
		s.write(t, r, services, dir)
		out, _ := exec.Command(filepath.Join(bin, "oathverify"), "doctor", "--json", "--root", root, "top").Output()
		if around.Match(out) {
			continue
		}
		if held++; !strings.Contains(string(out), `"code": "asks"`) {
			t.Fatalf("seed %d: nothing goes around, and nothing asks:\n%s", seed, out)
		}
		for range 8 {
			s.write(t, r, services, dir)
			cmd := exec.Command("pamtester", "top", "root", "authenticate")
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LD_PRELOAD=libpam_wrapper.so", "PAM_WRAPPER=1", "PAM_WRAPPER_SERVICE_DIR=" + services}
			if cmd.Run() == nil {
				t.Fatalf("seed %d: somebody gets in by\n%s--- sub\n%s", seed, file(services+"/top"), file(services+"/sub"))
			}
		}
	}
	if held == 0 {
		t.Errorf("seed %d: doctor lets no stack pass", seed)
	}
}
