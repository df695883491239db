package filestore

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"oathkit/pkg/mfa"
	"oathkit/pkg/store/storetest"
)

// helperEnv makes the test program one of the processes of a test: its value is
// a word and operands, separated by tabs.
const helperEnv = "FILESTORE_TEST_HELPER"

func TestMain(m *testing.M) {
	if words := os.Getenv(helperEnv); words != "" {
		if err := help(strings.Split(words, "\t")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(111)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func help(words []string) error {
	s, err := Open(words[1], Options{Wait: patience})
	if err != nil {
		return err
	}
	defer s.Close()
	switch words[0] {
	case "count": // FOLDER N
		n, err := strconv.Atoi(words[2])
		for range n {
			err = errors.Join(err, s.Update(context.Background(), someone, storetest.Count))
		}
		return err
	case "scenario": // FOLDER NAME
		runtime.LockOSThread() // so that strace counts calls of one thread
		for _, sc := range scenarios() {
			if sc.name == words[2] {
				return sc.run(s)
			}
		}
	case "answer": // FOLDER KIND TIME
		return answerAt(s, words[2], words[3])
	case "live": // FOLDER FILE
		return live(s, words[2])
	}
	return fmt.Errorf("no helper %q", words)
}

// helper starts the test program as a helper.
func helper(words ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helperEnv+"="+strings.Join(words, "\t"))
	return cmd
}

// soak reports whether the full figures are wanted.
func soak() bool { return os.Getenv("SOAK") != "" }

// need skips the test where a program is not installed; in CI that fails.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed", program)
	}
	t.Skipf("%s is not installed", program)
}

