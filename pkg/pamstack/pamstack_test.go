package pamstack

import (
	"bytes"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// folder opens files from a map.
func folder(files map[string]string) Open {
	return func(path string) ([]byte, error) {
		if text, ok := files[path]; ok {
			return []byte(text), nil
		}
		return nil, fs.ErrNotExist
	}
}

func load(t *testing.T, files map[string]string, service string) *Service {
	t.Helper()
	s, err := Load(folder(files), service)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// show is a stack in short: place, level, kind, control, module, arguments.
func show(steps []Step) string {
	var b strings.Builder
	for _, s := range steps {
		b.WriteString(strings.Repeat(">", s.Level) + s.Place.String())
		if s.Silent {
			b.WriteString(" -")
		}
		b.WriteString([...]string{"", " fails", " substack"}[s.Kind])
		b.WriteString(" [" + s.Control + "] " + s.Path)
		for _, a := range s.Args {
			b.WriteString(" <" + a + ">")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestLoad(t *testing.T) {
	const etc = "/etc/pam.d/"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string // of the auth stack
		fault string // codes, in order
	}{
		{"one line", map[string]string{etc + "svc": "auth required pam_unix.so nullok"}, etc + "svc:1 [required] pam_unix.so <nullok>\n", ""},
		{
			"case, tabs, comments and other types",
			map[string]string{etc + "svc": "# auth\n\n\t-AUTH\tSufficient  pam_a.so x # y\naccount required pam_b.so\n  auth optional pam_c.so#z\n"},
			etc + "svc:3 - [Sufficient] pam_a.so <x>\n" + etc + "svc:5 [optional] pam_c.so\n", "",
		},
		{
			"continued lines",
			map[string]string{etc + "svc": "auth \\\n [success=1 \\  \n default=ignore] pam_a.so \\\n a\\\n b\nauth required pam_b.so"},
			etc + "svc:1 [success=1  default=ignore] pam_a.so <a> <b>\n" + etc + "svc:6 [required] pam_b.so\n", "",
		},
		{
			"no continuation in a comment",
			map[string]string{etc + "svc": "auth required pam_a.so # \\\nauth required pam_b.so\n"},
			etc + "svc:1 [required] pam_a.so\n" + etc + "svc:2 [required] pam_b.so\n", "",
		},
		{
			"a comment in a continuation",
			map[string]string{etc + "svc": "auth required \\\n# x\n pam_a.so\n"},
			etc + "svc:1 [required] pam_a.so\n", "continuation",
		},
		{
			"arguments in brackets",
			map[string]string{etc + "svc": "auth required pam_a.so [prompt=Code: ] [a [b\\] c] [] x[y z]"},
			etc + "svc:1 [required] pam_a.so <prompt=Code: > <a [b] c> <> <x[y> <z]>\n", "",
		},
		{
			"include, substack and @include",
			map[string]string{
				etc + "svc":                "auth include a\nauth substack b\n@include c\naccount include a\n",
				etc + "a":                  "auth required pam_a.so\naccount required pam_no.so\n",
				etc + "b":                  "auth required pam_b.so\nauth substack a\n",
				etc + "c":                  "account required pam_no.so\nauth required pam_c.so\n",
				"/usr/lib/pam.d/a":         "auth required pam_no.so\n",
				etc + "other":              "auth required pam_no.so\n",
				"/usr/lib/pam.d/unrelated": "auth required pam_no.so\n",
			},
			etc + "a:1 [required] pam_a.so\n" + etc + "svc:2 substack [substack] b\n>" + etc + "b:1 [required] pam_b.so\n>" +
				etc + "b:2 substack [substack] a\n>>" + etc + "a:1 [required] pam_a.so\n" + etc + "c:2 [required] pam_c.so\n", "",
		},
		{
			"a distribution's file",
			map[string]string{"/usr/lib/pam.d/svc": "auth include part\n", "/usr/lib/pam.d/part": "auth required pam_a.so\n"},
			"/usr/lib/pam.d/part:1 [required] pam_a.so\n", "include",
		},
		{"other", map[string]string{etc + "other": "auth required pam_deny.so"}, etc + "other:1 [required] pam_deny.so\n", ""},
		{
			"other for a type that the service does not have",
			map[string]string{etc + "svc": "account required pam_a.so\n", etc + "other": "auth required pam_deny.so\n"},
			etc + "other:1 [required] pam_deny.so\n", "",
		},
		{
			"lines that make no sense",
			map[string]string{etc + "svc": "autho sufficient pam_a.so\nauth needed pam_b.so\nauth required\nauth\nauth include none\n"},
			etc + "svc:1 fails [sufficient] pam_a.so\n" + etc + "svc:2 [needed] pam_b.so\n" + etc + "svc:3 fails [required] \n" +
				etc + "svc:4 fails [] \n" + etc + "svc:5 fails [include] \n",
			"bad-line bad-line bad-line bad-line bad-line include",
		},
		{"@include of nothing", map[string]string{etc + "svc": "auth sufficient pam_permit.so\n@include none\n"}, "", "include"},
		{"unended", map[string]string{etc + "svc": "auth sufficient pam_permit.so\nauth x \\\n"}, "", "unended"},
		{"a zero byte", map[string]string{etc + "svc": "auth required pam_a.so \x00 x\n"}, etc + "svc:1 [required] pam_a.so\n", "nul"},
		{"a long line", map[string]string{etc + "svc": "auth required pam_a.so " + strings.Repeat("x", 1000)}, etc + "svc:1 [required] pam_a.so <" + strings.Repeat("x", 1000) + ">\n", ""},
		{"a longer line", map[string]string{etc + "svc": "#" + strings.Repeat("x", 1024) + "\nauth required pam_a.so"}, etc + "svc:2 [required] pam_a.so\n", "long-line"},
		{"a carriage return", map[string]string{etc + "svc": "auth required pam_a.so\r\n"}, etc + "svc:1 [required] pam_a.so\r\n", ""},
		{"nothing", map[string]string{}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := load(t, c.files, "svc")
			steps, _ := s.Stack(Auth)
			if got := show(steps); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
			var codes []string
			for _, f := range s.Faults {
				codes = append(codes, f.Code)
			}
			if got := strings.Join(codes, " "); got != c.fault {
				t.Errorf("faults %q, want %q: %v", got, c.fault, s.Faults)
			}
			if s.Aborted != (c.want == "") {
				t.Errorf("aborted: %v", s.Aborted)
			}
		})
	}
}

// Files that include each other end.
func TestLoop(t *testing.T) {
	for _, word := range []string{"auth include", "auth substack", "@include"} {
		s := load(t, map[string]string{"/etc/pam.d/svc": word + " svc\n"}, "svc")
		if len(s.Faults) == 0 || s.Faults[0].Code != "too-deep" {
			t.Errorf("%s: %v", word, s.Faults)
		}
	}
	s := load(t, map[string]string{"/etc/pam.d/svc": strings.Repeat("auth include svc\n", 5)}, "svc")
	if !slices.ContainsFunc(s.Faults, func(f Fault) bool { return f.Code == "too-deep" }) {
		t.Errorf("%d steps, no fault", len(s.own))
	}
}

// small makes a stack of a few modules with random controls.
func small(r *rand.Rand) []Step {
	f := forge{r, nil}
	var steps []Step
	level := 0
	for range 1 + r.IntN(5) {
		switch r.IntN(6) {
		case 0:
			steps = append(steps, Step{Kind: Substack, Level: level, Actions: every(ActBad)})
			level++
		case 1:
			level = max(0, level-1)
		}
		control := f.pick("required", "requisite", "sufficient", "optional",
			"success="+f.action()+" ignore="+f.action()+" default="+f.action())
		actions, _ := parseControl(control)
		steps = append(steps, Step{Level: level, Control: control, Actions: actions})
	}
	return steps
}

// A search finds success where trying everything finds it, and its ways are
// ways.
func TestWaysAgainstEverything(t *testing.T) {
	codes := []Code{Success, AuthErr, Ignore}
	granted := 0
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		steps := small(r)
		allowed := make([][]Code, len(steps))
		for i := range allowed {
			allowed[i] = slices.Clone(codes[r.IntN(3):])
		}
		ways, err := Search{
			Steps: steps, Codes: func(step, _ int) []Code { return allowed[step] }, Remember: func(m int, _ Event) int { return m },
		}.Ways()
		if err != nil {
			t.Fatal(err)
		}
		if got, want := len(ways) > 0, tryAll(steps, allowed, make([]Code, len(steps)), 0); got != want {
			t.Fatalf("seed %d: search %v, everything %v\n%s", seed, got, want, show(steps))
		}
		for _, w := range ways {
			granted++
			answers := map[int]Code{}
			for _, e := range w.Events {
				answers[e.Step] = e.Code
			}
			asked := 0
			if got := Run(steps, func(i int) Code { asked++; return answers[i] }); got != Success {
				t.Fatalf("seed %d: the way %v ends in %v\n%s", seed, w.Events, got, show(steps))
			}
		}
	}
	if granted < 500 {
		t.Errorf("only %d logins were granted", granted)
	}
}

func tryAll(steps []Step, allowed [][]Code, answers []Code, i int) bool {
	if i == len(steps) {
		return Run(steps, func(i int) Code { return answers[i] }) == Success
	}
	for _, c := range allowed[i] {
		answers[i] = c
		if tryAll(steps, allowed, answers, i+1) {
			return true
		}
	}
	return false
}

func TestTooMany(t *testing.T) {
	actions, _ := parseControl("required")
	steps := slices.Repeat([]Step{{Actions: actions}}, 30)
	q := Search{Steps: steps, Codes: func(int, int) []Code { return AnyCode() }, Remember: func(m int, e Event) int { return m*2 + int(e.Code)%2 }}
	if _, err := q.Ways(); err != ErrTooMany {
		t.Errorf("got %v", err)
	}
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("auth required pam_a.so # x\n\nauth \\\n sufficient [a b] \\"))
	f.Add([]byte("#\\\n\\\n\n\x00\n auth"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var raw []byte
		last := 0
		for i, l := range Lines(b) {
			if l.Text != "" {
				if l.Number <= last {
					t.Fatalf("line %d comes after line %d", l.Number, last)
				}
				last = l.Number
			} else if rest := Lines(b)[i+1:]; len(rest) > 0 {
				t.Fatalf("%q is nothing, but %d lines follow", l.Raw, len(rest))
			}
			raw = append(raw, l.Raw...)
		}
		if !bytes.Equal(raw, b) || last > bytes.Count(b, []byte("\n"))+1 {
			t.Fatalf("%q is no longer %q, or has a line %d", raw, b, last)
		}
	})
}

// What is read from any file can be written down again, and is then read alike.
func FuzzLoad(f *testing.F) {
	f.Add("auth required pam_a.so x\n-auth [success=1 default=die] pam_b.so [a b]\n@include b", "auth substack c\naccount required pam_d.so")
	f.Add("auth substack b\nfoo\n", "auth [success=ok\n")
	f.Add("Auth 0 [\n", "")
	f.Fuzz(func(t *testing.T, a, b string) {
		files := map[string]string{"/etc/pam.d/a": a, "/etc/pam.d/b": b}
		s, err := Load(folder(files), "a")
		if err != nil {
			t.Fatal(err)
		}
		steps, _ := s.Stack(Auth)
		var text strings.Builder
		var plain []Step
		for _, h := range steps {
			if h.Kind == Module && h.Level == 0 {
				plain = append(plain, h)
				text.WriteString("auth")
				for _, word := range append([]string{h.Control, h.Path}, h.Args...) {
					if strings.ContainsAny(word, "\x00#\\\n") { // no spelling has these inside brackets
						return
					}
					text.WriteString(" [" + strings.ReplaceAll(word, "]", "\\]") + "]")
				}
				text.WriteByte('\n')
			}
		}
		again := load(t, map[string]string{"/etc/pam.d/a": text.String()}, "a")
		got, _ := again.Stack(Auth)
		if len(got) != len(plain) {
			t.Fatalf("%d steps, then %d:\n%s", len(plain), len(got), text.String())
		}
		for i := range got {
			if got[i].Actions != plain[i].Actions || got[i].Path != plain[i].Path || !slices.Equal(got[i].Args, plain[i].Args) {
				t.Fatalf("%v\nbecame\n%v", plain[i], got[i])
			}
		}
		Run(steps, func(i int) Code { return Code(i * 7) })
	})
}
