package storetest

import (
	"errors"
	"slices"
	"testing"

	"oathkit/pkg/mfa"
	"oathkit/pkg/store"
)

func oddIDs(t *testing.T, s store.Store) {
	ids := []string{
		"a@b", "A@b", "a@B", ".@.", "..@..", "-rf@pam", "a/b@pam", "../../etc/passwd@pam", "%@pam", "%61@b", "a@b.json", "a@b.state",
		"store@pam", "user@host@realm", "ümlaut@pam", "\\@pam", "*@pam", "~@pam", "'\"@pam", "日本@語", "con@pam", "$(reboot)@pam",
	}
	ids = append(ids, string(slices.Repeat([]byte{'x'}, mfa.MaxID-2))+"@r", "."+string(slices.Repeat([]byte{'/'}, mfa.MaxID-3))+"@r")
	for i, id := range ids {
		if err := mfa.CheckID(id); err != nil {
			t.Fatal(err)
		}
		update(t, s, id, Enable)
		for range i {
			update(t, s, id, Count)
		}
	}
	want := slices.Sorted(slices.Values(ids))
	list(t, s, want...)
	for i, id := range ids {
		if n := Counted(t, s, id); n != uint64(i) {
			t.Errorf("user %q: counted %d, want %d", id, n, i)
		}
	}
	for i, id := range ids {
		if err := s.Delete(ctx, id); err != nil {
			t.Error(err)
		}
		at, _ := slices.BinarySearch(want, id)
		want = slices.Delete(want, at, at+1)
		if i%5 == 0 {
			list(t, s, want...)
		}
	}
	list(t, s)
}

func badIDs(t *testing.T, s store.Store) {
	for _, id := range []string{"", "x", "@", "a@", "@b", "a b@c", "a\x00@b", "a\n@b", "\xff@b", string(slices.Repeat([]byte{'x'}, mfa.MaxID)) + "@r"} {
		if _, err := s.View(ctx, id); err == nil {
			t.Errorf("View(%q) is no error", id)
		}
		if err := s.Update(ctx, id, func(u mfa.User) (mfa.User, error) { t.Errorf("called for %q", id); return u, nil }); err == nil {
			t.Errorf("Update(%q) is no error", id)
		}
		if err := s.Delete(ctx, id); err == nil || errors.Is(err, store.ErrNotFound) {
			t.Errorf("Delete(%q): %v", id, err)
		}
		if err := s.Rebuild(ctx, id, func(mfa.Record) mfa.State { return mfa.State{} }); err == nil || errors.Is(err, store.ErrNotFound) {
			t.Errorf("Rebuild(%q): %v", id, err)
		}
	}
	list(t, s)
}
