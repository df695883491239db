package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"oathkit/pkg/oath"
)

// A lab is a site in a scratch folder: configuration, realm file, store and
// audit log, on which the built programs are run.
type lab struct {
	t   testing.TB
	dir string
}

// labRealms asks for a factor in pve and, without a tfa line, for none in pam.
const labRealms = "pam: pam\n\tcomment no factor asked\n\npve: pve\n\ttfa type=oath\n\n"

func newLab(t testing.TB) *lab {
	t.Helper()
	l := &lab{t, t.TempDir()}
	l.write("domains.cfg", labRealms)
	l.write("oathkit.toml", fmt.Sprintf("[paths]\ndomains = %q\nusers = %q\nstore = %q\naudit = %q\n",
		l.path("domains.cfg"), l.path("user.cfg"), l.path("store"), l.path("audit.jsonl")))
	if err := os.Mkdir(l.path("store"), 0o700); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *lab) path(name string) string { return filepath.Join(l.dir, name) }

func (l *lab) write(name, text string) {
	l.t.Helper()
	if err := os.WriteFile(l.path(name), []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
}

// A run is what a program did.
type run struct {
	code     int
	out, err string
}

// command is a program of ours on this lab's configuration.
func (l *lab) command(prog string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(bin, prog), append([]string{"-c", l.path("oathkit.toml")}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	cmd.Dir = l.dir
	return cmd
}

func (l *lab) run(stdin, prog string, args ...string) run {
	l.t.Helper()
	cmd := l.command(prog, args...)
	cmd.Stdin = strings.NewReader(stdin)
	return finish(l.t, cmd)
}

// endless is when a program that does not end is ended, so that its test fails
// and not the whole run.
const endless = 3 * time.Minute

func finish(t testing.TB, cmd *exec.Cmd) run {
	t.Helper()
	var out, talk bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &talk
	if cmd.WaitDelay == 0 {
		cmd.WaitDelay = endless // for others who hold its output
	}
	err := cmd.Start()
	if err == nil {
		defer time.AfterFunc(endless, func() { _ = cmd.Process.Kill() }).Stop()
		err = cmd.Wait()
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	return run{cmd.ProcessState.ExitCode(), out.String(), talk.String()}
}

// must runs a program that has to succeed and returns what it printed.
func (l *lab) must(stdin, prog string, args ...string) string {
	l.t.Helper()
	r := l.run(stdin, prog, args...)
	if r.code != 0 {
		l.t.Fatalf("%s %v: exit code %d\n%s%s", prog, args, r.code, r.out, r.err)
	}
	return r.out
}

// atOnce starts one oathverify for each user in users, lets all of them come up
// to the point where they wait for the answer, gives it to all, and returns
// what each of them did.
func (l *lab) atOnce(users, answers []string) []run {
	l.t.Helper()
	runs := make([]run, len(users))
	start := make(chan struct{})
	var ready, done sync.WaitGroup
	for i, user := range users {
		ready.Add(1)
		done.Go(func() {
			cmd := l.command("oathverify", user)
			var out, talk bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &talk
			in, err := cmd.StdinPipe()
			if err == nil {
				err = cmd.Start()
			}
			ready.Done()
			<-start
			if err == nil {
				_, _ = in.Write([]byte(answers[i] + "\n"))
				in.Close()
				_ = cmd.Wait()
				runs[i] = run{cmd.ProcessState.ExitCode(), out.String(), talk.String()}
				return
			}
			runs[i] = run{-1, "", err.Error()}
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return runs
}

// count says how often each exit code came.
func count(runs []run) map[int]int {
	n := map[int]int{}
	for _, r := range runs {
		n[r.code]++
	}
	return n
}

// repeat is a slice of n times s.
func repeat(s string, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = s
	}
	return list
}

// A token is what a person holds.
type token struct {
	key  oath.Key
	next uint64 // HOTP
}

func newToken(t testing.TB, seed int) *token {
	t.Helper()
	key, err := oath.KeyFromBytes(fmt.Appendf(nil, "token%015d", seed))
	if err != nil {
		t.Fatal(err)
	}
	return &token{key: key}
}

func (k *token) at(counter uint64) string {
	return string(oath.NewCoder(k.key, oath.SHA1, 6).AppendCode(nil, counter))
}

func (k *token) hotp() string {
	k.next++
	return k.at(k.next - 1)
}

// totp is the code of the present step, or of one that is off steps away.
func (k *token) totp(off int) string {
	if off < 0 {
		away(5 * time.Second) // or that step is too far away when it is judged
	}
	return k.at(uint64(int64(oath.StepAt(time.Now(), 30)) + int64(off)))
}

// away waits until the present time step lasts for at least need more.
func away(need time.Duration) {
	if left := 30*time.Second - time.Duration(time.Now().UnixNano()%int64(30*time.Second)); left < need {
		time.Sleep(left + 50*time.Millisecond)
	}
}

// soak says whether the full figures are asked for, which take long.
func soak() bool { return os.Getenv("SOAK") != "" }

func rounds(short, full int) int {
	if soak() {
		return full
	}
	return short
}

// enrol gives the user the token as an activated factor: TOTP through a code of
// the step before this one, HOTP through the first code.
func (l *lab) enrol(user string, k *token, kind oath.Kind) {
	l.t.Helper()
	u := oath.URI{Kind: kind, Account: "a", Key: k.key, Digits: 6, Period: 30}
	l.must(u.Format()+"\n", "mfactl", "add", user)
	if kind == oath.HOTP {
		l.must(k.hotp()+"\n", "oathverify", user)
		return
	}
	l.must(k.totp(-1)+"\n", "oathverify", user)
}

func (l *lab) read(name string) string {
	l.t.Helper()
	b, err := os.ReadFile(l.path(name))
	if err != nil {
		l.t.Fatal(err)
	}
	return string(b)
}
