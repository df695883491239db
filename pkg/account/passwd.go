package account

import (
	"bytes"
	"strconv"
	"strings"
)

// A Login is an entry of /etc/passwd that can log in.
type Login struct {
	Name string
	UID  uint32
	Line int // from 1
}

// nobody is the user id that stands for no user of this machine (Linux's
// overflow uid); no person owns it, whatever its shell.
const nobody = 65534

// ParsePasswd reads a passwd file (passwd(5)) and returns who can log in, in the
// order of the file: user id 0, or 1000 and above but not 65534 (nobody), with a
// real shell. An empty shell is /bin/sh. Of two entries of one name the first
// counts, as it does for getpwnam(3). Entries of NIS and lines that make no
// sense are left out.
func ParsePasswd(b []byte) []Login {
	var logins []Login
	seen := make(map[string]bool)
	line := 0
	for text := range bytes.SplitSeq(b, []byte{'\n'}) {
		line++
		fields := strings.SplitN(strings.TrimRight(string(text), "\r"), ":", 7)
		if len(fields) < 4 {
			continue
		}
		name := strings.TrimLeft(fields[0], " \t")
		if name == "" || strings.ContainsAny(name[:1], "#+-") {
			continue
		}
		uid, err := strconv.ParseUint(fields[2], 10, 32)
		if err != nil || seen[name] {
			continue
		}
		seen[name] = true
		shell := ""
		if len(fields) == 7 {
			shell = fields[6]
		}
		if (uid == 0 || uid >= 1000 && uid != nobody) && isShell(shell) {
			logins = append(logins, Login{Name: name, UID: uint32(uid), Line: line})
		}
	}
	return logins
}

// isShell says whether a program that stands in the shell field gives a login.
func isShell(path string) bool {
	switch path[strings.LastIndexByte(path, '/')+1:] {
	case "nologin", "false", "true", "sync", "shutdown", "halt", "reboot", "poweroff", "null":
		return false
	}
	return true
}
