package site

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"oathkit/cmd/internal/trusted"
	"oathkit/pkg/mfa"
	"oathkit/pkg/realm"
)

// maxDomains bounds the realm file, in bytes.
const maxDomains = 64 << 20

// Realms is the realm file as the programs see it. When it could not be read
// every realm asks for a factor.
type Realms struct {
	path    string
	domains *realm.Domains
	err     error
}

// ReadRealms reads the realm file. An error is kept: see Err.
func ReadRealms(path string) Realms {
	b, err := trusted.ReadFile(path, maxDomains)
	return Realms{path: path, domains: realm.Parse(b), err: err}
}

// Again reads the same file once more.
func (r Realms) Again() Realms { return ReadRealms(r.path) }

// Err says why the realm file could not be read; nil for one that was read.
func (r Realms) Err() error { return r.err }

// Required says whether the realm asks everybody in it for a factor, and why, in
// words for an administrator.
func (r Realms) Required(id string) (why string, required bool) {
	switch {
	case errors.Is(r.err, fs.ErrNotExist):
		return fmt.Sprintf("%s: there is no such file, so every realm asks for a factor", r.path), true
	case r.err != nil:
		return fmt.Sprintf("%v, so every realm asks for a factor", r.err), true
	}
	line, why, required := r.domains.Required(id)
	switch {
	case !required:
		return fmt.Sprintf("%s: realm %q asks for no factor", r.path, id), false
	case line > 0:
		// Without package fmt, whose first use would be felt in every login.
		return r.path + ":" + strconv.Itoa(line) + ": " + why, true
	}
	return fmt.Sprintf("%s: %s", r.path, why), true
}

// Free are the realms of the file that do not ask everybody for a factor.
func (r Realms) Free() []string {
	var ids []string
	if r.err != nil {
		return nil
	}
	for _, found := range r.domains.Realms() {
		if _, _, required := r.domains.Required(found.ID); !required {
			ids = append(ids, found.ID)
		}
	}
	return ids
}

// Has says whether the realm is in the file as its reader of record sees it; pam
// and pve always are.
func (r Realms) Has(id string) bool {
	if r.err != nil {
		return false
	}
	_, ok := r.domains.Lookup(id)
	return ok
}

// TFA is what the realm's own tfa line asks for; nil where there is none.
func (r Realms) TFA(id string) *realm.TFA {
	if r.err != nil {
		return nil
	}
	if found, ok := r.domains.Lookup(id); ok {
		return found.TFA
	}
	return nil
}

// ErrRealm means that a name and a realm were given that do not go together.
var ErrRealm = errors.New("the name ends in another realm than the one asked for")

// ErrNoDefault means that a name came without a realm, and the realm file, which
// says what the default one is, could not be read. Another realm's user of that
// name must not be judged in its stead.
var ErrNoDefault = errors.New("a name without a realm may be in any")

// Resolve makes the user id NAME@REALM of what was given: a name that ends in a
// realm is in that realm, a bare one in the asked realm, else in the realm marked
// default, else in pam. Names are folded to lower case where the realm's
// directory takes both.
func (r Realms) Resolve(name, asked string) (id, realmID string, err error) {
	user, inName, has := cutRealm(name)
	realmID = asked
	switch {
	case has && asked != "" && inName != asked:
		return "", "", ErrRealm
	case has:
		realmID = inName
	case asked == "" && r.err == nil:
		realmID = r.domains.Default()
	case asked == "" && !errors.Is(r.err, fs.ErrNotExist):
		return "", "", fmt.Errorf("%w: %w", ErrNoDefault, r.err)
	}
	if strings.HasSuffix(user, "@") {
		return "", "", fmt.Errorf("%q ends in an empty realm, which some directories take for none: it would be a second name of one person", user)
	}
	if realmID == "" {
		realmID = "pam"
	}
	if err := realm.CheckID(realmID); err != nil {
		return "", "", err
	}
	id = user + "@" + realmID
	// Before folding, which would make every byte that is no UTF-8 the same.
	if err := mfa.CheckID(id); err != nil {
		return "", "", err
	}
	if r.folds(realmID) {
		id = strings.ToLower(user) + "@" + realmID
		if err := mfa.CheckID(id); err != nil { // some letters are longer in lower case
			return "", "", err
		}
	}
	return id, realmID, nil
}

// cutRealm splits at the last "@" that is followed by a well-formed realm.
func cutRealm(name string) (user, realmID string, ok bool) {
	i := strings.LastIndexByte(name, '@')
	if i < 0 || realm.CheckID(name[i+1:]) != nil {
		return name, "", false
	}
	return name[:i], name[i+1:], true
}

// folds says whether names of the realm are kept in lower case.
func (r Realms) folds(id string) bool {
	if r.err != nil {
		return id == "pam"
	}
	found, _ := r.domains.Lookup(id)
	switch found.Type {
	case "ldap", "ad", "pam":
		return !found.CaseSensitive
	}
	return id == "pam" && !found.CaseSensitive
}
