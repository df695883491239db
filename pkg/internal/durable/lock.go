package durable

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A FileLock is a lock that is held.
type FileLock struct{ f *File }

// Lock takes an exclusive flock on the file path, which is made (0600, empty)
// where it is not there and stays for ever: that it exists means nothing. It
// waits at most wait, or until ctx ends, and returns an error that is [ErrBusy]
// or ctx.Err(). The lock ends with Unlock or with the process.
//
// The first try does not block. A process that has to wait sleeps in flock(2),
// where the kernel keeps a queue, so nobody polls and nobody starves. A wait
// that is given up leaves one thread in that call; when its turn comes it lets
// go at once. A program that gives up is about to exit, which ends the thread.
func Lock(ctx context.Context, path string, wait time.Duration) (*FileLock, error) {
	path = filepath.Clean(path)
	d, err := OpenDir(filepath.Dir(path), nil)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	for {
		f, err := d.Open(filepath.Base(path), unix.O_RDWR|unix.O_CREAT, 0o600)
		if err != nil {
			return nil, err
		}
		if err := f.Lock(ctx, wait); err != nil {
			f.Close()
			return nil, err
		}
		info, err := f.Info()
		if err == nil && info.Links > 0 {
			return &FileLock{f}, nil
		}
		f.Close()
		if err != nil {
			return nil, err
		}
		// Somebody removed the file while we waited: a lock on it keeps
		// nobody out any more.
	}
}

// Unlock lets go of the lock; the file stays.
func (l *FileLock) Unlock() error { return l.f.Close() }

// Lock takes an exclusive flock on the file, as the function [Lock] does. After
// an error of the wait the file can only be closed.
func (f *File) Lock(ctx context.Context, wait time.Duration) error {
	return f.lock(ctx, wait, "flock", 0, func(fd int, block bool) error {
		if block {
			return unix.Flock(fd, unix.LOCK_EX)
		}
		return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
	})
}

// LockByte takes an exclusive lock on one byte of the file, which need not
// exist: a lock for each of 2^63 names in one file. It is an open file
// description lock (fcntl(2), F_OFD_SETLKW) and ends when f is closed.
func (f *File) LockByte(ctx context.Context, off int64, wait time.Duration) error {
	return f.lock(ctx, wait, "fcntl", off, func(fd int, block bool) error {
		l := unix.Flock_t{Type: unix.F_WRLCK, Start: off, Len: 1}
		if block {
			return unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLKW, &l)
		}
		return unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &l)
	})
}

func (f *File) lock(ctx context.Context, wait time.Duration, op string, off int64, take func(fd int, block bool) error) error {
	if err := ctx.Err(); err != nil {
		return failure("lock", f.Path(), err)
	}
	err := f.do(op, off, nil, func() error { return take(f.fd, false) })
	if err != unix.EAGAIN {
		return lockFailure(f, err)
	}
	return f.wait(ctx, wait, take)
}

// wait sleeps in take until it has the lock. Either it or the goroutine that
// sleeps owns the descriptor when the time is over: whoever is first to settle.
func (f *File) wait(ctx context.Context, wait time.Duration, take func(fd int, block bool) error) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	var settled atomic.Bool
	got := make(chan error, 1)
	fd := f.fd
	go func() {
		err := error(unix.EINTR)
		for err == unix.EINTR {
			err = take(fd, true)
		}
		if settled.CompareAndSwap(false, true) {
			got <- err
			return
		}
		unix.Close(fd)
	}()
	var gaveUp error
	select {
	case err := <-got:
		return lockFailure(f, err)
	case <-ctx.Done():
		gaveUp = ctx.Err()
	case <-timer.C:
		gaveUp = fmt.Errorf("%w: gave up after %v", ErrBusy, wait)
	}
	if !settled.CompareAndSwap(false, true) {
		return lockFailure(f, <-got) // it came in the last moment
	}
	f.fd = -1
	return lockFailure(f, gaveUp)
}

func lockFailure(f *File, err error) error {
	if err == nil {
		return nil
	}
	return failure("lock", f.Path(), err)
}
