package filestore

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"oathkit/pkg/mfa"
	"oathkit/pkg/store/storetest"
)

// seed puts n users in a store, user0@pam and on, without a flush for each: they
// are one user under many names.
func seed(b *testing.B, s *Store, n int) {
	b.Helper()
	ctx := context.Background()
	const first = "user0@pam"
	if err := s.Update(ctx, first, storetest.Enable); err != nil {
		b.Fatal(err)
	}
	u, err := s.View(ctx, first)
	if err != nil {
		b.Fatal(err)
	}
	folder := s.dir.Path("")
	_, stateFile := Files(first)
	state, err := os.ReadFile(filepath.Join(folder, stateFile))
	if err != nil {
		b.Fatal(err)
	}
	for i := 1; i < n; i++ {
		u.ID = fmt.Sprintf("user%d@pam", i)
		record, err := mfa.EncodeRecord(u)
		if err != nil {
			b.Fatal(err)
		}
		recordFile, stateFile := Files(u.ID)
		if err := os.MkdirAll(filepath.Join(folder, filepath.Dir(recordFile)), 0o700); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, stateFile), state, 0o600); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, recordFile), record, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	// A file that was never flushed is given its blocks by its first flush.
	unix.Sync()
}

// users are the sizes that are compared; USERS=1000000 adds one.
func users(b *testing.B) []int {
	b.Helper()
	sizes := []int{10, 100_000}
	if text := os.Getenv("USERS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			b.Fatalf("USERS=%s: %v", text, err)
		}
		sizes = append(sizes, n)
	}
	return sizes
}

// BenchmarkUpdate is a login of one user after the other, each of whom the
// kernel has to look up: opening the store, its lock, one flush.
func BenchmarkUpdate(b *testing.B) {
	for _, n := range users(b) {
		b.Run(fmt.Sprintf("users=%d", n), func(b *testing.B) {
			folder := filepath.Join(b.TempDir(), "store")
			s, err := Open(folder, Options{Create: true})
			if err != nil {
				b.Fatal(err)
			}
			seed(b, s, n)
			s.Close()
			i := 0
			for b.Loop() {
				s, err := Open(folder, Options{})
				if err != nil {
					b.Fatal(err)
				}
				if err := s.Update(context.Background(), fmt.Sprintf("user%d@pam", i*7919%n), storetest.Count); err != nil {
					b.Fatal(err)
				}
				s.Close()
				i++
			}
		})
	}
}

// BenchmarkNobody is a login of somebody who is not there: it is meant to take as
// long.
func BenchmarkNobody(b *testing.B) {
	s, err := Open(filepath.Join(b.TempDir(), "store"), Options{Create: true})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	i := 0
	for b.Loop() {
		err := s.Update(context.Background(), fmt.Sprintf("user%d@pam", i), func(u mfa.User) (mfa.User, error) { return u, nil })
		if err != nil {
			b.Fatal(err)
		}
		i++
	}
}

// BenchmarkEnable is a new user: five flushes.
func BenchmarkEnable(b *testing.B) {
	s, err := Open(filepath.Join(b.TempDir(), "store"), Options{Create: true})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	i := 0
	for b.Loop() {
		if err := s.Update(context.Background(), fmt.Sprintf("user%d@pam", i), storetest.Enable); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

// BenchmarkView is what a list of all users costs for each.
func BenchmarkView(b *testing.B) {
	s, err := Open(filepath.Join(b.TempDir(), "store"), Options{Create: true})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	seed(b, s, 1000)
	i := 0
	for b.Loop() {
		if _, err := s.View(context.Background(), fmt.Sprintf("user%d@pam", i%1000)); err != nil {
			b.Fatal(err)
		}
		i++
	}
}
