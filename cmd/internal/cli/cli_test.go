package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// tool is a program with commands that says what it was given.
func tool(misused int) *Command {
	var config string
	var dry bool
	var flags *Flags
	var n int
	show := func(c *Context) error {
		fmt.Fprintf(c.Stdout, "config=%q dry=%v n=%d given=%v args=%q\n", config, dry, n, flags.Given("dry-run"), c.Args)
		return nil
	}
	return &Command{
		Name: "tool", Summary: "try options", Misused: misused,
		Flags: func(f *Flags) { f.String(&config, "c,config", "FILE", "the configuration") },
		Commands: []*Command{
			{
				Name: "set", Args: "KEY VALUE", Summary: "set a value", MinArgs: 2, MaxArgs: 2, Run: show,
				Flags: func(f *Flags) {
					flags = f
					f.Bool(&dry, "n,dry-run", "only show")
					f.Int(&n, "k,number", "N", "a number")
				},
			},
			{
				Name: "judge", Args: "[NAME]", Summary: "take a command or a name", MaxArgs: 1, Run: show,
				Flags: func(f *Flags) {
					flags = f
					f.Bool(&dry, "n,dry-run", "only show")
				},
				Commands: []*Command{
					{
						Name: "hook", Summary: "have an option that the program has, too", Own: true, Run: show,
						Flags: func(f *Flags) { f.Bool(&dry, "c", "something else") },
					},
					{Name: "run", Args: "PROG...", Summary: "run a program", MinArgs: 1, MaxArgs: -1, Own: true, Verbatim: true, Run: show},
				},
			},
			{Name: "no", Summary: "say no", Run: func(*Context) error { return ErrNo }},
			{Name: "refuse", Summary: "refuse", Run: func(*Context) error { return Refused("not %q", "this").Hint("take that") }},
			{Name: "break", Summary: "fail", Run: func(*Context) error { return errors.New("disk is full") }},
			{Name: "dumpable", Summary: "say whether the kernel may dump this process", Run: func(c *Context) error {
				yes, _, _ := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_GET_DUMPABLE, 0, 0)
				c.Say("dumpable: %d", yes)
				return nil
			}},
			{Name: "panic", Summary: "panic", Run: func(*Context) error { panic("a secret value") }},
		},
	}
}

// call runs the tool as Main does, on buffers.
func call(misused int, args ...string) (code int, out, talk string) {
	var o, e bytes.Buffer
	c := &Context{Name: "tool", Stdin: os.Stdin, Stdout: bufio.NewWriter(&o), Stderr: &e}
	root := tool(misused)
	code = c.report(root, run(root, c, args))
	c.Stdout.Flush()
	return code, o.String(), e.String()
}

