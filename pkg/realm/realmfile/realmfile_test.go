package realmfile_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"oathkit/pkg/realm/realmfile"
)

// site is a scratch folder whose pve folder stands for /etc/pve.
type site struct {
	*testing.T
	dir string
}

func newSite(t *testing.T) site {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return site{t, dir}
}

func (s site) path(name string) string { return filepath.Join(s.dir, name) }

func (s site) write(name, text string, mode os.FileMode) string {
	s.Helper()
	path := s.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		s.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		s.Fatal(err)
	}
	return path
}

func (s site) link(to, name string) string {
	s.Helper()
	if err := os.MkdirAll(filepath.Dir(s.path(name)), 0o755); err != nil {
		s.Fatal(err)
	}
	if err := os.Symlink(to, s.path(name)); err != nil {
		s.Fatal(err)
	}
	return s.path(name)
}

func (s site) open(path string) (*realmfile.File, error) {
	return realmfile.Open(path, s.path("pve"))
}

func (s site) read(name string) string {
	b, err := os.ReadFile(s.path(name))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// names lists a folder in one line.
func (s site) names(name string) string {
	s.Helper()
	entries, err := os.ReadDir(s.path(name))
	if err != nil {
		s.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// add is an edit that appends a line.
func add(f *realmfile.File, line string) error {
	edit := func(b []byte) ([]byte, error) { return append(b[:len(b):len(b)], line+"\n"...), nil }
	old, err := f.Read()
	if err != nil {
		return err
	}
	edited, _ := edit(old)
	return f.Replace(context.Background(), 10*time.Second, old, edited, edit)
}

func TestReplace(t *testing.T) {
	s := newSite(t)
	path := s.write("etc/domains.cfg", "one\n", 0o640)
	f, err := s.open(path)
	if err != nil {
		t.Fatal(err)
	}
	if f.PVE() || f.Path() != path {
		t.Errorf("%v, %q", f.PVE(), f.Path())
	}
	if err := add(f, "two"); err != nil {
		t.Fatal(err)
	}
	if got := s.read("etc/domains.cfg") + s.read("etc/domains.cfg~"); got != "one\ntwo\none\n" {
		t.Errorf("%q", got)
	}
	if b, err := f.Backup(); err != nil || string(b) != "one\n" {
		t.Errorf("%q, %v", b, err)
	}
	for _, name := range []string{"domains.cfg", "domains.cfg~"} {
		if info, err := os.Stat(s.path("etc/" + name)); err != nil || info.Mode() != 0o640 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if got := s.names("etc"); got != "domains.cfg domains.cfg.lock domains.cfg~" {
		t.Error(got)
	}
}

func TestReplaceRefusal(t *testing.T) {
	s := newSite(t)
	f, err := s.open(s.write("etc/domains.cfg", "now\n", 0o600))
	if err != nil {
		t.Fatal(err)
	}
	refusal := errors.New("no")
	err = f.Replace(context.Background(), time.Second, []byte("then\n"), []byte("new\n"), func(now []byte) ([]byte, error) {
		if string(now) != "now\n" {
			t.Errorf("the edit is made of %q", now)
		}
		return nil, refusal
	})
	if !errors.Is(err, refusal) || s.read("etc/domains.cfg") != "now\n" {
		t.Errorf("%v, %q", err, s.read("etc/domains.cfg"))
	}
	if got := s.names("etc"); got != "domains.cfg domains.cfg.lock" {
		t.Error(got)
	}
}

func TestLinks(t *testing.T) {
	s := newSite(t)
	file := s.write("real/domains.cfg", "x\n", 0o644)
	s.write("open/other", "", 0o644)
	if err := os.Chmod(s.path("open"), 0o777); err != nil {
		t.Fatal(err)
	}
	s.write("open/domains.cfg", "x\n", 0o644)
	tests := []struct {
		name string
		path string
		want string // the file that is replaced, or the kind of error
	}{
		{"the file itself", file, file},
		{"a link", s.link(file, "a/domains.cfg"), file},
		{"a relative link", s.link("../real/domains.cfg", "b/domains.cfg"), file},
		{"a link to a link", s.link("../a/domains.cfg", "c/domains.cfg"), file},
		{"a folder that is a link", filepath.Join(s.link("real", "folder"), "domains.cfg"), file},
		{"a link to .. behind a link", s.link("../folder/../real/domains.cfg", "d/domains.cfg"), file},
		{"a link in a folder that others can write", s.link(file, "open/link"), "link"},
		{"a link into a folder that others can write", s.link("../open/domains.cfg", "e/domains.cfg"), "link"},
		{"a file in such a folder, without a link", s.path("open/domains.cfg"), s.path("open/domains.cfg")},
		{"a link in a circle", s.link("domains.cfg", "f/domains.cfg"), "loop"},
		{"a link to nowhere", s.link("nothing", "g/domains.cfg"), "none"},
		{"no file", s.path("real/none"), "none"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := s.open(tt.path)
			var link *realmfile.LinkError
			switch {
			case errors.As(err, &link):
				if tt.want != "link" {
					t.Error(err)
				}
			case errors.Is(err, fs.ErrNotExist):
				if tt.want != "none" {
					t.Error(err)
				}
			case errors.Is(err, syscall.ELOOP):
				if tt.want != "loop" {
					t.Error(err)
				}
			case err != nil:
				t.Error(err)
			default:
				was := s.read(strings.TrimPrefix(tt.want, s.dir+"/"))
				if err := add(f, "y"); err != nil {
					t.Fatal(err)
				}
				if got := s.read(strings.TrimPrefix(tt.want, s.dir+"/")); got != was+"y\n" {
					t.Errorf("%q was edited, not %q", got, tt.want)
				}
			}
		})
	}
	if info, err := os.Lstat(s.path("a/domains.cfg")); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Error("the link was replaced, not what it leads to")
	}
}

func TestLinkOfAnotherOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a folder away")
	}
	s := newSite(t)
	link := s.link(s.write("real/domains.cfg", "x\n", 0o644), "theirs/domains.cfg")
	if err := os.Chown(s.path("theirs"), 1, 1); err != nil {
		t.Fatal(err)
	}
	var e *realmfile.LinkError
	if _, err := s.open(link); !errors.As(err, &e) {
		t.Errorf("%v", err)
	}
}

