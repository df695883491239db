package process

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "prog")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func run(t *testing.T, c Command) Exit {
	t.Helper()
	c.Timeout = time.Minute
	e, err := c.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestOutput(t *testing.T) {
	for _, c := range []struct{ name, text, want, fault string }{
		{"kept", "echo hello; cat >/dev/null", "hello\n", ""},
		{"kept of one who says no", "echo hello; exit 1", "hello\n", ""},
		{"none", "exit 0", "", ""},
		{"as long as it may be", "head -c 10 /dev/zero | tr '\\000' x", "xxxxxxxxxx", ""},
		{"too long", "head -c 1000000 /dev/zero", "", "its output is too long"},
		{"somebody holds it", "sleep 60 & echo hello", "hello\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := Command{Argv: []string{script(t, c.text)}, Timeout: time.Minute, Keep: 10}.Run(context.Background())
			if c.fault == "" && err != nil || c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)) {
				t.Fatalf("error %v, want %q", err, c.fault)
			}
			if e.Output != c.want {
				t.Errorf("output %q, want %q", e.Output, c.want)
			}
		})
	}
	if _, err := (Command{Argv: []string{"/nonexistent"}, Keep: 10}).Run(context.Background()); err == nil {
		t.Error("a program that is not there was run")
	}
}

