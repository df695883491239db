package filestore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"oathkit/pkg/mfa"
	"oathkit/pkg/store"
	"oathkit/pkg/store/storetest"
)

// with makes a store with one user, who was logged in once, and returns its
// folder.
func with(t *testing.T, folder string) *Store {
	t.Helper()
	s := reopen(t, folder, nil)
	t.Cleanup(func() { s.Close() })
	for _, fn := range []change{storetest.Enable, storetest.Count} {
		if err := s.Update(context.Background(), someone, fn); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// What is wrong in a store is refused with its name, by all that would use it,
// and nothing is changed.
func TestRefusals(t *testing.T) {
	record, state := Files(someone)
	chmod := func(file string, mode os.FileMode) func(string) error {
		return func(folder string) error { return os.Chmod(filepath.Join(folder, file), mode) }
	}
	write := func(file, text string) func(string) error {
		return func(folder string) error { return os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600) }
	}
	// instead puts something else in the place of a file.
	instead := func(file string, put func(path string) error) func(string) error {
		return func(folder string) error {
			path := filepath.Join(folder, file)
			if err := os.Rename(path, path+".moved"); err != nil {
				return err
			}
			return put(path)
		}
	}
	for _, tt := range []struct {
		name  string
		spoil func(folder string) error
		file  string // named in the error
		want  string // in the error
		is    error
	}{
		{"record that others read", chmod(record, 0o604), record, "mode 0604", nil},
		{"record that the group writes", chmod(record, 0o620), record, "mode 0620", nil},
		{"state that the group reads", chmod(state, 0o640), state, "mode 0640", nil},
		{"state that others write", chmod(state, 0o602), state, "mode 0602", nil},
		{"empty record", write(record, ""), record, "", nil},
		{"cut record", write(record, `{"format":1,`), record, "", nil},
		{"record from the future", write(record, `{"format":2}`), record, "format", nil},
		{"record of another", func(folder string) error {
			b, err := mfa.EncodeRecord(must(enable(3)(mfa.User{ID: "other@pam"})))
			return errors.Join(err, os.WriteFile(filepath.Join(folder, record), b, 0o600))
		}, record, "other@pam", nil},
		{"huge record", func(folder string) error { return os.Truncate(filepath.Join(folder, record), 1<<20) }, record, "bytes", nil},
		{"record is a symbolic link", instead(record, func(p string) error { return os.Symlink(p+".moved", p) }), record, "symbolic link", nil},
		{"record is a folder", instead(record, func(p string) error { return os.Mkdir(p, 0o700) }), record, "no regular file", nil},
		{"record is a FIFO", instead(record, func(p string) error { return unix.Mkfifo(p, 0o600) }), record, "no regular file", nil},
		{"state is a symbolic link", instead(state, func(p string) error { return os.Symlink(p+".moved", p) }), state, "symbolic link", nil},
		{"state is a FIFO", instead(state, func(p string) error { return unix.Mkfifo(p, 0o600) }), state, "no regular file", nil},
		{"no state", instead(state, func(string) error { return nil }), state, "mfactl unlock " + someone, store.ErrStateLost},
		{"empty state", func(folder string) error { return os.Truncate(filepath.Join(folder, state), 0) }, state, "mfactl unlock " + someone, store.ErrStateLost},
		{"zeroed state", write(state, strings.Repeat("\x00", 4608)), state, "mfactl unlock " + someone, store.ErrStateLost},
		{"shard is a symbolic link", instead(filepath.Dir(record), func(p string) error { return os.Symlink(p+".moved", p) }), filepath.Dir(record), "not a directory", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "store")
			s := with(t, folder)
			if err := tt.spoil(folder); err != nil {
				t.Fatal(err)
			}
			before := load(t, folder)
			_, viewErr := s.View(context.Background(), someone)
			updateErr := s.Update(context.Background(), someone, func(u mfa.User) (mfa.User, error) {
				t.Error("a login was judged")
				return u, nil
			})
			for _, err := range []error{viewErr, updateErr} {
				if err == nil || !strings.Contains(err.Error(), filepath.Join(folder, tt.file)) || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("error %v, want one with %s and %q", err, tt.file, tt.want)
				}
				if tt.is != nil && !errors.Is(err, tt.is) || tt.is == nil && errors.Is(err, store.ErrStateLost) {
					t.Errorf("error %v, want %v", err, tt.is)
				}
			}
			for path, i := range load(t, folder) {
				if was := before[path]; was == nil || string(was.data) != string(i.data) {
					t.Errorf("%s changed", path)
				}
			}
		})
	}
}

func must(u mfa.User, err error) mfa.User {
	if err != nil {
		panic(err)
	}
	return u
}

