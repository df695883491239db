// Package pmxcfstest is a file system for tests that refuses what pmxcfs, the
// cluster file system that Proxmox VE mounts at /etc/pve, refuses:
//
//   - chmod to another mode than 0640 (0600 below priv), chown to another owner
//     than root and www-data: EPERM
//   - links, flock, record locks and the flags of renameat2
//   - a file of more than 1 MiB: EFBIG
//   - every change while the node sees no majority of its cluster: EACCES, also
//     for root; then no file has a write bit, nor has the link "local"
//   - another time than the present for a folder below priv/lock, which is a
//     lock, unless it is older than two minutes: then it goes away
//
// fsync is not known there, which the kernel reports as done, and times are whole
// seconds. The same rules come
// in two forms, so that one can be had everywhere: [FS.Mount] is a file system in
// memory that the kernel mounts through FUSE, which takes root and /dev/fuse;
// [FS.Layer] stands between a program's system calls and an ordinary folder.
//
// What is left out: the distribution to other nodes, the limit of the whole file
// system, and the files that pmxcfs makes up.
package pmxcfstest

import (
	"path"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// MaxFile is the largest file, in bytes.
	MaxFile = 1 << 20
	// LockTime is how old a lock has to be before it is released for others.
	LockTime = 120 * time.Second
	// Group is www-data, the group of all files.
	Group = 33
)

// An FS is the state of one cluster file system. It is safe for concurrent use.
type FS struct {
	now func() time.Time

	mu      sync.Mutex
	lost    bool                 // the majority
	full    bool                 // no byte more
	locks   map[string]time.Time // when a folder that is a lock was made or first seen
	refused []string
}

// New makes an empty file system of a node that has a majority. now tells the
// time by which locks grow old.
func New(now func() time.Time) *FS {
	return &FS{now: now, locks: make(map[string]time.Time)}
}

// SetQuorum says whether the node sees a majority of its cluster.
func (f *FS) SetQuorum(has bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lost = !has
}

// SetFull says whether the file system takes no byte more.
func (f *FS) SetFull(full bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.full = full
}

// Refused returns what was refused so far, as "chmod 0644 domains.cfg".
func (f *FS) Refused() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.refused...)
}

// refuse notes what is refused. The caller holds mu.
func (f *FS) refuse(errno syscall.Errno, what string) syscall.Errno {
	f.refused = append(f.refused, what)
	return errno
}

// never refuses what pmxcfs does not know at all.
func (f *FS) never(errno syscall.Errno, op, name string) syscall.Errno {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.refuse(errno, op+" "+name)
}

// change says whether something may be changed.
func (f *FS) change(op, name string) syscall.Errno {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lost {
		return f.refuse(syscall.EACCES, op+" "+name)
	}
	return 0
}

// write says whether a file may have bytes up to end.
func (f *FS) write(name string, end int64) syscall.Errno {
	if errno := f.change("write", name); errno != 0 {
		return errno
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case end > MaxFile:
		return f.refuse(syscall.EFBIG, "write "+name)
	case f.full && end > 0:
		return f.refuse(syscall.ENOSPC, "write "+name)
	}
	return 0
}

// chmod says whether a file may get a mode: the one that it has.
func (f *FS) chmod(name string, mode uint32) syscall.Errno {
	if mode&0o777 != fileMode(name) {
		return f.never(syscall.EPERM, "chmod "+octal(mode&0o777), name)
	}
	return 0
}

// chown says whether a file may get an owner; all ones leave it alone.
func (f *FS) chown(name string, uid, gid uint32) syscall.Errno {
	if uid != 0 && uid != ^uint32(0) || gid != Group && gid != ^uint32(0) {
		return f.never(syscall.EPERM, "chown", name)
	}
	return 0
}

// lock notes a new folder.
func (f *FS) lock(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if isLock(name) {
		f.locks[name] = f.now()
	}
}

// release says whether the times of a folder may be set to the beginning of 1970,
// and whether it is to be removed for that.
func (f *FS) release(name string) (gone bool, errno syscall.Errno) {
	f.mu.Lock()
	defer f.mu.Unlock()
	since, seen := f.locks[name]
	switch {
	case !seen:
		f.locks[name] = f.now()
	case f.now().Sub(since) > LockTime:
		delete(f.locks, name)
		return true, 0
	}
	return false, f.refuse(syscall.EACCES, "utime "+name)
}

// isLock says whether a folder of this name is a lock.
func isLock(name string) bool { return path.Dir(name) == "priv/lock" }

func private(name string) bool { return name == "priv" || strings.HasPrefix(name, "priv/") }

// fileMode is the mode of all files of a place.
func fileMode(name string) uint32 {
	if private(name) {
		return 0o600
	}
	return 0o640
}

func octal(mode uint32) string {
	digits := []byte{'0', byte('0' + mode>>6&7), byte('0' + mode>>3&7), byte('0' + mode&7)}
	return string(digits)
}
