package password_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/password"
)

// program writes a shell script and returns its path.
func program(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "checkpassword")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// honest is a checkpassword program: alice's password is "open sesame".
const honest = `
given=$(tr '\000' '|' <&3)
case $given in
'alice|open sesame|0|') exec "$@" ;;
*) exit 1 ;;
esac
`

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name, text, user, pass string
		ok                     bool
		want                   string // in the error; empty is none
	}{
		{"right", honest, "alice", "open sesame", true, ""},
		{"wrong", honest, "alice", "open says me", false, ""},
		{"another user", honest, "bob", "open sesame", false, ""},
		{"longer", honest, "alice", "open sesame ", false, ""},
		{"empty password", "exit 0\n", "alice", "", false, ""},
		{"empty user", "exit 0\n", "", "x", false, ""},
		{"zero byte in the password", "exit 0\n", "alice", "open sesame\x000\x00", false, ""},
		{"zero byte in the user", "exit 0\n", "alice\x00open sesame", "x", false, ""},
		{"too long", "exit 0\n", "alice", strings.Repeat("x", 512-5-4+1), false, ""},
		{"as long as it may be", "cat <&3 | wc -c >&2; exit 111\n", "alice", strings.Repeat("x", 512-5-4), false, "it said: 512"},
		{"misused", "cat <&3 >&2; exit 2\n", "alice", "geheim99", false, "says that it was used wrongly (exit code 2); it said: alice [secret] 0"},
		{"temporary", "echo no directory >&2; exit 111\n", "alice", "geheim99", false, "cannot tell at present (exit code 111); it said: no directory"},
		{"other code", "exit 100\n", "alice", "geheim99", false, "failed with exit code 100"},
		{"signal", "kill -SEGV $$\n", "alice", "geheim99", false, "was killed by signal 11 (segmentation fault)"},
		{"yes without a look", "exit 0\n", "alice", "geheim99", false, "never looked at the password"},
		{"no shell arguments", "case $* in /bin/true) exit 1;; esac\nexit 3\n", "alice", "geheim99", false, ""},
		{"not in the environment", "env >&2; exit 111\n", "alice", "geheim99", false, "it said: "},
		{"cannot succeed", "cat <&3 >/dev/null; exec /nonexistent\n", "alice", "geheim99", false, "exit code 127"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ok, err := password.Check(context.Background(), []string{program(t, c.text)}, c.user, c.pass)
			if ok != c.ok || (err != nil) != (c.want != "") {
				t.Fatalf("got %v, %v", ok, err)
			}
			if err == nil {
				return
			}
			if !errors.Is(err, password.ErrUnsure) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if strings.Contains(err.Error(), c.pass) {
				t.Errorf("the error holds the password: %v", err)
			}
		})
	}
}

// The caller's arguments come before the program to be run.
func TestCheckArguments(t *testing.T) {
	path := program(t, "cat <&3 >/dev/null\necho \"$#:$1:$2:$3:$4\" >&2\nexit 111\n")
	_, err := password.Check(context.Background(), []string{path, "-s", "my service", "--"}, "alice", "geheim99")
	if err == nil || !strings.HasSuffix(err.Error(), "it said: 4:-s:my service:--:/bin/true") {
		t.Errorf("got %v", err)
	}
	for _, argv := range [][]string{nil, {"checkpassword"}, {"./checkpassword"}, {""}, {"/nonexistent/checkpassword"}, {"/bin/true", "a\x00b"}} {
		ok, err := password.Check(context.Background(), argv, "alice", "geheim99")
		if ok || !errors.Is(err, password.ErrUnsure) {
			t.Errorf("%q: %v, %v", argv, ok, err)
		}
	}
}

func TestCheckEnds(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	ok, err := password.Check(ctx, []string{program(t, "cat <&3 >/dev/null\nsleep 1000\n")}, "alice", "geheim99")
	if ok || !errors.Is(err, password.ErrUnsure) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, %v", ok, err)
	}
}

func ExampleCheck() {
	argv := []string{"/usr/bin/checkpassword-pam", "-s", "oathkit", "--"}
	switch ok, err := password.Check(context.Background(), argv, "alice", ""); {
	case err != nil:
		fmt.Println("cannot tell:", err)
	default:
		fmt.Println(ok)
	}
	// Output: false
}
