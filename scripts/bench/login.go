package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
	"oathkit/pkg/store/filestore"
)

// A site is a configuration with a store full of users.
type site struct {
	dir  string
	keys []oath.Key // of the users who log in, user0@pve and so on
	next int        // the first who has not logged in yet
}

// login: a stored login, alone and with others, in a small store and a large.
func (b *bench) login() error {
	path, ok := b.prog("oathverify")
	if !ok {
		return nil
	}
	// Each user logs in once: a code is good once, and a step lasts 30 s.
	logins := warm + b.runs + 1 + width*(rounds+1)
	small, err := b.makeSite("small", logins, logins)
	if err != nil {
		return err
	}
	c, err := compare(b.runs, func(int) (job, job) { return small.job(path), job{args: []string{b.baseline}} })
	if err != nil {
		return err
	}
	b.row("stored login : baseline", c.ratio, 1.75, false, c.String())
	if err := b.countFlushes(small.job(path)); err != nil {
		return err
	}
	if err := b.atOnce(small, path); err != nil {
		return err
	}
	large, err := b.manyUsers(path)
	if err != nil {
		return err
	}
	return b.pam(path, large)
}

// manyUsers compares a login in a large store with one in a store of ten, of
// which there are as many as it takes for everybody to log in once.
func (b *bench) manyUsers(path string) (*site, error) {
	began := time.Now()
	large, err := b.makeSite("large", b.users, warm+b.runs+pamLogins)
	if err != nil {
		return nil, err
	}
	fmt.Printf("  (%d users made in %.0f s)\n", b.users, time.Since(began).Seconds())
	var tens []*site
	for i := range (warm + b.runs + 9) / 10 {
		ten, err := b.makeSite(fmt.Sprintf("ten%d", i), 10, 10)
		if err != nil {
			return nil, err
		}
		tens = append(tens, ten)
	}
	c, err := compare(b.runs, func(i int) (job, job) { return large.job(path), tens[i/10].job(path) })
	if err != nil {
		return nil, err
	}
	b.row(fmt.Sprintf("stored login, %d users : 10 users", b.users), c.ratio, 1.1, false, c.String())
	return large, nil
}

// makeSite fills a store with users, of whom the first ones have keys that are
// kept for logging in.
func (b *bench) makeSite(name string, users, kept int) (*site, error) {
	s := &site{dir: filepath.Join(b.dir, name)}
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		return nil, err
	}
	files := map[string]string{
		"oathkit.toml": fmt.Sprintf("[paths]\ndomains = %q\nstore = %q\naudit = %q\n",
			s.path("domains.cfg"), s.path("store"), s.path("audit.jsonl")),
		"domains.cfg": "pve: pve\n\ttfa type=oath\n",
	}
	for file, text := range files {
		if err := os.WriteFile(s.path(file), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	st, err := filestore.Open(s.path("store"), filestore.Options{Create: true})
	if err != nil {
		return nil, err
	}
	defer st.Close()
	s.keys = make([]oath.Key, kept)
	// Many at once: flushes of several files are one for the disk.
	return s, parallel(64, users, func(i int) error {
		return st.Update(context.Background(), s.user(i), func(u mfa.User) (mfa.User, error) {
			key, err := oath.NewKey(rand.Reader, 160)
			if err != nil {
				return u, err
			}
			if i < kept {
				s.keys[i] = key
			}
			u, _, err = mfa.Add(u, mfa.EnableOptions{
				Kind: mfa.TOTP, Key: key, Algorithm: oath.SHA1, Digits: 6, Period: 30,
				Now: time.Now().Add(-time.Hour), Random: rand.Reader,
			})
			if err == nil {
				u.Record.Credentials[0].Activated = true
			}
			return u, err
		})
	})
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }

func (s *site) user(i int) string { return fmt.Sprintf("user%d@pve", i) }

// job is the login of a user who has not logged in yet.
func (s *site) job(oathverify string) job {
	i := s.next
	s.next++
	return job{
		args:  []string{oathverify, "-c", s.path("oathkit.toml"), s.user(i)},
		stdin: append(codeAt(s.keys[i], time.Now()), '\n'),
	}
}

// countFlushes says how often a login flushes.
func (b *bench) countFlushes(j job) error {
	strace, ok := b.peer("strace")
	if !ok {
		return nil
	}
	trace := filepath.Join(b.dir, "trace")
	cmd := exec.Command(strace, append([]string{"-f", "-o", trace, "-e", "trace=fdatasync,fsync,sync,syncfs,msync"}, j.args...)...)
	cmd.Stdin = bytes.NewReader(j.stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("strace: %w\n%s", err, out)
	}
	text, err := os.ReadFile(trace)
	if err != nil {
		return err
	}
	flushes := strings.Count(string(text), "sync(")
	b.row("flushes of one login", float64(flushes), 1, false,
		fmt.Sprintf("fdatasync %d", strings.Count(string(text), "fdatasync(")))
	return nil
}

// How often how many log in at once.
const rounds, width = 40, 16

// atOnce compares the rate of logins of different users, 16 at a time, with
// that of as many baselines.
func (b *bench) atOnce(s *site, path string) error {
	var ratios []float64
	var ours, theirs time.Duration
	for round := range rounds + 1 {
		var a, o time.Duration
		var err error
		logins := make([]job, width)
		bases := make([]job, width)
		for i := range width {
			logins[i], bases[i] = s.job(path), job{args: []string{b.baseline}}
		}
		// Which of the two goes first changes every time.
		if round%2 == 0 {
			o, err = burst(bases)
		}
		if err == nil {
			a, err = burst(logins)
		}
		if err == nil && round%2 == 1 {
			o, err = burst(bases)
		}
		if err != nil {
			return fmt.Errorf("16 at once: %w", err)
		}
		if round > 0 {
			ours, theirs = ours+a, theirs+o
			ratios = append(ratios, float64(o)/float64(a))
		}
	}
	// Each run has wanted exit code 0; each must have left its event, too.
	events, err := os.ReadFile(s.path("audit.jsonl"))
	if err != nil {
		return err
	}
	if n := bytes.Count(events, []byte(`"verdict":"accepted"`)); n != s.next {
		return fmt.Errorf("%d logins have left %d events", s.next, n)
	}
	b.row("16 logins at once, rate : 16 baselines", median(ratios), 0.7, true,
		fmt.Sprintf("%s : %s, none refused or lost", short(ours/rounds), short(theirs/rounds)))
	return nil
}

// burst starts all jobs together and returns when the last has ended.
func burst(jobs []job) (time.Duration, error) {
	began := time.Now()
	err := parallel(len(jobs), len(jobs), func(i int) error {
		_, err := jobs[i].run()
		return err
	})
	return time.Since(began), err
}

// parallel calls fn for 0..n-1 from several goroutines, and returns the first
// error.
func parallel(width, n int, fn func(i int) error) error {
	var wg sync.WaitGroup
	var once sync.Once
	var first error
	work := make(chan int)
	for range width {
		wg.Go(func() {
			for i := range work {
				if err := fn(i); err != nil {
					once.Do(func() { first = err })
				}
			}
		})
	}
	for i := range n {
		work <- i
	}
	close(work)
	wg.Wait()
	return first
}
