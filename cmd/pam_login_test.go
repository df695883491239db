package cmd

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
)

// A loginLab has a service "login" in which the module asks oathverify for users
// of pve, and pamtester, which libpam_wrapper shows this folder of services.
type loginLab struct {
	*lab
	pam *pamLab
}

func newLoginLab(t *testing.T, options ...string) loginLab {
	t.Helper()
	need(t, "pamtester")
	if found, _ := filepath.Glob("/usr/lib/*/libpam_wrapper.so"); len(found) == 0 {
		lacks(t, "no libpam_wrapper.so")
	}
	l := loginLab{newLab(t), newPAMLab(t)}
	module := l.pam.build("pam_oathkit.so", filepath.Join(bin, "oathverify"))
	l.pam.service("login", fmt.Sprintf("auth required %s config=%s realm=pve %s\n",
		module, l.path("oathkit.toml"), strings.Join(options, " ")))
	return l
}

func (l loginLab) pamtester(user string) *exec.Cmd {
	cmd := exec.Command("pamtester", "-I", "rhost=192.0.2.7", "-I", "tty=pts/9", "login", user, "authenticate", "setcred")
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "LD_PRELOAD=libpam_wrapper.so", "PAM_WRAPPER=1", "PAM_WRAPPER_SERVICE_DIR=" + l.pam.path("pam.d"),
		"PAM_WRAPPER_DEBUGLEVEL=3", // its log is standard error, and the module's, too
	}
	return cmd
}

func (l loginLab) login(user, answer string) run {
	l.t.Helper()
	cmd := l.pamtester(user)
	cmd.Stdin = strings.NewReader(answer + "\n")
	return finish(l.t, cmd)
}

// shown is what the person sees of a login.
func shown(r run) string {
	var s strings.Builder
	for line := range strings.Lines(r.out + r.err) {
		if !strings.Contains(line, "PWRAP_") {
			s.WriteString(line)
		}
	}
	return s.String()
}

func TestPAMModuleLogin(t *testing.T) {
	l := newLoginLab(t, "[prompt=Your code, please: ]")
	k := newToken(t, 1)
	l.enrol("alice@pve", k, oath.HOTP)
	lastEvent := func() string {
		lines := strings.Split(strings.TrimSpace(l.read("audit.jsonl")), "\n")
		return lines[len(lines)-1]
	}
	is := func(user, answer string, code int, events ...string) run {
		t.Helper()
		r := l.login(user, answer)
		if r.code != code || !strings.Contains(r.out+r.err, "Your code, please: ") {
			t.Errorf("%s with %q: exit code %d\n%s", user, answer, r.code, shown(r))
		}
		for _, want := range append(events, `"service":"login"`, `"rhost":"192.0.2.7"`, `"tty":"pts/9"`) {
			if event := lastEvent(); !strings.Contains(event, want) {
				t.Errorf("%s with %q: no %s in\n%s", user, answer, want, event)
			}
		}
		return r
	}
	right := k.hotp()
	in := is("alice", right, 0, `"verdict":"accepted"`)
	if !strings.Contains(in.out, "credential info has successfully been set") {
		t.Error(in.out)
	}
	wrong := shown(is("alice", "000000", 1, `"verdict":"rejected"`))
	if !strings.Contains(wrong, "wrong code, or too many tries\n") || !strings.Contains(wrong, "Authentication failure") {
		t.Errorf("a wrong code shows\n%s", wrong)
	}
	for name, r := range map[string]run{
		"the code again":   is("alice", right, 1, `"verdict":"re`),
		"nobody":           is("nobody", "000000", 1, `"verdict":"not-enrolled"`),
		"blanks in a name": is("al ice", "000000", 1, `"verdict":"rejected"`, "bad name"),
		"another realm":    is("alice@pam", "000000", 1, `"verdict":"rejected"`, "another realm"),
	} {
		if got := strings.ReplaceAll(shown(r), "nobody", "alice"); got != wrong {
			t.Errorf("%s shows\n%s\nand not\n%s", name, got, wrong)
		}
	}
	l.write("oathkit.toml", l.read("oathkit.toml")+"[lockout]\nfree = 1\nlock_at = 1\n")
	is("alice", "000000", 1)
	if r := is("alice", k.hotp(), 1, `"verdict":"locked"`); shown(r) != wrong {
		t.Errorf("a lock shows\n%s", shown(r))
	}
	l.must("", "mfactl", "unlock", "alice@pve")
	is("alice", k.hotp(), 0, `"verdict":"accepted"`)
	// No answer at all counts nothing.
	cmd := l.pamtester("alice")
	if r := finish(t, cmd); r.code != 1 || !strings.Contains(lastEvent(), `"reason":"cancelled"`) {
		t.Errorf("no answer: %d\n%s\n%s", r.code, lastEvent(), shown(r))
	}
	is("alice", k.hotp(), 0)

	if err := os.Rename(l.path("store"), l.path("aside")); err != nil {
		t.Fatal(err)
	}
	r := l.login("alice", k.hotp())
	if r.code != 1 || !strings.Contains(shown(r), "cannot retrieve authentication info") || !strings.Contains(lastEvent(), `"verdict":"error"`) ||
		!strings.Contains(r.err, "oathverify: error: ") {
		t.Errorf("without a store: %+v\n%s", r, lastEvent())
	}
	if err := os.Rename(l.path("aside"), l.path("store")); err != nil {
		t.Fatal(err)
	}
	is("alice", k.hotp(), 0)
	// With a configuration that cannot be read there is no audit log, but syslog.
	l.write("oathkit.toml", "[paths]\nstorage = \"x\"\n")
	if r := l.login("alice", k.hotp()); r.code != 1 || !strings.Contains(r.err, "oathkit.toml:2: ") {
		t.Errorf("with a broken configuration: %+v", r)
	}
}

