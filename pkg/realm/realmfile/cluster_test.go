package realmfile_test

import (
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"oathkit/pkg/internal/durable"
	"oathkit/pkg/realm/realmfile"
	"oathkit/pkg/realm/realmfile/pmxcfstest"
)

// A cluster is a site whose folder pve is Proxmox VE's cluster file system.
type cluster struct {
	site
	fs   *pmxcfstest.FS
	late atomic.Int64 // nanoseconds that the clock of the file system is ahead
	hook durable.Hook // the layer that stands for the file system; nil on the real one
}

// eachCluster runs a test on an ordinary folder behind a layer that refuses what
// pmxcfs refuses, and, where one can be mounted, on a file system that does so
// itself.
func eachCluster(t *testing.T, test func(t *testing.T, c *cluster)) {
	t.Helper()
	start := func(t *testing.T) *cluster {
		c := &cluster{site: newSite(t)}
		c.fs = pmxcfstest.New(func() time.Time { return time.Now().Add(time.Duration(c.late.Load())) })
		if err := os.Mkdir(c.path("pve"), 0o755); err != nil {
			t.Fatal(err)
		}
		return c
	}
	t.Run("layer", func(t *testing.T) {
		c := start(t)
		c.write("pve/local", "", 0o755)
		if err := os.MkdirAll(c.path("pve/priv/lock"), 0o700); err != nil {
			t.Fatal(err)
		}
		c.hook = c.fs.Layer(c.path("pve"))
		test(t, c)
	})
	probe := pmxcfstest.New(time.Now)
	unmount, err := probe.Mount(t.TempDir())
	if err != nil {
		t.Logf("no file system can be mounted here, so the layer has to do: %v", err)
		return
	}
	if err := unmount(); err != nil {
		t.Fatal(err)
	}
	t.Run("fuse", func(t *testing.T) {
		c := start(t)
		unmount, err := c.fs.Mount(c.path("pve"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := unmount(); err != nil {
				t.Error(err)
			}
		}()
		test(t, c)
	})
}

func (c *cluster) setQuorum(has bool) {
	c.fs.SetQuorum(has)
	if c.hook != nil {
		mode := map[bool]os.FileMode{true: 0o755, false: 0o555}[has]
		if err := os.Chmod(c.path("pve/local"), mode); err != nil {
			c.Fatal(err)
		}
	}
}

// file opens the realm file, made with the text.
func (c *cluster) file(text string) *realmfile.File {
	c.Helper()
	path := c.path("pve/domains.cfg")
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		c.Fatal(err)
	}
	return c.opened(path)
}

func (c *cluster) opened(path string) *realmfile.File {
	c.Helper()
	f, err := c.open(path)
	if err != nil {
		c.Fatal(err)
	}
	if !f.PVE() {
		c.Fatal("not below the cluster file system")
	}
	f.SetHook(c.hook)
	return f
}

// before runs fn before the first call of that name.
func (c *cluster) before(f *realmfile.File, op string, fn func()) {
	f.SetHook(func(call durable.Call) error {
		if call.Op == op && fn != nil {
			fn()
			fn = nil
		}
		if c.hook != nil {
			return c.hook(call)
		}
		return nil
	})
}

// unlocked says that no lock is left, and what the file system refused.
func (c *cluster) unlocked(mayBeRefused ...string) {
	c.Helper()
	if got := c.names("pve/priv/lock"); got != "" {
		c.Errorf("the lock is left: %s", got)
	}
	for _, what := range c.fs.Refused() {
		if op, _, _ := strings.Cut(what, " "); !slices.Contains(mayBeRefused, op) {
			c.Errorf("refused: %s", what)
		}
	}
}

// exchange is the step that pmxcfs does not know: "rename" with flags.
var exchange = []string{"rename", "renameat2"}
