package cmd

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"oathkit/pkg/oath"
	"oathkit/pkg/store/filestore"
)

// A killer runs programs and kills some of them at a random moment.
type killer struct {
	*lab
	t     *testing.T
	kills int
}

// run starts a program, gives it the answer and, when mercy is false, kills it
// at some moment of the few milliseconds that it takes. The exit code is -1 when
// it was killed in time.
func (k *killer) run(mercy bool, stdin, prog string, args ...string) int {
	cmd := k.command(prog, args...)
	cmd.Stdin = strings.NewReader(stdin)
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	if !mercy {
		time.Sleep(time.Duration(rand.IntN(8000)) * time.Microsecond)
		_ = cmd.Process.Kill()
	}
	_ = cmd.Wait()
	if cmd.ProcessState.Sys().(syscall.WaitStatus).Signaled() {
		k.kills++
		return -1
	}
	return cmd.ProcessState.ExitCode()
}

// login presents the token's codes one after the other, each until a process
// has lived to answer, and then once more. It says what is wrong with the
// answers.
func (k *killer) login(user string, token *token) error {
	code := token.hotp()
	accepted := 0
	for mercy := false; ; mercy = rand.IntN(3) == 0 {
		answer := k.run(mercy, code+"\n", "oathverify", user)
		if answer == 0 {
			accepted++
		}
		if answer == 0 && accepted == 1 {
			continue // it must not be good again
		}
		if answer == 1 {
			break // now, or by one that did not live to say so
		}
		if answer != -1 {
			return fmt.Errorf("%s: code %d: exit code %d after %d times 0", user, token.next-1, answer, accepted)
		}
	}
	// What a killed process has used up costs one code, never the account.
	if answer := k.run(true, token.hotp()+"\n", "oathverify", user); answer != 0 {
		return fmt.Errorf("%s: the next code, %d: exit code %d: the user is locked out", user, token.next-1, answer)
	}
	return nil
}

// manage enables and disables a user, and kills some of the programs that do.
// Afterwards he is there or not, and either can be changed.
func (k *killer) manage(user string) error {
	for _, step := range [][]string{{"enable", user}, {"disable", "--lock-out-anyway", user}} {
		if code := k.run(false, "", "mfactl", step...); code != -1 && code != 0 {
			return fmt.Errorf("mfactl %v: exit code %d", step, code)
		}
		if code := k.run(true, "", "mfactl", step...); code != 0 && code != 1 {
			return fmt.Errorf("mfactl %v again: exit code %d", step, code)
		}
		want := map[string]int{"enable": 0, "disable": 1}[step[0]]
		if code := k.run(true, "", "mfactl", "show", user); code != want {
			return fmt.Errorf("mfactl show after %v: exit code %d, want %d", step, code, want)
		}
	}
	return nil
}

