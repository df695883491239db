package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCodesName(t *testing.T) {
	for _, tt := range []struct{ user, issuer, want string }{
		{"jm", "ITS Private Cloud", "jm_ITS Private Cloud_recovery_codes.txt"},
		{"jm", "../../etc", "jm_.._.._etc_recovery_codes.txt"},
		{"../jm", "a/b", ".._jm_a_b_recovery_codes.txt"},
		{"jm", "a\nb\x1b[2J\u009b\u202ec", "jm_a_b_[2J__c_recovery_codes.txt"},
		{"jürgen", "Büro", "jürgen_Büro_recovery_codes.txt"},
	} {
		if got := codesName(tt.user, tt.issuer); got != tt.want {
			t.Errorf("%q, %q: got %q, want %q", tt.user, tt.issuer, got, tt.want)
		}
	}
	// The longest names that a record can have are names that a folder can have.
	if n := len(codesName(strings.Repeat("u", 64), strings.Repeat("i", 128))); n > 255 {
		t.Errorf("a name of %d bytes", n)
	}
}

func TestDoFile(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := doFile([]byte("codes\n"), "write", "a.txt"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat("a.txt")
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if err := doFile([]byte("others\n"), "write", "a.txt"); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("a file is overwritten: %v", err)
	}
	if err := os.Symlink("nowhere", "link.txt"); err != nil {
		t.Fatal(err)
	}
	if err := doFile([]byte("others\n"), "write", "link.txt"); err == nil {
		t.Error("a link is followed")
	}
	if err := doFile(nil, "remove", "a.txt"); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob("*.txt"); len(left) != 1 {
		t.Errorf("left are %q", left)
	}
}

// The child that writes for a user does so for no root.
func TestWriterIsForUsers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("this is about root")
	}
	if err := writer().Run(nil); err == nil || !strings.Contains(err.Error(), "not of root") {
		t.Errorf("got %v", err)
	}
}
