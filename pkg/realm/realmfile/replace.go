package realmfile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"oathkit/pkg/internal/durable"
)

// The errors of Replace that a caller tells apart; the others wrap the system's.
var (
	// ErrBusy means that another edit held the lock all the time.
	ErrBusy = durable.ErrBusy
	// ErrUnstable means that programs without a lock were faster every time.
	ErrUnstable = errors.New("another program changes it again and again")
	// ErrNoQuorum means that the cluster file system is read-only.
	ErrNoQuorum = errors.New("the cluster file system is read-only, for this node sees too few others of its cluster")
	// ErrNotMounted means that the cluster file system is not there.
	ErrNotMounted = errors.New("the cluster file system is not mounted, so this is no file that Proxmox VE reads")
	// ErrTooLarge means that the cluster file system takes no file of the size.
	ErrTooLarge = errors.New("the edited file is larger than the 1 MiB that the cluster file system takes")
)

// A BackupError means that the edit is made, but the old bytes could not be kept
// in FILE~.
type BackupError = durable.BackupError

// maxPVE is the largest file under pmxcfs, in bytes.
const maxPVE = 1 << 20

// maxTries is how often an edit is made again because a program without a lock
// was faster.
const maxTries = 100

// Replace puts edited in the place of old, keeping owner, group and mode. When
// the file holds something else than old, again makes the new bytes of what it
// holds; an error of again is returned as it is. Nothing is written where old
// and new are the same. It waits at most wait for the lock.
//
// When the error is not nil and no *BackupError, nothing was changed.
func (f *File) Replace(ctx context.Context, wait time.Duration, old, edited []byte, again func(now []byte) ([]byte, error)) error {
	h, err := f.Hold(ctx, wait)
	if err != nil {
		return err
	}
	defer h.Release()
	return h.Replace(old, edited, again)
}

func (f *File) swap(old, edited []byte) error {
	if f.PVE() && len(edited) > maxPVE {
		return fmt.Errorf("%s: %w", f.path, ErrTooLarge)
	}
	d, err := durable.OpenDir(filepath.Dir(f.real), f.hook)
	if err != nil {
		return err
	}
	defer d.Close()
	base := filepath.Base(f.real)
	// The lock keeps others from the temporary's name, so a leftover of a
	// crash is replaced by the next edit.
	return d.Swap(base, base+"~", f.seen, old, edited, durable.ReplaceOptions{Keep: true, Lenient: f.PVE() || f.lenient, Temp: base + ".realmctl.tmp"})
}

// lock keeps other edits out until unlock.
func (f *File) lock(ctx context.Context, wait time.Duration) (unlock func(), err error) {
	if f.PVE() {
		return f.lockPVE(ctx, wait)
	}
	l, err := durable.Lock(ctx, f.real+".lock", wait)
	if err != nil {
		return nil, err
	}
	return func() { _ = l.Unlock() }, nil
}

// lockPVE takes the lock that Proxmox VE takes for the file.
func (f *File) lockPVE(ctx context.Context, wait time.Duration) (unlock func(), err error) {
	if err := f.writable(); err != nil {
		return nil, err
	}
	name := strings.NewReplacer("/", "_", ".", "_").Replace(strings.TrimPrefix(f.real, f.root+"/"))
	folder := f.root + "/priv/lock"
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("cannot lock %s: %w", f.path, err)
	}
	release, err := durable.MkdirLock(ctx, folder+"/file-"+name, wait, f.hook)
	if err != nil {
		return nil, err
	}
	return func() { _ = release() }, nil
}

// writable asks the cluster file system whether it takes changes. The link local,
// which it always has, says so by its mode; access(2) would tell root that all is
// well.
func (f *File) writable() error {
	info, err := os.Lstat(f.root + "/local")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: %w", f.path, ErrNotMounted)
	case err != nil:
		return fmt.Errorf("cannot ask the cluster file system of %s: %w", f.path, err)
	case info.Mode().Perm()&0o200 == 0:
		return fmt.Errorf("%s: %w", f.path, ErrNoQuorum)
	}
	return nil
}

// readOnly puts a refusal under the cluster file system, which has lost its
// majority since it was asked, in words.
func (f *File) readOnly(err error) error {
	var kept *BackupError
	if !f.PVE() || !errors.Is(err, fs.ErrPermission) || errors.As(err, &kept) {
		return err
	}
	if now := f.writable(); errors.Is(now, ErrNoQuorum) {
		return now
	}
	return err
}
