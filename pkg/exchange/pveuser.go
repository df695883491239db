package exchange

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"oathkit/pkg/account"
	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
)

// A Shape is what the codes of keys in user.cfg are like in a realm.
type Shape struct {
	Digits, Period int
	Other          string // not empty: the keys there are no OATH keys, but of this kind
}

// KeysOf are the keys of a KEYS field. They are those that Proxmox VE takes, each
// between two separators; where it takes none those that package oath reads
// there; and where there is none of these the one key, or several, that somebody
// pasted with blanks inside. The errors are of texts that are no key, and hold no
// part of one. A marker is no key.
func KeysOf(k account.Keys) ([]oath.Key, []error) {
	if k.IsZero() || k.Marker() != "" {
		return nil, nil
	}
	list := account.SplitList(k.Reveal())
	for _, read := range []func(string) (oath.Key, error){parsePVEKey, oath.ParseKey} {
		if keys, errs := eachKey(list, read); len(keys) > 0 {
			return keys, errs
		}
	}
	var keys []oath.Key
	pasted, err := oath.ParseKeys(k.Reveal())
	for _, key := range pasted {
		keys = appendNew(keys, key)
	}
	if err != nil {
		return keys, []error{err}
	}
	return keys, nil
}

func eachKey(list []string, read func(string) (oath.Key, error)) (keys []oath.Key, errs []error) {
	for i, text := range list {
		k, err := read(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("key %d of %d: %w", i+1, len(list), err))
			continue
		}
		keys = appendNew(keys, k)
	}
	return keys, errs
}

var errNotPVE = errors.New("PVE does not take it")

// parsePVEKey reads a key that PVE takes: hexadecimal and base32 are told apart
// by the prefix and the length alone.
func parsePVEKey(text string) (oath.Key, error) {
	if !account.PVEKey(text) {
		return oath.Key{}, errNotPVE
	}
	if b32, ok := strings.CutPrefix(text, "v2-"); ok && !strings.HasPrefix(text, "v2-0x") {
		return oath.ParseBase32(b32)
	}
	if len(text) == 16 {
		return oath.ParseBase32(text)
	}
	return oath.ParseKey(text)
}

func appendNew(keys []oath.Key, k oath.Key) []oath.Key {
	for _, o := range keys {
		if o.Equal(k) {
			return keys
		}
	}
	return append(keys, k)
}

// Users are the users of a user.cfg who have something in the KEYS field. There,
// their codes are asked for where the realm asks for a factor; nothing tells
// whether anybody ever gave one, so no key is activated unless proved says so.
// Accounts that are disabled, or expired by now, are let in nowhere, which no
// record of ours can say; so they are left behind.
func Users(users account.Users, shape func(realm string) Shape, proved bool, now time.Time) ([]Person, []Loss) {
	var people []Person
	var losses []Loss
	for _, u := range users.All() {
		if u.Keys.IsZero() {
			continue
		}
		p := Person{ID: u.ID, Needed: true}
		lose := func(what, format string, args ...any) {
			losses = append(losses, Loss{u.ID, what, fmt.Sprintf(format, args...)})
		}
		s := shape(u.Realm)
		keys, errs := KeysOf(u.Keys)
		switch marker := u.Keys.Marker(); {
		case marker != "":
			p.Needed = false
			lose("keys", "%s stands for what is in tfa.cfg, which is imported by itself", marker)
			keys = nil
		case !u.Enabled, u.Expired(now):
			p.Needed = false
			lose("keys", "the account is disabled or expired there, and would not be here")
			keys, errs = nil, nil
		case s.Other != "":
			lose("keys", "those of a realm of type %s are no keys of codes", s.Other)
			keys, errs = nil, nil
		}
		for _, err := range errs {
			lose("keys", "%v", err)
		}
		for i, k := range keys {
			name := fmt.Sprintf("key %d", i+1)
			if err := (oath.Params{Kind: oath.TOTP, Digits: s.Digits, Period: s.Period}).Check(); err != nil {
				lose(name, "%v", err)
				continue
			}
			p.take(mfa.ImportedCredential{
				Label: "user.cfg", Key: k, Digits: s.Digits, Period: s.Period, Activated: proved, UnknownUse: true,
			}, name, lose)
		}
		people = append(people, p)
	}
	return people, losses
}

