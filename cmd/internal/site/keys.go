package site

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"oathkit/cmd/internal/trusted"
	"oathkit/pkg/account"
	"oathkit/pkg/config"
	"oathkit/pkg/exchange"
	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
)

// Judged is a user of the store as a login judges him. That is the same user,
// unless he has no record of his own and the configuration says that the keys of
// the file of users count: where his realm asks for a factor, he has those that
// he has there now, and elsewhere none, as in Proxmox VE.
//
// Who comes back without a record must not be written: see Keep.
func (s *Site) Judged(u mfa.User, now time.Time) (mfa.User, error) {
	if u.Enrolled() && u.Record.Source != mfa.UserFile {
		return u, nil
	}
	_, realmID, _ := mfa.SplitID(u.ID)
	if _, required := s.Realms.Required(realmID); !required {
		return mfa.User{ID: u.ID}, nil
	}
	return s.JudgedWhereAsked(u, now)
}

// JudgedWhereAsked is Judged for a realm that asks for a factor, or will.
func (s *Site) JudgedWhereAsked(u mfa.User, now time.Time) (mfa.User, error) {
	switch {
	case u.Enrolled() && u.Record.Source != mfa.UserFile:
		return u, nil
	case s.Config.Verify.Keys != config.KeysInUserFile:
		return mfa.User{ID: u.ID}, nil
	}
	_, realmID, _ := mfa.SplitID(u.ID)
	keys, err := s.userKeys(u.ID, realmID, now)
	if err != nil {
		return u, err
	}
	judged, err := mfa.Mirror(u, keys, mfa.ImportOptions{Window: s.Config.Verify.Window, Now: now, Random: rand.Reader})
	if err != nil {
		return u, fmt.Errorf("%s: the keys of user %q cannot be judged by what %s says of realm %q: %w", s.UsersFile(), u.ID, s.Config.Paths.Domains, realmID, err)
	}
	return judged, nil
}

// KeyHolders are the ids of the accounts of a realm, or of all realms for "",
// that have something in the KEYS field, sorted, if the configuration says that
// these keys count. Whether they are usable JudgedWhereAsked says, which from then
// on goes by what was read here.
func (s *Site) KeyHolders(realmID string) ([]string, error) {
	if s.Config.Verify.Keys != config.KeysInUserFile {
		return nil, nil
	}
	b, err := s.readUsers()
	if err != nil {
		return nil, err
	}
	s.users = newUserFile(b)
	var ids []string
	for _, list := range s.users {
		for _, a := range list {
			if a.Keys.IsZero() || realmID != "" && a.Realm != realmID {
				continue
			}
			if id, _, err := s.Realms.Resolve(a.ID, ""); err == nil {
				ids = append(ids, id)
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// A userFile is the accounts of the file of users, by their ids in lower case:
// what our ids and those of the file differ in is no more than that.
type userFile map[string][]account.User

func newUserFile(text []byte) userFile {
	f := userFile{}
	for _, a := range account.ParseUsers(text).All() {
		lower := strings.ToLower(a.ID)
		f[lower] = append(f[lower], a)
	}
	return f
}

// readUsers is the text of the file of users.
func (s *Site) readUsers() ([]byte, error) {
	b, err := trusted.ReadFile(s.UsersFile(), maxUsers)
	if err != nil {
		return nil, fmt.Errorf("cannot read the keys of users: %w", err)
	}
	return b, nil
}

// accountsOf are the accounts of the file that may be the user. A login reads only
// the lines that name him: the lines of a user have nothing to do with others.
func (s *Site) accountsOf(id string) ([]account.User, error) {
	lower := strings.ToLower(id)
	if s.users != nil {
		return s.users[lower], nil
	}
	b, err := s.readUsers()
	if err != nil {
		return nil, err
	}
	var his []byte
	for line := range bytes.Lines(b) {
		if bytes.Contains(bytes.ToLower(line), []byte(lower)) {
			his = append(his, line...)
		}
	}
	return newUserFile(his)[lower], nil
}

// Keep is what is to be written of a user who was judged: what became of him, but
// what was there before where he was judged as one without a record and still is
// one. So no name makes a record that has no key, and a mirror whose keys are gone
// keeps what was used of them.
func Keep(before, judged, after mfa.User) mfa.User {
	if !judged.Enrolled() && !after.Enrolled() {
		return before
	}
	return after
}

// errTwoAccounts means that it is not known whose keys count.
var errTwoAccounts = errors.New("the file has several accounts of this name")

// userKeys are the keys that the file of users has for an account now. One that
// is disabled or expired has none.
func (s *Site) userKeys(id, realmID string, now time.Time) ([]mfa.ImportedCredential, error) {
	accounts, err := s.accountsOf(id)
	if err != nil {
		return nil, err
	}
	var found *account.User
	for _, a := range accounts {
		if ours, _, err := s.Realms.Resolve(a.ID, ""); err != nil || ours != id {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("%s: %w: %q and %q", s.UsersFile(), errTwoAccounts, found.ID, a.ID)
		}
		found = &a
	}
	if found == nil || !found.Enabled || found.Expired(now) {
		return nil, nil
	}
	shape := s.Shape(realmID)
	if shape.Other != "" {
		return nil, nil
	}
	texts, _ := exchange.KeysOf(found.Keys)
	list := make([]mfa.ImportedCredential, 0, len(texts))
	for _, k := range texts {
		list = append(list, mfa.ImportedCredential{Label: "user.cfg", Key: k, Digits: shape.Digits, Period: shape.Period})
	}
	return list, nil
}

// Shape is what the codes of keys in the file of users are like in a realm: its
// tfa line says so, else they are as Proxmox VE has them.
func (s *Site) Shape(realmID string) exchange.Shape {
	shape := exchange.Shape{Digits: oath.DefaultDigits, Period: oath.DefaultPeriod}
	tfa := s.Realms.TFA(realmID)
	switch {
	case tfa == nil:
	case tfa.Type != "oath":
		shape.Other = tfa.Type
	default:
		if tfa.Digits != 0 {
			shape.Digits = tfa.Digits
		}
		if tfa.Step != 0 {
			shape.Period = tfa.Step
		}
	}
	return shape
}
