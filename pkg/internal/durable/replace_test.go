package durable

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// one is the only name in a folder.
func one(t *testing.T, dir, name string) {
	t.Helper()
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != 1 || names[0].Name() != name {
		t.Errorf("the folder has %v (%v), want %s alone", names, err, name)
	}
}

func content(t *testing.T, path, want string, mode os.FileMode) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil || string(b) != want {
		t.Errorf("the file holds %q (%v), want %q", b, err, want)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
		t.Errorf("the mode is %v (%v), want %v", info.Mode(), err, mode)
	}
}

func TestReplace(t *testing.T) {
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	path := filepath.Join(t.TempDir(), "file")
	for _, tt := range []struct {
		text string
		o    ReplaceOptions
		mode os.FileMode
	}{
		{"one", ReplaceOptions{}, 0o600},
		{"two", ReplaceOptions{Mode: 0o644}, 0o644},
		{"three", ReplaceOptions{Keep: true}, 0o644},
		{"", ReplaceOptions{Mode: 0o640, Temp: ".temp"}, 0o640},
		{strings.Repeat("long ", 1<<18), ReplaceOptions{Keep: true, Mode: 0o600}, 0o640},
	} {
		if err := Replace(path, []byte(tt.text), tt.o); err != nil {
			t.Fatal(err)
		}
		content(t, path, tt.text, tt.mode)
		one(t, filepath.Dir(path), "file")
	}
}

// With Temp, what a crash left under that name goes away.
func TestReplaceLeftover(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".temp"), []byte("half"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Replace(filepath.Join(dir, "file"), []byte("whole"), ReplaceOptions{Temp: ".temp"}); err != nil {
		t.Fatal(err)
	}
	content(t, filepath.Join(dir, "file"), "whole", 0o600)
	one(t, dir, "file")
}

func TestReplaceRefuses(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(os.WriteFile(path("file"), []byte("old"), 0o600), os.Symlink("file", path("link")), os.Symlink("nowhere", path("dangling")),
		os.Mkdir(path("folder"), 0o700), unix.Mkfifo(path("fifo"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"link": "symbolic link", "dangling": "symbolic link", "folder": "no regular file", "fifo": "no regular file",
		"missing/file": "no such file", "file/file": "not a directory",
	} {
		err := Replace(path(name), []byte("new"), ReplaceOptions{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", name, err, want)
		}
	}
	content(t, path("file"), "old", 0o600)
	if names, err := os.ReadDir(dir); err != nil || len(names) != 5 {
		t.Errorf("the folder has %v, %v", names, err)
	}
}

func TestReplaceKeepsTheOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can change owners")
	}
	path := filepath.Join(t.TempDir(), "file")
	owner := func(uid, gid uint32) {
		t.Helper()
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err != nil || st.Uid != uid || st.Gid != gid {
			t.Errorf("the owner is %d:%d (%v), want %d:%d", st.Uid, st.Gid, err, uid, gid)
		}
	}
	for _, o := range []ReplaceOptions{{Chown: true, UID: 1001, GID: 1002}, {Keep: true}, {Keep: true, Chown: true}} {
		if err := Replace(path, []byte("text"), o); err != nil {
			t.Fatal(err)
		}
		owner(1001, 1002)
	}
	if err := Replace(path, []byte("text"), ReplaceOptions{}); err != nil {
		t.Fatal(err)
	}
	owner(0, 0)
}

// Whichever call fails, the error names it and the file is the old one or, once
// the new one is in place, the new one; no temporary is left.
func TestReplaceFailsAtEveryCall(t *testing.T) {
	for _, errno := range []unix.Errno{unix.EIO, unix.ENOSPC, unix.EPERM, unix.EINVAL, unix.EINTR} {
		for _, lenient := range []bool{false, true} {
			for at := 0; ; at++ {
				dir := t.TempDir()
				path := filepath.Join(dir, "file")
				if err := os.WriteFile(path, []byte("old"), 0o640); err != nil {
					t.Fatal(err)
				}
				n, failed, renamed := 0, "", false
				err := Replace(path, []byte("new"), ReplaceOptions{Keep: true, Lenient: lenient, Hook: func(c Call) error {
					n++
					if n == at+1 {
						failed = c.Op
						return errno
					}
					renamed = renamed || c.Op == "renameat"
					return nil
				}})
				if failed == "" {
					break // that many calls are not made
				}
				excused := errno == unix.EINTR || lenient && (errno == unix.EPERM || errno == unix.EINVAL) &&
					(failed == "fchmod" || failed == "fsync")
				if excused != (err == nil) || err != nil && !errors.Is(err, errno) {
					t.Errorf("%v at %s (lenient %v): %v", errno, failed, lenient, err)
				}
				one(t, dir, "file")
				b, rerr := os.ReadFile(path)
				if want := map[bool]string{true: "new", false: "old"}[renamed]; rerr != nil || string(b) != want {
					t.Errorf("%v at %s: the file holds %q (%v), want %q", errno, failed, b, rerr, want)
				}
			}
		}
	}
}

// The program dies before each call: the file is the old one or the new one.
func TestReplaceDiesAtEveryCall(t *testing.T) {
	dead := errors.New("dead")
	for at := 0; ; at++ {
		dir := t.TempDir()
		path := filepath.Join(dir, "file")
		if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		n := 0
		err := Replace(path, []byte("new"), ReplaceOptions{Temp: ".temp", Hook: func(Call) error {
			if n++; n > at {
				return dead
			}
			return nil
		}})
		if err == nil {
			if at < 7 {
				t.Errorf("only %d calls", at)
			}
			return
		}
		b, rerr := os.ReadFile(path)
		if !errors.Is(err, dead) || rerr != nil || string(b) != "old" && string(b) != "new" {
			t.Errorf("dead at call %d: %v, and the file holds %q (%v)", at, err, b, rerr)
		}
		// And the next one is in nobody's way.
		if err := Replace(path, []byte("next"), ReplaceOptions{Temp: ".temp"}); err != nil {
			t.Error(err)
		}
		one(t, dir, "file")
	}
}

func TestMkdir(t *testing.T) {
	path := filepath.Join(t.TempDir(), "folder")
	var calls []string
	hook := func(c Call) error { calls = append(calls, c.Op); return nil }
	for range 2 {
		if err := Mkdir(path+"/", 0o700, hook); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(calls, " "); got != "openat mkdirat fsync openat mkdirat fsync" {
		t.Errorf("calls %s", got)
	}
	if err := Mkdir(filepath.Join(path, "a", "b"), 0o700, nil); err == nil {
		t.Error("a folder was made in one that is not there")
	}
}

// Of many who make the same new file one succeeds, and his stays.
func TestReplaceNew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	const many = 8
	errs := make(chan error, many)
	for i := range many {
		go func() { errs <- Replace(path, []byte{byte('a' + i)}, ReplaceOptions{New: true}) }()
	}
	made := 0
	for range many {
		switch err := <-errs; {
		case err == nil:
			made++
		case !errors.Is(err, fs.ErrExist):
			t.Error(err)
		}
	}
	first, err := os.ReadFile(path)
	if err != nil || made != 1 {
		t.Fatalf("made %d times, want once; %v", made, err)
	}
	if err := Replace(path, []byte("late"), ReplaceOptions{New: true}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v, want %v", err, fs.ErrExist)
	}
	names, err := os.ReadDir(filepath.Dir(path))
	if now, rerr := os.ReadFile(path); rerr != nil || !bytes.Equal(now, first) || err != nil || len(names) != 1 {
		t.Errorf("the file is %q, was %q; %d names in the folder; %v %v", now, first, len(names), err, rerr)
	}
}
