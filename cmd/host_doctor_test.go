package cmd

import (
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"oathkit/pkg/sshdconf"
)

// doctor examines a service of the machine.
func (m *machine) doctor(args ...string) run {
	m.t.Helper()
	return finish(m.t, m.on(append([]string{"/usr/local/sbin/oathverify", "doctor"}, args...)...))
}

// examined wants an exit code and, in the report, every one of these.
func (m *machine) examined(service string, code int, want ...string) {
	m.t.Helper()
	r := m.doctor(service)
	if r.code != code || code == 0 && strings.Contains(r.out, ": error: ") {
		m.t.Errorf("doctor %s: exit code %d, want %d\n%s%s", service, r.code, code, r.out, r.err)
	}
	for _, w := range want {
		if !strings.Contains(r.out, w) {
			m.t.Errorf("doctor %s does not say %q, but\n%s%s", service, w, r.out, r.err)
		}
	}
}

// Nothing is wrong with the samples, on a system with a store and a realm that
// asks everybody.
func TestDoctorOfSamples(t *testing.T) {
	s := newSSHMachine(t)
	s.enrolPeople()
	s.sample("sshd/publickey-code.conf", "etc/ssh/sshd_config.d/oathkit.conf", 0o644)
	s.examined("sshd", 0, "/etc/pam.d/sshd:13: note: ")
	for _, service := range []string{"sudo", "imap", "ocserv"} {
		s.sample("pam.d/exec/"+service, "etc/pam.d/"+service, 0o644)
		s.examined(service, 0, "[asks]", "[code-alone]")
	}
	for _, service := range []string{"sshd", "sudo", "login"} {
		s.moduleSample(service)
		s.examined(service, 0, "[asks]")
	}
	// What Debian has asks nobody.
	s.examined("su", 1, "/etc/pam.d/su: error: ", "[absent]")
}

// What doctor says of sshd is what happens: who it says gets in does.
func TestDoctorOfSSHD(t *testing.T) {
	s := newSSHMachine(t)
	s.enrolPeople()
	s.examined("sshd", 1, "[sshd-methods]")
	s.sample("sshd/publickey-code.conf", "etc/ssh/sshd_config.d/oathkit.conf", 0o644)
	s.examined("sshd", 0)
	const file = "etc/ssh/sshd_config.d/zz.conf"
	s.install(file, "Match User bob\n\tAuthenticationMethods publickey\n", 0o644)
	s.examined("sshd", 1, `/etc/ssh/sshd_config.d/zz.conf:2: error: for connections that match "Match User bob": whoever logs in with publickey`)
	if r := s.doctor("--connection", "user=alice,host=localhost,addr=127.0.0.1", "sshd"); r.code != 0 {
		t.Errorf("alice's connection: %+v", r)
	}
	if r := s.doctor("--connection", "user=bob,host=localhost,addr=127.0.0.1", "sshd"); r.code != 1 {
		t.Errorf("bob's connection: %+v", r)
	}
	s.start()
	if r := s.ssh("bob", "000000", "id -un"); r.code != 0 {
		t.Errorf("bob does not get in: %+v", r)
	}
	if r := s.ssh("alice", "000000", "id -un"); r.code == 0 {
		t.Errorf("alice gets in without a code: %+v", r)
	}
	s.install(file, "", 0o644)

	s.install("etc/pam.d/sshd", "@include common-auth\n@include common-account\n", 0o644)
	s.examined("sshd", 1, "[absent]")
	s.sample("sshd/force-command.conf", "etc/ssh/sshd_config.d/oathkit.conf", 0o644)
	s.examined("sshd", 0)
	s.install(file, "Match Group nogroup\n\tDisableForwarding no\n\tPermitTunnel yes\n", 0o644)
	s.examined("sshd", 1, "/etc/ssh/sshd_config.d/zz.conf:2: error: ", "/etc/ssh/sshd_config.d/zz.conf:3: error: ", "[sshd-forwarding]")

	// An sshd that says nothing is not judged: it may have a forced command.
	s.install("etc/ssh/sshd_config", "NoSuchKeyword yes\n", 0o644)
	s.examined("sshd", 111, "unsure: ", "NoSuchKeyword")
}

