package realmfile_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"oathkit/pkg/internal/durable"
	"oathkit/pkg/internal/pvetest"
	"oathkit/pkg/realm/realmfile"
)

func TestPVEReplace(t *testing.T) {
	eachCluster(t, func(t *testing.T, c *cluster) {
		f := c.file("one\n")
		for _, line := range []string{"two", "three"} {
			if err := add(f, line); err != nil {
				t.Fatal(err)
			}
		}
		if got := c.read("pve/domains.cfg") + c.read("pve/domains.cfg~"); got != "one\ntwo\nthree\none\ntwo\n" {
			t.Errorf("%q", got)
		}
		if b, err := f.Backup(); err != nil || string(b) != "one\ntwo\n" {
			t.Errorf("%q, %v", b, err)
		}
		if got := c.names("pve"); got != "domains.cfg domains.cfg~ local priv" && got != "domains.cfg domains.cfg~ local nodes priv" {
			t.Errorf("more is there: %s", got)
		}
		// Nothing was tried that may not be done there, nor was the file
		// displaced while it was open.
		c.unlocked(exchange...)
		for _, what := range c.fs.Refused() {
			if strings.Contains(what, "open") {
				t.Error(what)
			}
		}
	})
}

// A mode, an owner and a flush that are refused do not stop an edit, unless
// nobody said that they may be.
func TestPVERefusesModesAndOwners(t *testing.T) {
	eachCluster(t, func(t *testing.T, c *cluster) {
		c.file("one\n")
		path := c.path("pve/domains.cfg")
		o := durable.ReplaceOptions{Mode: 0o644, Chown: true, UID: 1234, GID: 1234, Hook: c.hook}
		if err := durable.Replace(path, []byte("two\n"), o); !errors.Is(err, os.ErrPermission) || c.read("pve/domains.cfg") != "one\n" {
			t.Errorf("strictly: %v, %q", err, c.read("pve/domains.cfg"))
		}
		o.Lenient = true
		if err := durable.Replace(path, []byte("two\n"), o); err != nil || c.read("pve/domains.cfg") != "two\n" {
			t.Errorf("%v, %q", err, c.read("pve/domains.cfg"))
		}
		if got := strings.Join(c.fs.Refused(), "; "); !strings.Contains(got, "chmod 0644") || !strings.Contains(got, "chown") {
			t.Errorf("refused was only: %s", got)
		}
		if _, err := durable.Lock(t.Context(), path, time.Second); c.hook == nil && err == nil {
			t.Error("flock is there")
		}
	})
}

func TestPVELock(t *testing.T) {
	eachCluster(t, func(t *testing.T, c *cluster) {
		f := c.file("one\n")
		lock := c.path("pve/priv/lock/file-domains_cfg")
		if err := os.Mkdir(lock, 0o700); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- add(f, "two") }()
		select {
		case err := <-done:
			t.Fatalf("the edit did not wait for the lock: %v", err)
		case <-time.After(100 * time.Millisecond):
		}
		if !slices.Contains(c.fs.Refused(), "utime priv/lock/file-domains_cfg") {
			t.Errorf("the lock's release was not asked for: %v", c.fs.Refused())
		}
		if err := os.Remove(lock); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if got := c.read("pve/domains.cfg"); got != "one\ntwo\n" {
			t.Errorf("%q", got)
		}
		c.unlocked(append(exchange, "utime")...)
	})
}

// A lock whose owner died is respected for two minutes, and no longer.
func TestPVEStaleLock(t *testing.T) {
	eachCluster(t, func(t *testing.T, c *cluster) {
		f := c.file("one\n")
		// The layer sees only what package durable does, so the dead owner
		// is one of ours.
		if _, err := durable.MkdirLock(t.Context(), c.path("pve/priv/lock/file-domains_cfg"), time.Second, c.hook); err != nil {
			t.Fatal(err)
		}
		edit := func(wait time.Duration) error {
			return f.Replace(t.Context(), wait, []byte("one\n"), []byte("two\n"), nil)
		}
		for _, late := range []time.Duration{0, 119 * time.Second} {
			c.late.Store(int64(late))
			if err := edit(50 * time.Millisecond); !errors.Is(err, realmfile.ErrBusy) || c.read("pve/domains.cfg") != "one\n" {
				t.Errorf("a lock of %v: %v", late, err)
			}
		}
		c.late.Store(int64(121 * time.Second))
		if err := edit(10 * time.Second); err != nil || c.read("pve/domains.cfg") != "two\n" {
			t.Errorf("a lock of two minutes: %v", err)
		}
		c.unlocked(append(exchange, "utime")...)
	})
}

