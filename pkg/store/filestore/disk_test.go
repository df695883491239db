package filestore

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"oathkit/pkg/store/storetest"
)

// mount mounts a small file system in memory, or skips the test.
func mount(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m,mode=0755"); err != nil {
		t.Skipf("cannot mount a file system (%v); the same errors are injected in TestFailureOfEveryCall", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// On a full disk those who have a factor log in, and whatever needs room is
// refused, with nothing lost.
func TestFullDisk(t *testing.T) {
	dir := mount(t)
	s := with(t, filepath.Join(dir, "store"))
	ctx := context.Background()
	filler, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer filler.Close()
	for size := 1 << 16; size > 0; size /= 2 {
		for err == nil {
			_, err = filler.Write(make([]byte, size))
		}
		if !errors.Is(err, unix.ENOSPC) {
			t.Fatal(err)
		}
		err = nil
	}
	for range 3 {
		if err := s.Update(ctx, someone, storetest.Count); err != nil {
			t.Fatalf("a login: %v", err)
		}
		if err := s.Update(ctx, "nobody@pam", nothing); err != nil {
			t.Fatalf("a login of nobody: %v", err)
		}
	}
	for name, err := range map[string]error{
		"enable":   s.Update(ctx, "another@pam", storetest.Enable),
		"activate": s.Update(ctx, someone, activate),
		"reset":    s.Update(ctx, someone, reset),
	} {
		if !errors.Is(err, unix.ENOSPC) {
			t.Errorf("%s: %v", name, err)
		}
	}
	u, err := s.View(ctx, someone)
	if err != nil || !u.Enrolled() || u.Record.Credentials[0].Activated {
		t.Errorf("the user: %+v, %v", u, err)
	}
	if ids, err := s.List(ctx); err != nil || len(ids) != 1 {
		t.Errorf("List: %q, %v", ids, err)
	}
	if err := filler.Truncate(0); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{s.Update(ctx, "another@pam", storetest.Enable), s.Update(ctx, someone, activate)} {
		if err != nil {
			t.Error("when there is room again:", err)
		}
	}
}

func TestReadOnly(t *testing.T) {
	dir := mount(t)
	s := with(t, filepath.Join(dir, "store"))
	ctx := context.Background()
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"a login":           s.Update(ctx, someone, storetest.Count),
		"a login of nobody": s.Update(ctx, "nobody@pam", nothing),
		"enable":            s.Update(ctx, "nobody@pam", storetest.Enable),
		"delete":            s.Delete(ctx, someone),
	} {
		if !errors.Is(err, unix.EROFS) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := storetest.Counted(t, s, someone); n != 1 {
		t.Errorf("counted %d, want 1", n)
	}
	if ids, err := s.List(ctx); err != nil || len(ids) != 1 {
		t.Errorf("List: %q, %v", ids, err)
	}
}

// Root works in the store of a service account so that the account can go on
// working in it; nobody else can.
func TestServiceAccount(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can change owners")
	}
	const account, stranger = 12345, 12346
	dir, err := os.MkdirTemp("", "filestore-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	// The helper is this very program, which must be where the account gets.
	program, folder := filepath.Join(dir, "program"), filepath.Join(dir, "store")
	b, err := os.ReadFile(os.Args[0])
	if err == nil {
		err = errors.Join(os.Chmod(dir, 0o755), os.WriteFile(program, b, 0o755), os.Mkdir(folder, 0o700), os.Chown(folder, account, account))
	}
	if err != nil {
		t.Fatal(err)
	}
	s := with(t, folder)
	for _, fn := range []change{activate, codes(1)} {
		if err := s.Update(context.Background(), someone, fn); err != nil {
			t.Fatal(err)
		}
	}
	as := func(uid uint32, words ...string) (string, error) {
		cmd := helper(words...)
		cmd.Path, cmd.Args = program, []string{program}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid, NoSetGroups: false}}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for _, words := range [][]string{{"count", folder, "3"}, {"scenario", folder, "reset"}, {"scenario", folder, "disable"}, {"scenario", folder, "enable"}} {
		if out, err := as(account, words...); err != nil {
			t.Fatalf("%q: %v\n%s", words, err, out)
		}
	}
	if err := s.Update(context.Background(), someone, storetest.Count); err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if st := info.Sys().(*syscall.Stat_t); st.Uid != account || st.Gid != account || st.Mode&0o077 != 0 {
			t.Errorf("%s: uid %d, gid %d, mode %o", path, st.Uid, st.Gid, st.Mode)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := as(stranger, "count", folder, "1")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 111 || !strings.Contains(out, "permission denied") {
		t.Errorf("a stranger: %v\n%s", err, out)
	}
	if err := s.adopt(stranger); err == nil || !strings.Contains(err.Error(), "belongs to uid 12345") {
		t.Errorf("a stranger with the folder open: %v", err)
	}
	// Put back from a backup by root, who forgot to whom it belongs.
	record, _ := Files(someone)
	if err := os.Chown(filepath.Join(folder, record), 0, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := s.View(context.Background(), someone); err == nil || !strings.Contains(err.Error(), "belongs to uid 0") {
		t.Errorf("another's record: %v", err)
	}
}