func TestOptions(t *testing.T) {
	tests := []struct {
		args string
		code int
		out  string // what standard output begins with
		talk string // what standard error holds
	}{
		{"set a b", 0, `config="" dry=false n=0 given=false args=["a" "b"]`, ""},
		{"-c f set a b", 0, `config="f" dry=false`, ""},
		{"set -c f a b", 0, `config="f" dry=false`, ""},
		{"-c f set --config=g a b", 0, `config="g" dry=false`, ""},
		{"set a -n b", 0, `config="" dry=true n=0 given=true args=["a" "b"]`, ""},
		{"set a b --dry-run -k 7", 0, `config="" dry=true n=7 given=true`, ""},
		{"set a b -k 060", 0, `config="" dry=false n=60`, ""},
		{"set a b -k 0x10", 2, "", "must be a whole number"},
		{"set -- -n b", 0, `config="" dry=false n=0 given=false args=["-n" "b"]`, ""},
		{"set a -- -n", 0, `config="" dry=false n=0 given=false args=["a" "-n"]`, ""},
		{"set a b -k x", 2, "", `error: invalid value "x" for option -k`},
		{"set a b --number x", 2, "", `error: invalid value "x" for option --number: must be a whole number`},
		{"set a b -k SECRETxxxxxxxxxx", 2, "", `error: invalid value for option -k: must be a whole number`},
		{"set a b --dry-run=x", 2, "", `error: invalid boolean value "x" for option --dry-run`},
		{"set a b --nosuch=secret", 2, "", `error: unknown option "--nosuch"`},
		{"set a b -x", 2, "", `error: unknown option "-x"`},
		{"set a b -k", 2, "", `error: option "-k" needs a value`},
		{"set a", 2, "", "too few operands"},
		{"set a b SECRET", 2, "", "too many operands"},
		{"", 2, "", "no command given"},
		{"nosuch", 2, "", `unknown command "nosuch"`},
		{"SECRETxxxxxxxxxx set", 2, "", "error: unknown command\n"},
		{"judge", 0, `config="" dry=false n=0 given=false args=[]`, ""},
		{"judge a -n", 0, `config="" dry=true n=0 given=true args=["a"]`, ""},
		{"-c f judge -n a", 0, `config="f" dry=true n=0 given=true args=["a"]`, ""},
		{"judge -- hook", 0, `config="" dry=false n=0 given=false args=["hook"]`, ""},
		{"judge a hook", 2, "", "too many operands"},
		{"-c f judge hook -c", 0, `config="f" dry=true`, ""},
		{"judge hook -n", 2, "", `unknown option "-n"`},
		{"judge hook --help", 0, "usage: tool judge hook [OPTION]...\n", ""},
		{"-c f judge run sh -c x", 0, `config="f" dry=false n=0 given=false args=["sh" "-c" "x"]`, ""},
		{"judge run -- sh -c x", 0, `config="" dry=false n=0 given=false args=["sh" "-c" "x"]`, ""},
		{"judge --help", 0, "usage: tool judge [OPTION]... [NAME]\n", ""},
		{"no", 1, "", ""},
		{"refuse", 1, "", "tool: error: not \"this\"\ntool: hint: take that\n"},
		{"break", 111, "", "tool: error: disk is full\n"},
		{"--help", 0, "usage: tool [OPTION]... COMMAND\n", ""},
		{"set --help", 0, "usage: tool set [OPTION]... KEY VALUE\n", ""},
		{"set -h", 0, "usage: tool set [OPTION]... KEY VALUE\n", ""},
		{"--version", 0, "tool " + Version, ""},
		{"set --version", 0, "tool " + Version, ""},
	}
	for _, tt := range tests {
		code, out, talk := call(0, strings.Fields(tt.args)...)
		if code != tt.code || !strings.HasPrefix(out, tt.out) || !strings.Contains(talk, tt.talk) {
			t.Errorf("%q: exit code %d, want %d\nout:  %q\nwant: %q\ntalk: %q\nwant: %q", tt.args, code, tt.code, out, tt.out, talk, tt.talk)
		}
		if tt.talk == "" && talk != "" {
			t.Errorf("%q: talk %q, want none", tt.args, talk)
		}
		if strings.Contains(strings.ToLower(talk), "secret") {
			t.Errorf("%q: an argument is repeated: %q", tt.args, talk)
		}
	}
}

// A hook's misuse is 111; its no stays 1.
func TestMisused(t *testing.T) {
	for args, want := range map[string]int{"set a": 111, "nosuch": 111, "no": 1, "refuse": 1, "set a b": 0} {
		if code, _, talk := call(ExitUnsure, strings.Fields(args)...); code != want {
			t.Errorf("%q: exit code %d, want %d: %s", args, code, want, talk)
		}
	}
}

// A program whose success lets somebody in does not succeed at being asked who
// it is where a host asks: what it is asked could be a user's name.
func TestJudgesNobody(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	w.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, arg := range []string{"--help", "-h", "--version", "set --help", "judge --version"} {
		for stdin, want := range map[*os.File]int{r: ExitNo, null: ExitOK} {
			var o bytes.Buffer
			c := &Context{Name: "tool", Stdin: stdin, Stdout: bufio.NewWriter(&o), Stderr: io.Discard}
			root := tool(ExitUnsure)
			root.Judges = true
			code := c.report(root, run(root, c, strings.Fields(arg)))
			if c.Stdout.Flush(); code != want || o.Len() == 0 {
				t.Errorf("%s < %s: exit code %d, want %d, and %q", arg, stdin.Name(), code, want, o.String())
			}
		}
	}
}