func TestReadRefusesWhatIsNoFile(t *testing.T) {
	s := newSite(t)
	if err := syscall.Mkfifo(s.path("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{s.path("pipe"), s.dir} {
		if _, _, err := realmfile.Read(path); err == nil {
			t.Errorf("%s was read", path)
		}
	}
}

func TestBackupOfAnother(t *testing.T) {
	s := newSite(t)
	f, err := s.open(s.write("etc/domains.cfg", "x\n", 0o644))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Backup(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no backup: %v", err)
	}
	s.write("etc/domains.cfg~", "y\n", 0o666)
	var e *realmfile.BackupOwnerError
	if _, err := f.Backup(); !errors.As(err, &e) {
		t.Errorf("a backup that anybody can write: %v", err)
	}
	if err := os.Remove(s.path("etc/domains.cfg~")); err != nil {
		t.Fatal(err)
	}
	s.link("domains.cfg", "etc/domains.cfg~")
	if _, err := f.Backup(); err == nil {
		t.Error("a link was taken for a backup")
	}
}

// Beside two editors a program renames files of its own into place, without a
// lock: nothing that it wrote is lost. (It loses what they wrote; against that
// only a lock helps.)
func TestStrangersLoseNothing(t *testing.T) {
	s := newSite(t)
	path := s.write("etc/domains.cfg", "", 0o644)
	const lines = 20
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for e := range 2 {
		wg.Go(func() {
			f, err := s.open(path)
			for i := 0; err == nil; i++ {
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
					err = add(f, fmt.Sprintf("editor %d line %d", e, i))
				}
			}
			t.Error(err)
		})
	}
	text := ""
	for i := range lines {
		line := fmt.Sprintf("stranger line %d\n", i)
		text += line
		s.write("etc/stranger", text, 0o644)
		if err := os.Rename(s.path("etc/stranger"), path); err != nil {
			t.Fatal(err)
		}
		for since := time.Now(); !strings.Contains(s.read("etc/domains.cfg"), line); {
			if time.Since(since) > 10*time.Second {
				t.Fatalf("%q is lost", line)
			}
		}
	}
	close(stop)
	wg.Wait()
	if got := s.read("etc/domains.cfg"); !strings.HasPrefix(got, text) {
		t.Errorf("lost in the end:\n%s", got)
	}
}

func TestEditorsLoseNothing(t *testing.T) {
	s := newSite(t)
	path := s.write("etc/domains.cfg", "", 0o644)
	const editors, lines = 4, 50
	var wg sync.WaitGroup
	for e := range editors {
		wg.Go(func() {
			f, err := s.open(path)
			if err != nil {
				t.Error(err)
				return
			}
			for i := range lines {
				if err := add(f, fmt.Sprintf("%d.%d", e, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := strings.Count(s.read("etc/domains.cfg"), "\n"); got != editors*lines {
		t.Errorf("%d lines, want %d", got, editors*lines)
	}
}

func TestBelow(t *testing.T) {
	s := newSite(t)
	s.write("pve/domains.cfg", "", 0o640)
	s.write("pve2/domains.cfg", "", 0o640)
	s.link("pve/domains.cfg", "in")
	s.link("../pve2/domains.cfg", "pve/out")
	s.link("pve", "etc")
	for name, want := range map[string]bool{
		"pve/domains.cfg": true, "pve/none": true, "in": true, "etc/domains.cfg": true, "etc/none": true,
		"pve/out": false, "pve2/domains.cfg": false, "pve": false, "none/none": false,
	} {
		if got := realmfile.Below(s.path(name), s.path("pve")); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	t.Chdir(s.path("pve"))
	if !realmfile.Below("domains.cfg", s.path("etc")) {
		t.Error("a relative name, and a link to the folder")
	}
}

// A folder in which nothing can be made, and a full disk: nothing changes and
// nothing is left.
func TestNoRoom(t *testing.T) {
	s := newSite(t)
	f, err := s.open(s.write("etc/domains.cfg", strings.Repeat("x", 1<<16), 0o640))
	if err != nil {
		t.Fatal(err)
	}
	s.write("etc/domains.cfg.lock", "", 0o600)
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1 << 15, Max: was.Max}); err != nil {
		t.Fatal(err)
	}
	err = add(f, "y")
	if rerr := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); rerr != nil {
		t.Fatal(rerr)
	}
	if err == nil || s.names("etc") != "domains.cfg domains.cfg.lock" || len(s.read("etc/domains.cfg")) != 1<<16 {
		t.Errorf("%v, %s", err, s.names("etc"))
	}
	if os.Geteuid() == 0 {
		return // to root no folder is read-only
	}
	if err := os.Chmod(filepath.Join(s.dir, "etc"), 0o555); err != nil {
		t.Fatal(err)
	}
	if err := add(f, "y"); !errors.Is(err, os.ErrPermission) {
		t.Errorf("%v", err)
	}
}
