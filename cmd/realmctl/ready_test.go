package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oathkit/cmd/internal/cli"
)

// script writes a program in the place of mfactl.
func script(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mfactl")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAskMfactl(t *testing.T) {
	t.Setenv("OATHKIT_TEST", "leak")
	got, err := runMfactl(script(t, `test -z "$OATHKIT_TEST" || exit 7
test "$*" = "-c conf ready --realm pve --json" || exit 8
echo '{"users":[{"id":"a@pve","usable":1,"pending":2,"locked":true,"later":1}]}'`, 0o755), "pve", "conf", time.Minute)
	if err != nil || len(got) != 1 || got[0] != (readiness{"a@pve", 1, 2, true}) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := runMfactl(script(t, `test "$*" = "ready --realm pve --json" && echo '{"users":[]}'`, 0o755), "pve", "", time.Minute); err != nil || len(got) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestMfactlFails(t *testing.T) {
	tests := map[string]struct{ path, want string }{
		"absent":       {filepath.Join(t.TempDir(), "mfactl"), "no such file"},
		"no program":   {script(t, "", 0o644), "permission denied"},
		"anybody's":    {script(t, "echo '{\"users\":[]}'", 0o777), "others than its owner can write it"},
		"fails":        {script(t, "echo 'mfactl: error: no store' >&2; exit 111", 0o755), "no store"},
		"says no":      {script(t, "echo '{\"users\":[]}'; exit 1", 0o755), "exit status 1"},
		"no JSON":      {script(t, "echo nonsense", 0o755), "cannot read its answer"},
		"no users":     {script(t, "echo '{}'", 0o755), "names no users"},
		"says nothing": {script(t, "", 0o755), "cannot read its answer"},
		"hangs":        {script(t, "sleep 60", 0o755), "did not answer within"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := runMfactl(tt.path, "pve", "", 300*time.Millisecond)
			var f *cli.Failure
			if !errors.As(err, &f) || f.Code != cli.ExitUnsure || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}
