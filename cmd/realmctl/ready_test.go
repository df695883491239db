package main

import (
	"errors"
	"io/fs"
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

// Who could not have written realmctl does not say who is locked out, and runs nothing
// as root.
func TestMfactlOfOthers(t *testing.T) {
	me, other := os.Geteuid(), 4711
	place := func(t *testing.T, file, folder os.FileMode, owner, folderOwner int) string {
		path := script(t, "echo '{\"users\":[]}'", file)
		for name, uid := range map[string]int{path: owner, filepath.Dir(path): folderOwner} {
			if uid == me {
				continue
			}
			if me != 0 {
				t.Skip("only root gives files away")
			}
			if err := os.Chown(name, uid, -1); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chmod(filepath.Dir(path), folder); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tests := []struct {
		name               string
		file, folder       os.FileMode
		owner, folderOwner int
		of                 int // who owns realmctl
		want               string
	}{
		{"mine", 0o755, 0o755, me, me, 0, ""},
		{"a group that installs programs", 0o755, fs.ModeSetgid | 0o775, me, me, 0, ""},
		{"in /tmp", 0o755, fs.ModeSticky | 0o777, me, me, 0, ""},
		{"anybody's", 0o757, 0o755, me, me, 0, "mfactl: others than its owner can write it"},
		{"the group's", 0o775, 0o755, me, me, 0, "mfactl: others than its owner can write it"},
		{"in anybody's folder", 0o755, 0o777, me, me, 0, "others than its owner can write it"},
		{"another's, in /tmp", 0o755, fs.ModeSticky | 0o777, other, me, 0, "mfactl: belongs to uid 4711"},
		{"in another's folder", 0o755, 0o755, me, other, 0, "belongs to uid 4711"},
		{"whose realmctl is as well", 0o755, 0o755, other, other, other, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := trusted(place(t, tt.file, tt.folder, tt.owner, tt.folderOwner), uint32(tt.of))
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
	if err := trusted(filepath.Join(t.TempDir(), "mfactl"), 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
	if err := trusted(t.TempDir(), 0); err == nil || !strings.Contains(err.Error(), "is no regular file") {
		t.Errorf("a folder: %v", err)
	}
}
