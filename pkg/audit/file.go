package audit

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// A FileError says why a file is not used as the audit log.
type FileError struct {
	Path   string
	Reason string // what is wrong with it, and what to do
}

func (e *FileError) Error() string { return fmt.Sprintf("%q %s", e.Path, e.Reason) }

// Append appends the event to the file at path as one line, in one write. A file
// that does not exist is created with mode 0600 and the owner of its folder.
// The error is a *FileError for a file that is not to be trusted, else an
// *os.PathError.
func Append(path string, e Event) error {
	fd, err := open(path)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	if err := inspect(fd, path); err != nil {
		return err
	}
	line := make([]byte, 0, 512)
	if torn(fd) {
		line = append(line, '\n')
	}
	line = AppendLine(line, e)
	for {
		switch n, err := syscall.Write(fd, line); {
		case err == syscall.EINTR:
		case err != nil:
			return &os.PathError{Op: "write", Path: path, Err: err}
		case n < len(line): // the disk is full; what is missing must not follow as a line of its own
			return &FileError{path, fmt.Sprintf("took only %d bytes of %d: is its disk full?", n, len(line))}
		default:
			return nil
		}
	}
}

// Package syscall and not os: os would set up its poller for a file that never
// waits, at the cost of four system calls in every login. The file is read too,
// for its last byte. O_NONBLOCK keeps a FIFO that somebody put there from
// hanging the login.
const openFlags = syscall.O_RDWR | syscall.O_APPEND | syscall.O_CLOEXEC |
	syscall.O_NOFOLLOW | syscall.O_NONBLOCK | syscall.O_NOCTTY

func open(path string) (int, error) {
	// A few rounds, because logrotate may take the file away between the two calls.
	for range 5 {
		fd, err := retry(path, openFlags)
		switch err {
		case nil:
			return fd, nil
		case syscall.ELOOP:
			return -1, &FileError{path, "is a symbolic link: name the file itself in [paths] audit"}
		case syscall.ENOENT:
		default:
			return -1, &os.PathError{Op: "open", Path: path, Err: err}
		}
		fd, err = retry(path, openFlags|syscall.O_CREAT|syscall.O_EXCL)
		switch err {
		case nil:
			adopt(fd, path)
			return fd, nil
		case syscall.ENOENT:
			return -1, &FileError{path, "has no folder to be in: create the folder, with mode 0700 and the owner of the store"}
		case syscall.EEXIST:
		default:
			return -1, &os.PathError{Op: "create", Path: path, Err: err}
		}
	}
	return -1, &FileError{path, "comes and goes while it is being opened"}
}

// retry opens the file however often a signal comes between.
func retry(path string, flags int) (int, error) {
	for {
		if fd, err := syscall.Open(path, flags, 0o600); err != syscall.EINTR {
			return fd, err
		}
	}
}

// adopt gives a file that root has just created to the owner of its folder,
// so that a service account can go on writing it. Where that fails the account's
// own next event says so.
func adopt(fd int, path string) {
	if syscall.Geteuid() != 0 {
		return
	}
	var dir syscall.Stat_t
	if syscall.Stat(filepath.Dir(path), &dir) == nil && dir.Uid != 0 {
		_ = syscall.Fchown(fd, int(dir.Uid), int(dir.Gid))
	}
}

// inspect refuses a file that is not a log of ours to trust.
func inspect(fd int, path string) error {
	var st syscall.Stat_t
	if err := syscall.Fstat(fd, &st); err != nil {
		return &os.PathError{Op: "stat", Path: path, Err: err}
	}
	switch {
	case st.Mode&syscall.S_IFMT != syscall.S_IFREG:
		return &FileError{path, "is no regular file"}
	case st.Mode&0o022 != 0:
		return &FileError{path, fmt.Sprintf("has mode %04o, so others can write it: chmod go-w it", st.Mode&0o777)}
	case st.Nlink > 1:
		return &FileError{path, "has a second name (hard link): remove one of them"}
	case st.Uid == 0 || int(st.Uid) == syscall.Geteuid():
		return nil
	}
	var dir syscall.Stat_t
	if err := syscall.Stat(filepath.Dir(path), &dir); err != nil {
		return &os.PathError{Op: "stat", Path: filepath.Dir(path), Err: err}
	}
	if dir.Uid != st.Uid {
		return &FileError{path, fmt.Sprintf("belongs to user id %d, who owns neither its folder nor this process: chown it", st.Uid)}
	}
	return nil
}

// torn says whether the file ends in the middle of a line, as it does after a
// write that a full disk cut short. A line that another process is writing at
// this moment looks so too where it crosses a page, so the file is looked at
// again for some milliseconds. No lock: whoever may read the log could hold it.
func torn(fd int) bool {
	for range 10 {
		size, err := syscall.Seek(fd, 0, 2)
		if err != nil || size == 0 {
			return false
		}
		var last [1]byte
		if n, err := syscall.Pread(fd, last[:], size-1); n != 1 || err != nil || last[0] == '\n' {
			return false
		}
		time.Sleep(time.Millisecond)
	}
	return true
}
