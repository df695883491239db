package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/account"
	"oathkit/pkg/exchange"
	"oathkit/pkg/oath"
	"oathkit/pkg/realm"
)

// tfaPath is priv/tfa.cfg of the cluster file system.
func (t *tool) tfaPath() string { return filepath.Join(t.pve, "priv", "tfa.cfg") }

// judgedByPVE judges by what Proxmox VE asks: the keys of user.cfg and the entries
// of priv/tfa.cfg, or says why that cannot be read.
func (t *tool) judgedByPVE(r realm.Realm, users []account.User, tfa exchange.TFA, err error) ([]standing, error) {
	if r.TFA != nil && r.TFA.Type != "oath" {
		return nil, cli.Refused("realm %q: whether the keys of a realm of type %s are any good is known to its server only: %w", r.ID, r.TFA.Type, errUnknown)
	}
	if err != nil {
		return nil, cli.Refused("realm %q: %w; %w", r.ID, err, errUnknown)
	}
	you := make(map[string]bool)
	for _, who := range t.runBy() {
		you[who.name+"@pam"] = true
	}
	var all []standing
	for _, u := range users {
		s := t.listed(u)
		if s.asked() {
			s = judgeByPVE(u, tfa.Of(u.ID))
		}
		s.You = you[s.ID]
		all = append(all, s)
	}
	return all, nil
}

// judgeByPVE says whether PVE lets a user of a realm of type oath in, and why.
func judgeByPVE(u account.User, entry exchange.Tally) standing {
	s := standing{ID: u.ID, State: stateFine, Reason: "key"}
	usable, unusable := u.Keys.Count()
	s.Locked = entry.Locked
	var has []string
	if usable > 0 {
		has = append(has, counted(usable, "key")+" in user.cfg")
	}
	if entry.TOTP > 0 {
		has = append(has, counted(entry.TOTP, "TOTP entry")+" in tfa.cfg")
	}
	if unusable > 0 {
		has = append(has, strings.Join(u.Keys.Faults(), ", "))
	}
	s.Why = strings.Join(has, "; ")
	if why := lacks(u, entry); why != "" {
		s.State, s.Reason, s.Why = stateLockedOut, lack(u, entry), why
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
func lack(u account.User, entry exchange.Tally) string {
	usable, _ := u.Keys.Count()
	switch {
	case usable > 0, entry.TOTP > 0:
		return "totp-locked"
	case entry.Disabled > 0:
		return "totp-disabled"
	case len(u.Keys.Faults()) > 0:
		return "unusable-key"
	case entry.Broken > 0, entry.Other > 0:
		return "no-totp"
	case entry.Recovery:
		return "recovery-only"
	}
	return "no-key"
}

// lacks says why PVE lets a user of a realm of type oath not in; "" means that
// he has a factor.
func lacks(u account.User, entry exchange.Tally) string {
	usable, _ := u.Keys.Count()
	if (usable > 0 || entry.TOTP > 0) && !entry.Locked {
		return ""
	}
	var why []string
	switch faults := u.Keys.Faults(); {
	case usable > 0: // PVE takes it as one more of his entries, and these are locked
	case len(faults) > 0:
		why = append(why, "in user.cfg "+strings.Join(faults, ", "))
	case u.Keys.Marker() != "":
		why = append(why, fmt.Sprintf("user.cfg says %s, see tfa.cfg", u.Keys.Marker()))
	default:
		why = append(why, "no key in user.cfg")
	}
	switch {
	case usable > 0 || entry.TOTP > 0:
		why = append(why, "TOTP is locked in tfa.cfg: pveum user tfa unlock frees it")
	case entry.Disabled > 0:
		why = append(why, "the TOTP entry in tfa.cfg is disabled")
	case entry.Broken > 0:
		why = append(why, "PVE can compute no code of the TOTP entry in tfa.cfg")
	case entry.Other > 0:
		why = append(why, "tfa.cfg has a factor, but no TOTP, which is what type oath wants")
	case entry.Recovery:
		why = append(why, "tfa.cfg has nothing but recovery codes")
	default:
		why = append(why, "no TOTP entry in tfa.cfg")
	}
	return strings.Join(why, "; ")
}

// readTFA reads priv/tfa.cfg. A file that is not there has no entries; what cannot
// be read or makes no sense is an error.
func readTFA(path string) (exchange.TFA, error) {
	b, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return exchange.TFA{}, nil
	}
	if err != nil {
		return exchange.TFA{}, err
	}
	f, err := exchange.ParseTFA(b)
	if err != nil {
		return exchange.TFA{}, fmt.Errorf("%s: PVE cannot read it: %w", path, err)
	}
	return f, nil
}

// copied counts the keys of a user's KEYS field that PVE has copied to tfa.cfg, as
// it does at a login.
func copied(keys account.Keys, entry exchange.Tally) int {
	n := 0
	if keys.Marker() != "" {
		return 0
	}
	for _, text := range account.SplitList(keys.Reveal()) {
		key, err := oath.ParseKey(text)
		if err == nil && account.PVEKey(text) && slices.ContainsFunc(entry.Keys, key.Equal) {
			n++
		}
	}
	return n
}