// Who is asked for nothing is let in by something else, and by this module alone
// never.
func TestPAMModuleAloneIgnores(t *testing.T) {
	l := newLoginLab(t)
	l.must("", "mfactl", "enable", "alice@pve") // makes the store
	for _, control := range []string{"required", "requisite", "sufficient", "optional"} {
		rule := fmt.Sprintf("auth %s %s config=%s\n", control, l.pam.path("pam_oathkit.so"), l.path("oathkit.toml"))
		l.pam.service("login", rule)
		if r := l.login("bob", "000000"); r.code != 1 || !strings.Contains(shown(r), "Permission denied") || strings.Contains(shown(r), "code:") {
			t.Errorf("%s: %d\n%s", control, r.code, shown(r))
		}
	}
	rule := fmt.Sprintf("auth required pam_permit.so\nauth required %s config=%s\n", l.pam.path("pam_oathkit.so"), l.path("oathkit.toml"))
	l.pam.service("login", rule)
	if r := l.login("bob", ""); r.code != 0 {
		t.Errorf("behind a password: %d\n%s", r.code, shown(r))
	}
	// A line where it does not belong fails.
	for _, kind := range []string{"account", "session", "password"} {
		l.pam.service("login", fmt.Sprintf("auth required pam_permit.so\n%s required %s\n", kind, l.pam.path("pam_oathkit.so")))
		cmd := l.pamtester("bob")
		cmd.Args = append(cmd.Args[:7:7], map[string]string{"account": "acct_mgmt", "session": "open_session", "password": "chauthtok"}[kind])
		if r := finish(t, cmd); r.code != 1 || !strings.Contains(shown(r), "Module is unknown") {
			t.Errorf("%s: %d\n%s", kind, r.code, shown(r))
		}
	}
}

// A user whose codes are sent gets one when he is asked for it.
func TestPAMModuleSendsCode(t *testing.T) {
	l := newLoginLab(t)
	l.gateway("")
	const number = "+4512345678"
	l.receiver("alice@pve", mfa.SMS, number)
	cmd := l.pamtester("alice")
	answer, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var shown strings.Builder
	cmd.Stdout, cmd.Stderr = &shown, &shown
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	eventually(t, func() bool {
		b, err := os.ReadFile(l.path("gateway.d/" + number))
		return err == nil && strings.Contains(string(b), "\n")
	})
	fmt.Fprintln(answer, l.sent(number))
	if err := cmd.Wait(); err != nil || !strings.Contains(shown.String(), "successfully authenticated") {
		t.Errorf("%v\n%s", err, shown.String())
	}
	if log := l.read("audit.jsonl"); !strings.Contains(log, `"event":"send","user":"alice@pve"`) || !strings.Contains(log, `"verdict":"accepted"`) {
		t.Errorf("the audit log is\n%s", log)
	}
}