func TestLockNameOfPVE(t *testing.T) {
	for _, k := range pvetest.Cases(t, "pmxcfs/lock-path", 4) {
		var file, lock string
		pvetest.Read(t, k.Input, &file)
		pvetest.Read(t, k.Expected, &lock)
		lock = strings.TrimPrefix(lock, "/etc/")
		eachCluster(t, func(t *testing.T, c *cluster) {
			c.file("")
			path := c.path("pve/" + file)
			if err := os.WriteFile(path, []byte("{}\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			f := c.opened(path)
			if err := os.Mkdir(c.path(lock), 0o700); err != nil {
				t.Fatal(err)
			}
			err := f.Replace(t.Context(), 50*time.Millisecond, []byte("{}\n"), []byte("{ }\n"), nil)
			if !errors.Is(err, realmfile.ErrBusy) || c.read("pve/"+file) != "{}\n" {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestNoQuorum(t *testing.T) {
	eachCluster(t, func(t *testing.T, c *cluster) {
		f := c.file("one\n")
		c.setQuorum(false)
		if err := add(f, "two"); !errors.Is(err, realmfile.ErrNoQuorum) || c.read("pve/domains.cfg") != "one\n" {
			t.Errorf("%v", err)
		}
		if len(c.fs.Refused()) > 0 {
			t.Errorf("it did not ask before it wrote: %v", c.fs.Refused())
		}
		c.setQuorum(true)
		if err := add(f, "two"); err != nil {
			t.Error(err)
		}
	})
}

// The majority goes while an edit is under way: the file is as it was, the error
// says why, and what is left is in nobody's way two minutes later.
func TestQuorumLostMeanwhile(t *testing.T) {
	for _, op := range []string{"mkdir", "openat", "pwrite", "renameat2", "renameat"} {
		eachCluster(t, func(t *testing.T, c *cluster) {
			f := c.file("one\n")
			c.before(f, op, func() { c.setQuorum(false) })
			if err := add(f, "two"); !errors.Is(err, realmfile.ErrNoQuorum) || c.read("pve/domains.cfg") != "one\n" {
				t.Errorf("%s: %v", op, err)
			}
			c.setQuorum(true)
			c.late.Store(int64(121 * time.Second))
			if err := add(c.opened(c.path("pve/domains.cfg")), "three"); err != nil || c.read("pve/domains.cfg") != "one\nthree\n" {
				t.Errorf("%s: %v, %q", op, err, c.read("pve/domains.cfg"))
			}
			if got := c.names("pve"); strings.Contains(got, "tmp") {
				t.Errorf("%s: left: %s", op, got)
			}
		})
	}
}

// Another node of the cluster writes the file while an edit is under way: neither
// its number, size nor time need differ here, and the edit is made of the new text.
func TestPVEWrittenElsewhere(t *testing.T) {
	eachCluster(t, func(t *testing.T, c *cluster) {
		f := c.file("one\n")
		path, at := c.path("pve/domains.cfg"), time.Unix(1700000000, 0)
		write := func(text string) {
			if err := errors.Join(os.WriteFile(path, []byte(text), 0o640), os.Chtimes(path, at, at)); err != nil {
				t.Error(err)
			}
		}
		write("one\n")
		c.before(f, "pwrite", func() { write("two\n") })
		if err := add(f, "three"); err != nil || c.read("pve/domains.cfg") != "two\nthree\n" || c.read("pve/domains.cfg~") != "two\n" {
			t.Errorf("%v, %q, %q", err, c.read("pve/domains.cfg"), c.read("pve/domains.cfg~"))
		}
		c.unlocked(exchange...)
	})
}

// A program that dies before any of its calls leaves the old file or the new one,
// and the next edit, two minutes later, goes through.
func TestPVEDies(t *testing.T) {
	eachCluster(t, func(t *testing.T, c *cluster) {
		dead := errors.New("dead")
		for at := 0; ; at++ {
			f := c.file("one\n")
			left := at
			f.SetHook(func(call durable.Call) error {
				if left--; left < 0 {
					return dead
				}
				if c.hook != nil {
					return c.hook(call)
				}
				return nil
			})
			err := add(f, "two")
			if left >= 0 {
				if err != nil || at < 12 {
					t.Errorf("%d calls, %v", at, err)
				}
				return
			}
			if got := c.read("pve/domains.cfg"); got != "one\n" && got != "one\ntwo\n" {
				t.Errorf("dead at call %d: the file holds %q", at, got)
			}
			c.late.Add(int64(121 * time.Second))
			if err := add(c.opened(c.path("pve/domains.cfg")), "next"); err != nil {
				t.Errorf("dead at call %d: %v", at, err)
			}
			if got := c.names("pve") + c.names("pve/priv/lock"); strings.Contains(got, "tmp") || strings.Contains(got, "file-") {
				t.Errorf("dead at call %d: left: %s", at, got)
			}
		}
	})
}

func TestPVESize(t *testing.T) {
	eachCluster(t, func(t *testing.T, c *cluster) {
		f := c.file(strings.Repeat("x", 1<<20-2))
		if err := add(f, "y"); err != nil {
			t.Errorf("1 MiB: %v", err)
		}
		if err := add(f, ""); !errors.Is(err, realmfile.ErrTooLarge) || len(c.read("pve/domains.cfg")) != 1<<20 {
			t.Errorf("1 MiB and a byte: %v", err)
		}
		c.unlocked(exchange...)
	})
	s := newSite(t)
	f, err := s.open(s.write("etc/domains.cfg", strings.Repeat("x", 1<<20), 0o640))
	if err != nil {
		t.Fatal(err)
	}
	if err := add(f, "y"); err != nil {
		t.Errorf("elsewhere: %v", err)
	}
}

func TestPVEFull(t *testing.T) {
	eachCluster(t, func(t *testing.T, c *cluster) {
		f := c.file("one\n")
		c.fs.SetFull(true)
		if err := add(f, "two"); !errors.Is(err, syscall.ENOSPC) || c.read("pve/domains.cfg") != "one\n" {
			t.Errorf("%v", err)
		}
		if got := c.names("pve"); strings.Contains(got, "tmp") {
			t.Errorf("left: %s", got)
		}
		c.unlocked(append(exchange, "write")...)
	})
}

// What lies where the cluster file system ought to be is not what Proxmox VE
// reads: to edit it would seem to help.
func TestPVENotMounted(t *testing.T) {
	s := newSite(t)
	f, err := s.open(s.write("pve/domains.cfg", "one\n", 0o640))
	if err != nil {
		t.Fatal(err)
	}
	if err := add(f, "two"); !errors.Is(err, realmfile.ErrNotMounted) || s.names("pve") != "domains.cfg" || s.read("pve/domains.cfg") != "one\n" {
		t.Errorf("%v, %s", err, s.names("pve"))
	}
}

// Editors at once, on two nodes as it were: nothing holds them apart but the lock
// that is a folder.
func TestPVEEditorsLoseNothing(t *testing.T) {
	eachCluster(t, func(t *testing.T, c *cluster) {
		c.file("")
		const editors, lines = 3, 8
		var wg sync.WaitGroup
		for e := range editors {
			f := c.opened(c.path("pve/domains.cfg"))
			wg.Go(func() {
				for i := range lines {
					// The lock has no queue: who has bad luck waits long.
					old, err := f.Read()
					if err == nil {
						edit := func(b []byte) ([]byte, error) { return fmt.Appendf(b[:len(b):len(b)], "%d.%d\n", e, i), nil }
						edited, _ := edit(old)
						err = f.Replace(t.Context(), time.Minute, old, edited, edit)
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if got := strings.Count(c.read("pve/domains.cfg"), "\n"); got != editors*lines {
			t.Errorf("%d lines, want %d", got, editors*lines)
		}
		c.unlocked(append(exchange, "utime")...)
	})
}
