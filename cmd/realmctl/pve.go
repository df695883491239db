package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/account"
	"oathkit/pkg/oath"
	"oathkit/pkg/realm"
)

// A tfaConfig is what PVE's priv/tfa.cfg says of each user, by id.
type tfaConfig map[string]tfaUser

// A tfaUser counts a user's entries.
type tfaUser struct {
	totp     int // enabled TOTP entries
	disabled int // TOTP entries that are switched off
	other    int // enabled WebAuthn, U2F and Yubico entries
	recovery bool
	locked   bool // TOTP is locked after too many wrong codes

	keys []oath.Key // of the TOTP entries, those that are switched off included
}

// tfaPath is priv/tfa.cfg of the cluster file system.
func (t *tool) tfaPath() string { return filepath.Join(t.pve, "priv", "tfa.cfg") }

// judgedByPVE judges by what Proxmox VE asks: the keys of user.cfg and the entries
// of priv/tfa.cfg.
func (t *tool) judgedByPVE(r realm.Realm, users account.Users) ([]standing, error) {
	if r.TFA != nil && r.TFA.Type != "oath" {
		return nil, cli.Refused("realm %q: whether the keys of a realm of type %s are any good is known to its server only: %w", r.ID, r.TFA.Type, errUnknown)
	}
	tfa, err := readTFAConfig(t.tfaPath())
	if err != nil {
		return nil, cli.Refused("realm %q: %w; %w", r.ID, err, errUnknown)
	}
	you := make(map[string]bool)
	for _, who := range t.runBy() {
		you[who.name+"@pam"] = true
	}
	var all []standing
	for _, u := range users.In(r.ID) {
		s := t.listed(u)
		if s.asked() {
			s = tfa.judge(u)
		}
		s.You = you[s.ID]
		all = append(all, s)
	}
	return all, nil
}

// judge says whether PVE lets a user of a realm of type oath in, and why.
func (c tfaConfig) judge(u account.User) standing {
	s := standing{ID: u.ID, State: stateFine, Reason: "key"}
	usable, unusable := u.Keys.Count()
	entry := c[u.ID]
	s.Locked = entry.locked
	var has []string
	if usable > 0 {
		has = append(has, counted(usable, "key")+" in user.cfg")
	}
	if entry.totp > 0 && !entry.locked {
		has = append(has, counted(entry.totp, "TOTP entry")+" in tfa.cfg")
	}
	if unusable > 0 {
		has = append(has, strings.Join(u.Keys.Faults(), ", "))
	}
	s.Why = strings.Join(has, "; ")
	if why := c.lacks(u); why != "" {
		s.State, s.Reason, s.Why = stateLockedOut, entry.lack(u), why
	}
	return s
}

func counted(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "y") && !strings.HasSuffix(what, "ey"):
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(what, "y"))
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// lack is the word for what keeps a user out.
func (entry tfaUser) lack(u account.User) string {
	switch {
	case entry.totp > 0:
		return "totp-locked"
	case entry.disabled > 0:
		return "totp-disabled"
	case len(u.Keys.Faults()) > 0:
		return "unusable-key"
	case entry.other > 0:
		return "no-totp"
	case entry.recovery:
		return "recovery-only"
	}
	return "no-key"
}

// lacks says why PVE lets a user of a realm of type oath not in; "" means that
// he has a factor.
func (c tfaConfig) lacks(u account.User) string {
	usable, _ := u.Keys.Count()
	entry := c[u.ID]
	if usable > 0 || entry.totp > 0 && !entry.locked {
		return ""
	}
	var why []string
	switch faults := u.Keys.Faults(); {
	case len(faults) > 0:
		why = append(why, "in user.cfg "+strings.Join(faults, ", "))
	case u.Keys.Marker() != "":
		why = append(why, fmt.Sprintf("user.cfg says %s, see tfa.cfg", u.Keys.Marker()))
	default:
		why = append(why, "no key in user.cfg")
	}
	switch {
	case entry.totp > 0:
		why = append(why, "TOTP is locked in tfa.cfg: pveum user tfa unlock frees it")
	case entry.disabled > 0:
		why = append(why, "the TOTP entry in tfa.cfg is disabled")
	case entry.other > 0:
		why = append(why, "tfa.cfg has a factor, but no TOTP, which is what type oath wants")
	case entry.recovery:
		why = append(why, "tfa.cfg has nothing but recovery codes")
	default:
		why = append(why, "no TOTP entry in tfa.cfg")
	}
	return strings.Join(why, "; ")
}

// readTFAConfig reads priv/tfa.cfg. A file that is not there has no entries;
// what cannot be read or makes no sense is an error.
func readTFAConfig(path string) (tfaConfig, error) {
	b, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return tfaConfig{}, nil
	}
	if err != nil {
		return nil, err
	}
	cfg, err := parseTFAConfig(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return cfg, nil
}

