// Package store says what keeping users means; its implementations are in the
// packages below it, and storetest is the suite that each of them passes.
package store

import (
	"context"
	"errors"

	"oathkit/pkg/mfa"
)

// A Store keeps users, each a record and a state. It is safe for any number of
// goroutines and processes at once. What Update reported as done survives a
// power cut.
type Store interface {
	// Update gives fn the user as he is and makes what fn returns durable
	// before it returns nil: one user's updates happen one after the other.
	// fn must be pure, for it may be called again. An error of fn is returned
	// as it is, with nothing written. A user without a record is User{ID: id};
	// one that comes back without a record is deleted. An update that changes
	// nothing costs the same flush as one that does, so that time does not
	// tell who exists.
	Update(ctx context.Context, id string, fn func(mfa.User) (mfa.User, error)) error

	// View returns the user as last written; without a record, User{ID: id}.
	// With ErrStateLost it returns the record all the same. It does not wait
	// for an update that is under way.
	View(ctx context.Context, id string) (mfa.User, error)

	// List returns the ids of all users that have a record, sorted. What could
	// not be made sense of is in the error, beside the ids that could.
	List(ctx context.Context) ([]string, error)

	// Delete removes the record, whatever it says and whether or not there is
	// a state for it; ErrNotFound when there is none.
	Delete(ctx context.Context, id string) error

	// Rebuild replaces the state of a user, valid or lost, by what fn makes of
	// his record; ErrNotFound when there is none. Between an ErrStateLost and
	// a Rebuild no login of the user is judged.
	Rebuild(ctx context.Context, id string, fn func(mfa.Record) mfa.State) error
}

// The errors that a store's callers tell apart.
var (
	// ErrNotFound means that the user has no record.
	ErrNotFound = errors.New("no record")
	// ErrStateLost means that there is a record without a valid state, so
	// that used codes are not known any more. Update returns it without
	// calling its function; `mfactl unlock` rebuilds the state.
	ErrStateLost = errors.New("the state of this user is lost")
	// ErrNoStore means that there is no store where one should be. It is never
	// taken for a store without users: a file system that is not mounted must
	// not let people in without their factor.
	ErrNoStore = errors.New("no store here")
	// ErrBusy means that the user's lock was not had within the deadline.
	ErrBusy = errors.New("the user's lock is held by another process")
)
