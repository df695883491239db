package durable

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// helperEnv makes the test program hold the lock that it names, until its input
// ends.
const helperEnv = "DURABLE_TEST_HOLD"

func TestMain(m *testing.M) {
	if path := os.Getenv(helperEnv); path != "" {
		if _, err := Lock(context.Background(), path, time.Minute); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("held")
		var b [1]byte
		_, _ = os.Stdin.Read(b[:])
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func mustLock(t *testing.T, path string) *FileLock {
	t.Helper()
	l, err := Lock(context.Background(), path, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	for range 3 {
		l := mustLock(t, path)
		_, err := Lock(context.Background(), path, time.Millisecond)
		if !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), path) {
			t.Fatalf("a second lock: %v", err)
		}
		if err := l.Unlock(); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the lock file: %v, %v", info, err)
	}
	if err := os.Symlink(path, path+"2"); err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(context.Background(), path+"2", time.Second); err == nil {
		t.Error("a symbolic link was followed")
	}
}

// Waits that were given up leave nothing that keeps others out, although their
// threads wait on and get the lock in their turn.
func TestLockGivenUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	l := mustLock(t, path)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			var err error
			if i%2 == 0 {
				_, err = Lock(context.Background(), path, time.Duration(i)*time.Millisecond)
			} else {
				_, err = Lock(ctx, path, time.Minute)
			}
			want := ErrBusy
			if i%2 == 1 {
				want = context.Canceled
			}
			if !errors.Is(err, want) {
				t.Errorf("waiter %d: %v, want %v", i, err, want)
			}
		})
	}
	time.Sleep(30 * time.Millisecond)
	cancel()
	wg.Wait()
	if err := l.Unlock(); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if err := mustLock(t, path).Unlock(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Lock(ctx, path, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that had ended: %v", err)
	}
}

// All who wait come in, one at a time, and those who came later do not push in
// for ever.
func TestLockQueue(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	const waiters, each = 64, 10
	var inside, total atomic.Int32
	turns := make([]atomic.Int32, waiters)
	var wg sync.WaitGroup
	for i := range waiters {
		wg.Go(func() {
			for range each {
				l, err := Lock(context.Background(), path, time.Minute)
				if err != nil {
					t.Error(err)
					return
				}
				if inside.Add(1) != 1 {
					t.Error("two are in")
				}
				turns[i].Add(1)
				total.Add(1)
				inside.Add(-1)
				if err := l.Unlock(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if total.Load() != waiters*each {
		t.Errorf("%d turns, want %d", total.Load(), waiters*each)
	}
}

// A lock file that is removed or replaced while somebody waits for it keeps
// nobody out, so it is taken anew.
func TestLockFileReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	old := mustLock(t, path)
	got := make(chan *FileLock)
	go func() {
		l, err := Lock(context.Background(), path, time.Minute)
		if err != nil {
			t.Error(err)
		}
		got <- l
	}()
	time.Sleep(10 * time.Millisecond) // let it wait; without, the test shows less but stays right
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := old.Unlock(); err != nil {
		t.Fatal(err)
	}
	l := <-got
	if _, err := Lock(context.Background(), path, time.Millisecond); !errors.Is(err, ErrBusy) {
		t.Errorf("the new file is not locked: %v", err)
	}
	if err := l.Unlock(); err != nil {
		t.Fatal(err)
	}
}

// A process that dies, however it dies, has let go.
func TestLockOfProcessThatDied(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helperEnv+"="+path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var word string
	if _, err := fmt.Fscan(out, &word); err != nil || word != "held" {
		t.Fatalf("%q, %v", word, err)
	}
	if _, err := Lock(context.Background(), path, 20*time.Millisecond); !errors.Is(err, ErrBusy) {
		t.Errorf("while it lives: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := mustLock(t, path).Unlock(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
}

// Bytes are locked one by one, also where the file has none.
func TestLockByte(t *testing.T) {
	dir := t.TempDir()
	open := func() *File {
		d, err := OpenDir(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		f, err := d.Open("bytes", os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	const high = 1<<62 - 1
	held := open()
	if err := held.LockByte(context.Background(), high, time.Second); err != nil {
		t.Fatal(err)
	}
	other := open()
	if err := other.LockByte(context.Background(), high-1, time.Second); err != nil {
		t.Fatal(err)
	}
	if err := open().LockByte(context.Background(), high, time.Millisecond); !errors.Is(err, ErrBusy) {
		t.Fatalf("the same byte: %v", err)
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open().LockByte(context.Background(), high, time.Second); err != nil {
		t.Fatal(err)
	}
}

func TestMkdirLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file-domains_cfg")
	unlock, err := MkdirLock(context.Background(), path, time.Second, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := MkdirLock(context.Background(), path, 30*time.Millisecond, nil); !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), path) {
		t.Fatalf("a second lock: %v", err)
	}
	// Who waits asks for a stale lock to be dropped.
	if info, err := os.Stat(path); err != nil || info.ModTime().Unix() != 0 {
		t.Fatalf("the times were not set to 0: %v, %v", info, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := MkdirLock(ctx, path, time.Minute, nil); !errors.Is(err, context.Canceled) {
		t.Fatalf("with a context that had ended: %v", err)
	}
	got := make(chan error)
	go func() {
		unlock, err := MkdirLock(context.Background(), path, time.Minute, nil)
		if err == nil {
			err = unlock()
		}
		got <- err
	}()
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Fatal(err)
	}
	if err := unlock(); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a lock that is not there was let go: %v", err)
	}
	if _, err := MkdirLock(context.Background(), filepath.Join(path, "no", "folder"), time.Minute, nil); err == nil || errors.Is(err, ErrBusy) {
		t.Errorf("in a folder that is not there: %v", err)
	}
}
