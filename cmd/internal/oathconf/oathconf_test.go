package oathconf

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"oathkit/pkg/config/oathtable"
)

func write(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "oathkit.toml")
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // past the umask
		t.Fatal(err)
	}
	return path
}

func TestLoad(t *testing.T) {
	got, err := Load(write(t, "[oath]\nbits = 256\n", 0o644), true)
	if err != nil || got.Bits != 256 || got.Digits != 6 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestLoadMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.toml")
	got, err := Load(path, false)
	if err != nil || got != oathtable.Default() {
		t.Errorf("a missing default file: got %+v, %v", got, err)
	}
	if _, err = Load(path, true); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a missing named file: got %v", err)
	}
	got, err = Load(os.DevNull, true)
	if err != nil || got != oathtable.Default() {
		t.Errorf("%s: got %+v, %v", os.DevNull, got, err)
	}
}

func TestLoadRefuses(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ path, want string }{
		"group can write":  {write(t, "", 0o664), "has mode 0664, so others than its owner can write it; run: chmod go-w /"},
		"others can write": {write(t, "", 0o602), "has mode 0602"},
		"folder":           {t.TempDir(), "is no regular file"},
		"pipe":             {pipe, "is no regular file"},
		"too large":        {write(t, strings.Repeat("#\n", maxSize/2+1), 0o600), "is larger than"},
		"bad value":        {write(t, "[oath]\nbits = 7\n", 0o600), ":2: oath.bits must be from 128 to 1024, not 7"},
	} {
		if _, err := Load(tt.path, false); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want …%s…", name, err, tt.want)
		}
	}
}

func TestLoadForeignOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	path := write(t, "", 0o644)
	if err := os.Chown(path, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path, true); err == nil || !strings.Contains(err.Error(), "belongs to uid 65534") {
		t.Errorf("got %v", err)
	}
}