// What only a process shows: a panic, and a standard output that takes nothing.
func TestMain(m *testing.M) {
	if args := os.Getenv("CLI_TEST_ARGS"); args != "" {
		os.Args = append([]string{"tool"}, strings.Fields(args)...)
		os.Exit(Main(tool(0)))
	}
	os.Exit(m.Run())
}

func process(t *testing.T, stdout *os.File, args string) (int, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "CLI_TEST_ARGS="+args)
	var talk bytes.Buffer
	cmd.Stderr = &talk
	if stdout != nil {
		cmd.Stdout = stdout
	}
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), talk.String()
}

func TestPanicIsUnsure(t *testing.T) {
	code, talk := process(t, nil, "panic")
	if code != ExitUnsure || !strings.Contains(talk, "tool: error: internal fault (string)") || !strings.Contains(talk, "cli_test.go:") {
		t.Errorf("exit code %d: %s", code, talk)
	}
	if strings.Contains(talk, "secret") {
		t.Errorf("the value of the panic is shown: %s", talk)
	}
}

// No core: also none that the kernel would hand to a program.
func TestNoCore(t *testing.T) {
	if code, talk := process(t, nil, "dumpable"); code != 0 || talk != "dumpable: 0\n" {
		t.Errorf("exit code %d: %q", code, talk)
	}
}

func TestStdoutRefuses(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	if code, talk := process(t, full, "set a b"); code != ExitUnsure || !strings.Contains(talk, "cannot write standard output: no space left") {
		t.Errorf("full disk: exit code %d: %s", code, talk)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	if code, talk := process(t, w, "set a b"); code != ExitUnsure || !strings.Contains(talk, "broken pipe") {
		t.Errorf("closed pipe: exit code %d: %s", code, talk)
	}
}

// A host that has closed its end of standard error gets its answer all the same.
func TestNobodyListens(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	for args, want := range map[string]int{"refuse": ExitNo, "break": ExitUnsure, "set a": ExitMisused, "dumpable": ExitOK} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "CLI_TEST_ARGS="+args)
		cmd.Stderr = w
		_ = cmd.Run() // the state says it
		if got := cmd.ProcessState; got.ExitCode() != want {
			t.Errorf("%q: %v, want exit code %d", args, got, want)
		}
	}
}

func TestReadLine(t *testing.T) {
	long := strings.Repeat("x", maxAnswer)
	for in, want := range map[string]string{
		"": "", "\n": "", "123456": "123456", "123456\n": "123456", "123456\r\nmore": "123456", " 1 2 \n": " 1 2 ",
		long: long, long + "\n": long,
	} {
		if got, err := ReadLine(strings.NewReader(in)); err != nil || got != want {
			t.Errorf("%.20q: got %.20q, %v", in, got, err)
		}
	}
	if _, err := ReadLine(strings.NewReader(long + "x")); err == nil {
		t.Error("a line that is too long is taken")
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"Zoë █▀ x": "Zoë █▀ x", "a\tb\n": "a?b?", "\x1b[2J": "?[2J", "\u202eexe.txt": "?exe.txt", "\u0085\u200b": "??", "\xff": "\ufffd",
	} {
		if got := Printable(in); got != want {
			t.Errorf("%q is shown as %q, want %q", in, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	if err := Table(&b, []string{"NAME", "COMMENT"}, [][]string{{"pam", "x\x1b[2Jy"}, {"longer", ""}}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	if want := []string{"NAME    COMMENT", "pam     x?[2Jy", "longer  ", ""}; !slices.Equal(lines, want) {
		t.Errorf("got %q, want %q", lines, want)
	}
}
