package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"
)

// A job is a program with its arguments and what it reads. Output goes to
// /dev/null, or to a file.
type job struct {
	args   []string
	stdin  []byte
	out    string // a file that is created anew; empty for /dev/null
	before func() // put things back; not measured
	exit   int    // the wanted exit code
}

// run returns how long the program took from its start to its end.
func (j job) run() (time.Duration, error) {
	if j.before != nil {
		j.before()
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer null.Close()
	in, out := null, null
	if j.stdin != nil {
		r, w, err := os.Pipe()
		if err != nil {
			return 0, err
		}
		defer r.Close()
		// What the programs read is short enough for the pipe's buffer.
		if _, err := w.Write(j.stdin); err != nil {
			return 0, err
		}
		w.Close()
		in = r
	}
	if j.out != "" {
		if out, err = os.Create(j.out); err != nil {
			return 0, err
		}
		defer out.Close()
	}
	began := time.Now()
	p, err := os.StartProcess(j.args[0], j.args, &os.ProcAttr{Files: []*os.File{in, out, null}, Env: os.Environ()})
	if err != nil {
		return 0, err
	}
	state, err := p.Wait()
	took := time.Since(began)
	if err != nil {
		return 0, err
	}
	if state.ExitCode() != j.exit {
		return 0, fmt.Errorf("%v: exit code %d, want %d\n%s", j.args, state.ExitCode(), j.exit, j.complaint())
	}
	return took, nil
}

// complaint runs the program once more to see what it says.
func (j job) complaint() []byte {
	cmd := exec.Command(j.args[0], j.args[1:]...)
	cmd.Stdin = bytes.NewReader(j.stdin)
	var said bytes.Buffer
	cmd.Stderr = &said
	_ = cmd.Run()
	return said.Bytes()
}

// A comparison is what running two jobs in turn told.
type comparison struct {
	ratio float64 // the median of ours/theirs of neighbouring runs
	ours  time.Duration
	other time.Duration
}

func (c comparison) String() string {
	return fmt.Sprintf("%s : %s", short(c.ours), short(c.other))
}

func short(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d)/1e6) }

// warm is how many first pairs are run but not counted.
const warm = 2

// compare runs two jobs in turn. next is called for each pair, so that a job may
// differ from run to run. Which of the two goes first changes every time.
func compare(runs int, next func(i int) (ours, other job)) (comparison, error) {
	var a, b []time.Duration
	var ratios []float64
	for i := range warm + runs {
		ours, other := next(i)
		pair := []job{ours, other}
		took := make([]time.Duration, 2)
		for k := range pair {
			k = (k + i) % 2
			var err error
			if took[k], err = pair[k].run(); err != nil {
				return comparison{}, err
			}
		}
		if i < warm {
			continue
		}
		a, b = append(a, took[0]), append(b, took[1])
		ratios = append(ratios, float64(took[0])/float64(took[1]))
	}
	return comparison{median(ratios), median(a), median(b)}, nil
}

// same compares two jobs that do not change.
func same(runs int, ours, other job) (comparison, error) {
	return compare(runs, func(int) (job, job) { return ours, other })
}

func median[T float64 | time.Duration](list []T) T {
	list = slices.Clone(list)
	slices.Sort(list)
	return list[len(list)/2]
}
