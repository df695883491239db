package filestore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"

	"oathkit/pkg/internal/durable"
	"oathkit/pkg/store"
)

// The file "store" says that the folder is a store. Names that have no state
// file are locked in it, one byte each, and flush into it: that costs what it
// costs for a user who is there. Nothing but its first line is ever read.
const (
	markerName = "store"
	markerText = "oathkit store, format 1\n"
	page       = 4096
	decoys     = 64 // pages behind the first one that are written for show
)

// create makes the folder a store if it is none. It may be made by several
// processes at once, and again after a crash.
func (s *Store) create() error {
	if _, err := s.dir.Lookup(markerName); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	names, err := s.dir.Names()
	if err != nil {
		return err
	}
	for _, name := range names {
		if name[0] != '.' && !isShard(name) && name != markerName {
			return fmt.Errorf("cannot make a store of %q: %q is in it, and is no part of a store", s.dir.Path(""), name)
		}
	}
	text := make([]byte, (1+decoys)*page)
	copy(text, markerText)
	o := s.options(markerName)
	// There is no lock yet, so the temporary has a name of its own, and a marker
	// that somebody else has made meanwhile must stay: he may have locked in it.
	o.Temp, o.New = "", true
	return unless(s.dir.Replace(markerName, text, o), fs.ErrExist)
}

func isShard(name string) bool {
	return len(name) == 2 && strings.IndexByte(hexDigits[16:], name[0]) >= 0 && strings.IndexByte(hexDigits[16:], name[1]) >= 0
}

// openMarker opens the file "store"; without it there is no store here.
func (s *Store) openMarker(flags int) (*durable.File, error) {
	f, err := s.dir.Open(markerName, flags, 0)
	if errors.Is(err, fs.ErrNotExist) {
		path := s.dir.Path("")
		return nil, fmt.Errorf("%w: %q has no file %q; is its file system mounted?", store.ErrNoStore, path, markerName)
	}
	if err != nil {
		return nil, err
	}
	if _, err := s.check(f); err != nil {
		f.Close()
		return nil, err
	}
	// As many bytes as a state has, so that it takes as long.
	var b [durable.SlotsSize]byte
	n, err := f.ReadAt(b[:], 0)
	if err == nil && !strings.HasPrefix(string(b[:n]), markerText) {
		line, _, _ := strings.Cut(string(b[:min(n, 40)]), "\n")
		err = fmt.Errorf("cannot use the store %q: %q begins with %q, not with %q: another version made it, or it is damaged",
			s.dir.Path(""), f.Path(), line, strings.TrimSpace(markerText))
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// lockName locks a name that has no state file, by a byte of the marker.
func (s *Store) lockName(ctx context.Context, hash uint64) (*durable.File, error) {
	f, err := s.openMarker(unix.O_RDWR)
	if err != nil {
		return nil, err
	}
	if err := f.LockByte(ctx, int64(hash>>2), s.wait); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// decoy flushes as much as a login does, for nobody.
func decoy(marker *durable.File, hash uint64) error {
	var b [durable.SlotSize]byte
	if err := marker.WriteAt(b[:], page*int64(1+hash%decoys)); err != nil {
		return err
	}
	return marker.Datasync()
}
