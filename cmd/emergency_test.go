package cmd

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// wrecks are files that nobody meant to write. In each something asks for a factor.
func wrecks() map[string][]byte {
	noise := rand.NewChaCha8([32]byte{1})
	junk := make([]byte, 1<<16)
	_, _ = noise.Read(junk)
	return map[string][]byte{
		"sound":                []byte("pam: pam\n\ttfa type=oath\n"),
		"no final newline":     []byte("pam: pam\n\ttfa type=oath"),
		"CRLF":                 []byte("pam: pam\r\n\ttfa type=oath\r\n\r\npve: pve\r\n\ttfa type=oath\r\n"),
		"old Macintosh":        []byte("pam: pam\r\ttfa type=oath\rpve: pve\r\ttfa type=oath\r"),
		"a byte order mark":    []byte("\ufeffpam: pam\n\ttfa type=oath\n"),
		"duplicate sections":   []byte("pam: pam\n\ttfa type=oath\n\npam: pam\n\ttfa type=oath\n\npam: pam\n\tcomment x\n"),
		"above any header":     []byte("\ttfa type=oath\npam: pam\n"),
		"binary junk around":   joined(junk, []byte("\npam: pam\n\ttfa type=oath\n\n"), junk),
		"NUL bytes":            []byte("pam: pam\n\x00\ttfa type=oath\x00\n"),
		"a line of 1 MiB":      []byte("pam: pam\n\tcomment " + strings.Repeat("x", 1<<20) + "\n\ttfa type=oath\n"),
		"only tfa":             []byte("tfa"),
		"comments that ask":    []byte("# tfa type=oath\npam: pam\n\t#tfa\n\ttfa x\n"),
		"every line a mistake": []byte(" pam : pam # x\n TFA=oath\n\n\n\ttfa: totp\n0\ntfa\n"),
	}
}

func joined(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// asksNobody wants that no realm of the file asks for a factor, in any reading.
func asksNobody(t *testing.T, file string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.FieldsFuncSeq(b, func(r rune) bool { return r == '\n' || r == '\r' }) {
		word := bytes.ToLower(bytes.TrimLeft(line, " \t\x00"))
		if bytes.HasPrefix(word, []byte("tfa")) {
			t.Errorf("the file still has %q", line)
		}
	}
}

// A rescue shell: a folder with the program and the file in it and nothing else, no
// /proc, no /etc, no environment.
func TestEmergencyWithNothingBesideIt(t *testing.T) {
	for name, text := range wrecks() {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			// By another process: a file that this one writes could be held open by
			// a child of another test just when it is to run.
			if out, err := exec.Command("cp", filepath.Join(bin, "realmctl"), root).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			file := filepath.Join(root, "domains.cfg")
			if err := os.WriteFile(file, text, 0o644); err != nil {
				t.Fatal(err)
			}
			alone := func(args ...string) run {
				cmd := exec.Command("/realmctl", append([]string{"-f", "/domains.cfg"}, args...)...)
				cmd.Path, cmd.Err, cmd.Env, cmd.Dir = "/realmctl", nil, []string{}, "/"
				cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root}
				if uid := os.Geteuid(); uid != 0 {
					cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
					cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
				}
				return finish(t, cmd)
			}
			if r := alone("tfa", "disable", "--all"); r.code != 0 {
				t.Fatalf("exit code %d: %s", r.code, r.err)
			}
			asksNobody(t, file)
			if r := alone("list"); r.code != 0 || !strings.Contains(r.out, "pam ") {
				t.Errorf("list: exit code %d: %s%s", r.code, r.out, r.err)
			}
			if r := alone("undo"); r.code != 0 {
				t.Fatalf("undo: exit code %d: %s", r.code, r.err)
			}
			if b, _ := os.ReadFile(file); !bytes.Equal(b, text) {
				t.Error("undo did not bring the file back")
			}
			// A trial needs /proc, and is not begun without.
			if r := alone("tfa", "enable", "pve", "--lock-out-anyway", "--trial", "1m"); r.code == 0 {
				t.Errorf("a trial without anything that could end it: %s", r.err)
			}
		})
	}
}

// 50 MB of everything.
func TestEmergencyOnAHugeFile(t *testing.T) {
	size := rounds(8<<20, 50<<20)
	r := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	for b.Len() < size {
		switch r.IntN(5) {
		case 0:
			b.WriteString("pam: pam\r\n\ttfa type=oath\r\n")
		case 1:
			fmt.Fprintf(&b, "pve: r%d\n\ttfa type=oath\n\n", r.IntN(1000))
		case 2:
			b.WriteString("\ttfa x\rpve: y\r\n")
		case 3:
			fmt.Fprintf(&b, "\tcomment %x\n", r.Uint64())
		default:
			for range 60 {
				b.WriteByte(byte(r.Uint32()))
			}
		}
	}
	b.WriteString("\ttfa type=oath")
	file := filepath.Join(t.TempDir(), "domains.cfg")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := realmctl(t, file, "tfa", "disable", "--all"); r.code != 0 {
		t.Fatalf("exit code %d: %.2000s", r.code, r.err)
	}
	if out := realmctl(t, file, "tfa", "disable", "--all", "-n"); out.code != 0 || out.out != "" {
		t.Errorf("there is still something to disable: %.2000s", out.out)
	}
	if r := realmctl(t, file, "undo"); r.code != 0 {
		t.Fatalf("undo: exit code %d", r.code)
	}
	if back, _ := os.ReadFile(file); !bytes.Equal(back, b.Bytes()) {
		t.Error("undo did not bring the file back")
	}
}

