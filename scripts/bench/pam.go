package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"oathkit/pkg/oath"
)

// peerRuns is how often a login goes through PAM: with pam_oath each of them
// writes the file of all users.
const peerRuns = 60

// pamLogins is how many users log in through PAM in each store.
const pamLogins = 2 * (warm + peerRuns)

// A stack makes services of PAM, which finds them in one folder only: so this is
// for root, and they are there for as long as it runs.
type stack struct {
	tester string
	files  []string
}

func (s *stack) service(rule string) (string, error) {
	name := fmt.Sprintf("oathkit-bench-%d-%d", os.Getpid(), len(s.files))
	file := filepath.Join("/etc/pam.d", name)
	if err := os.WriteFile(file, []byte("auth required "+rule+"\n"), 0o600); err != nil {
		return "", err
	}
	s.files = append(s.files, file)
	return name, nil
}

func (s *stack) remove() {
	for _, file := range s.files {
		os.Remove(file)
	}
}

// job is a login with the code of now.
func (s *stack) job(service, user string, key oath.Key, before func()) job {
	return job{
		args:   []string{s.tester, service, user, "authenticate"},
		stdin:  append(codeAt(key, time.Now()), '\n'),
		before: before,
	}
}

// pam compares logins through pamtester: pam_oathkit.so beside the modules that
// others use, with few users and with many.
func (b *bench) pam(path string, large *site) error {
	tester, ok := b.peer("pamtester")
	if !ok {
		return nil
	}
	if os.Geteuid() != 0 {
		b.absent("pamtester", "for root only: a service must be in /etc/pam.d")
		return nil
	}
	module := filepath.Join(b.dir, "pam_oathkit.so")
	if out, err := exec.Command("make", "-s", "pam", "PAMODULE="+module, "OATHVERIFY="+path).CombinedOutput(); err != nil {
		b.absent("pam_oathkit.so", "not to be built here: "+string(bytes.TrimSpace(out)))
		return nil
	}
	s := &stack{tester: tester}
	defer s.remove()
	var tens []*site
	for i := range (pamLogins + 9) / 10 {
		ten, err := b.makeSite(fmt.Sprintf("pamten%d", i), 10, 10)
		if err != nil {
			return err
		}
		tens = append(tens, ten)
	}
	for _, population := range []struct {
		users int
		sites []*site
	}{{10, tens}, {b.users, []*site{large}}} {
		ours, err := s.oathkit(module, population.sites)
		if err != nil {
			return err
		}
		for _, peer := range []struct {
			name   string
			logins func(*stack, int) (func(i int) job, error)
		}{{"pam_oath", b.pamOath}, {"pam_google_authenticator", b.pamGoogle}} {
			if found, _ := filepath.Glob("/lib/*/security/" + peer.name + ".so"); len(found) == 0 {
				b.absent(peer.name, "not installed")
				continue
			}
			theirs, err := peer.logins(s, population.users)
			if err != nil {
				return err
			}
			c, err := compare(peerRuns, func(i int) (job, job) { return ours(), theirs(i) })
			if err != nil {
				return err
			}
			b.row(fmt.Sprintf("pam_oathkit : %s, %d users", peer.name, population.users), c.ratio, 0, false, c.String())
		}
	}
	return nil
}

// oathkit returns logins through our module, each of another user.
func (s *stack) oathkit(module string, sites []*site) (func() job, error) {
	var services []string
	for _, site := range sites {
		name, err := s.service(fmt.Sprintf("%s realm=pve config=%s", module, site.path("oathkit.toml")))
		if err != nil {
			return nil, err
		}
		services = append(services, name)
	}
	return func() job {
		for sites[0].next == len(sites[0].keys) {
			sites, services = sites[1:], services[1:]
		}
		i := sites[0].next
		sites[0].next++
		return s.job(services[0], sites[0].user(i), sites[0].keys[i], nil)
	}, nil
}

// pamOath returns logins through pam_oath, which keeps all users in one file. The
// file is as it was before each of them; so is what the disk has to do with it.
func (b *bench) pamOath(s *stack, users int) (func(i int) job, error) {
	file := filepath.Join(b.dir, fmt.Sprintf("users%d.oath", users))
	key, err := oath.ParseKey(exampleKey)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	for i := range users {
		fmt.Fprintf(&text, "HOTP/T30/6\tuser%d\t-\t%s\n", i, key.Hex())
	}
	service, err := s.service(fmt.Sprintf("pam_oath.so usersfile=%s window=2 digits=6", file))
	return func(i int) job {
		return s.job(service, fmt.Sprintf("user%d", i*users/(warm+peerRuns)), key, func() { _ = rewrite(file, text.Bytes()) })
	}, err
}

// pamGoogle returns logins through pam_google_authenticator, which has a file for
// each user.
func (b *bench) pamGoogle(s *stack, users int) (func(i int) job, error) {
	dir := filepath.Join(b.dir, fmt.Sprintf("google%d", users))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	key, err := oath.ParseKey(exampleKey)
	if err != nil {
		return nil, err
	}
	text := []byte(exampleKey + "\n\" RATE_LIMIT 3 30\n\" DISALLOW_REUSE\n\" TOTP_AUTH\n")
	file := func(i int) string { return filepath.Join(dir, fmt.Sprintf("user%d", i)) }
	for i := range users {
		if err := os.WriteFile(file(i), text, 0o600); err != nil {
			return nil, err
		}
	}
	service, err := s.service(fmt.Sprintf("pam_google_authenticator.so user=root secret=%s/${USER}", dir))
	return func(i int) job {
		i = i * users / (warm + peerRuns)
		return s.job(service, fmt.Sprintf("user%d", i), key, func() { _ = rewrite(file(i), text) })
	}, err
}

// rewrite puts a file back, on the disk, too: a login is not to pay for that.
func rewrite(file string, text []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(text); err != nil {
		return err
	}
	return f.Sync()
}
