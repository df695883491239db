// Package caller says who called a program through sudo, for what a user may do
// to his own records and to nobody else's.
package caller

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/site"
	"oathkit/pkg/getent"
	"oathkit/pkg/mfa"
)

// errSudo begins every refusal of what sudo says.
var errSudo = errors.New("cannot tell who called sudo")

// UnderSudo says whether the program was called by somebody through sudo. Root
// who calls sudo stays root.
func UnderSudo() bool {
	uid, ok := os.LookupEnv("SUDO_UID")
	return ok && uid != "0"
}

// Sudo is the user that sudo speaks of, and the record that is his: NAME@pam. It
// refuses a name of which, in lower case, there is another user, for both would
// have one record.
func Sudo(realms site.Realms) (l getent.Login, id string, err error) {
	l, err = ofSudo(os.Getenv("SUDO_USER"), os.Getenv("SUDO_UID"))
	if err != nil {
		return l, "", cli.Unsure("%w: %w", errSudo, err)
	}
	id, err = InPAM(realms, l.Name)
	if err == nil {
		err = onlyOne(id, l)
	}
	return l, id, err
}

// InPAM is the record of the user with that name in the system's own realm.
func InPAM(realms site.Realms, name string) (id string, err error) {
	id, _, err = realms.Resolve(name+"@pam", "")
	if err != nil {
		return "", cli.Unsure("user %q: %w", name, err)
	}
	return id, nil
}

// ofSudo is the user of that name and number, which must be those of one user,
// and not root's.
func ofSudo(name, uid string) (getent.Login, error) {
	n, err := strconv.ParseUint(uid, 10, 32)
	if err != nil || n == 0 || strconv.FormatUint(n, 10) != uid {
		return getent.Login{}, fmt.Errorf("SUDO_UID is %q, which is no number of a user", uid)
	}
	if name == "" {
		return getent.Login{}, errors.New("SUDO_UID is set, but SUDO_USER is not")
	}
	l, err := getent.Lookup(context.Background(), name)
	switch {
	case err != nil:
		return getent.Login{}, err
	case l.Name != name:
		return getent.Login{}, fmt.Errorf("SUDO_USER is %q, which is user %q", name, l.Name)
	case uint64(l.UID) != n:
		return getent.Login{}, fmt.Errorf("SUDO_USER is %q, whose uid is %d, but SUDO_UID is %d", name, l.UID, n)
	}
	return l, nil
}

func onlyOne(id string, l getent.Login) error {
	kept, _, _ := mfa.SplitID(id)
	if kept == l.Name {
		return nil
	}
	other, err := getent.Lookup(context.Background(), kept)
	switch {
	case errors.Is(err, getent.ErrUnknown):
		return nil
	case err != nil:
		return cli.Unsure("%w", err)
	case other.UID != l.UID:
		return cli.Refused("users %q and %q have one record, %q, which is the other's", l.Name, other.Name, id).
			Hint("'case-sensitive 1' in the realm pam keeps them apart")
	}
	return nil
}