// A file system that refuses owner, mode or flush, or all of them: disable and undo
// go on and say what is missing, other edits do not.
func TestEmergencyOnAStubbornFileSystem(t *testing.T) {
	need(t, "strace")
	const text = "pam: pam\n\ttfa type=oath\n"
	for _, calls := range []string{"fchmod", "fchown", "fsync", "fchmod,fchown,fsync"} {
		t.Run(calls, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "domains.cfg")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(file, 0o640); err != nil {
				t.Fatal(err)
			}
			if os.Geteuid() == 0 {
				if err := os.Chown(file, 1, 1); err != nil {
					t.Fatal(err)
				}
			} else if calls == "fchown" {
				t.Skip("only root has another owner to give")
			}
			refused := func(args ...string) run {
				return finish(t, exec.Command("strace", append([]string{
					"-f", "-qq", "-o", "/dev/null", "-e", "trace=" + calls, "-e", "inject=" + calls + ":error=EPERM",
					filepath.Join(bin, "realmctl"), "-f", file,
				}, args...)...))
			}
			if r := refused("set", "pam", "comment", "x"); r.code != 111 || !strings.Contains(r.err, "nothing was changed") {
				t.Errorf("an edit: exit code %d: %s", r.code, r.err)
			}
			r := refused("tfa", "disable", "--all")
			b, _ := os.ReadFile(file)
			if r.code != 0 || string(b) != "pam: pam\n" || !strings.Contains(r.err, "warning: the file system does not take all") {
				t.Errorf("exit code %d: %s\n%s", r.code, r.err, b)
			}
			if strings.Contains(calls, "fchmod") && !strings.Contains(r.err, "mode 0640, and has") {
				t.Errorf("it does not say that the mode is another: %s", r.err)
			}
			r = refused("undo")
			if strings.Contains(calls, "fchown") {
				// What belongs to another than the file may be his work.
				if r.code != 111 || !strings.Contains(r.err, "chown and chmod it like") {
					t.Errorf("undo: exit code %d: %s", r.code, r.err)
				}
			} else if b, _ := os.ReadFile(file); r.code != 0 || string(b) != text {
				t.Errorf("undo: exit code %d: %s\n%s", r.code, r.err, b)
			}
		})
	}
}

// Where it cannot be done the steps to take are said.
func TestEmergencyStepByStep(t *testing.T) {
	dir := t.TempDir()
	script := fmt.Sprintf("mount -t tmpfs tmpfs %[1]s && mkdir %[1]s/etc && printf 'pam: pam\\n\\ttfa type=oath\\n' >%[1]s/etc/d && mount -o remount,ro %[1]s && exec %[2]s/realmctl -f %[1]s/etc/d tfa disable --all",
		dir, bin)
	cmd := exec.Command("sh", "-c", script)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || strings.Contains(string(out), "mount:") {
		t.Logf("no file system can be mounted here: %v %s", err, out)
	} else if code := cmd.ProcessState.ExitCode(); code != 111 || !strings.Contains(string(out), "1. mount -o remount,rw "+dir+",") || !strings.Contains(string(out), "2. ") {
		t.Errorf("exit code %d: %s", code, out)
	}

	if os.Geteuid() != 0 {
		return
	}
	// Somebody who may read the file and not write it.
	file := manyRealms(t, 1)
	for d := filepath.Dir(file); d != "/"; d = filepath.Dir(d) {
		if info, err := os.Stat(d); err == nil && info.Mode().Perm()&0o001 == 0 {
			_ = os.Chmod(d, 0o755)
		}
	}
	_ = os.Chmod(file, 0o644)
	_ = os.Chmod(bin, 0o755)
	if r := realmctl(t, file, "tfa", "enable", "r000", "--lock-out-anyway"); r.code != 0 {
		t.Fatal(r.err)
	}
	cmd = exec.Command(filepath.Join(bin, "realmctl"), "-f", file, "tfa", "disable", "--all")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if r := finish(t, cmd); r.code != 111 || !strings.Contains(r.err, "1. run it as root") || !strings.Contains(r.err, "rescue.target") {
		t.Errorf("exit code %d: %s", r.code, r.err)
	}
}
