package filestore

import (
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oathkit/pkg/internal/durable"
)

// A disk is a folder as a power cut leaves it: what was synced is there, and of
// the rest any part. A name is synced by its folder, a file's bytes by the file.
type disk struct {
	names map[string]*inode // by path below the store
}

type inode struct {
	data []byte
	dir  bool
}

// An effect is what one system call did to the disk.
type effect struct {
	call   durable.Call
	of     *inode // the file written, or the file or folder named
	synced bool
}

func (e *effect) isWrite() bool { return e.call.Op == "pwrite" }

// folderOf is the folder whose names the effect changes.
func (e *effect) folderOf() string {
	if dir := filepath.Dir(e.call.Path); dir != "." {
		return dir
	}
	return ""
}

// effects replays calls and tells what they did and what of that was synced.
func effects(start map[string]*inode, calls []durable.Call) []*effect {
	names := maps.Clone(start)
	var done []*effect
	for _, c := range calls {
		e := &effect{call: c, of: names[c.Path]}
		switch c.Op {
		case "openat":
			if !c.New || e.of != nil {
				continue
			}
			e.of = &inode{}
			names[c.Path] = e.of
		case "mkdirat":
			if e.of != nil {
				continue
			}
			e.of = &inode{dir: true}
			names[c.Path] = e.of
		case "renameat":
			names[c.To] = e.of
			delete(names, c.Path)
		case "unlinkat":
			if e.of == nil {
				continue
			}
			delete(names, c.Path)
		case "pwrite":
		case "fsync", "fdatasync":
			for _, before := range done {
				if before.isWrite() && before.of == e.of || !before.isWrite() && before.folderOf() == c.Path {
					before.synced = true
				}
			}
			continue
		default:
			continue
		}
		done = append(done, e)
	}
	return done
}

// How much of an effect is on the disk after the cut.
const (
	lost = iota
	whole
	ends   // of a write, its first and last bytes
	middle // of a write, all but those
	kinds
)

// cut makes the disk on which the effects are as far as kept says.
func cut(start map[string]*inode, done []*effect, kept []int) *disk {
	d := &disk{names: maps.Clone(start)}
	// Inodes are shared with the other cuts: bytes are copied before they change.
	fresh := make(map[*inode]*inode)
	own := func(i *inode) *inode {
		if fresh[i] == nil {
			fresh[i] = &inode{data: append([]byte(nil), i.data...), dir: i.dir}
		}
		return fresh[i]
	}
	for path, i := range d.names {
		if !i.dir {
			d.names[path] = own(i)
		}
	}
	for n, e := range done {
		if kept[n] == lost {
			continue
		}
		switch e.call.Op {
		case "openat", "mkdirat":
			d.names[e.call.Path] = own(e.of)
		case "renameat":
			d.names[e.call.To] = own(e.of)
			delete(d.names, e.call.Path)
		case "unlinkat":
			delete(d.names, e.call.Path)
		case "pwrite":
			own(e.of).write(e.call.Data, e.call.Off, kept[n])
		}
	}
	return d
}

// write puts bytes into the file; where a file grew, what did not come is zeros.
func (i *inode) write(b []byte, off int64, kept int) {
	if need := int(off) + len(b); len(i.data) < need {
		i.data = append(i.data, make([]byte, need-len(i.data))...)
	}
	const end = 100 // less than the payload of any slot here, so that each end matters
	for at, c := range b {
		if kept == whole || (at < end || at >= len(b)-end) == (kept == ends) {
			i.data[int(off)+at] = c
		}
	}
}

// load reads a store into memory.
func load(t *testing.T, folder string) map[string]*inode {
	t.Helper()
	names := make(map[string]*inode)
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == folder {
			return err
		}
		i := &inode{dir: d.IsDir()}
		if d.Type().IsRegular() {
			if i.data, err = os.ReadFile(path); err != nil {
				return err
			}
		}
		names[strings.TrimPrefix(path, folder+"/")] = i
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// save writes the disk to a new folder. A file in a folder that is not there is
// not there either.
func (d *disk) save(t *testing.T, folder string) {
	t.Helper()
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	check(os.Mkdir(folder, 0o700))
	for path, i := range d.names {
		if i.dir {
			check(os.Mkdir(filepath.Join(folder, path), 0o700))
		}
	}
	for path, i := range d.names {
		if parent := d.names[filepath.Dir(path)]; !i.dir && (parent != nil || !strings.Contains(path, "/")) {
			check(os.WriteFile(filepath.Join(folder, path), i.data, 0o600))
		}
	}
}

// choices calls try with every way in which the effects that were not synced can
// be kept or lost, or with some of them when there are many.
func choices(done []*effect, try func(kept []int)) {
	kept := make([]int, len(done))
	var open []int // effects with a choice
	total := 1
	for n, e := range done {
		kept[n] = whole
		if !e.synced {
			open = append(open, n)
			total *= kinds
		}
	}
	pick := func(n, choice int) {
		if choice > whole && !done[n].isWrite() {
			choice = whole
		}
		kept[n] = choice
	}
	const most = 256
	if total <= most {
		for c := range total {
			for _, n := range open {
				pick(n, c%kinds)
				c /= kinds
			}
			try(kept)
		}
		return
	}
	random := rand.New(rand.NewPCG(1, uint64(len(done))))
	for range most {
		for _, n := range open {
			pick(n, random.IntN(kinds))
		}
		try(kept)
	}
}

// The power goes after each system call, and of what was not synced any part is
// on the disk.
func TestPowerCutAfterEveryCall(t *testing.T) {
	for _, sc := range scenarios() {
		t.Run(sc.name, func(t *testing.T) {
			tr := prepare(t, sc)
			start := load(t, tr.folder)
			tried := make(map[string]bool)
			for n := range len(tr.calls) + 1 {
				done := effects(start, tr.calls[:n])
				choices(done, func(kept []int) {
					key := fmt.Sprint(kept, n == len(tr.calls))
					if tried[key] {
						return // the call in between changed nothing
					}
					tried[key] = true
					folder := filepath.Join(filepath.Dir(tr.folder), "cut")
					cut(start, done, kept).save(t, folder)
					if err := tr.survived(t, folder, n == len(tr.calls)); err != nil {
						after := "the beginning"
						if n > 0 {
							after = tr.show(n - 1)
						}
						t.Errorf("power cut after %s, %v of the effects kept: %v", after, kept, err)
					}
					os.RemoveAll(folder)
				})
			}
			t.Logf("%d disks", len(tried))
		})
	}
}
