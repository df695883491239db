package deliver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/deliver/mailtest"
)

const code = "739105"

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.FixedZone("", 3600))

func mail() Mail {
	return Mail{
		From: "oathkit@example.org", To: "alice@example.org", Subject: "Your code",
		Body: "Your code is " + code + ".\nIt is good for 5 minutes.\n", Date: noon, Secret: code,
	}
}

func sms() SMS { return SMS{To: "+49301234567", Body: "Your code is " + code, Secret: code} }

// script writes a shell script that can use $dir and returns its path and that
// folder.
func script(t *testing.T, text string) (path, dir string) {
	t.Helper()
	dir = t.TempDir()
	path = filepath.Join(dir, "prog")
	if err := os.WriteFile(path, []byte("#!/bin/sh\ndir='"+dir+"'\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path, dir
}

func message(t *testing.T, m interface{ Message() (Message, error) }) Message {
	t.Helper()
	msg, err := m.Message()
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSendSMS(t *testing.T) {
	path, dir := script(t, `cat >"$dir/in"; for a; do echo "$a"; done >"$dir/args"; tr '\000' '\n' </proc/$$/environ >"$dir/env"`)
	c := Command{Argv: []string{path, "--from", "my firm"}}
	if err := c.Send(context.Background(), message(t, sms())); err != nil {
		t.Fatal(err)
	}
	if got := read(t, dir, "in"); got != "Your code is 739105\n" {
		t.Errorf("standard input: %q", got)
	}
	if got := read(t, dir, "args"); got != "--from\nmy firm\n+49301234567\n" {
		t.Errorf("arguments: %q", got)
	}
	if got := read(t, dir, "env"); strings.Contains(got, code) || strings.Count(got, "\n") != 2 {
		t.Errorf("environment: %q", got)
	}
}

func TestSendMail(t *testing.T) {
	path, dir := script(t, `cat >"$dir/in"; echo "$@" >"$dir/args"`)
	if err := (Command{Argv: []string{path, "-t", "-i"}}).Send(context.Background(), message(t, mail())); err != nil {
		t.Fatal(err)
	}
	const want = `From: oathkit@example.org
To: alice@example.org
Subject: Your code
Date: Sun, 01 Mar 2026 12:00:00 +0100
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 7bit

Your code is 739105.
It is good for 5 minutes.
`
	if got := read(t, dir, "in"); got != want {
		t.Errorf("standard input:\n%s\nwant\n%s", got, want)
	}
	if got := read(t, dir, "args"); got != "-t -i\n" {
		t.Errorf("arguments: %q", got)
	}
}

func TestSendFails(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"exit code", "cat >/dev/null; exit 75", "failed with exit code 75"},
		{"with words", "cat >/dev/null; echo 'cannot connect to 10.0.0.1' >&2; echo again >&2; exit 75", "failed with exit code 75; it said: cannot connect to 10.0.0.1 again"},
		{"words with the code", "cat >&2; exit 1", "failed with exit code 1; it said: Your code is [secret]"},
		{"signal", "kill -9 $$", "was killed by signal 9 (killed)"},
		{"no look", "exit 0", "exited with 0, but never looked at the message on its standard input"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path, _ := script(t, c.text)
			err := Command{Argv: []string{path}}.Send(context.Background(), message(t, sms()))
			if err == nil || err.Error() != fmt.Sprintf("%q %s", path, c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
	path, _ := script(t, "cat >/dev/null; sleep 1000")
	err := Command{Argv: []string{path}, Timeout: 300 * time.Millisecond}.Send(context.Background(), message(t, sms()))
	if err == nil || !strings.Contains(err.Error(), "did not end within 300ms and was killed") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if err := (Command{Argv: []string{path}}).Send(ctx, message(t, sms())); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	for _, argv := range [][]string{nil, {"sendmail"}, {"/nonexistent"}} {
		if err := (Command{Argv: argv}).Send(context.Background(), message(t, sms())); err == nil || strings.Contains(err.Error(), code) {
			t.Errorf("%q: got %v", argv, err)
		}
	}
	if err := (Command{Argv: []string{"/bin/cat"}}).Send(context.Background(), Message{}); err == nil {
		t.Error("sent nothing")
	}
}

// A mail goes through a real mail program to a real server.
func TestSendThroughMSMTP(t *testing.T) {
	msmtp, err := exec.LookPath("msmtp")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("there is no msmtp")
	}
	s := mailtest.Serve(t)
	c := Command{Argv: []string{msmtp, "--host=" + s.Host, "--port=" + s.Port, "--read-envelope-from", "-t", "-i"}, Timeout: time.Minute}
	m := mail()
	m.Subject = "Ihr Code für das Büro"
	m.Body = ".\nIhr Code für heute: " + code + "\n.\nFrom here on nothing\n"
	if err := c.Send(context.Background(), message(t, m)); err != nil {
		t.Fatal(err)
	}
	got := s.Next(t)
	if got.From != m.From || len(got.To) != 1 || got.To[0] != m.To {
		t.Errorf("envelope: from %q to %q", got.From, got.To)
	}
	msg, body := got.Parse(t)
	if body != m.Body {
		t.Errorf("body: %q, want %q", body, m.Body)
	}
	for name, want := range map[string]string{"To": m.To, "From": m.From, "Auto-Submitted": "auto-generated"} {
		if got := msg.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if date, err := msg.Header.Date(); err != nil || !date.Equal(noon) {
		t.Errorf("date: %v, %v", date, err)
	}
	if got := decoded(t, msg.Header.Get("Subject")); got != m.Subject {
		t.Errorf("subject: %q, want %q", got, m.Subject)
	}

	s.Reject("550 no such person, said code " + code)
	err = c.Send(context.Background(), message(t, mail()))
	if err == nil || !strings.Contains(err.Error(), `msmtp" failed with exit code 65; it said: msmtp: `) ||
		!strings.Contains(err.Error(), "550 no such person, said code [secret]") || strings.Contains(err.Error(), code) {
		t.Errorf("got %v", err)
	}
	if !s.Empty() {
		t.Error("it was sent all the same")
	}
}
