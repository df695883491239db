package durable

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// MkdirLock takes Proxmox VE's lock: the folder path, below /etc/pve/priv/lock,
// is made by whoever holds it and removed by unlock. While it is there each try
// sets its times to 0, which asks pmxcfs to remove it when it is older than two
// minutes, and tries again until wait is over or ctx ends; then the error is
// [ErrBusy] or ctx.Err(). There is no queue to sleep in, so this one polls, at
// first after 10 ms and later every half second.
//
// Whoever holds it for more than two minutes may lose it to another. Everywhere
// but on pmxcfs a process that dies leaves the folder for ever.
func MkdirLock(ctx context.Context, path string, wait time.Duration, hook Hook) (unlock func() error, err error) {
	path = filepath.Clean(path)
	do := func(op string, sys func() error) error {
		return hook.try(func() Call { return Call{Op: op, Path: path} }, sys)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, time.Second/2) {
		if err := ctx.Err(); err != nil {
			return nil, failure("lock", path, err)
		}
		switch err := do("mkdir", func() error { return unix.Mkdir(path, 0o700) }); err {
		case nil:
			return func() error {
				if err := do("rmdir", func() error { return unix.Rmdir(path) }); err != nil {
					return failure("unlock", path, err)
				}
				return nil
			}, nil
		case unix.EEXIST:
			// Refused while the lock is young; then we just wait.
			_ = do("utimes", func() error { return unix.Utimes(path, make([]unix.Timeval, 2)) })
		default:
			return nil, failure("lock", path, err)
		}
		again := time.NewTimer(pause)
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
		case <-timer.C:
			again.Stop()
			return nil, failure("lock", path, fmt.Errorf("%w: gave up after %v", ErrBusy, wait))
		}
	}
}