// A service that doctor finds a way around has that way, and one without has
// none, whatever is typed.
func TestDoctorOfPAM(t *testing.T) {
	need(t, "pamtester")
	m := newMachine(t)
	m.enrolPeople()
	m.moduleSample("sudo")
	text := m.read("etc/pam.d/sudo")
	module := regexp.MustCompile(`/\S*/pam_oathkit\.so`).FindString(text)
	for _, c := range []struct {
		name, stack, code string
		in                bool // with the password alone
	}{
		{"requisite", "auth requisite pam_unix.so nodelay\nauth required MODULE\n", "asks", false},
		{"substack", "auth substack part\nauth required MODULE\n", "asks", false},
		{"include", "auth include part\nauth required MODULE\n", "sufficient", true},
		{"sufficient", "auth sufficient pam_unix.so nodelay\nauth required MODULE\n", "sufficient", true},
		{"optional", "auth required pam_unix.so nodelay\nauth optional MODULE\n", "not-binding", true},
		{"jump", "auth [success=1 default=ignore] pam_unix.so nodelay\nauth requisite MODULE\nauth required pam_permit.so\n", "jump", true},
		{"debug", "auth requisite pam_unix.so nodelay\nauth required MODULE\nauth [default=reset] pam_debug.so\nauth required pam_permit.so\n", "reset", true},
	} {
		m.install("etc/pam.d/part", "auth sufficient pam_unix.so nodelay\nauth required pam_deny.so\n", 0o644)
		m.install("etc/pam.d/"+c.name, strings.ReplaceAll(c.stack, "MODULE", module)+"account required pam_permit.so\n", 0o644)
		code := 0
		if c.in {
			code = 1
		}
		m.examined(c.name, code, "["+c.code+"]")
		if in, shown := m.pamtester(c.name)("alice", "ecila\n000000"); in != c.in {
			t.Errorf("%s: in is %v\n%s", c.name, in, shown)
		}
	}
}

// What cannot be read might let people in: that is no yes, and no fault either.
func TestDoctorOfWhatCannotBeRead(t *testing.T) {
	m := newMachine(t)
	m.enrolPeople()
	m.moduleSample("sudo")
	m.install("etc/pam.d/door", strings.Replace(m.read("etc/pam.d/sudo"), "@include", "# ", -1), 0o644)
	m.examined("door", 0)
	for _, name := range []string{"domains.cfg", "etc/oathkit/oathkit.toml", "etc/pam.d/door"} {
		info, err := os.Stat(m.path(name))
		m.do(err)
		m.do(os.Chmod(m.path(name), 0o600))
		r := finish(t, m.as("alice", "/usr/local/sbin/oathverify", "doctor", "door"))
		if r.code != 111 || !strings.Contains(r.out+r.err, "run it as root") || strings.Contains(r.out, ": error: ") {
			t.Errorf("%s cannot be read: %+v", name, r)
		}
		m.do(os.Chmod(m.path(name), info.Mode()))
	}
}

// Where no module sets credentials, a program that wants them set refuses.
func TestDoctorOfCredentials(t *testing.T) {
	need(t, "pamtester")
	m := newMachine(t)
	m.enrolPeople()
	const hook = "auth required pam_exec.so expose_authtok quiet /usr/local/sbin/oathverify pam\n"
	for _, c := range []struct {
		stack string
		in    bool
	}{{hook, false}, {hook + "auth required pam_permit.so\n", true}} {
		m.install("etc/pam.d/door", c.stack, 0o644)
		m.examined("door", 0)
		if said := strings.Contains(m.doctor("door").out, "[credentials]"); said == c.in {
			t.Errorf("doctor says it: %v", said)
		}
		cmd := m.on("pamtester", "door", "alice", "authenticate", "setcred")
		cmd.Stdin = strings.NewReader(m.code("alice") + "\n")
		if r := finish(t, cmd); (r.code == 0) != c.in || !strings.Contains(r.out, "successfully authenticated") {
			t.Errorf("in is not %v: %+v", c.in, r)
		}
	}
}

