package filestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"oathkit/pkg/internal/durable"
	"oathkit/pkg/mfa"
	"oathkit/pkg/store/storetest"
)

const someone = "someone@pam"

// A scenario is one transaction, and what may be found when it stops anywhere.
type scenario struct {
	name  string // as in the package comment
	setup []change
	run   func(s *Store) error
	// recordFirst tells which of the two writes comes first, where there are
	// two.
	recordFirst bool
}

type change = func(mfa.User) (mfa.User, error)

func update(fn change) func(*Store) error {
	return func(s *Store) error { return s.Update(context.Background(), someone, fn) }
}

// chance is the same at every call, so that a transaction that is run again
// writes the same bytes.
func chance(n byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{n}) }

func enable(n byte) change {
	return func(u mfa.User) (mfa.User, error) {
		u, _, err := mfa.Enable(u, mfa.EnableOptions{Kind: mfa.HOTP, Counter: 1000, Now: time.Unix(1_700_000_000, 0), Random: chance(n)})
		return u, err
	}
}

func activate(u mfa.User) (mfa.User, error) {
	u, err := storetest.Count(u)
	u.Record.Credentials = slices.Clone(u.Record.Credentials)
	u.Record.Credentials[0].Activated = true
	return u, err
}

func reset(u mfa.User) (mfa.User, error) {
	u, _, err := mfa.Reset(u, mfa.EnableOptions{Kind: mfa.HOTP, Now: time.Unix(1_700_000_000, 0), Random: chance(7)})
	return u, err
}

func codes(n byte) change {
	return func(u mfa.User) (mfa.User, error) {
		_, u, err := mfa.NewRecoveryCodes(u, 10, chance(n))
		return u, err
	}
}

func useCodes(u mfa.User) (mfa.User, error) {
	u.State.RecoveryUsed = 3
	return u, nil
}

func addSecond(u mfa.User) (mfa.User, error) {
	u, _, err := mfa.Add(u, mfa.EnableOptions{Kind: mfa.HOTP, Counter: 50, Now: time.Unix(1_700_000_000, 0), Random: chance(8)})
	return u, err
}

func removeFirst(u mfa.User) (mfa.User, error) { return mfa.Remove(u, u.Record.Credentials[0].ID) }

func nothing(u mfa.User) (mfa.User, error) { return u, nil }

func scenarios() []scenario {
	used := []change{enable(1), activate, codes(2), useCodes}
	return []scenario{
		{name: "a login", setup: used, run: update(storetest.Count)},
		{name: "a login of nobody", run: update(nothing)},
		{name: "a login of somebody deleted", setup: []change{enable(1), mfa.Disable}, run: update(nothing)},
		{name: "a login that changes nothing", setup: used, run: update(nothing)},
		{name: "a login that activates", setup: []change{enable(1)}, run: update(activate)},
		{name: "enable", run: update(enable(1))},
		{name: "enable again", setup: []change{enable(1), activate, mfa.Disable}, run: update(enable(2))},
		{name: "add", setup: used, run: update(addSecond)},
		{name: "remove", setup: append(slices.Clone(used), addSecond), run: update(removeFirst), recordFirst: true},
		{name: "reset", setup: used, run: update(reset), recordFirst: true},
		{name: "new recovery codes", setup: used, run: update(codes(3)), recordFirst: true},
		{name: "disable", setup: used, run: update(mfa.Disable)},
		{name: "delete", setup: used, run: func(s *Store) error { return s.Delete(context.Background(), someone) }},
		{name: "rebuild", setup: used, run: func(s *Store) error {
			return s.Rebuild(context.Background(), someone, func(r mfa.Record) mfa.State { return mfa.Rebuild(r, time.Unix(1_700_000_000, 0), 1) })
		}},
	}
}

// A trial is a scenario that was set up.
type trial struct {
	scenario
	folder        string // with the store before the transaction in it
	before, after mfa.User
	calls         []durable.Call // those of the transaction, paths below the folder
}

