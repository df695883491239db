package filestore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"oathkit/pkg/internal/durable"
	"oathkit/pkg/mfa"
	"oathkit/pkg/store"
)

// Options say how a store is opened. The zero value is right for whoever judges
// logins.
type Options struct {
	// Create makes the store where there is none: the folder (its parent must
	// be there) and the file "store" in it.
	Create bool
	// Wait is the longest wait for a user's lock; 0 means 10 seconds.
	Wait time.Duration
	// Sealer seals the secrets in the records; nil keeps them in clear. With one,
	// records in clear are read as well.
	Sealer mfa.Sealer

	hook durable.Hook // for tests
}

// A Store is a [store.Store] in a folder.
type Store struct {
	dir   *durable.Dir
	owner durable.Info // of the folder, and so of the files
	chown bool         // new files must be given to the owner: root works in another's store
	wait  time.Duration

	sealer mfa.Sealer
}

var _ store.Store = (*Store)(nil)

// Open opens the store in a folder that belongs to the user who runs the program
// (root may use another's) and that is open to nobody else. Nothing is read
// before it is needed. The error is [store.ErrNoStore] when there is none and
// none is to be made.
func Open(folder string, o Options) (*Store, error) {
	dir, err := durable.OpenDir(folder, o.hook)
	if errors.Is(err, fs.ErrNotExist) && o.Create {
		// A parent that is missing is not made: it may be a disk that is not
		// mounted, and is nothing that another try would mend.
		if err := durable.Mkdir(folder, 0o700, o.hook); err != nil {
			return nil, fmt.Errorf("cannot make the store %q: %w", folder, err)
		}
		dir, err = durable.OpenDir(folder, o.hook)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: there is no folder %q", store.ErrNoStore, folder)
	}
	if err != nil {
		return nil, err
	}
	s := &Store{dir: dir, wait: o.Wait, sealer: o.Sealer}
	if s.wait == 0 {
		s.wait = 10 * time.Second
	}
	if err = s.adopt(os.Geteuid()); err == nil && o.Create {
		err = s.create()
	}
	if err != nil {
		dir.Close()
		return nil, err
	}
	return s, nil
}

// Close closes the store. No other call may be under way.
func (s *Store) Close() error { return s.dir.Close() }

// adopt checks that the folder is fit to hold secrets of the user with that
// effective id.
func (s *Store) adopt(euid int) error {
	info, err := s.dir.Info()
	if err != nil {
		return err
	}
	path := s.dir.Path("")
	if mode := info.Mode.Perm(); mode&0o077 != 0 {
		return fmt.Errorf("the store %q has mode %04o: whoever it lets in could read keys or put users there; make it 0700 (chmod 0700 %s)", path, mode, path)
	}
	if euid != 0 && euid != int(info.UID) {
		return fmt.Errorf("the store %q belongs to uid %d, and only that user and root may use it, not uid %d", path, info.UID, euid)
	}
	s.owner = info
	s.chown = euid == 0 && (info.UID != 0 || info.GID != 0)
	return nil
}

// check refuses a file that others can read or write, or that is not the
// owner's.
func (s *Store) check(f *durable.File) (durable.Info, error) {
	info, err := f.Info()
	switch mode := info.Mode.Perm(); {
	case err != nil:
	case !info.Mode.IsRegular():
		err = fmt.Errorf("%q is no regular file", f.Path())
	case mode&0o077 != 0:
		err = fmt.Errorf("%q has mode %04o: it must be for its owner alone (chmod 0600, and ask who could have read or changed it)", f.Path(), mode)
	case info.UID != s.owner.UID:
		err = fmt.Errorf("%q belongs to uid %d, but its store to uid %d: if it is rightly there, chown it", f.Path(), info.UID, s.owner.UID)
	}
	return info, err
}

// options are those of every file that is replaced in the store.
func (s *Store) options(name string) durable.ReplaceOptions {
	return durable.ReplaceOptions{Chown: s.chown, UID: s.owner.UID, GID: s.owner.GID, Temp: temp(name)}
}