// What the Match blocks make of the settings is what sshd makes of them.
func TestMatchBlocksAgainstSSHD(t *testing.T) {
	s := newSSHMachine(t)
	keywords := map[string][]string{
		"AuthenticationMethods":        {"publickey", "keyboard-interactive:pam", "publickey,password password"},
		"KbdInteractiveAuthentication": {"yes", "no"},
		"PasswordAuthentication":       {"yes", "no"},
		"PubkeyAuthentication":         {"yes", "no"},
		"HostbasedAuthentication":      {"yes", "no"},
		"PermitRootLogin":              {"yes", "no"},
		"PermitEmptyPasswords":         {"yes", "no"},
		"ForceCommand":                 {"/bin/a b", "none"},
		"DisableForwarding":            {"yes", "no"},
		"PermitTunnel":                 {"yes", "no", "ethernet"},
		"AcceptEnv":                    {"A B", "C*"},
	}
	blocks := []string{"User bob", "Address 192.0.2.0/24", "Group carol", "User *,!alice"}
	connections := map[string][]string{
		"user=alice,host=h,addr=198.51.100.1": {},
		"user=alice,host=h,addr=192.0.2.9":    {blocks[1]},
		"user=bob,host=h,addr=198.51.100.1":   {blocks[0], blocks[3]},
		"user=bob,host=h,addr=192.0.2.9":      {blocks[0], blocks[1], blocks[3]},
		"user=carol,host=h,addr=192.0.2.9":    {blocks[1], blocks[2], blocks[3]},
	}
	names := slices.Sorted(maps.Keys(keywords))
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	lines := func(n int) (text string) {
		for range n {
			name := names[r.IntN(len(names))]
			text += name + " " + keywords[name][r.IntN(len(keywords[name]))] + "\n"
		}
		return text
	}
	s.do(os.MkdirAll(s.path("etc/ssh/more"), 0o755))
	for range rounds(4, 40) {
		// sshd does not even start with methods that cannot be satisfied.
		text := "HostKey /etc/ssh/host\nPubkeyAuthentication yes\nAuthenticationMethods publickey\nInclude /etc/ssh/more/*.conf\n" + lines(6)
		for _, b := range blocks[:3] {
			text += "Match " + b + "\n" + lines(1+r.IntN(4))
		}
		s.install("etc/ssh/sshd_config", text, 0o644)
		s.install("etc/ssh/more/a.conf", lines(2)+"Match "+blocks[3]+"\n"+lines(2), 0o644)

		f, err := sshdconf.Read(below(s.dir), "/etc/ssh/sshd_config")
		s.do(err)
		variants, ok := f.Variants(sshdconf.ParseSettings(s.mustOn("/usr/sbin/sshd", "-T")))
		if !ok {
			t.Fatal("too many blocks")
		}
		for connection, matched := range connections {
			want := sshdconf.ParseSettings(s.mustOn("/usr/sbin/sshd", "-T", "-C", connection))
			got := variantOf(variants, matched)
			for _, name := range names {
				key := strings.ToLower(name)
				if g, w := words(got.Settings[key]), words(want[key]); g != w {
					t.Fatalf("seed %d: %s of %s is %q, and sshd says %q\n%s--- more/a.conf\n%s", seed, name, connection, g, w,
						s.read("etc/ssh/sshd_config"), s.read("etc/ssh/more/a.conf"))
				}
			}
		}
	}
}

func words(values []string) string {
	return strings.ToLower(strings.Join(strings.Fields(strings.Join(values, " ")), " "))
}

// variantOf is the variant of exactly those of these blocks that have a part in
// it.
func variantOf(variants []sshdconf.Variant, matched []string) sshdconf.Variant {
	best := variants[0]
	for _, v := range variants {
		if !slices.ContainsFunc(v.Blocks, func(b sshdconf.Block) bool { return !slices.Contains(matched, b.Criteria) }) && len(v.Blocks) > len(best.Blocks) {
			best = v
		}
	}
	return best
}

// below is a system below a folder.
type below string

func (dir below) ReadFile(path string) ([]byte, error) { return os.ReadFile(string(dir) + path) }

func (dir below) Glob(pattern string) ([]string, error) {
	paths, err := filepath.Glob(string(dir) + pattern)
	for i := range paths {
		paths[i] = strings.TrimPrefix(paths[i], string(dir))
	}
	return paths, err
}

// Every code of a finding is in the manual, and none that there is not.
func TestDoctorsCodesAreDocumented(t *testing.T) {
	var source strings.Builder
	for _, pattern := range []string{"internal/doctor/*.go", "../pkg/sshdconf/judge.go", "../pkg/pamstack/*.go"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			t.Fatal(pattern, err)
		}
		for _, path := range paths {
			if !strings.HasSuffix(path, "_test.go") {
				source.WriteString(read(t, filepath.Join("cmd", path)))
			}
		}
	}
	inCode := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?:(?:Error|Unsure|Warning|Note|severity), |f\.Code(?:, .*)? = (?:Error|Warning, )?|Code: +|fault\(\S+, |l\.Fault = (?:piece\[:i\], )?|say\(\w+, |j\.add\("\w+", |piece\[:i\], )"([a-z-]+)"`).FindAllStringSubmatch(source.String(), -1) {
		inCode[m[1]] = true
	}
	page := manual(t, "oathverify")
	_, page, _ = strings.Cut(page, "The codes of the findings are:")
	page, _, _ = strings.Cut(page, "\n.El")
	inManual := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\.It Li (.*)$`).FindAllStringSubmatch(page, -1) {
		for code := range strings.SplitSeq(m[1], " , ") {
			inManual[code] = true
		}
	}
	if a, b := missing(inCode, inManual), missing(inManual, inCode); len(a)+len(b) > 0 || len(inCode) < 30 {
		t.Errorf("not in the manual: %q; not in the code: %q", a, b)
	}
}
