package audit

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// listen stands for the local syslog.
func listen(t *testing.T) (socket string, receive func() string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "log")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return socket, func() string {
		b := make([]byte, 2*MaxLine)
		n, err := conn.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
}

func TestSyslog(t *testing.T) {
	socket, receive := listen(t)
	e := login("alice@pam")
	if err := Syslog(socket, "oathverify", e); err != nil {
		t.Fatal(err)
	}
	// 85 is AUTHPRIV.NOTICE; the stamp is the event's, in its own zone.
	want := fmt.Sprintf("<85>Mar  4 12:05:06 oathverify[%d]: %s", os.Getpid(), strings.TrimSpace(string(Line(e))))
	if got := receive(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A syslog that listens but never reads must not hold a login up for ever.
func TestSyslogThatDoesNotRead(t *testing.T) {
	socket, _ := listen(t)
	for range 10_000 {
		if err := Syslog(socket, "oathverify", login("alice@pam")); err != nil {
			return
		}
	}
	t.Error("10,000 datagrams were taken by somebody who reads none")
}

func TestLog(t *testing.T) {
	dir := t.TempDir()
	socket, receive := listen(t)

	good := Log{Path: filepath.Join(dir, "audit.jsonl"), Socket: socket, Tag: "oathverify"}
	if err := good.Write(login("alice@pam")); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(users(t, good.Path)); got != "[alice@pam]" {
		t.Errorf("the log has %s", got)
	}

	bad := Log{Path: filepath.Join(dir, "none", "audit.jsonl"), Socket: socket, Tag: "oathverify"}
	err := bad.Write(login("bob@pam"))
	if err == nil || !strings.HasSuffix(err.Error(), "syslog has the event") || !strings.Contains(err.Error(), bad.Path) {
		t.Errorf("with syslog: %v", err)
	}
	// Had the first event gone to syslog as well, it would be read here.
	if got := receive(); !strings.Contains(got, `"user":"bob@pam"`) {
		t.Errorf("syslog has %s", got)
	}

	bad.Socket = filepath.Join(dir, "nobody")
	err = bad.Write(login("bob@pam"))
	if err == nil || !strings.Contains(err.Error(), "syslog does not have the event either") || !strings.Contains(err.Error(), bad.Socket) {
		t.Errorf("without syslog: %v", err)
	}
}