func TestRun(t *testing.T) {
	long := strings.Repeat("x", MaxInput)
	for _, c := range []struct {
		name, text, input string
		fd                int
		want              Exit
	}{
		{"ends well", "cat >/dev/null", "hello", 0, Exit{Read: true}},
		{"reads descriptor 0", "cat >&2; exit 3", "hello\n", 0, Exit{Code: 3, Read: true, Said: "hello"}},
		{"reads descriptor 3", "cat <&3 >&2; exit 255", "hello\n", 3, Exit{Code: 255, Read: true, Said: "hello"}},
		{"nothing on standard input then", "cat >&2; exit 3", "hello", 3, Exit{Code: 3}},
		{"whole input", "wc -c >&2; exit 1", long, 0, Exit{Code: 1, Read: true, Said: "4096"}},
		{"reads a part", "head -c 1 >/dev/null", long, 0, Exit{Read: true}},
		{"reads nothing", "exit 0", "hello", 0, Exit{}},
		{"is killed", "kill -9 $$", "hello", 0, Exit{Signal: unix.SIGKILL}},
		{"standard output is dropped", "echo no; cat >/dev/null; exit 1", "hello", 0, Exit{Code: 1, Read: true}},
		{"the last it said", "seq 1 100000 >&2; exit 1", "", 0, Exit{Code: 1, Said: "..." + last400()}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := run(t, Command{Argv: []string{script(t, c.text)}, Input: []byte(c.input), FD: c.fd})
			if got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

// The lines of standard output are told as they come, and all of them before the
// end.
func TestLines(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       string
	}{
		{"two", "cat >/dev/null; echo one; echo two >&2; echo three", "one|three|"},
		{"none", "cat >/dev/null", ""},
		{"an empty one, and one without an end", "cat >/dev/null; echo; printf 'a '; echo b; printf end", "|a b|"},
	} {
		got := ""
		e := run(t, Command{
			Argv: []string{script(t, c.text)}, Input: []byte("x"), Keep: 100,
			Line: func(line string) { got += line + "|" },
		})
		if got != c.want || !e.Read {
			t.Errorf("%s: got %q, %+v", c.name, got, e)
		}
	}
	// A line is told before the program ends.
	dir := t.TempDir()
	e := run(t, Command{
		Argv:  []string{script(t, "cat >/dev/null; echo go; until test -e "+dir+"/go; do sleep 0.05; done")},
		Input: []byte("x"), Keep: 100,
		Line: func(line string) { _ = os.WriteFile(filepath.Join(dir, line), nil, 0o600) },
	})
	if e.Code != 0 || e.Output != "go\n" {
		t.Errorf("%+v", e)
	}
}

// last400 is the end of the numbers to 100000.
func last400() string {
	var all []string
	for i := 99900; i <= 100000; i++ {
		all = append(all, strconv.Itoa(i))
	}
	s := strings.Join(all, " ")
	return s[len(s)-400:]
}

// Nothing of this process reaches the program but the input.
func TestNothingInherited(t *testing.T) {
	t.Setenv("SECRET", "in the environment")
	secret := filepath.Join(t.TempDir(), "secret-file")
	f, err := os.OpenFile(secret, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got := run(t, Command{FD: 3, Argv: []string{"/bin/sh", "-c", `
tr '\000' ' ' </proc/$$/environ >&2
pwd >&2
(: </dev/tty) 2>/dev/null && echo a terminal >&2
ls -l /proc/$$/fd | grep -o secret-file >&2
exit 1`}})
	if want := "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C /"; got.Said != want {
		t.Errorf("got  %s\nwant %s", got.Said, want)
	}
	got = run(t, Command{Argv: []string{script(t, `printf '%s|' "$@" >&2; exit 1`), "a b", "$HOME", "`id`", "*"}})
	if got.Said != "a b|$HOME|`id`|*|" {
		t.Errorf("arguments: %s", got.Said)
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		command Command
		want    string
	}{
		{Command{}, "there is no program to run"},
		{Command{Argv: []string{"sendmail", "-t"}}, `the program "sendmail" must be an absolute path`},
		{Command{Argv: []string{"../sendmail"}}, `the program "../sendmail" must be an absolute path`},
		{Command{Argv: []string{"/bin/cat", "a\x00b"}}, `an argument of "/bin/cat" has a zero byte in it`},
		{Command{Argv: []string{"/nonexistent/cat"}}, `cannot run "/nonexistent/cat": no such file or directory`},
		{Command{Argv: []string{"/etc/passwd"}}, `cannot run "/etc/passwd": permission denied`},
		{Command{Argv: []string{"/bin/cat"}, Input: make([]byte, MaxInput+1)}, `4097 bytes on descriptor 0 cannot be given to "/bin/cat"`},
		{Command{Argv: []string{"/bin/cat"}, FD: 4}, `0 bytes on descriptor 4 cannot be given to "/bin/cat"`},
	} {
		c.command.Timeout = time.Minute
		if _, err := c.command.Run(context.Background()); err == nil || err.Error() != c.want {
			t.Errorf("%q: got %v, want %s", c.command.Argv, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := (Command{Argv: []string{"/bin/cat"}, Timeout: time.Minute}).Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// At the deadline the program dies, and with it what it started.
func TestDeadline(t *testing.T) {
	for _, byContext := range []bool{false, true} {
		dir := t.TempDir()
		c := Command{
			Argv:    []string{"/bin/sh", "-c", `sleep 1000 & echo $! >` + dir + `/child; echo "the wait began" >&2; wait`},
			Timeout: 2 * time.Second,
		}
		ctx, cancel := context.WithCancel(context.Background())
		if byContext {
			c.Timeout = time.Hour
			go func() {
				for !exists(dir + "/child") {
					time.Sleep(10 * time.Millisecond)
				}
				time.Sleep(300 * time.Millisecond)
				cancel()
			}()
		}
		e, err := c.Run(ctx)
		cancel()
		if err == nil || byContext != errors.Is(err, context.Canceled) || e.Signal != unix.SIGKILL || e.Said != "the wait began" {
			t.Errorf("by context %v: %+v, %v", byContext, e, err)
		}
		if want := `"/bin/sh" did not end within 2s and was killed`; !byContext && err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		b, err := os.ReadFile(filepath.Join(dir, "child"))
		if err != nil {
			t.Fatal(err)
		}
		child, err := strconv.Atoi(strings.TrimSpace(string(b)))
		if err != nil {
			t.Fatal(err)
		}
		for try := 0; alive(child); try++ {
			if try == 1000 {
				t.Fatalf("by context %v: what the program started is still there", byContext)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// alive says whether a process runs; one that nobody has reaped yet does not.
func alive(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !strings.Contains(string(b), ") Z ")
}

// What a program leaves running in the background is not waited for, even if it
// holds standard error open, and is not killed: so do mail programs send.
func TestBackground(t *testing.T) {
	for _, code := range []int{0, 1} {
		dir := t.TempDir()
		text := `(until test -e ` + dir + `/go; do sleep 0.05; done; echo done >` + dir + `/done) & echo queued >&2; cat >/dev/null; exit ` + strconv.Itoa(code)
		e := run(t, Command{Argv: []string{script(t, text)}, Input: []byte("x")})
		if e.Code != code || code == 1 && e.Said != "queued" {
			t.Errorf("got %+v", e)
		}
		if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		for try := 0; !exists(filepath.Join(dir, "done")); try++ {
			if try == 1000 {
				t.Fatal("it was killed")
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestClean(t *testing.T) {
	for _, c := range []struct{ said, secret, want string }{
		{"", "123456", ""},
		{"two\nlines \t\r\n", "123456", "two lines"},
		{"\x1b[31mred\x1b[0m\a\x00", "", "[31mred [0m"},
		{"caf\xe9 caf\u00e9 \u202etxt\u2069", "", "caf? caf\u00e9 ?txt?"},
		{"code 123456 sent", "123456", "code [secret] sent"},
		{"9123456123456", "123456", "9[secret][secret]"},
		{"123-456, 123 456, 1.2.3.4.5.6, 12345\n6", "123456", "[secret], [secret], [secret], [secret]"},
		{"12345=\n6", "123456", "[secret]"},
		{"12345 7 6", "123456", "12345 7 6"},
		{"ABCD-efgh and abcdefgh", "abcd-EFGH", "[secret] and [secret]"},
		{"user p!, pass p!", "p!", "user [secret], pass [secret]"},
	} {
		if got := clean([]byte(c.said), []string{c.secret}); got != c.want {
			t.Errorf("%q without %q: got %q, want %q", c.said, c.secret, got, c.want)
		}
	}
	// The end is shown, and is cut between characters.
	if got := clean([]byte(strings.Repeat("é", 1000)+"x"), nil); !strings.HasPrefix(got, "...é") || len(got) > maxShown+3 {
		t.Errorf("got %q", got)
	}
}

func FuzzClean(f *testing.F) {
	f.Add([]byte("code 123 456\n"), "123456")
	f.Add([]byte("\x1b\xff[1m"), "a\x00b")
	f.Fuzz(func(t *testing.T, said []byte, secret string) {
		got := clean(said, []string{secret})
		for _, r := range got {
			if r < ' ' || r == 0x7f {
				t.Fatalf("%q of %q has a control character", got, said)
			}
		}
		// Where the secret has at least four letters or digits in a row, no
		// spelling of it is left.
		if len(secret) >= 4 && strings.Trim(strings.ToLower(secret), "0123456789") == "" &&
			strings.Contains(strings.NewReplacer(" ", "", "-", "", "?", "").Replace(got), secret) {
			t.Fatalf("%q of %q holds %q", got, said, secret)
		}
	})
}
