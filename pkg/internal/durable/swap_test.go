package durable_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"oathkit/pkg/internal/durable"
)

// folder makes a folder with the file f of the given text.
func folder(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	return dir
}

// contents is the folder as "name=text" words.
func contents(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			b = []byte("?")
		}
		words = append(words, e.Name()+"="+string(b))
	}
	return strings.Join(words, " ")
}

func swap(dir, old, text string, hook durable.Hook) error {
	d, err := durable.OpenDir(dir, hook)
	if err != nil {
		return err
	}
	defer d.Close()
	quiet, err := durable.OpenDir(dir, nil)
	if err != nil {
		return err
	}
	defer quiet.Close()
	b, _, seen, err := quiet.ReadFile("f", 1<<20)
	if err != nil || string(b) != old {
		return durable.ErrChanged
	}
	return d.Swap("f", "f~", seen, []byte(old), []byte(text), durable.ReplaceOptions{Keep: true, Temp: "f.tmp"})
}

func TestSwap(t *testing.T) {
	dir := folder(t, "one")
	for _, step := range []struct{ old, text, want string }{
		{"one", "two", "f=two f~=one"},
		{"two", "three", "f=three f~=two"},
	} {
		if err := swap(dir, step.old, step.text, nil); err != nil {
			t.Fatal(err)
		}
		if got := contents(t, dir); got != step.want {
			t.Errorf("%s, want %s", got, step.want)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "f")); err != nil || info.Mode() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := swap(dir, "two", "four", nil); !errors.Is(err, durable.ErrChanged) {
		t.Errorf("the file holds something else: %v", err)
	}
	if got, want := contents(t, dir), "f=three f~=two"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// Others rename files of their own over f just before the exchange, and before
// each exchange back: the last of them has the name in the end.
func TestSwapSeesEveryRename(t *testing.T) {
	for others := 1; others <= 4; others++ {
		dir := folder(t, "one")
		come := 0
		err := swap(dir, "one", "two", func(c durable.Call) error {
			if c.Op == "renameat2" && come < others {
				come++
				other := filepath.Join(dir, "other")
				if err := os.WriteFile(other, fmt.Appendf(nil, "other%d", come), 0o600); err != nil {
					t.Fatal(err)
				}
				if err := os.Rename(other, filepath.Join(dir, "f")); err != nil {
					t.Fatal(err)
				}
			}
			return nil
		})
		if want := fmt.Sprintf("f=other%d", others); !errors.Is(err, durable.ErrChanged) || contents(t, dir) != want {
			t.Errorf("%s, want %s; %v", contents(t, dir), want, err)
		}
	}
}

// Every call fails in turn: either all of it happened or nothing, and the file
// is never missing.
func TestSwapFailsWhole(t *testing.T) {
	for n := 1; ; n++ {
		dir := folder(t, "one")
		calls := 0
		var failed durable.Call
		err := swap(dir, "one", "two", func(c durable.Call) error {
			if calls++; calls == n {
				failed = c
				return unix.EIO
			}
			return nil
		})
		if calls < n {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		var kept *durable.BackupError
		got := contents(t, dir)
		switch {
		case errors.As(err, &kept):
			if got != "f=two" {
				t.Errorf("%s fails without a backup: %s", failed.Op, got)
			}
		case failed.Op == "fsync" && failed.Path == dir: // in place, but for how long?
			if err == nil || got != "f=two f~=one" {
				t.Errorf("%s of the folder: %v, %s", failed.Op, err, got)
			}
		case err == nil || got != "f=one":
			t.Errorf("%s %s: %v, %s", failed.Op, failed.Path, err, got)
		}
	}
}

// A file system without RENAME_EXCHANGE.
func TestSwapWithoutExchange(t *testing.T) {
	for _, errno := range []unix.Errno{unix.EINVAL, unix.ENOSYS} {
		none := func(c durable.Call) error {
			if c.Op == "renameat2" {
				return errno
			}
			return nil
		}
		dir := folder(t, "one")
		if err := swap(dir, "one", "two", none); err != nil {
			t.Fatal(err)
		}
		if err := swap(dir, "one", "three", none); !errors.Is(err, durable.ErrChanged) {
			t.Errorf("the file holds something else: %v", err)
		}
		if got, want := contents(t, dir), "f=two f~=one"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestSwapBackupInTheWay(t *testing.T) {
	dir := folder(t, "one")
	if err := os.Mkdir(filepath.Join(dir, "f~"), 0o700); err != nil {
		t.Fatal(err)
	}
	var kept *durable.BackupError
	if err := swap(dir, "one", "two", nil); !errors.As(err, &kept) || contents(t, dir) != "f=two f~=?" {
		t.Errorf("%v, %s", err, contents(t, dir))
	}
}

func TestSwapRefusesLinks(t *testing.T) {
	dir := folder(t, "one")
	if err := os.Symlink("f", filepath.Join(dir, "l")); err != nil {
		t.Fatal(err)
	}
	d, err := durable.OpenDir(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Swap("l", "l~", durable.Seen{}, []byte("one"), []byte("two"), durable.ReplaceOptions{}); err == nil || contents(t, dir) != "f=one l=one" {
		t.Errorf("%v, %s", err, contents(t, dir))
	}
	if _, _, _, err := d.ReadFile("l", 100); err == nil {
		t.Error("a link was read")
	}
	if _, _, _, err := d.ReadFile("f", 2); err == nil {
		t.Error("a file over the limit was read")
	}
	if b, _, _, err := d.ReadFile("f", 3); err != nil || string(b) != "one" {
		t.Errorf("%q, %v", b, err)
	}
}

// A program that knows no lock appends its lines by renaming, while others do it
// by Swap: no line is lost, whoever is first.
func TestSwapAgainstRename(t *testing.T) {
	dir := folder(t, "")
	name := filepath.Join(dir, "f")
	var lost []string
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() { // replaces the file by another, and finds its text again in f or in what Swap kept
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			time.Sleep(time.Duration(i%8) * time.Millisecond) // so that swaps have a chance
			text := fmt.Sprintf("r%d\n", i)
			tmp := filepath.Join(dir, "renamed")
			if err := os.WriteFile(tmp, []byte(text), 0o640); err != nil {
				t.Error(err)
				return
			}
			if err := os.Rename(tmp, name); err != nil {
				t.Error(err)
				return
			}
			// Only this goroutine and Swap write: the text is still in f, at
			// its beginning, unless it was displaced unseen.
			for since := time.Now(); ; {
				b, err := os.ReadFile(name)
				if err == nil && bytes.HasPrefix(b, []byte(text)) {
					break
				}
				if time.Since(since) > 10*time.Second {
					lost = append(lost, text)
					break
				}
			}
		}
	})
	done, changed := 0, 0
	for done < 100 && changed < 1000 {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		err = swap(dir, string(b), string(b)+"s\n", nil)
		switch {
		case err == nil:
			done++
		case errors.Is(err, durable.ErrChanged):
			changed++
		default:
			t.Fatal(err)
		}
	}
	close(stop)
	wg.Wait()
	if len(lost) > 0 || done == 0 {
		t.Errorf("lost %q of a program that renames; %d swaps done, %d saw a change", slices.Compact(lost), done, changed)
	}
	t.Logf("%d swaps done, %d saw a change", done, changed)
}
