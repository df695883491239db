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
)

// realmctl runs it on a domains file.
func realmctl(t *testing.T, file string, args ...string) run {
	t.Helper()
	cmd := exec.Command(filepath.Join(bin, "realmctl"), append([]string{"-f", file}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	return finish(t, cmd)
}

// manyRealms is a domains file with realms r000, r001, …
func manyRealms(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "pve: r%03d\n\tcomment none\n\n", i)
	}
	path := filepath.Join(dir, "domains.cfg")
	if err := os.WriteFile(path, []byte(b.String()), 0o640); err != nil {
		t.Fatal(err)
	}
	return path
}

// Editors at once, each at realms of its own: every edit is in the file in the
// end, and nothing else lies beside it.
func TestRealmctlEditorsAtOnce(t *testing.T) {
	const editors = 4
	each := rounds(15, 100)
	file := manyRealms(t, editors*each)
	var wg sync.WaitGroup
	for e := range editors {
		wg.Go(func() {
			for i := range each {
				realm := fmt.Sprintf("r%03d", e*each+i)
				args := []string{"set", realm, "comment", fmt.Sprintf("by %d", e)}
				if i%2 == 1 {
					args = []string{"tfa", "enable", realm, "--lock-out-anyway"}
				}
				cmd := exec.Command(filepath.Join(bin, "realmctl"), append([]string{"-f", file}, args...)...)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%v: %v\n%s", args, err, out)
				}
			}
		})
	}
	wg.Wait()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for e := range editors {
		for i := range each {
			want := fmt.Sprintf("pve: r%03d\n\tcomment by %d\n\n", e*each+i, e)
			if i%2 == 1 {
				want = fmt.Sprintf("pve: r%03d\n\tcomment none\n\ttfa type=oath\n\n", e*each+i)
			}
			if !strings.Contains(string(b), want) {
				t.Errorf("lost: %q", want)
			}
		}
	}
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(entries) != 3 {
		t.Errorf("%v, %v", entries, err)
	}
}

// An editor that is killed at any moment leaves the old file or the new one, and
// the next edit goes through.
func TestRealmctlKilled(t *testing.T) {
	file := manyRealms(t, 3000)
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	after := strings.Replace(string(before), "pve: r001\n\tcomment none\n", "pve: r001\n\tcomment new\n", 1)
	for range rounds(30, 300) {
		cmd := exec.Command(filepath.Join(bin, "realmctl"), "-f", file, "set", "r001", "comment", "new")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		pause := exec.Command("sleep", fmt.Sprintf("0.%04d", cmd.Process.Pid*7%120))
		_ = pause.Run()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		b, err := os.ReadFile(file)
		if err != nil || string(b) != string(before) && string(b) != after {
			t.Fatalf("%v: neither the old file nor the new one, %d bytes", err, len(b))
		}
		if r := realmctl(t, file, "set", "r001", "comment", "none"); r.code != 0 {
			t.Fatal(r.err)
		}
	}
}

// Where nothing can be written nothing is changed, and it says why.
func TestRealmctlReadOnly(t *testing.T) {
	file := manyRealms(t, 3)
	dir := filepath.Dir(file)
	script := fmt.Sprintf("mount -t tmpfs tmpfs %[1]s && cp %[2]s %[1]s/f && mount -o remount,ro %[1]s && exec %[3]s/realmctl -f %[1]s/f set r001 comment x",
		t.TempDir(), file, bin)
	cmd := exec.Command("sh", "-c", script)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || strings.Contains(string(out), "mount:") {
		t.Logf("no file system can be mounted here: %v %s", err, out)
	} else if code := cmd.ProcessState.ExitCode(); code != 111 || !strings.Contains(string(out), "read-only") || !strings.Contains(string(out), "nothing was changed") {
		t.Errorf("exit code %d: %s", code, out)
	}

	// A folder that somebody else cannot write.
	if os.Geteuid() != 0 {
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
		r := realmctl(t, file, "set", "r001", "comment", "x")
		if r.code != 111 || !strings.Contains(r.err, "nothing was changed") || !strings.Contains(r.err, "run it as root") {
			t.Errorf("exit code %d: %s", r.code, r.err)
		}
		_ = os.Chmod(dir, 0o755)
		return
	}
	for d := dir; d != "/" && d != "."; d = filepath.Dir(d) { // the way there, for nobody
		if info, err := os.Stat(d); err != nil || info.Mode().Perm()&0o001 == 0 {
			if err := os.Chmod(d, 0o755); err != nil {
				t.Skip(err)
			}
		}
	}
	if err := os.Chmod(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd = exec.Command(filepath.Join(bin, "realmctl"), "-f", file, "set", "r001", "comment", "x")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	cmd.Env = []string{}
	r := finish(t, cmd)
	if r.code != 111 || !strings.Contains(r.err, "nothing was changed") || !strings.Contains(r.err, "run it as root") {
		t.Errorf("exit code %d: %s", r.code, r.err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("something was left: %v", entries)
	}
}
