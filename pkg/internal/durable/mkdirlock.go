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
// Everywhere but on pmxcfs a process that dies leaves the folder, and the error
// names it.
func MkdirLock(ctx context.Context, path string, wait time.Duration) (unlock func() error, err error) {
	path = filepath.Clean(path)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, time.Second/2) {
		if err := ctx.Err(); err != nil {
			return nil, failure("lock", path, err)
		}
		err := unix.Mkdir(path, 0o700)
		switch err {
		case nil:
			return func() error {
				if err := unix.Rmdir(path); err != nil {
					return failure("unlock", path, err)
				}
				return nil
			}, nil
		case unix.EINTR:
			continue
		case unix.EEXIST:
			// Refused where it is no business of ours; then we just wait.
			_ = unix.Utimes(path, make([]unix.Timeval, 2))
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
			return nil, failure("lock", path, fmt.Errorf("%w: gave up after %v; a folder left by a process that died is removed by hand", ErrBusy, wait))
		}
	}
}