// An Edit is what became of one line of user.cfg.
type Edit struct {
	User string // as the file spells it
	Line int
	Keys int // how many there are now
}

// EditUsers gives the users of a user.cfg the keys that they have with us, and
// changes nothing else: not a line of anybody who has none, and not one that has
// these keys already. idOf is our id of a user of the file.
func EditUsers(file []byte, people []Person, shape func(realm string) Shape, idOf func(id string) string) ([]byte, []Edit, []Loss) {
	users := account.ParseUsers(file)
	lines := map[string][]account.User{}
	for _, u := range users.All() {
		if u.Line > 0 {
			id := idOf(u.ID)
			lines[id] = append(lines[id], u)
		}
	}
	var edits []Edit
	var losses []Loss
	fields := map[int]account.Keys{}
	for i := range people {
		p := &people[i]
		lose := func(what, why string) { losses = append(losses, Loss{p.ID, what, why}) }
		of := lines[p.ID]
		if len(of) != 1 {
			why := "there is no line of this user in the file"
			if len(of) > 1 {
				why = fmt.Sprintf("lines %d and %d of the file are both this user", of[0].Line, of[1].Line)
			}
			lose("user", why)
			continue
		}
		texts, keys := p.keyTexts(shape(of[0].Realm), lose)
		if len(texts) == 0 {
			if !of[0].Keys.IsZero() {
				lose("user", fmt.Sprintf("no key can be written, so line %d stays as it is", of[0].Line))
			}
			continue
		}
		if had, errs := KeysOf(of[0].Keys); len(errs) == 0 && sameKeys(had, keys) && of[0].Keys.Marker() == "" && usableThere(of[0].Keys) {
			continue
		}
		fields[of[0].Line] = account.NewKeys(strings.Join(texts, ","))
		edits = append(edits, Edit{of[0].ID, of[0].Line, len(texts)})
	}
	return account.SetKeys(file, fields), edits, losses
}

// usableThere says that PVE takes every key as it is written.
func usableThere(k account.Keys) bool {
	_, unusable := k.Count()
	return unusable == 0
}

// keyTexts are the keys that codes can be checked by there, as PVE takes them.
func (p *Person) keyTexts(s Shape, lose func(what, why string)) (texts []string, keys []oath.Key) {
	for i := range p.Credentials {
		c := &p.Credentials[i]
		name := what(mfa.TOTP, c.Label, i)
		switch {
		case s.Other != "":
			lose(name, "the keys of a realm of type "+s.Other+" are no keys of codes")
		case c.Algorithm != oath.SHA1:
			lose(name, "its codes are made with "+c.Algorithm.String()+", there with SHA1 alone")
		case c.Digits != s.Digits || c.Period != s.Period:
			lose(name, fmt.Sprintf("its codes have %d digits and last %d s, in this realm %d and %d s", c.Digits, c.Period, s.Digits, s.Period))
		default:
			texts = append(texts, pveKeyText(c.Key))
			keys = append(keys, c.Key)
		}
	}
	if len(p.Recovery.Hashes) > 0 {
		lose("recovery codes", "there is no room for them in user.cfg")
	}
	if len(texts) > 0 && (p.Locked || !p.LockedUntil.IsZero()) {
		lose("lock", "user.cfg knows none")
	}
	return texts, keys
}

// pveKeyText writes a key so that PVE's forms take it where that is possible.
func pveKeyText(k oath.Key) string {
	switch k.Bits() {
	case 80:
		return k.Base32()
	case 160:
		return k.Hex()
	}
	return "v2-0x" + k.Hex()
}

// sameKeys says whether two lists hold the same keys in any order.
func sameKeys(a, b []oath.Key) bool {
	if len(a) != len(b) {
		return false
	}
	for _, k := range a {
		if len(appendNew(b, k)) != len(b) {
			return false
		}
	}
	return true
}