// Logins and changes are killed at random moments, several users at once.
func TestKilledPrograms(t *testing.T) {
	l := newLab(t)
	const drivers = 4
	kills := rounds(60, 1000)
	var wg sync.WaitGroup
	for i := range drivers {
		user, other, tok := fmt.Sprintf("u%d@pve", i), fmt.Sprintf("other%d@pve", i), newToken(t, i)
		l.enrol(user, tok, oath.HOTP)
		wg.Go(func() {
			k := &killer{lab: l, t: t}
			for k.kills < kills/drivers {
				if err := errors.Join(k.login(user, tok), k.manage(other)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	l.must("", "mfactl", "list")
	for i := range drivers {
		if r := l.run("", "mfactl", "show", fmt.Sprintf("u%d@pve", i)); r.code != 0 {
			t.Errorf("u%d@pve: exit code %d: %s", i, r.code, r.err)
		}
	}
}

// What a crash can leave is in nobody's way.
func TestLeftovers(t *testing.T) {
	l := newLab(t)
	k := newToken(t, 1)
	const user = "u@pve"
	l.enrol(user, k, oath.HOTP)
	record, _ := filestore.Files(user)
	leftover := filepath.Join(l.path("store"), filepath.Dir(record), "."+filepath.Base(record)+".new")
	for _, file := range []string{leftover, filepath.Join(l.path("store"), ".oathkit-0123456789abcdef.tmp")} {
		if err := os.WriteFile(file, []byte("half a reco"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l.must(k.hotp()+"\n", "oathverify", user)
	if out := l.must("", "mfactl", "list"); !strings.Contains(out, user) {
		t.Errorf("list:\n%s", out)
	}
	l.must("", "mfactl", "enable", "v@pve")
	l.must("", "mfactl", "disable", "--lock-out-anyway", user)
	if _, err := os.Lstat(leftover); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the temporary, which can hold a key, is there after the user is gone: %v", err)
	}
}

// memory mounts a small file system in memory, or skips the test.
func memory(t *testing.T, dir string) {
	t.Helper()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m,mode=0700"); err != nil {
		t.Skipf("cannot mount a file system here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// A full disk does not stop those who are in; what needs room is 111, and not a
// little enabled or activated.
func TestFullDisk(t *testing.T) {
	l := newLab(t)
	memory(t, l.path("store"))
	k := newToken(t, 1)
	l.enrol("u@pve", k, oath.HOTP)
	l.must((oath.URI{Kind: oath.HOTP, Account: "a", Key: newToken(t, 2).key, Digits: 6}).Format()+"\n", "mfactl", "add", "v@pve")
	filler := filepath.Join(l.path("store"), ".filler")
	var full error
	f, err := os.Create(filler)
	if err != nil {
		t.Fatal(err)
	}
	for size := 1 << 16; size > 0; size /= 2 {
		for full = nil; full == nil; {
			_, full = f.Write(make([]byte, size))
		}
	}
	if err := f.Close(); err != nil || !errors.Is(full, unix.ENOSPC) {
		t.Fatal(err, full)
	}
	unsure := func(stdin, prog string, args ...string) {
		t.Helper()
		if r := l.run(stdin, prog, args...); r.code != 111 || !strings.Contains(r.err, "no space left") {
			t.Errorf("%s %v: exit code %d: %s", prog, args, r.code, r.err)
		}
	}
	v := newToken(t, 2)
	unsure(v.hotp()+"\n", "oathverify", "v@pve") // would activate
	unsure("", "mfactl", "enable", "w@pve")
	l.must(k.hotp()+"\n", "oathverify", "u@pve")
	if r := l.run("", "mfactl", "show", "w@pve"); r.code != 1 {
		t.Errorf("w@pve is there: exit code %d", r.code)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	l.must(k.hotp()+"\n", "oathverify", "u@pve")
	l.must(v.hotp()+"\n", "oathverify", "v@pve")
	l.must("", "mfactl", "enable", "w@pve")
}

// Nothing is accepted that cannot be written down.
func TestReadOnlyStore(t *testing.T) {
	l := newLab(t)
	memory(t, l.path("store"))
	k := newToken(t, 1)
	l.enrol("u@pve", k, oath.HOTP)
	remount := func(flags uintptr) {
		t.Helper()
		if err := unix.Mount("", l.path("store"), "", unix.MS_REMOUNT|flags, ""); err != nil {
			t.Fatal(err)
		}
	}
	remount(unix.MS_RDONLY)
	code := k.hotp()
	for _, user := range []string{"u@pve", "nobody@pve", "nobody@pam"} {
		if r := l.run(code+"\n", "oathverify", user); r.code != 111 || !strings.Contains(r.err, "read-only") {
			t.Errorf("%s: exit code %d: %s", user, r.code, r.err)
		}
	}
	l.must("", "mfactl", "show", "u@pve")
	remount(0)
	l.must(code+"\n", "oathverify", "u@pve")
}

// A login, right, wrong, of nobody, flushes once: neither the yes nor the no
// comes before it, and time does not tell which it was.
func TestOneFlush(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("strace is not installed")
	}
	l := newLab(t)
	k := newToken(t, 1)
	l.enrol("u@pve", k, oath.HOTP)
	right := k.hotp()
	for _, tt := range []struct {
		name, user, answer string
		code               int
	}{
		{"right", "u@pve", right, 0},
		{"used", "u@pve", right, 1},
		{"wrong", "u@pve", "xyz", 1},
		{"nobody", "nobody@pve", "123456", 1},
		{"nobody of whom nothing is required", "nobody@pam", "", 0},
	} {
		verify := l.command("oathverify", tt.user)
		trace := l.path("trace")
		cmd := exec.Command("strace", append([]string{"-f", "-qq", "-o", trace, "-e", "trace=fsync,fdatasync,sync,syncfs,msync", verify.Path}, verify.Args[1:]...)...)
		cmd.Env, cmd.Dir, cmd.Stdin = verify.Env, verify.Dir, strings.NewReader(tt.answer+"\n")
		r := finish(t, cmd)
		calls := 0
		for line := range strings.Lines(l.read("trace")) {
			if strings.Contains(line, "sync(") {
				calls++
			}
		}
		if r.code != tt.code || calls != 1 || !strings.Contains(l.read("trace"), "fdatasync(") {
			t.Errorf("%s: exit code %d, want %d; %d flushes:\n%s%s", tt.name, r.code, tt.code, calls, l.read("trace"), r.err)
		}
	}
}
