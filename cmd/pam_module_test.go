package cmd

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// What pam_authenticate returns, as libpam numbers it.
const (
	pamSuccess  = 0
	pamService  = 3
	pamDenied   = 6
	pamAuth     = 7
	pamUnavail  = 9
	pamUnknown  = 28 // the module lacks the function
	pamIgnore   = 25
	helperPause = "exec 3<&0; read -r never <&3; sleep 60\n"
)

// A pamLab is a folder of PAM services, and the module with a stand-in for
// oathverify that does what the file in the option config= says.
type pamLab struct {
	t   *testing.T
	dir string
}

func newPAMLab(t *testing.T) *pamLab {
	t.Helper()
	for _, prog := range []string{"make", "cc"} {
		need(t, prog)
	}
	p := &pamLab{t, t.TempDir()}
	// Reading them makes go test run again when they have changed.
	sources, _ := filepath.Glob("pam_oathkit/*.[ch]")
	for _, source := range append(sources, "../Makefile", "testdata/pam/host.c", "testdata/pam/helper.c") {
		if _, err := os.ReadFile(source); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(p.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("cc", "-fsyntax-only", "-include", "security/pam_modules.h", "-x", "c", os.DevNull)
	if out, err := cmd.CombinedOutput(); err != nil {
		lacks(t, "no headers of libpam: "+string(out))
	}
	if err := os.Mkdir(p.path("pam.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	p.write("helper", "#!/bin/sh\n. \"$2\"\n", 0o755)
	p.service("other", "auth required pam_deny.so\n")
	return p
}

func (p *pamLab) path(name string) string { return filepath.Join(p.dir, name) }

func (p *pamLab) write(name, text string, mode os.FileMode) {
	p.t.Helper()
	if err := os.WriteFile(p.path(name), []byte(text), mode); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pamLab) service(name, text string) { p.write("pam.d/"+name, text, 0o644) }

// script is a service that returns what the module returns, whose helper is a
// script. The head is read for it.
func (p *pamLab) script(name, script string, options ...string) string {
	p.t.Helper()
	p.write(name+".sh", "while read -r line && [ -n \"$line\" ]; do head=\"$head$line;\"; done\n"+script, 0o644)
	line := "auth [default=ok] MODULE config=" + p.path(name+".sh") + " " + strings.Join(options, " ") + "\n"
	p.service(name, line)
	return name
}

// build makes a module as make pam does. MODULE in a service stands for it.
func (p *pamLab) build(name, helper string, vars ...string) string {
	p.t.Helper()
	out, err := exec.Command("make", append([]string{
		"-s", "-C", "..", "pam", "PAMODULE=" + p.path(name), "OATHVERIFY=" + helper, "CFLAGS=-O2 -g -Werror",
	}, vars...)...).CombinedOutput()
	if err != nil || len(out) > 0 {
		p.t.Fatalf("make pam: %v\n%s", err, out)
	}
	return p.path(name)
}

// sanitizers stop a program at what the language leaves undefined, and at memory
// that is not given back.
const sanitizers = "-fsanitize=address,undefined -fno-sanitize-recover=all"

func (p *pamLab) buildHost(name, flags string) string {
	p.t.Helper()
	args := append(strings.Fields("-Wall -Wextra -Werror -O1 -g -rdynamic -Wl,-z,now -o"), p.path(name))
	args = append(args, strings.Fields(flags+" testdata/pam/host.c -lpam -lpthread")...)
	if out, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
		p.t.Fatalf("cc %v: %v\n%s", args, err, out)
	}
	return p.path(name)
}

// A pamHost is a host with a module.
type pamHost struct {
	*pamLab
	host, module string
}

// command runs the host: options, then service, user and answers.
func (h pamHost) command(options []string, service, user string, answers ...string) *exec.Cmd {
	h.t.Helper()
	confdir := h.path("on-" + filepath.Base(h.module))
	if err := os.MkdirAll(confdir, 0o755); err != nil {
		h.t.Fatal(err)
	}
	for _, name := range []string{service, "other"} { // libpam complains where there is no other
		text, err := os.ReadFile(h.path("pam.d/" + name))
		if err != nil {
			h.t.Fatal(err)
		}
		h.write("on-"+filepath.Base(h.module)+"/"+name, strings.ReplaceAll(string(text), "MODULE", h.module), 0o644)
	}
	cmd := exec.Command(h.host, slices.Concat(options, []string{confdir, service, user}, answers)...)
	cmd.Env = []string{"LEAK=this", "SUDO_UID=4711", "PATH=/usr/bin:/bin"}
	cmd.WaitDelay = time.Minute
	return cmd
}

// run is what the host says of one login.
func (h pamHost) run(service, user string, answers ...string) string {
	h.t.Helper()
	return h.finish(h.command(nil, service, user, answers...))
}

func (h pamHost) finish(cmd *exec.Cmd) string {
	h.t.Helper()
	r := finish(h.t, cmd)
	if r.code != 0 || strings.Contains(r.out, "changed: ") || r.err != "" {
		h.t.Errorf("%v: exit code %d\n%s%s", cmd.Args, r.code, r.out, r.err)
	}
	return r.out
}

// authenticated is what pam_authenticate returned.
func authenticated(t *testing.T, out string) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^authenticate (\d+)$`).FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("no return code in\n%s", out)
	}
	return m[1]
}

func TestPAMModule(t *testing.T) {
	p := newPAMLab(t)
	helper := p.path("helper")
	careful := pamHost{p, p.buildHost("careful", sanitizers), p.build("careful.so", helper, "CFLAGS=-O1 -g -Werror "+sanitizers)}
	plain := pamHost{p, p.buildHost("plain", ""), p.build("plain.so", helper)}
	hasty := pamHost{p, plain.host, p.build("hasty.so", helper, "CPPFLAGS=-DDEADLINE=1")}
	for name, test := range map[string]func(*testing.T, pamHost){
		"verdicts": testPAMVerdicts, "options": testPAMOptions, "people": testPAMPeople, "log": testPAMLog,
	} {
		t.Run(name, func(t *testing.T) { test(t, careful.in(t)) })
	}
	t.Run("habits", func(t *testing.T) {
		testPAMHabits(t, careful.in(t))
		testPAMHabits(t, plain.in(t))
	})
	for name, test := range map[string]func(*testing.T, pamHost){
		"helper": testPAMHelper, "stacks": testPAMStacks, "memory": testPAMMemory, "end": testPAMHostDies,
	} {
		t.Run(name, func(t *testing.T) { test(t, plain.in(t)) })
	}
	t.Run("deadline", func(t *testing.T) { testPAMDeadline(t, hasty.in(t)) })
	t.Run("missing", func(t *testing.T) {
		h := pamHost{p, plain.host, p.build("missing.so", p.path("nowhere"))}.in(t)
		out := h.run(h.script("missing", ""), "alice")
		if authenticated(t, out) != "9" || !strings.Contains(out, "log cannot start "+p.path("nowhere")+"\n") {
			t.Error(out)
		}
	})
}

// in is the host for a subtest.
func (h pamHost) in(t *testing.T) pamHost {
	h.pamLab = &pamLab{t, h.dir}
	return h
}

// Only a whole verdict line that is the last one, and the end after it, counts.
func testPAMVerdicts(t *testing.T, h pamHost) {
	for name, tt := range map[string]struct {
		script string
		want   int
		why    string
	}{
		"accepted":            {"echo verdict accepted", pamSuccess, ""},
		"ignored":             {"echo verdict ignored", pamIgnore, ""},
		"refused":             {"echo verdict refused; exit 1", pamAuth, ""},
		"unsure":              {"echo verdict unsure; exit 111", pamUnavail, ""},
		"exit code alone":     {"exit 0", pamUnavail, "it ended without a verdict"},
		"exit code against":   {"echo verdict accepted; exit 111", pamSuccess, ""},
		"no newline":          {"printf 'verdict accepted'", pamUnavail, "it ended within a line"},
		"twice":               {"echo verdict accepted; echo verdict accepted", pamUnavail, "no line of the protocol"},
		"line after":          {"echo verdict accepted; echo tell hello", pamUnavail, "no line of the protocol"},
		"half a line after":   {"echo verdict accepted; printf x", pamUnavail, "it ended within a line"},
		"blank after":         {"echo 'verdict accepted '", pamUnavail, "no line of the protocol"},
		"blank before":        {"echo ' verdict accepted'", pamUnavail, "no line of the protocol"},
		"return":              {`printf 'verdict accepted\r\n'`, pamUnavail, "a control character"},
		"zero byte":           {`printf 'verdict accepted\000\n'`, pamUnavail, "a control character"},
		"zero byte in a tell": {`printf 'tell a\000b\nverdict accepted\n'`, pamUnavail, "a control character"},
		"upper case":          {"echo Verdict accepted", pamUnavail, "no line of the protocol"},
		"other verdict":       {"echo verdict maybe", pamUnavail, "no line of the protocol"},
		"word":                {"echo tell", pamUnavail, "no line of the protocol"},
		"empty line":          {"echo; echo verdict accepted", pamUnavail, "no line of the protocol"},
		"killed":              {"echo verdict accepted; kill -9 $$", pamSuccess, ""},
		"minder killed":       {"kill -9 $PPID; read -r never", pamUnavail, "it ended without a verdict"},
		"minder ended":        {"kill $PPID; read -r never", pamUnavail, "it ended without a verdict"},
		"killed before":       {"kill -9 $$", pamUnavail, "it ended without a verdict"},
		"longest line":        {"printf 'tell %04090d\\nverdict accepted\\n' 0", pamSuccess, ""},
		"too long":            {"printf 'tell %04091d\\nverdict accepted\\n' 0", pamUnavail, "a line that is too long"},
		"endless line":        {"cat /dev/zero | tr '\\0' x", pamUnavail, "a line that is too long"},
		"endless talk":        {"yes tell me", pamUnavail, "too much of it"},
		"deaf":                {"exec <&-; echo ask code; sleep 0.2; echo verdict accepted", pamUnavail, "it has broken off"},
		"does not read":       {"while echo ask code; do :; done", pamUnavail, "it does not read"},
		"goes away":           {"exec <&- >&-; sleep 0.1", pamUnavail, "it ended without a verdict"},
	} {
		t.Run(name, func(t *testing.T) {
			h := h.in(t)
			out := h.run(h.script("verdicts", tt.script+"\n"), "alice", "1", "2", "3")
			if got := authenticated(t, out); got != fmt.Sprint(tt.want) {
				t.Errorf("returns %s, want %d:\n%.2000s", got, tt.want, out)
			}
			if has := strings.Contains(out, "log no verdict from "); has != (tt.why != "") || !strings.Contains(out, tt.why) {
				t.Errorf("the log does not say %q:\n%.2000s", tt.why, out)
			}
		})
	}
}

// What the module is given it gives on, and what it does not know it refuses.
func testPAMOptions(t *testing.T, h pamHost) {
	echo := "printf 'tell %s\\n' \"$*\"; echo verdict accepted\n"
	for options, want := range map[string]string{
		"":                          "-c FILE converse",
		"realm=ldap":                "-c FILE converse --realm ldap",
		"enrol realm=pve any_realm": "-c FILE converse --realm pve --any-realm --enrol",
		"[prompt=Your code: ]":      "-c FILE converse --prompt Your code: ",
		"prompt=-x":                 "-c FILE converse --prompt -x",
	} {
		out := h.run(h.script("options", echo, options), "alice")
		if want = strings.ReplaceAll(want, "FILE", h.path("options.sh")); !strings.Contains(out, "tell <"+want+">\n") {
			t.Errorf("%q: want %q:\n%s", options, want, out)
		}
	}
	for option, want := range map[string]string{
		"nullok":              `option "nullok" is not for here: the realm file, domains.cfg(5), says who needs a code`,
		"enroll":              `option "enroll" is none of pam_oathkit(8)`,
		"enrol=yes":           `option "enrol=yes" is none of pam_oathkit(8)`,
		"realm":               `option "realm" is none of pam_oathkit(8)`,
		"Realm=pam":           `option "Realm=pam" is none of pam_oathkit(8)`,
		"realm=":              `option "realm=" has no value`,
		"prompt=":             `option "prompt=" has no value`,
		"enrol enrol":         `option "enrol" is given twice`,
		"realm=a realm=b":     `option "realm=b" is given twice`,
		"config=/nowhere":     `option "config=/nowhere" is given twice`,
		"realm=pam debug":     `option "debug" is none of pam_oathkit(8)`,
		"any_realm any-realm": `option "any-realm" is none of pam_oathkit(8)`,
	} {
		out := h.run(h.script("options", echo, option), "alice")
		if authenticated(t, out) != fmt.Sprint(pamService) || !strings.Contains(out, "log "+want+"\n") || strings.Contains(out, "tell") {
			t.Errorf("%q: want %q:\n%s", option, want, out)
		}
	}
	h.service("options", "auth [default=ok] MODULE config=options.sh\n")
	if out := h.run("options", "alice"); authenticated(t, out) != fmt.Sprint(pamService) || !strings.Contains(out, `option "config=options.sh" is no absolute path`) {
		t.Error(out)
	}
}

// What the person is asked, tells and is told.
func testPAMPeople(t *testing.T, h pamHost) {
	const judge = `IFS=; echo "ask  code: "; read -r a; echo "ask-shown and?"; read -r b
printf 'tell %s|%s|%s\n' "$head" "$a" "$b"; echo "warn  two  blanks "; echo verdict refused
`
	const head = "user alice;service people;rhost 192.0.2.7;|"
	for name, tt := range map[string]struct {
		options, answers []string
		want             string
	}{
		"answers":    {nil, []string{"123456", "a b"}, "ask < code: >\nask-shown <and?>\ntell <" + head + "answer 123456|answer a b>\nwarn < two  blanks >\n"},
		"empty":      {nil, []string{"", "é"}, head + "answer |answer é>"},
		"none":       {nil, []string{"@none", "2"}, head + "cancel|answer 2>"},
		"null":       {nil, []string{"1", "@null"}, head + "answer 1|cancel>"},
		"newline":    {nil, []string{"@newline", "2"}, "<" + head + "cancel|answer 2>"},
		"long":       {nil, []string{"@long", "2"}, "<" + head + "cancel|answer 2>"},
		"control":    {nil, []string{"12\x01", "12\x7f"}, "<" + head + "cancel|cancel>"},
		"silence":    {[]string{"-s"}, []string{"1", "2"}, "ask < code: >\nask-shown <and?>\nauthenticate 7\n"},
		"no answers": {nil, nil, "|cancel|cancel>"},
	} {
		t.Run(name, func(t *testing.T) {
			h := h.in(t)
			out := h.finish(h.command(tt.options, h.script("people", judge), "alice", tt.answers...))
			if !strings.Contains(out, tt.want) || authenticated(t, out) != "7" || strings.Contains(out, "no verdict") {
				t.Errorf("want %q:\n%s", tt.want, out)
			}
		})
	}
	for user, want := range map[string]string{
		"al\nice": "7", "alice\nservice x": "7", "\x1b[2J": "7", "\x7f": "7", strings.Repeat("u", 5000): "7",
		"al ice": "0", strings.Repeat("u", 4000): "0", "élise": "0",
	} {
		out := h.run(h.script("people", "echo verdict accepted\n"), user)
		if got := authenticated(t, out); got != want || want == "7" != strings.Contains(out, "log a user is refused whose name") {
			t.Errorf("%.20q: %s, want %s\n%.2000s", user, got, want, out)
		}
	}
	service := h.script("people", "echo \"tell $head\"; echo verdict accepted\n")
	out := h.finish(h.command([]string{"-r", "a\nverdict accepted"}, service, "alice"))
	if !strings.Contains(out, "tell <user alice;service people;>") || !strings.Contains(out, "log the name of the rhost is not passed on") {
		t.Error(out)
	}
}

// Standard error of the helper is what the log gets, without what could forge
// lines in it, and not without end.
func testPAMLog(t *testing.T, h pamHost) {
	out := h.run(h.script("log", "printf 'oathverify: error: no\\033[2J\\n\\nhint: do\\n' >&2; echo verdict unsure; exit 111\n"), "alice")
	if !strings.Contains(out, "log oathverify: error: no?[2J\nlog hint: do\nauthenticate 9\n") {
		t.Error(out)
	}
	out = h.run(h.script("log", "head -c 1000000 /dev/zero | tr '\\0' x >&2; echo verdict accepted\n"), "alice")
	if authenticated(t, out) != "0" || strings.Count(out, "x") < 1000 || strings.Count(out, "x") > 4000 {
		t.Errorf("%d bytes of log, %s", strings.Count(out, "x"), authenticated(t, out))
	}
	// Who inherits standard error and lives on does not keep the person waiting.
	began := time.Now()
	out = h.run(h.script("log", "(exec >&- <&-; sleep 60) & echo verdict accepted\n"), "alice")
	if took := time.Since(began); authenticated(t, out) != "0" || took > 50*time.Second {
		t.Errorf("after %v:\n%s", took, out)
	}
}
