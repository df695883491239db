package filestore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"oathkit/pkg/mfa"
	"oathkit/pkg/store"
)

// Update is described at [store.Store].
func (s *Store) Update(ctx context.Context, id string, fn func(mfa.User) (mfa.User, error)) error {
	t, err := s.begin(ctx, id)
	if err != nil {
		return err
	}
	defer t.end()
	if err := t.read(); err != nil {
		return err
	}
	if t.user.Enrolled() && t.lost != nil {
		return stateLost(id, t.lost)
	}
	after, err := fn(t.user)
	if err != nil {
		return err
	}
	if after.ID != id {
		return fmt.Errorf("an update of user %q came back as user %q: nothing is written", id, after.ID)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("user %q: %w before anything was written", id, err)
	}
	switch {
	case t.user.Enrolled() && after.Enrolled():
		return t.change(after)
	case t.user.Enrolled():
		return t.remove()
	case after.Enrolled():
		return t.add(after)
	case t.state != nil:
		return t.state.WriteSlot(t.slots, t.slots.Payload)
	default:
		return decoy(t.marker, t.at.hash)
	}
}

// change writes what an update made of a user who has a record. See the package
// comment for the order.
func (t *transaction) change(after mfa.User) error {
	state := mfa.EncodeState(after.State.For(after.Record))
	if after.Record.Equal(t.user.Record) {
		return t.state.WriteSlot(t.slots, state)
	}
	record, err := mfa.EncodeSealed(after, t.store.sealer)
	if err != nil {
		return err
	}
	first := func() error { return t.state.WriteSlot(t.slots, state) }
	second := func() error { return t.shard.Replace(t.at.record, record, t.store.options(t.at.record)) }
	if voids(t.user.Record, after.Record) {
		first, second = second, first
	}
	if err := first(); err != nil {
		return err
	}
	return second()
}

// voids reports whether the state of the old record is, in part or in whole,
// not valid under the new one: then the record is written first, because a state
// that has let go of something must never meet the record that still has it.
func voids(old, now mfa.Record) bool {
	if old.Epoch != now.Epoch || old.Recovery.ID != now.Recovery.ID {
		return true
	}
	for i := range old.Credentials {
		if now.Find(old.Credentials[i].ID) < 0 {
			return true
		}
	}
	return false
}

// add writes a user who had no record: the state, both slots, and then the
// record, so that no record is ever without a state.
func (t *transaction) add(after mfa.User) error {
	record, err := mfa.EncodeSealed(after, t.store.sealer)
	if err != nil {
		return err
	}
	if err := t.writeState(mfa.EncodeState(after.State.For(after.Record))); err != nil {
		return err
	}
	return t.shard.Replace(t.at.record, record, t.store.options(t.at.record))
}

// writeState writes both slots and makes the state file's name durable. Where
// there is no state file it makes one, which appears whole and locked.
func (t *transaction) writeState(payload []byte) error {
	if t.state != nil {
		if err := t.state.WriteSlots(t.slots, payload); err != nil {
			return err
		}
		return t.shard.Sync()
	}
	if err := t.makeShard(); err != nil {
		return err
	}
	if err := t.makeState(payload); err != nil {
		_ = t.shard.Remove(temp(t.at.state)) // what stays is removed next time
		return err
	}
	return t.shard.Sync()
}

// makeState makes the state file under another name, locks it, fills it and
// gives it its name. The name is locked: nobody else does the same.
func (t *transaction) makeState(payload []byte) error {
	tmp := temp(t.at.state)
	if err := unless(t.shard.Remove(tmp), fs.ErrNotExist); err != nil {
		return err
	}
	f, err := t.shard.Open(tmp, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	t.state = f // to be closed by end
	if t.store.chown {
		if err := f.Chown(t.store.owner.UID, t.store.owner.GID); err != nil {
			return err
		}
	}
	if err := f.Chmod(0o600); err != nil { // the umask can have taken more away
		return err
	}
	// Nobody else knows the file: this never waits.
	if err := f.Lock(context.Background(), t.store.wait); err != nil {
		return err
	}
	if err := f.WriteSlots(t.slots, payload); err != nil {
		return err
	}
	return t.shard.Rename(tmp, t.at.state)
}

// makeShard makes the user's folder in the store. It is synced though it was
// there: whoever made it may have died before he could.
func (t *transaction) makeShard() error {
	if t.shard == nil {
		if err := unless(t.store.dir.Mkdir(t.at.shard, 0o700), fs.ErrExist); err != nil {
			return err
		}
		var err error
		if t.shard, err = t.store.dir.OpenDir(t.at.shard); err != nil {
			t.shard = nil
			return err
		}
		if t.store.chown {
			if err := t.shard.Chown(t.store.owner.UID, t.store.owner.GID); err != nil {
				return err
			}
		}
	}
	return t.store.dir.Sync()
}

// Delete is described at [store.Store].
func (s *Store) Delete(ctx context.Context, id string) error {
	t, err := s.begin(ctx, id)
	if err != nil {
		return err
	}
	defer t.end()
	if t.shard == nil {
		return notFound(id)
	}
	switch _, err := t.shard.Lookup(t.at.record); {
	case errors.Is(err, fs.ErrNotExist):
		return notFound(id)
	case err != nil:
		return err
	}
	return t.remove()
}

// remove unlinks the record. The state stays: it is the lock. What an
// interrupted write of the record left is removed as well, for it has keys.
func (t *transaction) remove() error {
	if err := unless(t.shard.Remove(temp(t.at.record)), fs.ErrNotExist); err != nil {
		return err
	}
	if err := t.shard.Remove(t.at.record); err != nil {
		return err
	}
	return t.shard.Sync()
}

func notFound(id string) error { return fmt.Errorf("user %q: %w", id, store.ErrNotFound) }

// Rebuild is described at [store.Store].
func (s *Store) Rebuild(ctx context.Context, id string, fn func(mfa.Record) mfa.State) error {
	t, err := s.begin(ctx, id)
	if err != nil {
		return err
	}
	defer t.end()
	if err := t.read(); err != nil {
		return err
	}
	if !t.user.Enrolled() {
		return notFound(id)
	}
	return t.writeState(mfa.EncodeState(fn(t.user.Record).For(t.user.Record)))
}