// parseTFAConfig reads the JSON of tfa.cfg, as strictly as PVE does: a field
// that PVE does not know, or a value of another type, makes the whole file
// unreadable to it. No part of a secret is in the error.
func parseTFAConfig(b []byte) (tfaConfig, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	var file map[string]json.RawMessage
	if err := d.Decode(&file); err != nil {
		return nil, fmt.Errorf("cannot be decoded: %w", jsonError(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("cannot be decoded: something follows the end of the object")
	}
	var users map[string]json.RawMessage
	if raw, ok := file["users"]; ok {
		if err := json.Unmarshal(raw, &users); err != nil {
			return nil, fmt.Errorf("cannot be decoded: users: %w", jsonError(err))
		}
	}
	cfg := make(tfaConfig, len(users))
	for id, raw := range users {
		u, err := parseTFAUser(raw)
		if err != nil {
			return nil, fmt.Errorf("cannot be decoded: user %q: %w", id, err)
		}
		cfg[id] = u
	}
	return cfg, nil
}

func parseTFAUser(raw json.RawMessage) (tfaUser, error) {
	var fields map[string]json.RawMessage
	if err := object(raw, &fields); err != nil {
		return tfaUser{}, err
	}
	var u tfaUser
	for name, raw := range fields {
		var err error
		switch name {
		case "totp":
			err = u.entries(raw, u.totpEntry)
		case "u2f", "webauthn", "yubico":
			err = u.entries(raw, func(enabled bool, _ json.RawMessage) error {
				if enabled {
					u.other++
				}
				return nil
			})
		case "recovery":
			u.recovery = string(raw) != "null"
		case "totp-locked":
			err = json.Unmarshal(raw, &u.locked)
		case "tfa-locked-until":
			var until int64
			err = json.Unmarshal(raw, &until)
		default:
			err = errors.New("PVE does not know this field")
		}
		if err != nil {
			return tfaUser{}, fmt.Errorf("%q: %w", name, jsonError(err))
		}
	}
	return u, nil
}

// entries gives what each item of a list holds to fn.
func (u *tfaUser) entries(raw json.RawMessage, fn func(enabled bool, entry json.RawMessage) error) error {
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil || list == nil {
		return errors.New("is no list")
	}
	for i, raw := range list {
		enabled, entry, err := tfaItem(raw)
		if err == nil {
			err = fn(enabled, entry)
		}
		if err != nil {
			return fmt.Errorf("item %d: %w", i+1, err)
		}
	}
	return nil
}

// tfaItem reads what every item of tfa.cfg has around its entry.
func tfaItem(raw json.RawMessage) (enabled bool, entry json.RawMessage, err error) {
	var fields map[string]json.RawMessage
	if err := object(raw, &fields); err != nil {
		return false, nil, err
	}
	enabled = true
	seen := 0
	for name, value := range fields {
		var err error
		switch name {
		case "id":
			err = json.Unmarshal(value, new(string))
			seen++
		case "description":
			err = json.Unmarshal(value, new(string))
		case "created":
			err = json.Unmarshal(value, new(int64))
			seen++
		case "enable":
			err = json.Unmarshal(value, &enabled)
		case "entry":
			entry = value
			seen++
		default:
			err = errors.New("PVE does not know this field")
		}
		if err == nil && string(value) == "null" {
			err = errors.New("null cannot stand there")
		}
		if err != nil {
			return false, nil, fmt.Errorf("%q: %w", name, jsonError(err))
		}
	}
	if seen < 3 {
		return false, nil, errors.New("id, created and entry must be there")
	}
	return enabled, entry, nil
}

// totpEntry counts an entry of the list totp: a URI, or {"totp": URI,
// "last-count": N} once it was used.
func (u *tfaUser) totpEntry(enabled bool, raw json.RawMessage) error {
	var uri string
	if err := json.Unmarshal(raw, &uri); err != nil {
		var used map[string]json.RawMessage
		if err := object(raw, &used); err != nil {
			return err
		}
		for name := range used {
			if name != "totp" && name != "last-count" {
				return fmt.Errorf("PVE does not know the field %q", name)
			}
		}
		if err := json.Unmarshal(used["totp"], &uri); err != nil {
			return errors.New("its URI is missing")
		}
	}
	parsed, err := parsePVEURI(uri)
	if err != nil {
		return err
	}
	u.keys = append(u.keys, parsed.Key)
	if enabled {
		u.totp++
	} else {
		u.disabled++
	}
	return nil
}

// parsePVEURI refuses what PVE cannot read. It reads no parameter but these.
func parsePVEURI(uri string) (oath.URI, error) {
	_, query, _ := strings.Cut(uri, "?")
	for part := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(part, "=")
		switch name {
		case "secret", "digits", "algorithm", "period", "issuer":
		default:
			return oath.URI{}, errors.New("its URI has a parameter that PVE does not know")
		}
	}
	parsed, err := oath.ParseURI(uri)
	if err != nil {
		return oath.URI{}, fmt.Errorf("its URI: %w", err)
	}
	return parsed, nil
}

// copied counts the keys of a user's KEYS field that PVE has copied to tfa.cfg, as
// it does at a login.
func (entry tfaUser) copied(keys account.Keys) int {
	n := 0
	if keys.Marker() != "" {
		return 0
	}
	for _, text := range account.SplitList(keys.Reveal()) {
		key, err := oath.ParseKey(text)
		if err == nil && account.PVEKey(text) && slices.ContainsFunc(entry.keys, key.Equal) {
			n++
		}
	}
	return n
}

func object(raw json.RawMessage, fields *map[string]json.RawMessage) error {
	if err := json.Unmarshal(raw, fields); err != nil || *fields == nil {
		return errors.New("is no object")
	}
	return nil
}

// jsonError drops what a decoder's error quotes of the file, which could be a
// secret.
func jsonError(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("no JSON at byte %d", syntax.Offset)
	case errors.As(err, &kind):
		return fmt.Errorf("a %s cannot stand there", strings.SplitN(kind.Value, " ", 2)[0])
	}
	return err
}