func TestManyProcesses(t *testing.T) {
	const processes, each = 64, 5
	folder := filepath.Join(t.TempDir(), "store")
	s := reopen(t, folder, nil)
	defer s.Close()
	if err := s.Update(context.Background(), someone, storetest.Enable); err != nil {
		t.Fatal(err)
	}
	var started []*exec.Cmd
	for range processes {
		cmd := helper("count", folder, strconv.Itoa(each))
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		started = append(started, cmd)
	}
	for _, cmd := range started {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	if n := storetest.Counted(t, s, someone); n != processes*each {
		t.Errorf("counted %d, want %d", n, processes*each)
	}
}

// The users of the kill test: the first ones are only logged in, the others are
// also changed, reset, deleted and enabled.
const (
	steady = 4
	others = 4
)

func victim(i int) string { return fmt.Sprintf("victim%d@pam", i) }

// live logs users in, and changes them, until it is killed. A line in the file
// says what was accepted: user, epoch, counter.
func live(s *Store, file string) error {
	log, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	defer log.Close()
	ctx := context.Background()
	for {
		id := victim(rand.IntN(steady))
		change := storetest.Count
		if rand.IntN(2) == 0 {
			id = victim(steady + rand.IntN(others))
			switch rand.IntN(6) {
			case 0:
				change = relabel
			case 1:
				change = func(u mfa.User) (mfa.User, error) {
					u, _, err := mfa.Reset(u, mfa.EnableOptions{Kind: mfa.HOTP, Now: time.Unix(1_700_000_000, 0), Random: chance(byte(rand.Uint32()))})
					u.Record.Epoch[0], u.Record.Epoch[1] = byte(rand.Uint32()), byte(rand.Uint32())
					u.State = mfa.State{}.For(u.Record)
					return u, err
				}
			case 2:
				change = mfa.Disable
			}
		}
		var line string
		err := s.Update(ctx, id, func(u mfa.User) (mfa.User, error) {
			line = ""
			if !u.Enrolled() {
				return storetest.Enable(u)
			}
			u, err := change(u)
			if err == nil && u.Enrolled() {
				c, _ := u.State.Counter(u.Record.Credentials[0].ID)
				line = fmt.Sprintf("%s %x %d\n", id, u.Record.Epoch, c.Next)
			}
			return u, err
		})
		if err != nil {
			return err
		}
		if line != "" && !strings.HasSuffix(line, " 0\n") {
			if _, err := log.WriteString(line); err != nil {
				return err
			}
		}
	}
}

// relabel changes both record and state.
func relabel(u mfa.User) (mfa.User, error) {
	u, err := activate(u)
	u.Record.Credentials[0].Label = strconv.Itoa(rand.IntN(1000))
	return u, err
}

// Processes that log users in and change them are killed at random moments.
// Nobody is locked out, no counter is accepted twice, no record is lost or torn.
// SOAK=1 kills 1,000 times.
func TestKills(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: these are processes, which share no memory to race for")
	}
	kills := 40
	if soak() {
		kills = 1000
	}
	folder, log := filepath.Join(t.TempDir(), "store"), filepath.Join(t.TempDir(), "accepted")
	if err := os.WriteFile(log, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := reopen(t, folder, nil)
	defer s.Close()
	for i := range steady + others {
		if err := s.Update(context.Background(), victim(i), storetest.Enable); err != nil {
			t.Fatal(err)
		}
	}
	workers := make([]*exec.Cmd, 3)
	talk := make([]bytes.Buffer, len(workers))
	start := func(i int) {
		workers[i] = helper("live", folder, log)
		workers[i].Stderr = &talk[i]
		if err := workers[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	kill := func(i int) {
		_ = workers[i].Process.Kill()
		err := workers[i].Wait()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("worker %d: %v before it was killed\n%s", i, err, &talk[i])
		}
	}
	for i := range workers {
		start(i)
	}
	for n := range kills {
		time.Sleep(time.Duration(rand.IntN(40_000)) * time.Microsecond)
		i := rand.IntN(len(workers))
		kill(i)
		if err := unharmed(s); err != nil {
			t.Fatalf("after kill %d: %v", n+1, err)
		}
		start(i)
	}
	for i := range workers {
		kill(i)
	}
	if err := unharmed(s); err != nil {
		t.Fatal(err)
	}
	accepted(t, s, log)
}

// unharmed says which user cannot be read or logged in.
func unharmed(s *Store) error {
	ctx := context.Background()
	if _, err := s.List(ctx); err != nil {
		return err
	}
	for i := range steady + others {
		u, err := s.View(ctx, victim(i))
		if err != nil {
			return err
		}
		if i < steady && !u.Enrolled() {
			return fmt.Errorf("the record of %s is lost", u.ID)
		}
		if err := s.Update(ctx, u.ID, nothing); err != nil {
			return err
		}
	}
	return nil
}

// accepted checks the lines that the workers wrote.
func accepted(t *testing.T, s *Store, log string) {
	t.Helper()
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	seen := make(map[string]bool)
	highest := make(map[string]uint64)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if seen[line] {
			t.Errorf("accepted twice: %s", line)
		}
		seen[line] = true
		var id, epoch string
		var n uint64
		if _, err := fmt.Sscan(line, &id, &epoch, &n); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		highest[id] = max(highest[id], n)
	}
	for i := range steady {
		if n := storetest.Counted(t, s, victim(i)); n < highest[victim(i)] {
			t.Errorf("%s is at %d, and %d was accepted", victim(i), n, highest[victim(i)])
		}
	}
	if len(seen) < 100 {
		t.Errorf("only %d logins: this test shows nothing", len(seen))
	}
	t.Logf("%d accepted", len(seen))
}

// A real process is killed at each system call that changes something, by strace.
func TestKillAtEveryCall(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: these are processes, which share no memory to race for")
	}
	need(t, "strace")
	calls := []string{"pwrite64", "fdatasync", "fsync", "renameat", "unlinkat", "mkdirat", "fchmod", "flock", "fcntl"}
	wanted := []string{"a login", "a login that activates", "enable", "reset"}
	for _, sc := range scenarios() {
		if !soak() && !strings.Contains("\t"+strings.Join(wanted, "\t")+"\t", "\t"+sc.name+"\t") {
			continue
		}
		t.Run(sc.name, func(t *testing.T) {
			tr := prepare(t, sc)
			killed := 0
			for _, call := range calls {
				for when := 1; ; when++ {
					folder := tr.copy(t)
					done := killAt(t, call, when, folder, sc.name)
					if err := tr.survived(t, folder, done); err != nil {
						t.Errorf("killed at %s number %d: %v", call, when, err)
					}
					os.RemoveAll(folder)
					if done {
						break
					}
					killed++
				}
			}
			if killed < 3 {
				t.Errorf("killed %d times", killed)
			}
			t.Logf("killed %d times", killed)
		})
	}
}

// killAt runs a scenario under strace, which kills it at a call. It reports
// whether the scenario came to its end before.
func killAt(t *testing.T, call string, when int, folder, name string) (done bool) {
	t.Helper()
	inner := helper("scenario", folder, name)
	cmd := exec.Command("strace", "-f", "-qq", "-o", os.DevNull, "-e", "trace="+call,
		"-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, when), inner.Path)
	cmd.Env = inner.Env
	out, err := cmd.CombinedOutput()
	if err == nil {
		return true
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
		return false // strace dies as its child did
	}
	t.Fatalf("strace: %v\n%s", err, out)
	return false
}
