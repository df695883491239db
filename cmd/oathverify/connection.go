package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/login"
	"oathkit/pkg/verify"
)

// A connection is the process of sshd that serves one connection of one user,
// the nearest one above this process. Sessions that a client opens in one
// connection (ssh_config(5), ControlMaster) have the same one: a code that is
// given in the first session opens the others, as one that sshd itself asks for
// does. The name of that process is not to be had by anybody else: it has its
// start beside its number, and it ends with the connection.
//
// Root remembers a connection in a folder of its own that does not outlive the
// machine's run, bound to the user's record: a reset or a removal of his factor
// voids it. Nobody gains by a forged one. Whoever can start a process below the
// user's own sshd is past the door already.
type connection struct {
	uid   uint32
	pid   int
	start string // in ticks since the system began, field 22 of /proc/PID/stat
}

// connections is where they are remembered; tmpfs, as every /run is.
const connections = "/run/oathkit/connections"

// maxDepth bounds the way up: nobody has so many shells within shells.
const maxDepth = 256

// connectionOf finds the connection of a user; ok is false where this process is
// below none, or below another user's first.
func connectionOf(uid uint32) (c connection, ok bool) {
	pid := os.Getppid()
	for range maxDepth {
		if pid <= 1 {
			return connection{}, false
		}
		parent, start, err := readStat(pid)
		if err != nil {
			return connection{}, false
		}
		if isSSHD(pid) {
			// It is the user's own: the one of root above it, and that of
			// somebody who has become this user since, is nobody's proof.
			return connection{uid, pid, start}, ownedBy(pid, uid)
		}
		pid = parent
	}
	return connection{}, false
}

// readStat returns the parent and the start of a process.
func readStat(pid int) (parent int, start string, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, "", err
	}
	return parseStat(string(b))
}

// parseStat reads fields 4 and 22 of proc(5)'s stat. The second field is the
// name, in parentheses, and may hold anything, parentheses and blanks too.
func parseStat(line string) (parent int, start string, err error) {
	fields := strings.Fields(line[strings.LastIndexByte(line, ')')+1:])
	if len(fields) < 20 {
		return 0, "", errors.New("not a line of /proc/PID/stat")
	}
	parent, err = strconv.Atoi(fields[1])
	return parent, fields[19], err
}

// isSSHD says whether the process runs the system's sshd.
func isSSHD(pid int) bool {
	exe := fmt.Sprintf("/proc/%d/exe", pid)
	path, err := os.Readlink(exe)
	if err != nil {
		return false
	}
	switch filepath.Base(strings.TrimSuffix(path, " (deleted)")) { // by an upgrade
	case "sshd", "sshd-session":
		var st syscall.Stat_t
		return syscall.Stat(exe, &st) == nil && st.Uid == 0 && st.Mode&0o022 == 0
	}
	return false
}

// ownedBy says whether all of the user ids of the process are this one.
func ownedBy(pid int, uid uint32) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return false
	}
	want := strconv.FormatUint(uint64(uid), 10)
	for line := range strings.Lines(string(b)) {
		if ids, ok := strings.CutPrefix(line, "Uid:"); ok {
			f := strings.Fields(ids)
			return len(f) == 4 && f[0] == want && f[1] == want && f[2] == want && f[3] == want
		}
	}
	return false
}

func (c connection) name() string { return fmt.Sprintf("%d-%d-%s", c.uid, c.pid, c.start) }

// ticket is what is remembered of the connection: the run of the system and the
// processes that its numbers are about, and the user's record.
func (c connection) ticket(epoch [16]byte) (string, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", err
	}
	processes, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(boot)) + " " + processes + " " + hex.EncodeToString(epoch[:]) + "\n", nil
}

// remembered says whether a code opened the connection, under this record.
func (c connection) remembered(epoch [16]byte) bool {
	want, err := c.ticket(epoch)
	if err != nil || ownFolder(connections, 0o077) != nil {
		return false
	}
	fd, err := syscall.Open(filepath.Join(connections, c.name()), syscall.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer syscall.Close(fd)
	var st syscall.Stat_t
	if err := syscall.Fstat(fd, &st); err != nil || st.Mode&syscall.S_IFMT != syscall.S_IFREG || int(st.Uid) != os.Geteuid() || st.Mode&0o077 != 0 {
		return false
	}
	b := make([]byte, len(want)+1)
	n, err := syscall.Read(fd, b)
	return err == nil && string(b[:max(n, 0)]) == want
}

// remember keeps that a code opened the connection, and forgets those that have
// ended.
func (c connection) remember(epoch [16]byte) error {
	text, err := c.ticket(epoch)
	if err != nil {
		return err
	}
	for _, dir := range [...]struct {
		path string
		mode fs.FileMode
	}{{filepath.Dir(connections), 0o755}, {connections, 0o700}} {
		if err := os.Mkdir(dir.path, dir.mode); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		if err := ownFolder(dir.path, ^dir.mode&0o077); err != nil {
			return err
		}
	}
	forgetEnded()
	path := filepath.Join(connections, c.name())
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) { // of an older record
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil // another session of the connection was as fast
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// ownFolder wants a folder of this process's user with none of the bits.
func ownFolder(path string, bits fs.FileMode) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || int(st.Uid) != os.Geteuid() || info.Mode()&bits != 0 {
		return fmt.Errorf("%s: must be a folder of uid %d without the mode bits %03o", path, os.Geteuid(), uint32(bits))
	}
	return nil
}

// forgetEnded removes what is left of connections that have ended.
func forgetEnded() {
	entries, _ := os.ReadDir(connections)
	for _, e := range entries {
		f := strings.Split(e.Name(), "-")
		if len(f) != 3 {
			continue
		}
		pid, err := strconv.Atoi(f[1])
		if err != nil {
			continue
		}
		if _, start, err := readStat(pid); err != nil && errors.Is(err, fs.ErrNotExist) || err == nil && start != f[2] {
			_ = os.Remove(filepath.Join(connections, e.Name()))
		}
	}
}

// reasonSameConnection is of a session that an earlier one of its connection
// vouches for.
const reasonSameConnection = "same-connection"

// judgeSession judges a session of somebody who called sudo, unless a code has
// opened its connection.
func judgeSession(c *cli.Context, l *login.Login, uid uint32, judge func() (verify.Result, error)) (verify.Result, error) {
	conn, ok := connectionOf(uid)
	if ok && l.Resolve() == nil {
		u, err := l.Site.Store.View(context.Background(), l.ID)
		if err == nil && u.Enrolled() && conn.remembered(u.Record.Epoch) {
			return l.Vouch(reasonSameConnection)
		}
	}
	r, err := judge()
	if ok && err == nil && r.OK && r.Verdict == verify.Accepted && l.User.Enrolled() {
		if err := conn.remember(l.User.Record.Epoch); err != nil {
			c.Warn("further sessions of the connection will be asked again: %v", err)
		}
	}
	return r, err
}
