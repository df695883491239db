package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"oathkit/pkg/oath"
)

// peerRuns is how often pam_oath is run: each of its logins writes its whole
// file.
const peerRuns = 60

// pamOath compares a stored login with one of pam_oath under pamtester. PAM
// finds its services in one folder only, so this needs root, and puts a service
// there for as long as it runs.
func (b *bench) pamOath(s *site, path string) error {
	tester, ok := b.peer("pamtester")
	if !ok {
		return nil
	}
	if modules, _ := filepath.Glob("/lib/*/security/pam_oath.so"); len(modules) == 0 {
		b.absent("pam_oath", "not installed")
		return nil
	}
	if os.Geteuid() != 0 {
		b.absent("pam_oath", "for root only: its service must be in /etc/pam.d")
		return nil
	}
	users := filepath.Join(b.dir, "users.oath")
	keys := make([]oath.Key, warm+peerRuns)
	var text bytes.Buffer
	for i := range keys {
		key, err := oath.NewKey(rand.Reader, 160)
		if err != nil {
			return err
		}
		keys[i] = key
		fmt.Fprintf(&text, "HOTP/T30/6\tuser%d\t-\t%s\n", i, key.Hex())
	}
	if err := os.WriteFile(users, text.Bytes(), 0o600); err != nil {
		return err
	}
	service := fmt.Sprintf("oathkit-bench-%d", os.Getpid())
	file := filepath.Join("/etc/pam.d", service)
	rule := fmt.Sprintf("auth required pam_oath.so usersfile=%s window=2 digits=6\n", users)
	if err := os.WriteFile(file, []byte(rule), 0o600); err != nil {
		return err
	}
	defer os.Remove(file)
	c, err := compare(peerRuns, func(i int) (job, job) {
		theirs := job{
			args:  []string{tester, service, fmt.Sprintf("user%d", i), "authenticate"},
			stdin: append(codeAt(keys[i], time.Now()), '\n'),
		}
		return s.job(path), theirs
	})
	if err != nil {
		return err
	}
	b.row(fmt.Sprintf("stored login : pam_oath in pamtester, %d users", len(keys)), c.ratio, 0, false, c.String())
	return nil
}
