package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/account"
	"oathkit/pkg/exchange"
	"oathkit/pkg/realm"
	"oathkit/pkg/realm/realmfile"
)

// A fault is a problem of a file, with the file.
type fault struct {
	File     string `json:"file"`
	Line     int    `json:"line"` // 0 when it is about the whole file
	Severity string `json:"severity"`
	Code     string `json:"code"`
	Message  string `json:"message"`
	Mend     string `json:"mend"`
}

func (t *tool) check(c *cli.Context) error {
	path, b, info, err := t.readDomains()
	if err != nil {
		return err
	}
	d := realm.Parse(b)
	faults := t.domainsFaults(path, d, info)
	usersPath, named, err := t.askedUsersPath(c, path)
	if err != nil {
		return err
	}
	users, found, err := t.readUsers(usersPath, named)
	if err != nil {
		return err
	}
	if found {
		faults = append(faults, userFaults(usersPath, users, d)...)
	}
	tfaPath := t.tfaPath()
	if !t.isPVE(path) {
		tfaPath = filepath.Join(filepath.Dir(path), "priv", "tfa.cfg")
	}
	tfa, tfaErr := readTFA(tfaPath)
	if found && tfaErr == nil {
		faults = append(faults, copiedKeys(usersPath, tfaPath, users, tfa)...)
	}
	if t.isPVE(path) {
		faults = append(faults, t.pveLockedOut(usersPath, users, d, tfa, tfaErr)...)
	}
	if !t.json {
		mendable(c, b)
	}
	if cfg, err := t.loadConfig(); err == nil { // a broken one has been told of
		faults = append(faults, factorFaults(t.configPath(), cfg, d)...)
	}
	return t.report(c, faults)
}

// report prints the faults. The exit code is "no" when one of them could change
// who gets in.
func (t *tool) report(c *cli.Context, faults []fault) error {
	serious := slices.ContainsFunc(faults, func(f fault) bool { return f.Severity == string(realm.Error) })
	if t.json {
		if faults == nil {
			faults = []fault{}
		}
		if err := c.JSON(struct {
			Problems []fault `json:"problems"`
		}{faults}); err != nil {
			return err
		}
	} else {
		for _, f := range faults {
			where := f.File
			if f.Line > 0 {
				where = fmt.Sprintf("%s:%d", f.File, f.Line)
			}
			text := fmt.Sprintf("%s: %s: %s", where, f.Severity, f.Message)
			if f.Mend != "" {
				text += "; mend: " + f.Mend
			}
			fmt.Fprintln(c.Stdout, cli.Printable(text))
		}
	}
	if serious {
		return cli.ErrNo
	}
	return nil
}

// domainsFaults are the faults of the domains file, and of who can write it.
func (t *tool) domainsFaults(path string, d *realm.Domains, info realmfile.Info) []fault {
	var faults []fault
	if info.Mode.Perm()&0o022 != 0 && !t.isPVE(path) {
		faults = append(faults, fault{
			path, 0, string(realm.Error), "file-mode",
			fmt.Sprintf("the file has mode %04o: others than its owner can write it, so oathverify refuses to read it and asks everybody for a factor", info.Mode.Perm()),
			"chmod go-w " + path + ", after a look at what it says",
		})
	}
	if info.UID != 0 && int(info.UID) != os.Geteuid() && !t.isPVE(path) {
		faults = append(faults, fault{
			path, 0, string(realm.Error), "file-owner",
			fmt.Sprintf("the file belongs to uid %d: unless oathverify runs as that user it refuses to read it and asks everybody for a factor", info.UID),
			"chown root " + path + ", after a look at what it says",
		})
	}
	if t.isPVE(path) {
		if p, ok := realm.SizeProblem(len(d.Bytes())); ok {
			faults = append(faults, fault{path, p.Line, string(p.Severity), p.Code, p.Message, p.Mend})
		}
	}
	for _, p := range d.Problems() {
		faults = append(faults, fault{path, p.Line, string(p.Severity), p.Code, p.Message, p.Mend})
	}
	return faults
}

// userFaults are the faults of the user file. What is in the KEYS field of a
// realm of type yubico is no key of ours, and is not judged.
func userFaults(path string, users account.Users, d *realm.Domains) []fault {
	realms := make(map[string]realm.Realm)
	for _, r := range d.Realms() {
		realms[r.ID] = r
	}
	var faults []fault
	for _, p := range users.Problems() {
		if u, ok := users.Lookup(p.User); ok && strings.HasPrefix(p.Code, "key-") {
			if r := realms[u.Realm]; r.TFA != nil && r.TFA.Type == "yubico" {
				continue
			}
		}
		faults = append(faults, fault{path, p.Line, p.Severity, p.Code, p.Message, p.Mend})
	}
	for _, u := range users.All() {
		if _, ok := realms[u.Realm]; !ok {
			faults = append(faults, fault{
				path, u.Line, account.Warning, "unknown-realm",
				fmt.Sprintf("PVE lets %q not in: there is no realm %q", u.ID, u.Realm),
				"add the realm to the domains file, or remove the user",
			})
		}
	}
	slices.SortStableFunc(faults, func(a, b fault) int { return a.Line - b.Line })
	return faults
}

// copiedKeys names the users whose key is in two files, so that it takes two steps
// to revoke it.
func copiedKeys(usersPath, tfaPath string, users account.Users, tfa exchange.TFA) (faults []fault) {
	for _, u := range users.All() {
		if n := copied(u.Keys, tfa.Of(u.ID)); n > 0 {
			faults = append(faults, fault{
				usersPath, u.Line, account.Warning, "copied-key",
				fmt.Sprintf("PVE has copied %s of %q to %s: to remove it here does not revoke it", counted(n, "key"), u.ID, tfaPath),
				"to revoke it, remove it here, and: pveum user tfa delete " + u.ID,
			})
		}
	}
	return faults
}

// pveLockedOut names the accounts of realms with a second factor that Proxmox VE
// lets not in, for they have none.
func (t *tool) pveLockedOut(usersPath string, users account.Users, d *realm.Domains, tfa exchange.TFA, tfaErr error) []fault {
	var faults []fault
	for _, r := range d.Realms() {
		if r.TFA == nil || r.TFA.Type != "oath" {
			continue
		}
		if tfaErr != nil {
			return []fault{{
				t.tfaPath(), 0, account.Error, "tfa-cfg",
				tfaErr.Error() + ", so it is not known who has a second factor", "run it as root; mend the file",
			}}
		}
		for _, u := range users.In(r.ID) {
			if !u.Enabled || u.Expired(t.now()) {
				continue
			}
			if why := lacks(u, tfa.Of(u.ID)); why != "" {
				faults = append(faults, fault{
					usersPath, u.Line, account.Error, "locked-out",
					fmt.Sprintf("PVE asks %q for a second factor and lets him not in: %s", u.ID, why),
					"give him a factor, or: realmctl tfa disable " + r.ID,
				})
			}
		}
	}
	return faults
}
