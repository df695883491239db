// Package cmd holds the tests of the built programs: what each does is a script
// under testdata/script, run on the real binaries.
package cmd

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"oathkit/pkg/oath"

	"github.com/rogpeppe/go-internal/testscript"
)

// bin is the folder of the built programs, filled by TestMain.
var bin string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	syscall.Umask(0o022) // the hosts' accounts must be able to read what the tests write
	dir, err := os.MkdirTemp("", "oathkit-bin-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	bin = dir
	build := exec.Command("go", "build", "-trimpath", "-o", dir+string(filepath.Separator), "./...")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "cannot build the programs: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
			env.Setenv("USER", "alice")
			env.Setenv("BIN", bin)
			env.Values[duoKey{}] = &scriptServer{t: t}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":   scriptCode,
			"status": scriptStatus,
			"mode":   scriptMode,
			"site":   scriptSite,
			"duo":    scriptDuo,
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		RequireExplicitExec: true,
	})
}

// scriptCode writes a code to a file: code OUT KEYFILE [steps=N] [counter=N]
// [digits=N] [period=N] [alg=A] [time=EPOCH]. KEYFILE holds a key or URI.
// Without counter= the code is the one of now (or time=), N steps on.
func scriptCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code OUT KEYFILE [steps=N] [counter=N] [digits=N] [period=N] [alg=A] [time=EPOCH]")
	}
	text := strings.TrimSpace(ts.ReadFile(args[1]))
	u := oath.URI{Digits: 6, Period: 30}
	var err error
	if strings.HasPrefix(text, "otpauth:") {
		u, err = oath.ParseURI(text)
	} else {
		u.Key, err = oath.ParseKey(text)
	}
	ts.Check(err)
	var at time.Time
	counter, steps := int64(-1), int64(0)
	for _, arg := range args[2:] {
		name, value, _ := strings.Cut(arg, "=")
		n, nerr := strconv.ParseInt(value, 10, 64)
		switch name {
		case "steps":
			steps = n
		case "counter":
			counter = n
		case "digits":
			u.Digits = int(n)
		case "period":
			u.Period = int(n)
		case "time":
			at = time.Unix(n, 0)
		case "alg":
			u.Algorithm, nerr = oath.ParseAlgorithm(value)
		default:
			ts.Fatalf("unknown setting %q", arg)
		}
		ts.Check(nerr)
	}
	if counter < 0 {
		if at.IsZero() {
			if steps < 0 {
				away(5 * time.Second) // or that step is too far away when it is judged
			}
			at = time.Now()
		}
		counter = int64(oath.StepAt(at, u.Period)) + steps
	}
	code := oath.NewCoder(u.Key, u.Algorithm, u.Digits).AppendCode(nil, uint64(counter))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), append(code, '\n'), 0o600))
}

// scriptStatus runs a program and wants this exit code: status N [stdin=FILE]
// PROG ARG... Its output goes to the files out and err.
func scriptStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N [stdin=FILE] PROG ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	args = args[1:]
	var in *os.File
	if file, ok := strings.CutPrefix(args[0], "stdin="); ok {
		in, err = os.Open(ts.MkAbs(file))
		ts.Check(err)
		defer in.Close()
		args = args[1:]
	}
	prog := args[0]
	if p := filepath.Join(bin, prog); !strings.Contains(prog, "/") {
		if _, err := os.Stat(p); err == nil {
			prog = p
		}
	}
	cmd := exec.Command(prog, args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	for _, k := range []string{"PATH", "USER", "HOME", "TMPDIR", "WORK"} {
		cmd.Env = append(cmd.Env, k+"="+ts.Getenv(k))
	}
	if in != nil {
		cmd.Stdin = in
	}
	var out, talk strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &talk
	err = cmd.Run()
	if cmd.ProcessState == nil {
		ts.Fatalf("%s: %v", prog, err)
	}
	ts.Check(os.WriteFile(ts.MkAbs("out"), []byte(out.String()), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("err"), []byte(talk.String()), 0o600))
	ts.Logf("[%d]\n%s%s", cmd.ProcessState.ExitCode(), out.String(), talk.String())
	if got := cmd.ProcessState.ExitCode(); got != want {
		ts.Fatalf("%s %v: exit code %d, want %d", args[0], args[1:], got, want)
	}
}

// scriptMode wants the permission bits of a file: mode 0600 FILE.
func scriptMode(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: mode OCTAL FILE")
	}
	want, err := strconv.ParseUint(args[0], 8, 32)
	ts.Check(err)
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := uint64(info.Mode().Perm()); (got == want) == neg {
		ts.Fatalf("%s has mode %04o", args[1], got)
	}
}

// scriptSite makes the script's folder a site: oathkit.toml that names
// domains.cfg, user.cfg, store and audit.jsonl in it, and the store's folder.
// A file more.toml is appended to the configuration. The files lose the modes
// that the umask gave them.
func scriptSite(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: site")
	}
	var b strings.Builder
	b.WriteString("[paths]\n")
	for _, line := range [][2]string{{"domains", "domains.cfg"}, {"users", "user.cfg"}, {"store", "store"}, {"audit", "audit.jsonl"}} {
		fmt.Fprintf(&b, "%s = %q\n", line[0], ts.MkAbs(line[1]))
		if info, err := os.Stat(ts.MkAbs(line[1])); err == nil && info.Mode().IsRegular() {
			ts.Check(os.Chmod(ts.MkAbs(line[1]), 0o600))
		}
	}
	if more, err := os.ReadFile(ts.MkAbs("more.toml")); err == nil {
		b.Write(more)
	}
	ts.Check(os.WriteFile(ts.MkAbs("oathkit.toml"), []byte(b.String()), 0o600))
	if err := os.Mkdir(ts.MkAbs("store"), 0o700); err != nil && !os.IsExist(err) {
		ts.Check(err)
	}
}
