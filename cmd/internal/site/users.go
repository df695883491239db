package site

import (
	"errors"
	"io/fs"
	"path/filepath"

	"oathkit/cmd/internal/trusted"
	"oathkit/pkg/account"
)

// maxUsers bounds the file of users, in bytes.
const maxUsers = 64 << 20

// UsersFile is the file of user lines: the configured one, else user.cfg beside
// the realm file.
func (s *Site) UsersFile() string {
	if s.Config.Paths.Users != "" {
		return s.Config.Paths.Users
	}
	return filepath.Join(filepath.Dir(s.Config.Paths.Domains), "user.cfg")
}

// EmailOf is the e-mail address of the user with that id in the file of users,
// as it is there; empty where there is none. A file that is missing and that
// nobody configured has no users.
func (s *Site) EmailOf(id string) (string, error) {
	b, err := trusted.ReadFile(s.UsersFile(), maxUsers)
	if errors.Is(err, fs.ErrNotExist) && s.Config.Paths.Users == "" {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	u, _ := account.ParseUsers(b).Lookup(id)
	return u.Email, nil
}
