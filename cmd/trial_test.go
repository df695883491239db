package cmd

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

const (
	trialOff = "pve: pve\n\tcomment x\n"
	trialOn  = trialOff + "\ttfa type=oath\n"
)

func trialFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "domains.cfg")
	if err := os.WriteFile(file, []byte(trialOff), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// watchers are the processes that wait for the end of the trial of the file.
func watchers(t *testing.T, file string) []int {
	t.Helper()
	var pids []int
	found, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(found) == 0 {
		t.Fatal("no /proc to look into")
	}
	for _, path := range found {
		b, _ := os.ReadFile(path)
		if string(b) == "realmctl\x00-f\x00"+file+"\x00tfa\x00expire\x00--wait\x00" {
			var pid int
			if _, err := fmt.Sscanf(path, "/proc/%d/", &pid); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// becomes waits until the file holds the text.
func becomes(t *testing.T, file, want string) {
	t.Helper()
	var b []byte
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		var err error
		if b, err = os.ReadFile(file); err == nil && string(b) == want {
			return
		}
	}
	t.Fatalf("the file holds\n%s, want\n%s", b, want)
}

func tries(t *testing.T, file, lasts string) {
	t.Helper()
	if r := realmctl(t, file, "tfa", "enable", "pve", "--lock-out-anyway", "--trial", lasts); r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.err)
	}
}

// A trial goes off by itself, and nothing is left running.
func TestTrial(t *testing.T) {
	file := trialFile(t)
	tries(t, file, "2s")
	becomes(t, file, trialOn)
	becomes(t, file, trialOff)
	for end := time.Now().Add(30 * time.Second); len(watchers(t, file)) > 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the process that ended the trial still runs")
		}
	}
	if r := realmctl(t, file, "confirm"); r.code != 1 || !strings.Contains(r.err, "was over after 2s") {
		t.Errorf("exit code %d: %s", r.code, r.err)
	}
}

// Confirmed in time it stays, and its process ends.
func TestTrialConfirmed(t *testing.T) {
	file := trialFile(t)
	tries(t, file, "1h")
	if n := len(watchers(t, file)); n != 1 {
		t.Fatalf("%d processes wait", n)
	}
	if r := realmctl(t, file, "list"); r.code != 0 || !strings.Contains(r.out, "59m5") || !strings.Contains(r.out, "TRIAL") {
		t.Errorf("list says nothing of the trial: %s%s", r.out, r.err)
	}
	if r := realmctl(t, file, "list", "--json"); !strings.Contains(r.out, `"overdue": false`) {
		t.Errorf("list --json says nothing of the trial: %s", r.out)
	}
	if r := realmctl(t, file, "confirm"); r.code != 0 {
		t.Fatal(r.err)
	}
	for end := time.Now().Add(30 * time.Second); len(watchers(t, file)) > 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the process that waits did not notice")
		}
	}
	if b, _ := os.ReadFile(file); string(b) != trialOn {
		t.Errorf("%s", b)
	}
}

// The terminal goes away with everything in it; the trial ends all the same.
func TestTrialSurvivesTheTerminal(t *testing.T) {
	file := trialFile(t)
	cmd := exec.Command("sh", "-c", bin+`/realmctl -f "$0" tfa enable pve --lock-out-anyway --trial 3s; sleep 100`, file)
	tty, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	becomes(t, file, trialOn)
	tty.Close() // hangs up: SIGHUP to the session's processes
	_ = cmd.Wait()
	if cmd.ProcessState.Success() {
		t.Error("the shell did not notice that the terminal is gone")
	}
	becomes(t, file, trialOff)
}

// Its process is killed: list says that the trial is overdue, and what systemd
// starts takes it back.
func TestTrialWithoutItsProcess(t *testing.T) {
	file := trialFile(t)
	tries(t, file, "2s")
	for _, pid := range watchers(t, file) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		if r := realmctl(t, file, "list"); strings.Contains(r.out, "overdue") {
			break
		}
		if time.Now().After(end) {
			t.Fatal("list does not say that the trial is overdue")
		}
	}
	becomes(t, file, trialOn)
	if r := realmctl(t, file, "tfa", "expire", "--wait"); r.code != 0 || !strings.Contains(r.err, "off again") {
		t.Errorf("exit code %d: %s", r.code, r.err)
	}
	becomes(t, file, trialOff)
}

// Of many trials at once one begins.
func TestTrialsAtOnce(t *testing.T) {
	file := manyRealms(t, 8)
	var wg sync.WaitGroup
	runs := make([]run, 8)
	for i := range runs {
		wg.Go(func() {
			runs[i] = realmctl(t, file, "tfa", "enable", fmt.Sprintf("r%03d", i), "--lock-out-anyway", "--trial", "1h")
		})
	}
	wg.Wait()
	n := count(runs)
	if n[0] != 1 || n[1] != 7 {
		t.Errorf("exit codes %v: %+v", n, runs)
	}
	b, _ := os.ReadFile(file)
	if got := strings.Count(string(b), "tfa type=oath"); got != 1 {
		t.Errorf("%d realms ask for a factor", got)
	}
	if r := realmctl(t, file, "tfa", "disable", "--all"); r.code != 0 || !strings.Contains(r.err, "the trial of realm") {
		t.Errorf("exit code %d: %s", r.code, r.err)
	}
}

// realmctl is killed at each of its writes: nobody is asked for a factor that
// nothing turns off again, and the next trial goes through.
func TestTrialKilledBetweenTheWrites(t *testing.T) {
	need(t, "strace")
	for _, call := range []string{"renameat", "renameat2", "clone", "execve:when=2", "pipe2", "fsync", "fsync:when=3"} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			file := trialFile(t)
			name, _, _ := strings.Cut(call, ":")
			inject := call
			if name == call {
				inject += ":when=1"
			}
			inject = strings.Replace(inject, ":when", ":signal=SIGKILL:when", 1)
			// Not -f for long: strace would wait for the process that waits.
			cmd := exec.Command("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace="+name, "-e", "inject="+inject,
				filepath.Join(bin, "realmctl"), "-f", file, "tfa", "enable", "pve", "--lock-out-anyway", "--trial", "2s")
			if out, err := cmd.CombinedOutput(); err == nil && !strings.Contains(call, ":") {
				t.Errorf("it was not killed: %s", out)
			}
			// Whatever waits ends it; where nothing waits nothing may be on.
			if len(watchers(t, file)) > 0 {
				becomes(t, file, trialOff)
			}
			if b, err := os.ReadFile(file); err != nil || string(b) != trialOff {
				t.Errorf("%v\n%s", err, b)
			}
			time.Sleep(2 * time.Second)
			tries(t, file, "1h")
			if r := realmctl(t, file, "tfa", "disable", "pve"); r.code != 0 {
				t.Error(r.err)
			}
		})
	}
}

// Killed at any moment.
func TestTrialKilledAnywhere(t *testing.T) {
	var wg sync.WaitGroup
	for i := range rounds(16, 200) {
		file := trialFile(t)
		wg.Go(func() {
			cmd := exec.Command(filepath.Join(bin, "realmctl"), "-f", file, "tfa", "enable", "pve", "--lock-out-anyway", "--trial", "2s")
			if err := cmd.Start(); err != nil {
				t.Error(err)
				return
			}
			time.Sleep(time.Duration(i*3%60) * time.Millisecond)
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		if i%16 == 15 {
			wg.Wait()
		}
		t.Cleanup(func() { becomes(t, file, trialOff) })
	}
	wg.Wait()
}
