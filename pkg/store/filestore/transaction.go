package filestore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"oathkit/pkg/internal/durable"
	"oathkit/pkg/mfa"
	"oathkit/pkg/store"
)

// A transaction is one user under his lock. The lock is the state file; a name
// that has none is locked in the marker. State files are made only under the
// lock of the name, appear locked, and are never removed, so that at any time
// all who want a user wait at one place.
type transaction struct {
	store  *Store
	id     string
	at     place
	shard  *durable.Dir  // nil: not there
	state  *durable.File // locked; nil: not there, and then
	marker *durable.File // is locked

	slots durable.Slots // of the state file
	lost  error         // why the state makes no sense; nil if it does, or there is none
	user  mfa.User      // as he is
}

// begin locks a user.
func (s *Store) begin(ctx context.Context, id string) (*transaction, error) {
	if err := mfa.CheckID(id); err != nil {
		return nil, err
	}
	t := &transaction{store: s, id: id, at: placeOf(id)}
	if err := t.lock(ctx); err != nil {
		t.end()
		if errors.Is(err, durable.ErrBusy) {
			err = fmt.Errorf("user %q: %w: %w", id, store.ErrBusy, err)
		}
		return nil, err
	}
	return t, nil
}

func (t *transaction) lock(ctx context.Context) error {
	for {
		found, err := t.openState(unix.O_RDWR)
		if err != nil {
			return err
		}
		if !found {
			if t.marker != nil {
				return nil
			}
			if t.marker, err = t.store.lockName(ctx, t.at.hash); err != nil {
				return err
			}
			continue // now it cannot be made behind our back: look again
		}
		if t.marker != nil {
			t.marker.Close()
			t.marker = nil
		}
		if err := t.state.Lock(ctx, t.store.wait); err != nil {
			return err
		}
		info, err := t.store.check(t.state)
		if err != nil || info.Links > 0 {
			return err
		}
		// Somebody put another file in its place while we waited.
		t.state.Close()
		t.state = nil
	}
}

// openState opens the state file; it reports whether there is one.
func (t *transaction) openState(flags int) (bool, error) {
	var err error
	if t.shard == nil {
		if t.shard, err = t.store.dir.OpenDir(t.at.shard); err != nil {
			t.shard = nil
			return false, unless(err, fs.ErrNotExist)
		}
	}
	if t.state, err = t.shard.Open(t.at.state, flags, 0); err != nil {
		t.state = nil
		return false, unless(err, fs.ErrNotExist)
	}
	return true, nil
}

// unless returns err, or nil when it is the one that is expected.
func unless(err, expected error) error {
	if errors.Is(err, expected) {
		return nil
	}
	return err
}

// end lets go of the lock.
func (t *transaction) end() {
	if t.state != nil {
		t.state.Close()
	}
	if t.marker != nil {
		t.marker.Close()
	}
	if t.shard != nil {
		t.shard.Close()
	}
}

// read reads the user. A state that makes no sense is in t.lost.
func (t *transaction) read() error {
	t.user = mfa.User{ID: t.id}
	if t.shard == nil {
		return nil
	}
	var state mfa.State
	if t.state != nil {
		var err error
		t.slots, err = t.state.ReadSlots()
		switch {
		case errors.Is(err, durable.ErrNoSlot):
			t.lost = err
		case err != nil:
			return err
		default:
			if state, err = mfa.DecodeState(t.slots.Payload); err != nil {
				t.lost = fmt.Errorf("cannot read %q: %w", t.state.Path(), err)
			}
		}
	} else {
		t.lost = fmt.Errorf("there is no file %q", t.shard.Path(t.at.state))
	}
	record, found, err := t.store.readRecord(t.shard, t.at.record, t.id)
	if err != nil || !found {
		return err
	}
	t.user.Record, t.user.State = record, state.For(record)
	return nil
}

// readRecord reads a user's record; it reports whether there is one.
func (s *Store) readRecord(shard *durable.Dir, name, id string) (r mfa.Record, found bool, err error) {
	f, err := shard.Open(name, unix.O_RDONLY, 0)
	if err != nil {
		return r, false, unless(err, fs.ErrNotExist)
	}
	defer f.Close()
	info, err := s.check(f)
	if err != nil {
		return r, false, err
	}
	if info.Size > mfa.MaxRecord {
		return r, false, fmt.Errorf("%q has %d bytes, and no record has more than %d", f.Path(), info.Size, mfa.MaxRecord)
	}
	b := make([]byte, info.Size)
	n, err := f.ReadAt(b, 0)
	if err != nil {
		return r, false, err
	}
	r, err = mfa.DecodeSealed(id, b[:n], s.sealer)
	var wrong *mfa.RecordError
	switch {
	case errors.As(err, &wrong):
		return r, false, fmt.Errorf("%s:%d: %w", f.Path(), wrong.Line, wrong.Err)
	case err != nil:
		return r, false, fmt.Errorf("%s: %w", f.Path(), err)
	}
	return r, true, nil
}

// stateLost is the error for a record without a state.
func stateLost(id string, why error) error {
	return fmt.Errorf("user %q: %w, so nobody knows which codes were used: %w; `mfactl unlock %s` makes a new one", id, store.ErrStateLost, why, id)
}
