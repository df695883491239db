// Package durable makes what it writes survive a power cut, and makes writers
// wait for each other. It is a leaf: Linux system calls and nothing else.
//
// It offers three things.
//
//   - [Replace] puts a whole file in the place of another: a temporary beside
//     it (O_CREAT|O_EXCL|O_NOFOLLOW), fchown, fchmod, pwrite, fsync, rename,
//     fsync of the folder. Whoever opens the name finds the old bytes or the
//     new, and once Replace has returned nil, the new ones for good. A crash
//     in between can leave the temporary, which is in nobody's way.
//   - [Lock] is flock on a permanent file, with a deadline; [MkdirLock] is the
//     lock that Proxmox VE takes under /etc/pve.
//   - Slots are small records that are overwritten in place, for what changes
//     at every login: see [Slots]. One pwrite and one fdatasync, and no block
//     is allocated, so that a full disk does not stop them (on file systems
//     that overwrite in place; btrfs and ZFS do not).
//
// What is promised holds on local file systems whose fsync and fdatasync reach
// the medium. After a failed fsync nothing is known of the bytes written; it is
// reported and never retried, because a second fsync would say nil for pages
// that the kernel has already given up.
//
// Every descriptor is O_CLOEXEC. Names are looked up relative to an open
// folder, and the last component is never followed when it is a symbolic link.
// EINTR is retried everywhere.
package durable

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// ErrBusy means that a lock was not had within the time to wait.
var ErrBusy = errors.New("the lock is held by another process")

// A Call is one system call that is about to be made, as a [Hook] sees it.
type Call struct {
	Op   string // the call's name: "openat", "pwrite", "fdatasync", ...
	Path string // the file or folder
	To   string // renameat: the new name
	Off  int64  // pread, pwrite: the offset in bytes
	Data []byte // pwrite: the bytes; not to be kept or changed
	New  bool   // openat: O_CREAT was asked for

	Mode     os.FileMode // fchmod: the permission bits
	UID, GID uint32      // fchown
}

// A Hook is called before each system call but close, which always happens. An
// error it returns stands for the error of the system call, which is then not
// made. Tests use it to fail at each call, or to stop dead there; in programs it
// is nil and costs a comparison.
type Hook func(Call) error

// try makes a system call, again when a signal interrupted it. call is only
// asked for its value when there is a hook.
func (h Hook) try(call func() Call, sys func() error) error {
	for {
		var err error
		if h != nil {
			err = h(call())
		}
		if err == nil {
			err = sys()
		}
		if err != unix.EINTR {
			return err
		}
	}
}

// failure is the error of a system call, in words.
func failure(what, path string, err error) error {
	return fmt.Errorf("cannot %s %q: %w", what, path, err)
}
