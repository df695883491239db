package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func login(user string) Event {
	return Event{Time: at(), Event: "login", User: user, Verdict: "accepted"}
}

// users reads a log and returns whose events it has; every line must be whole.
func users(t *testing.T, path string) []string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for line := range bytes.Lines(b) {
		var e struct{ User string }
		if err := json.Unmarshal(line, &e); err != nil || !bytes.HasSuffix(line, []byte("\n")) {
			t.Errorf("line %q: %v", line, err)
		}
		list = append(list, e.User)
	}
	return list
}

func TestAppendCreates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	for _, user := range []string{"alice@pam", "bob@pam"} {
		if err := Append(path, login(user)); err != nil {
			t.Fatal(err)
		}
	}
	if got := fmt.Sprint(users(t, path)); got != "[alice@pam bob@pam]" {
		t.Errorf("the log has %s", got)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// Each Append opens the file itself, so goroutines stand for processes here.
// The long names make lines cross the pages of the page cache.
func TestAppendTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	const writers, events = 16, 50
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range events {
				if err := Append(path, login(strings.Repeat("x", 200))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(users(t, path)); n != writers*events {
		t.Errorf("%d events were written, the log has %d", writers*events, n)
	}
}

// A full disk leaves half a line; the next event gets a line of its own.
func TestAppendAfterTornLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	half := string(Line(login("alice@pam"))[:20])
	if err := os.WriteFile(path, []byte(half), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Append(path, login("bob@pam")); err != nil {
		t.Fatal(err)
	}
	b, _ := os.ReadFile(path)
	if want := half + "\n" + string(Line(login("bob@pam"))); string(b) != want {
		t.Errorf("got %q", b)
	}
}

// A disk that fills up in the middle of a line: stood for by a limit on the
// size of files, in a process of its own.
func TestAppendShort(t *testing.T) {
	if os.Getenv("AUDIT_TEST_SHORT") == "" {
		path := filepath.Join(t.TempDir(), "audit.jsonl")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		child, err := os.StartProcess(self, []string{self, "-test.run=^TestAppendShort$"}, &os.ProcAttr{
			Env: []string{"AUDIT_TEST_SHORT=" + path}, Files: []*os.File{nil, os.Stdout, os.Stderr},
		})
		if err != nil {
			t.Fatal(err)
		}
		if state, err := child.Wait(); err != nil || !state.Success() {
			t.Fatalf("%v, %v", state, err)
		}
		if info, err := os.Stat(path); err != nil || info.Size() != 30 {
			t.Errorf("the file has %d bytes, %v", info.Size(), err)
		}
		return
	}
	limit := syscall.Rlimit{Cur: 30, Max: 30}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	var refused *FileError
	if err := Append(os.Getenv("AUDIT_TEST_SHORT"), login("alice@pam")); !errors.As(err, &refused) || !strings.Contains(err.Error(), "took only 30 bytes") {
		t.Errorf("got %v", err)
	}
}

func TestAppendRefuses(t *testing.T) {
	tests := []struct {
		name string
		make func(path string) error
		want string
	}{
		{"a symbolic link", func(p string) error {
			return errors.Join(os.WriteFile(p+"-real", nil, 0o600), os.Symlink(p+"-real", p))
		}, "is a symbolic link"},
		{"a symbolic link to nothing", func(p string) error { return os.Symlink(p+"-real", p) }, "is a symbolic link"},
		{"a group's file", func(p string) error {
			return errors.Join(os.WriteFile(p, nil, 0o600), os.Chmod(p, 0o620))
		}, "mode 0620"},
		{"everybody's file", func(p string) error {
			return errors.Join(os.WriteFile(p, nil, 0o600), os.Chmod(p, 0o602))
		}, "mode 0602"},
		{"a hard link", func(p string) error {
			return errors.Join(os.WriteFile(p+"-real", nil, 0o600), os.Link(p+"-real", p))
		}, "second name"},
		{"a folder", func(p string) error { return os.Mkdir(p, 0o700) }, "is a directory"},
		{"a fifo", func(p string) error { return syscall.Mkfifo(p, 0o600) }, "no regular file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "audit.jsonl")
			if err := tt.make(path); err != nil {
				t.Fatal(err)
			}
			err := Append(path, login("alice@pam"))
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), path) {
				t.Fatalf("got %v", err)
			}
			if b, err := os.ReadFile(path + "-real"); err == nil && len(b) > 0 {
				t.Errorf("%q was written", b)
			}
		})
	}
	if err := Append(filepath.Join(t.TempDir(), "no", "audit.jsonl"), login("a@b")); err == nil || !strings.Contains(err.Error(), "no folder") {
		t.Errorf("without a folder: %v", err)
	}
}

// Root writes a log that a stranger owns only where he owns the folder too, and
// gives a new log to the folder's owner.
func TestAppendOwners(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	const stranger = 12345
	dir := t.TempDir()
	foreign := filepath.Join(dir, "foreign.jsonl")
	if err := errors.Join(os.WriteFile(foreign, nil, 0o600), os.Chown(foreign, stranger, stranger)); err != nil {
		t.Fatal(err)
	}
	if err := Append(foreign, login("alice@pam")); err == nil || !strings.Contains(err.Error(), "user id 12345") {
		t.Errorf("a stranger's file: %v", err)
	}
	if err := os.Chown(dir, stranger, stranger); err != nil {
		t.Fatal(err)
	}
	if err := Append(foreign, login("alice@pam")); err != nil {
		t.Errorf("the folder's owner's file: %v", err)
	}
	fresh := filepath.Join(dir, "fresh.jsonl")
	if err := Append(fresh, login("alice@pam")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(fresh)
	if err != nil || info.Sys().(*syscall.Stat_t).Uid != stranger {
		t.Errorf("a new file in a service's folder: %+v, %v", info.Sys(), err)
	}
}
