package filestore

import (
	"path/filepath"
	"testing"

	"oathkit/pkg/store"
	"oathkit/pkg/store/storetest"
)

// open makes a store in a new folder.
func open(t *testing.T, o Options) *Store {
	t.Helper()
	o.Create = true
	s, err := Open(filepath.Join(t.TempDir(), "store"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, Options{}) })
}
