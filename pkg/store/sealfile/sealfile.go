// Package sealfile is the file of keys under which the secrets of a store are
// sealed: what it gives a store, and how it gets another key. The keys and what
// is made with them are package seal's; who may write or read the file is its
// caller's to look at.
package sealfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"sync"
	"time"

	"oathkit/pkg/internal/durable"
	"oathkit/pkg/internal/seal"
	"oathkit/pkg/mfa"
)

// ErrBusy means that another rotation held the lock all the time.
var ErrBusy = durable.ErrBusy

// Sealer is what seals and opens the secrets of a store with the keys of a file,
// whose text is what read returns. The file is read now, and once more whenever a
// secret needs a key that was not in it: somebody may have rotated the keys since,
// while a person was asked for a code. The name is for errors, which hold nothing
// of the text. Nonces are read from random, of cryptographic quality.
func Sealer(name string, read func() ([]byte, error), random io.Reader) (mfa.Sealer, error) {
	f := &follower{name: name, read: read, random: random}
	now, err := f.load()
	if err != nil {
		return nil, err
	}
	f.now = now
	return f, nil
}

// A follower seals with the keys that its file had when it was read last.
type follower struct {
	name   string
	read   func() ([]byte, error)
	random io.Reader

	mu  sync.Mutex
	now *seal.Sealer
}

func (f *follower) load() (*seal.Sealer, error) {
	text, err := f.read()
	if err != nil {
		return nil, err
	}
	defer clear(text)
	keys, err := seal.ParseKeys(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	return seal.New(keys, f.random)
}

func (f *follower) sealer() *seal.Sealer {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// Seal is described at [mfa.Sealer].
func (f *follower) Seal(secret []byte, user, cred string) (string, error) {
	return f.sealer().Seal(secret, user, cred)
}

// Open is described at [mfa.Sealer].
func (f *follower) Open(sealed, user, cred string) (secret []byte, current bool, err error) {
	secret, current, err = f.sealer().Open(sealed, user, cred)
	if !errors.Is(err, seal.ErrNoSuchKey) {
		return secret, current, err
	}
	again, failed := f.load()
	if failed != nil {
		return nil, false, errors.Join(err, failed)
	}
	f.mu.Lock()
	f.now = again
	f.mu.Unlock()
	return again.Open(sealed, user, cred)
}

// Format prints [secret], whatever the verb.
func (f *follower) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "[secret]") }

// Group says who besides root may read a file of keys that Rotate makes.
type Group struct {
	Reads bool // a group may: the file gets mode 0640 instead of 0600, and
	GID   uint32
}

// Rotate puts a fresh key before those of the file, which all stay, so that what
// they sealed still opens, and returns the new key's id. The text is what read
// returns, under the file's lock (FILE.lock, waited for at most wait); where its
// error is fs.ErrNotExist the file is made. A file that is there keeps owner,
// group and mode. The file is replaced as a whole and durably.
func Rotate(ctx context.Context, path string, wait time.Duration, read func() ([]byte, error), g Group, random io.Reader) (id string, err error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	lock, err := durable.Lock(ctx, path+".lock", wait)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, lock.Unlock()) }()

	old, err := read()
	o := durable.ReplaceOptions{Keep: true}
	if errors.Is(err, fs.ErrNotExist) {
		old, err = nil, nil
		o = durable.ReplaceOptions{New: true, Mode: 0o600}
		if g.Reads {
			o.Mode, o.Chown, o.GID = 0o640, true, g.GID
		}
	}
	if err != nil {
		return "", err
	}
	text, err := seal.AddKey(old, random)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	defer clear(text)
	keys, err := seal.ParseKeys(text)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return keys[0].ID(), durable.Replace(path, text, o)
}
