package trusted

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, size int, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, bytes.Repeat([]byte("x"), size), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		path string
		size int    // -1: refused
		want string // in the error
	}{
		{write("empty", 0, 0o600), 0, ""},
		{write("some", 700, 0o644), 700, ""},
		{write("most", 5000, 0o400), 5000, ""},
		{write("large", 5001, 0o600), -1, "is larger than 5000 bytes"},
		{write("group", 1, 0o620), -1, "has mode 0620"},
		{write("others", 1, 0o602), -1, "has mode 0602"},
		{filepath.Join(dir, "none"), -1, "no such file"},
		{dir, -1, "is no regular file"},
		{fifo, -1, "is no regular file"},
		{"/dev/zero", -1, "is no regular file"},
	}
	for _, tt := range tests {
		b, err := ReadFile(tt.path, 5000)
		switch {
		case tt.size >= 0 && (err != nil || len(b) != tt.size):
			t.Errorf("%s: %d bytes, %v; want %d", tt.path, len(b), err, tt.size)
		case tt.size < 0 && (err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tt.path)):
			t.Errorf("%s: got %v, want …%s…", tt.path, err, tt.want)
		}
	}
}

// A file that says it is empty and is not, as those of /proc do, is read whole.
func TestReadFileOfNoSize(t *testing.T) {
	if b, err := ReadFile("/proc/self/status", 1<<20); err != nil || !bytes.Contains(b, []byte("Threads:")) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}