// ram is a folder in memory where there is one: these tests flush often.
func ram(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat("/dev/shm"); err != nil {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp("/dev/shm", "filestore-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func prepare(t *testing.T, sc scenario) *trial {
	t.Helper()
	tr := &trial{scenario: sc, folder: filepath.Join(ram(t), "before")}
	s := reopen(t, tr.folder, nil)
	for i, fn := range sc.setup {
		if err := s.Update(context.Background(), someone, fn); err != nil {
			t.Fatalf("setup %d: %v", i, err)
		}
	}
	s.Close()
	tr.before = tr.view(t, tr.folder)
	done := tr.copy(t)
	tr.calls = tr.record(t, done)
	tr.after = tr.view(t, done)
	return tr
}

// patience is for locks that must come free: one that was left behind never
// does, and how long a busy disk takes is not asked here.
const patience = time.Minute

// reopen opens the store in a folder, and makes it where it is not.
func reopen(t *testing.T, folder string, hook durable.Hook) *Store {
	t.Helper()
	s, err := Open(folder, Options{Create: true, Wait: patience, hook: hook})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (tr *trial) view(t *testing.T, folder string) mfa.User {
	t.Helper()
	s := reopen(t, folder, nil)
	defer s.Close()
	u, err := s.View(context.Background(), someone)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// copy returns a copy of the store as it was before the transaction.
func (tr *trial) copy(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(filepath.Dir(tr.folder), fmt.Sprintf("copy%d", time.Now().UnixNano()))
	if err := os.CopyFS(dir, os.DirFS(tr.folder)); err != nil {
		t.Fatal(err)
	}
	tighten(t, dir)
	return dir
}

// tighten gives every file of a store the mode that it must have.
func tighten(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return os.Chmod(path, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// record runs the transaction and returns its system calls.
func (tr *trial) record(t *testing.T, folder string) []durable.Call {
	t.Helper()
	var calls []durable.Call
	on := false
	s := reopen(t, folder, func(c durable.Call) error {
		if on {
			c.Data = bytes.Clone(c.Data)
			c.Path = strings.TrimPrefix(strings.TrimPrefix(c.Path, folder), "/")
			c.To = strings.TrimPrefix(strings.TrimPrefix(c.To, folder), "/")
			calls = append(calls, c)
		}
		return nil
	})
	defer s.Close()
	on = true
	if err := tr.run(s); err != nil {
		t.Fatal(err)
	}
	return calls
}

// survived says what is wrong with a store after the transaction stopped. done
// means that it had reported success.
func (tr *trial) survived(t *testing.T, folder string, done bool) error {
	t.Helper()
	ctx := context.Background()
	s, err := Open(folder, Options{Wait: patience})
	if err != nil {
		return err
	}
	defer s.Close()
	u, err := s.View(ctx, someone)
	if err != nil {
		return err
	}
	allowed := []mfa.User{tr.after}
	if !done {
		mid := mfa.User{ID: someone}
		switch {
		case !tr.before.Enrolled() || !tr.after.Enrolled():
		case tr.recordFirst:
			mid.Record, mid.State = tr.after.Record, tr.before.State.For(tr.after.Record)
		default:
			mid.Record, mid.State = tr.before.Record, tr.after.State.For(tr.before.Record)
		}
		allowed = append(allowed, tr.before)
		if mid.Enrolled() {
			allowed = append(allowed, mid)
		}
	}
	if !slices.ContainsFunc(allowed, func(a mfa.User) bool { return a.Record.Equal(u.Record) && a.State == u.State }) {
		return fmt.Errorf("the user is neither as before nor as after:\n%+v\nallowed:\n%+v", u, allowed)
	}
	ids, err := s.List(ctx)
	if err != nil || slices.Contains(ids, someone) != u.Enrolled() {
		return fmt.Errorf("List: %q, %w", ids, err)
	}
	return lives(s, u)
}

// lives says what is wrong with a store in which a user can no longer log in,
// be deleted or be enabled.
func lives(s *Store, u mfa.User) error {
	ctx := context.Background()
	if u.Enrolled() {
		c, _ := u.State.Counter(u.Record.Credentials[0].ID)
		for i := range uint64(3) {
			if err := s.Update(ctx, someone, storetest.Count); err != nil {
				return fmt.Errorf("login: %w", err)
			}
			now, err := s.View(ctx, someone)
			n, _ := now.State.Counter(u.Record.Credentials[0].ID)
			if err != nil || n.Next != c.Next+i+1 {
				return fmt.Errorf("login %d moved the counter from %d to %d (%w)", i, c.Next, n.Next, err)
			}
		}
		if err := s.Delete(ctx, someone); err != nil {
			return err
		}
	}
	if err := s.Update(ctx, someone, enable(9)); err != nil {
		return fmt.Errorf("enable: %w", err)
	}
	now, err := s.View(ctx, someone)
	if err != nil || !now.Enrolled() {
		return fmt.Errorf("enabled: %+v, %w", now, err)
	}
	if c, ok := now.State.Counter(now.Record.Credentials[0].ID); !ok || c.Next != 1000 || c.Lost {
		return fmt.Errorf("enabled with something of the past: %+v", now.State)
	}
	shard, err := s.dir.OpenDir(placeOf(someone).shard)
	if err != nil {
		return err
	}
	defer shard.Close()
	names, err := shard.Names()
	slices.Sort(names)
	if want := []string{someone + ".json", someone + ".state"}; err != nil || !slices.Equal(names, want) {
		return fmt.Errorf("the folder has %q, want %q (%w)", names, want, err)
	}
	return nil
}

// The process dies before each system call.
func TestCrashAtEveryCall(t *testing.T) {
	dead := errors.New("dead")
	for _, sc := range scenarios() {
		t.Run(sc.name, func(t *testing.T) {
			tr := prepare(t, sc)
			for at := range tr.calls {
				folder := tr.copy(t)
				n, on := 0, false
				s := reopen(t, folder, func(durable.Call) error {
					if on {
						n++
					}
					if n > at {
						return dead
					}
					return nil
				})
				on = true
				err := tr.run(s)
				s.Close()
				if !errors.Is(err, dead) {
					t.Errorf("dead at call %d (%s), and the answer was %v", at, tr.show(at), err)
				}
				if err := tr.survived(t, folder, false); err != nil {
					t.Errorf("dead at call %d (%s): %v", at, tr.show(at), err)
				}
				os.RemoveAll(folder)
			}
		})
	}
}

// Each system call fails, and the process goes on: whatever the error, it is
// reported, and the store is whole. An interrupted call is made again.
func TestFailureOfEveryCall(t *testing.T) {
	for _, sc := range scenarios() {
		t.Run(sc.name, func(t *testing.T) {
			tr := prepare(t, sc)
			for at := range tr.calls {
				for _, errno := range []unix.Errno{unix.ENOSPC, unix.EIO, unix.EROFS, unix.EDQUOT, unix.EACCES, unix.EMFILE, unix.EINTR} {
					folder := tr.copy(t)
					n, on := -1, false
					s := reopen(t, folder, func(durable.Call) error {
						if on {
							n++
						}
						if n == at && on {
							return errno
						}
						return nil
					})
					on = true
					err := tr.run(s)
					s.Close()
					if errno == unix.EINTR && err != nil || errno != unix.EINTR && !errors.Is(err, errno) {
						t.Errorf("%v at call %d (%s): the answer was %v", errno, at, tr.show(at), err)
					}
					if err := tr.survived(t, folder, errno == unix.EINTR); err != nil {
						t.Errorf("%v at call %d (%s): %v", errno, at, tr.show(at), err)
					}
					os.RemoveAll(folder)
				}
			}
		})
	}
}

// show writes a call as the package comment does.
func (tr *trial) show(at int) string { return show(tr.calls[at]) }

func show(c durable.Call) string {
	place := placeOf(someone)
	name := func(path string) string {
		path = strings.ReplaceAll(path, place.shard+"/", "")
		path = strings.ReplaceAll(path, someone, "ID")
		switch path {
		case "":
			return "."
		case place.shard:
			return "SHARD"
		}
		return path
	}
	text := c.Op + " " + name(c.Path)
	if c.To != "" {
		text += " " + name(c.To)
	}
	if c.Op == "pwrite" && strings.HasSuffix(c.Path, ".state") {
		text += fmt.Sprintf(" %d", len(c.Data))
	}
	return text
}
