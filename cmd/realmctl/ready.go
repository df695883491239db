package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"oathkit/cmd/internal/cli"
)

// A readiness is what "mfactl ready --json" says of one user.
type readiness struct {
	ID      string `json:"id"`
	Usable  int    `json:"usable"`  // activated credentials
	Pending int    `json:"pending"` // not yet activated ones
	Locked  bool   `json:"locked"`
}

// An asker finds out who of a realm has which factors, by the configuration
// given ("" is the default one).
type asker func(realmID, config string) ([]readiness, error)

// askWait is how long mfactl may take; it reads every record of the realm.
const askWait = 2 * time.Minute

// listWait is how long list waits for it: a table without numbers is better than
// none.
const listWait = 15 * time.Second

// maxReady bounds what mfactl may print, in bytes.
const maxReady = 256 << 20

// askMfactl runs the mfactl that lies beside this program's own file, and never
// one of the search path: who can put a program there would decide. It gets no
// environment.
func askMfactl(realmID, config string) ([]readiness, error) {
	return askWithin(askWait, realmID, config)
}

// askWithin is askMfactl with its own patience; without a realm it asks for all.
func askWithin(wait time.Duration, realmID, config string) ([]readiness, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, notAsked(fmt.Errorf("cannot find my own file: %w", err))
	}
	if self, err = filepath.EvalSymlinks(self); err != nil {
		return nil, notAsked(fmt.Errorf("cannot find my own file: %w", err))
	}
	return runMfactl(filepath.Join(filepath.Dir(self), "mfactl"), realmID, config, wait)
}

func runMfactl(path, realmID, config string, wait time.Duration) ([]readiness, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, notAsked(err)
	}
	if !info.Mode().IsRegular() {
		return nil, notAsked(fmt.Errorf("%s: is no regular file", path))
	}
	if info.Mode().Perm()&0o022 != 0 {
		return nil, notAsked(fmt.Errorf("%s: others than its owner can write it, so it is not trusted", path))
	}
	var args []string
	if config != "" {
		args = append(args, "-c", config)
	}
	args = append(args, "ready")
	if realmID != "" {
		args = append(args, "--realm", realmID)
	}
	args = append(args, "--json")
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = []string{}
	cmd.WaitDelay = time.Second
	out, talk := &bounded{max: maxReady}, &bounded{max: 64 << 10}
	cmd.Stdout, cmd.Stderr = out, talk
	err = cmd.Run()
	switch {
	case ctx.Err() != nil:
		return nil, notAsked(fmt.Errorf("%s did not answer within %v", path, wait))
	case err != nil:
		return nil, notAsked(fmt.Errorf("%s ready: %w%s", path, err, firstWords(talk.text)))
	}
	var answer struct {
		Users *[]readiness `json:"users"`
	}
	if err := json.Unmarshal(out.text, &answer); err != nil {
		return nil, notAsked(fmt.Errorf("%s ready: cannot read its answer: %w", path, err))
	}
	if answer.Users == nil {
		return nil, notAsked(fmt.Errorf("%s ready: its answer names no users", path))
	}
	return *answer.Users, nil
}

// notAsked is the error of a question that got no answer.
func notAsked(err error) error {
	return cli.Unsure("cannot find out who has a second factor: %w", err).
		Hint("mfactl must lie beside realmctl; see what this prints: mfactl ready")
}

// firstWords is what a program said on standard error, in one line.
func firstWords(talk []byte) string {
	text := strings.Join(strings.Split(strings.TrimSpace(string(talk)), "\n"), "; ")
	if text == "" {
		return ""
	}
	if len(text) > 1000 {
		text = text[:1000] + "…"
	}
	return ": " + cli.Printable(text)
}

// bounded keeps what is written to it, up to a length.
type bounded struct {
	text []byte
	max  int
}

func (b *bounded) Write(p []byte) (int, error) {
	if len(b.text)+len(p) > b.max {
		return 0, errors.New("it says too much")
	}
	b.text = append(b.text, p...)
	return len(p), nil
}

// readyAll asks for the users of all realms, for list.
func (t *tool) readyAll(config string) ([]readiness, error) {
	if t.everybody != nil {
		return t.everybody(config)
	}
	return askWithin(listWait, "", config)
}
