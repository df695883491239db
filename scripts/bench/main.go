// Bench measures whole programs beside their peers and prints each figure next
// to its target. What is compared is run in turn, one after the other in the
// same minute, and a figure is the median of the ratios of neighbours: so a busy
// machine slows both sides alike.
//
// The baseline is a stripped Go program that imports os and writes an empty
// string: what no program of ours can be faster than.
//
//	go run ./scripts/bench [-bin DIR] [-runs N] [-only WORD]
//
// USERS=1000000 in the environment sets the size of the large store.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// A bench is one go through all rows.
type bench struct {
	bin      string // the folder of our programs
	dir      string // scratch
	baseline string
	runs     int
	users    int
	only     string
	missed   int // rows beyond their target
}

func main() {
	b := &bench{}
	flag.StringVar(&b.bin, "bin", "bin", "the `folder` of the built programs")
	flag.StringVar(&b.only, "only", "", "only groups whose name contains `word`")
	flag.IntVar(&b.runs, "runs", 500, "`N` runs of each short program")
	flag.Parse()
	if err := b.run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	if b.missed > 0 {
		fmt.Printf("\n%d of the targets are missed\n", b.missed)
		os.Exit(1)
	}
}

func (b *bench) run() error {
	var err error
	if b.bin, err = filepath.Abs(b.bin); err != nil {
		return err
	}
	b.users = 100000
	if s := os.Getenv("USERS"); s != "" {
		if b.users, err = strconv.Atoi(s); err != nil || b.users < warm+b.runs+pamLogins {
			return fmt.Errorf("USERS=%q is no number from %d up: each run is another user's", s, warm+b.runs+pamLogins)
		}
	}
	if b.dir, err = os.MkdirTemp("", "oathkit-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if err := b.buildBaseline(); err != nil {
		return err
	}
	for _, group := range []struct {
		name string
		rows func() error
	}{
		{"start", b.start},
		{"check", b.check},
		{"keys", b.keys},
		{"qr", b.qr},
		{"edit", b.edit},
		{"login", b.login},
	} {
		if !strings.Contains(group.name, b.only) {
			continue
		}
		fmt.Printf("\n%s\n", group.name)
		if err := group.rows(); err != nil {
			return fmt.Errorf("%s: %w", group.name, err)
		}
	}
	return nil
}

const baselineSource = `package main

import "os"

func main() { os.Stdout.WriteString("") }
`

func (b *bench) buildBaseline() error {
	src := filepath.Join(b.dir, "baseline.go")
	b.baseline = filepath.Join(b.dir, "baseline")
	built := b.baseline + ".built"
	if err := os.WriteFile(src, []byte(baselineSource), 0o600); err != nil {
		return err
	}
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", built, src)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("baseline: %w\n%s", err, out)
	}
	return copyProgram(b.baseline, built)
}

// prog is the path of one of our programs, copied to the scratch folder as an
// installation would copy it: the linker's own file lies in memory in smaller
// pieces, which makes every start of it a few hundredths slower or not, as luck
// has it. ok is false, and a line says so, when it has not been built.
func (b *bench) prog(name string) (path string, ok bool) {
	path = filepath.Join(b.dir, name)
	if _, err := os.Stat(path); err == nil {
		return path, true
	}
	if err := copyProgram(path, filepath.Join(b.bin, name)); err != nil {
		b.absent(name, "not built")
		return "", false
	}
	return path, true
}

func copyProgram(to, from string) error {
	program, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, program, 0o700)
}

// peer is the path of somebody else's program.
func (b *bench) peer(name string) (path string, ok bool) {
	path, err := exec.LookPath(name)
	if err != nil {
		b.absent(name, "not installed")
		return "", false
	}
	return path, true
}

func (b *bench) absent(name, why string) { fmt.Printf("  %-52s MISSING: %s is %s\n", "", name, why) }

// row prints a figure. A limit of 0 means that there is no target; atLeast turns
// the target round.
func (b *bench) row(what string, figure, limit float64, atLeast bool, detail string) {
	sign, met := "<=", figure <= limit
	if atLeast {
		sign, met = ">=", figure >= limit
	}
	target, word := "", ""
	if limit != 0 {
		target, word = fmt.Sprintf("target %s %.2f", sign, limit), "ok"
		if !met {
			word = "MISSED"
			b.missed++
		}
	}
	fmt.Printf("  %-52s %6.2f x  %-15s %-7s %s\n", what, figure, target, word, detail)
}