// A user whose state is lost is shown, deleted and rebuilt all the same.
func TestLostState(t *testing.T) {
	record, state := Files(someone)
	for _, spoil := range []struct {
		name string
		do   func(path string) error
	}{
		{"removed", os.Remove},
		{"emptied", func(path string) error { return os.Truncate(path, 0) }},
		{"cut", func(path string) error { return os.Truncate(path, 100) }},
		{"of no known format", func(path string) error { return os.WriteFile(path, make([]byte, 10_000), 0o600) }},
	} {
		t.Run(spoil.name, func(t *testing.T) {
			ctx := context.Background()
			folder := filepath.Join(t.TempDir(), "store")
			s := with(t, folder)
			if err := spoil.do(filepath.Join(folder, state)); err != nil {
				t.Fatal(err)
			}
			u, err := s.View(ctx, someone)
			if !errors.Is(err, store.ErrStateLost) || !u.Enrolled() {
				t.Fatalf("View: %+v, %v", u, err)
			}
			if ids, err := s.List(ctx); err != nil || len(ids) != 1 {
				t.Fatalf("List: %q, %v", ids, err)
			}
			want := mfa.State{}.For(u.Record)
			want.Failures = 3
			if err := s.Rebuild(ctx, someone, func(mfa.Record) mfa.State { return want }); err != nil {
				t.Fatal(err)
			}
			if u, err := s.View(ctx, someone); err != nil || u.State != want {
				t.Fatalf("rebuilt: %+v, %v", u, err)
			}
			if err := s.Update(ctx, someone, nothing); err != nil {
				t.Fatal(err)
			}
			if err := spoil.do(filepath.Join(folder, state)); err != nil {
				t.Fatal(err)
			}
			if err := s.Delete(ctx, someone); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Lstat(filepath.Join(folder, record)); !errors.Is(err, os.ErrNotExist) {
				t.Fatalf("the record: %v", err)
			}
			if err := s.Update(ctx, someone, storetest.Enable); err != nil {
				t.Fatal(err)
			}
			if err := s.Update(ctx, someone, storetest.Count); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Somebody put another state file in the place of the one we waited for.
func TestStateReplacedWhileWaiting(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "store")
	s := with(t, folder)
	_, state := Files(someone)
	path := filepath.Join(folder, state)
	done := make(chan error)
	err := s.Update(context.Background(), someone, func(u mfa.User) (mfa.User, error) {
		b, err := os.ReadFile(path)
		if err != nil {
			return u, err
		}
		waiting := make(chan struct{})
		go func() {
			close(waiting)
			done <- s.Update(context.Background(), someone, storetest.Count)
		}()
		<-waiting
		return u, errors.Join(os.WriteFile(path+".1", b, 0o600), os.Rename(path+".1", path))
	})
	if err := errors.Join(err, <-done); err != nil {
		t.Fatal(err)
	}
	if n := storetest.Counted(t, s, someone); n != 2 {
		t.Errorf("counted %d, want 2", n)
	}
}

func TestNoStore(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing")
	if _, err := Open(missing, Options{}); !errors.Is(err, store.ErrNoStore) || !strings.Contains(err.Error(), missing) {
		t.Errorf("a folder that is not there: %v", err)
	}
	if _, err := os.Lstat(missing); err == nil {
		t.Error("it was made")
	}
	if _, err := Open(filepath.Join(missing, "deeper"), Options{Create: true}); err == nil || errors.Is(err, store.ErrNoStore) {
		t.Error("a store was made in a folder that is not there")
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file, Options{Create: true}); err == nil || errors.Is(err, store.ErrNoStore) {
		t.Errorf("a file: %v", err)
	}
	full := filepath.Join(dir, "full")
	if err := errors.Join(os.Mkdir(full, 0o700), os.WriteFile(filepath.Join(full, "shadow"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(full, Options{Create: true}); err == nil || !strings.Contains(err.Error(), "shadow") {
		t.Errorf("a folder of something else: %v", err)
	}
	loose := filepath.Join(dir, "loose")
	if err := errors.Join(os.Mkdir(loose, 0o700), os.Chmod(loose, 0o750)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(loose, Options{Create: true}); err == nil || !strings.Contains(err.Error(), "mode 0750") {
		t.Errorf("a folder that the group reads: %v", err)
	}

	// A mount point without its file system is an empty folder, not a store in
	// which nobody has a factor.
	empty := filepath.Join(dir, "empty")
	if err := os.Mkdir(empty, 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := Open(empty, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, viewErr := s.View(context.Background(), someone)
	_, listErr := s.List(context.Background())
	for _, err := range []error{
		viewErr, listErr,
		s.Update(context.Background(), someone, nothing),
		s.Update(context.Background(), someone, storetest.Enable),
		s.Delete(context.Background(), someone),
		s.Rebuild(context.Background(), someone, nil),
	} {
		if !errors.Is(err, store.ErrNoStore) {
			t.Errorf("in an empty folder: %v", err)
		}
	}
	if names, err := os.ReadDir(empty); err != nil || len(names) > 0 {
		t.Errorf("the empty folder has %v, %v", names, err)
	}
	if err := os.WriteFile(filepath.Join(empty, "store"), []byte("oathkit store, format 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.View(context.Background(), someone); err == nil || !strings.Contains(err.Error(), "format 2") {
		t.Errorf("a store from the future: %v", err)
	}
}

func TestListNamesWhatIsJunk(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "store")
	s := with(t, folder)
	record, state := Files(someone)
	wrong := "00"
	if placeOf(someone).shard == wrong {
		wrong = "01"
	}
	if err := os.MkdirAll(filepath.Join(folder, wrong), 0o700); err != nil {
		t.Fatal(err)
	}
	junk := []string{"junk", wrong + "/junk", wrong + "/" + someone + ".json", wrong + "/%zz.json", wrong + "/%61@b.json", wrong + "/norealm.state", wrong + "/a@b.json~"}
	fine := []string{wrong + "/.x.json.new", ".anything", record, state}
	for _, file := range append(junk, fine[:2]...) {
		if err := os.WriteFile(filepath.Join(folder, file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ids, err := s.List(context.Background())
	if len(ids) != 1 || ids[0] != someone || err == nil {
		t.Fatalf("%q, %v", ids, err)
	}
	for _, file := range junk {
		if !strings.Contains(err.Error(), "\""+filepath.Join(folder, file)+"\"") {
			t.Errorf("%s is not named in:\n%v", file, err)
		}
	}
	for _, file := range fine {
		if strings.Contains(err.Error(), "\""+filepath.Join(folder, file)+"\"") {
			t.Errorf("%s is named in:\n%v", file, err)
		}
	}
}
