package filestore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"oathkit/pkg/mfa"
)

// View is described at [store.Store]. It takes no lock.
func (s *Store) View(ctx context.Context, id string) (mfa.User, error) {
	none := mfa.User{ID: id}
	if err := mfa.CheckID(id); err != nil {
		return none, err
	}
	// Without the lock a slot can be read while it is written, or a record
	// beside the state of the one before. Both pass.
	const tries = 5
	for try := 1; ; try++ {
		if err := ctx.Err(); err != nil {
			return none, fmt.Errorf("user %q: %w", id, err)
		}
		t := &transaction{store: s, id: id, at: placeOf(id)}
		settled, err := t.view()
		t.end()
		if err != nil {
			return none, err
		}
		if settled || try == tries {
			if t.user.Enrolled() && t.lost != nil {
				return t.user, stateLost(id, t.lost)
			}
			return t.user, nil
		}
	}
}

// view reads the user without his lock. It reports whether what it read goes
// together.
func (t *transaction) view() (settled bool, err error) {
	found, err := t.openState(unix.O_RDONLY)
	if err != nil {
		return false, err
	}
	if found {
		if _, err := t.store.check(t.state); err != nil {
			return false, err
		}
	}
	if err := t.read(); err != nil {
		return false, err
	}
	if !t.user.Enrolled() {
		marker, err := t.store.openMarker(unix.O_RDONLY)
		if err != nil {
			return false, err
		}
		marker.Close()
		return true, nil
	}
	if t.lost != nil {
		return false, nil
	}
	state, err := mfa.DecodeState(t.slots.Payload)
	return err == nil && state.Epoch == t.user.Record.Epoch && state.RecoverySet == t.user.Record.Recovery.ID, nil
}

// List is described at [store.Store]. It reads the names in the folders, no
// record.
func (s *Store) List(ctx context.Context) ([]string, error) {
	marker, err := s.openMarker(unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	marker.Close()
	names, err := s.dir.Names()
	if err != nil {
		return nil, err
	}
	var ids []string
	var junk junk
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		switch {
		case name == markerName, name[0] == '.':
		case isShard(name):
			ids = s.listShard(name, ids, &junk)
		default:
			junk.add(fmt.Errorf("%q is no part of a store", s.dir.Path(name)))
		}
	}
	slices.Sort(ids)
	return ids, junk.err()
}

// listShard appends the ids of those who have a record in a shard.
func (s *Store) listShard(name string, ids []string, junk *junk) []string {
	shard, err := s.dir.OpenDir(name)
	if err != nil {
		junk.add(err)
		return ids
	}
	defer shard.Close()
	files, err := shard.Names()
	if err != nil {
		junk.add(err)
		return ids
	}
	for _, file := range files {
		escaped, isRecord := strings.CutSuffix(file, recordEnd)
		if !isRecord {
			escaped, _ = strings.CutSuffix(file, stateEnd)
		}
		id, ok := unescape(escaped)
		switch {
		case file[0] == '.': // a temporary
		case escaped == file, !ok:
			junk.add(fmt.Errorf("%q is no part of a store", shard.Path(file)))
		case mfa.CheckID(id) != nil:
			junk.add(fmt.Errorf("%q is nobody's: %w", shard.Path(file), mfa.CheckID(id)))
		case placeOf(id).shard != name:
			junk.add(fmt.Errorf("%q is in the wrong folder, and is not read: user %q is kept in %q", shard.Path(file), id, s.dir.Path(placeOf(id).shard)))
		case isRecord:
			ids = append(ids, id)
		}
	}
	return ids
}

// junk is what List could make no sense of, the first of it.
type junk struct {
	errs []error
	more int
}

func (j *junk) add(err error) {
	if len(j.errs) < 20 {
		j.errs = append(j.errs, err)
	} else {
		j.more++
	}
}

func (j *junk) err() error {
	if j.more > 0 {
		j.errs = append(j.errs, fmt.Errorf("and %d more", j.more))
	}
	return errors.Join(j.errs...)
}
