package audit

import (
	"os"
	"strconv"
	"syscall"
)

// SyslogSocket is where the local syslog listens.
const SyslogSocket = "/dev/log"

// authprivNotice is the priority that RFC 3164 section 4.1.1 makes of the
// facility 10 (AUTHPRIV) and the severity 5 (notice).
const authprivNotice = 10<<3 | 5

// syslogWait bounds how long a syslog that does not read can hold up a login.
const syslogWait = 1 // seconds

// Syslog sends the event to syslog as one datagram, with the event's own time
// in its zone and the tag as the program's name. It waits at most a second. An
// empty socket means SyslogSocket.
func Syslog(socket, tag string, e Event) error {
	if socket == "" {
		socket = SyslogSocket
	}
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer syscall.Close(fd)
	wait := syscall.Timeval{Sec: syslogWait}
	if err := syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &wait); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	msg := datagram(tag, os.Getpid(), e)
	for {
		err = syscall.Sendto(fd, msg, syscall.MSG_NOSIGNAL, &syscall.SockaddrUnix{Name: socket})
		if err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		return &os.PathError{Op: "send", Path: socket, Err: err}
	}
	return nil
}

func datagram(tag string, pid int, e Event) []byte {
	b := make([]byte, 0, 640)
	b = append(b, '<')
	b = strconv.AppendInt(b, authprivNotice, 10)
	b = append(b, '>')
	b = e.Time.AppendFormat(b, "Jan _2 15:04:05 ")
	b = append(b, tag...)
	b = append(b, '[')
	b = strconv.AppendInt(b, int64(pid), 10)
	b = append(b, "]: "...)
	b = AppendLine(b, e)
	return b[:len(b)-1] // syslog ends the line itself
}
