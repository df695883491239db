package realmfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"oathkit/pkg/realm/realmfile"
)

// The folder pve of a site stands for the cluster file system.
func TestLockOfPVE(t *testing.T) {
	s := newSite(t)
	f, err := s.open(s.write("pve/domains.cfg", "one\n", 0o640))
	if err != nil {
		t.Fatal(err)
	}
	if !f.PVE() {
		t.Fatal("not below the cluster file system")
	}
	lock := s.path("pve/priv/lock/file-domains_cfg")
	if err := os.MkdirAll(lock, 0o700); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- add(f, "two") }()
	select {
	case err := <-done:
		t.Fatalf("the edit did not wait for the lock: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	// Each try asks for the lock's release by its times.
	if info, err := os.Stat(lock); err != nil || info.ModTime().Unix() != 0 {
		t.Errorf("the times of the lock are %v, %v", info.ModTime(), err)
	}
	if err := os.Remove(lock); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := s.read("pve/domains.cfg"); got != "one\ntwo\n" {
		t.Errorf("%q", got)
	}
	if got := s.names("pve/priv/lock") + s.names("pve"); got != "domains.cfg domains.cfg~ priv" {
		t.Errorf("the lock or more is left: %q", got)
	}
}

func TestLockNameOfPVE(t *testing.T) {
	s := newSite(t)
	f, err := s.open(s.write("pve/priv/tfa.cfg", "{}\n", 0o600))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(s.path("pve/priv/lock/file-priv_tfa_cfg"), 0o700); err != nil {
		t.Fatal(err)
	}
	err = f.Replace(t.Context(), 50*time.Millisecond, []byte("{}\n"), []byte("{ }\n"), nil)
	if !errors.Is(err, realmfile.ErrBusy) || s.read("pve/priv/tfa.cfg") != "{}\n" {
		t.Errorf("%v", err)
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

func TestNoQuorum(t *testing.T) {
	s := newSite(t)
	f, err := s.open(s.write("pve/domains.cfg", "one\n", 0o640))
	if err != nil {
		t.Fatal(err)
	}
	// There it is a link whose mode says so; an ordinary file system has no
	// modes of links, so a file stands for it.
	s.write("pve/local", "", 0o555)
	if err := add(f, "two"); !errors.Is(err, realmfile.ErrNoQuorum) || s.read("pve/domains.cfg") != "one\n" {
		t.Errorf("%v", err)
	}
	if err := os.Chmod(s.path("pve/local"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := add(f, "two"); err != nil {
		t.Error(err)
	}
}

func TestSizeOfPVE(t *testing.T) {
	s := newSite(t)
	for name, fits := range map[string]bool{"pve/domains.cfg": false, "etc/domains.cfg": true} {
		f, err := s.open(s.write(name, strings.Repeat("x", 1<<20), 0o640))
		if err != nil {
			t.Fatal(err)
		}
		if err := add(f, "y"); errors.Is(err, realmfile.ErrTooLarge) == fits {
			t.Errorf("%s: %v", name, err)
		}
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
