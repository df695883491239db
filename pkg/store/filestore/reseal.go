package filestore

import (
	"context"
	"io/fs"

	"oathkit/pkg/mfa"
)

// Reseal writes the record of a user again if a secret in it is in clear or
// sealed with an older key than the present one, and removes what an interrupted
// write of it left; it reports whether it wrote. A lost state is no hindrance.
// The error is [store.ErrNotFound] when there is no record. The blocks that the
// older record was in are given back to the file system, not wiped.
func (s *Store) Reseal(ctx context.Context, id string) (bool, error) {
	t, err := s.begin(ctx, id)
	if err != nil {
		return false, err
	}
	defer t.end()
	if err := t.read(); err != nil {
		return false, err
	}
	if !t.user.Enrolled() {
		return false, notFound(id)
	}
	if !t.user.Record.Stale() {
		return false, unless(t.shard.Remove(temp(t.at.record)), fs.ErrNotExist)
	}
	record, err := mfa.EncodeSealed(t.user, s.sealer)
	if err != nil {
		return false, err
	}
	return true, t.shard.Replace(t.at.record, record, s.options(t.at.record))
}
