package main

import (
	"fmt"
	"strconv"
	"strings"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/account"
	"oathkit/pkg/realm"
)

// What becomes of an account once its realm asks for a second factor.
const (
	stateLockedOut = "locked-out"
	stateFine      = "fine"
	stateOff       = "off" // nobody gets in by it now, either
)

// A standing is an account of a realm, and what would become of it if the realm
// asked for a second factor. State is empty until its factors were looked at.
type standing struct {
	ID     string `json:"id"`
	State  string `json:"state"`
	Reason string `json:"reason"` // a stable word, see realmctl(8)
	Why    string `json:"why"`
	Locked bool   `json:"locked"` // too many wrong codes, for now
	You    bool   `json:"you"`    // the account of whoever runs this
}

func (s standing) String() string { return fmt.Sprintf("%s: %s", s.ID, s.Why) }

// asked says whether the account would be asked for a factor.
func (s standing) asked() bool { return s.State != stateOff }

// An outlook is what the guard saw: who would be locked out of a realm and who
// not, or why that is not known.
type outlook struct {
	realm    realm.Realm
	accounts []standing
	err      error
}

// showPlan prints the plan of an edit that turns a factor on: who would be locked
// out, who not, and with -n the change.
func (t *tool) showPlan(c *cli.Context, path string, old, edited []byte, refused bool) error {
	p := t.plan
	if t.json {
		return t.planJSON(c, path, old, edited, refused)
	}
	if p.err != nil {
		fmt.Fprintf(c.Stdout, "%s\n\n", cli.Printable("not known: "+p.err.Error()))
		return nil
	}
	words := map[string]string{stateLockedOut: "locked out", stateFine: "gets in", stateOff: "no account"}
	var rows [][]string
	for _, state := range []string{stateLockedOut, stateFine, stateOff} {
		for _, s := range p.accounts {
			if s.State != state {
				continue
			}
			id := s.ID
			if s.You {
				id += " (you)"
			}
			rows = append(rows, []string{id, words[state], s.Why})
		}
	}
	if err := cli.Table(c.Stdout, []string{"ACCOUNT", "THEN", "WHY"}, rows); err != nil {
		return err
	}
	c.Stdout.WriteString("\n")
	return nil
}

func (t *tool) planJSON(c *cli.Context, path string, old, edited []byte, refused bool) error {
	p := t.plan
	unknown := ""
	if p.err != nil {
		unknown = p.err.Error()
	}
	accounts := p.accounts
	if accounts == nil {
		accounts = []standing{}
	}
	return c.JSON(struct {
		File     string     `json:"file"`
		Realm    string     `json:"realm"`
		TFA      *realm.TFA `json:"tfa"`
		DryRun   bool       `json:"dry_run"`
		Refused  bool       `json:"refused"`
		Unknown  string     `json:"unknown"` // why nobody could be looked at; else ""
		Accounts []standing `json:"accounts"`
		Diff     string     `json:"diff"`
	}{path, p.realm.ID, p.realm.TFA, t.dryRun, refused, unknown, accounts, string(unifiedDiff(path, old, edited))})
}

// A person is who runs this, as far as that can be known.
type person struct {
	name  string
	local bool // has an entry in the passwd file
}

// A session is what of the process tells who runs it.
type session struct {
	env      func(string) string
	loginUID string // of the kernel; "" where it does not know
	uid      int
}

// people are the names of whoever runs this. The kernel's login id comes first,
// for neither sudo nor su changes it; then sudo's word; then the user of the
// process and, where su left it, $USER, which can only add a name.
func (s session) people(passwd []byte) []person {
	sudoUID, sudoUser := s.env("SUDO_UID"), s.env("SUDO_USER")
	for _, uid := range []string{s.loginUID, sudoUID} {
		if uid == "" || uid == "0" && uid == sudoUID {
			continue
		}
		if name := nameOf(passwd, uid); name != "" {
			return []person{{name, true}}
		}
		if uid == sudoUID && sudoUser != "" { // of a directory
			return []person{{sudoUser, false}}
		}
	}
	var all []person
	for _, l := range account.ParsePasswd(passwd) {
		if l.Name == s.env("USER") || int(l.UID) == s.uid && nameOf(passwd, strconv.Itoa(s.uid)) == l.Name {
			all = append(all, person{l.Name, true})
		}
	}
	return all
}

// nameOf is the first name that a passwd file has for a user id, or "".
func nameOf(passwd []byte, uid string) string {
	for line := range strings.Lines(string(passwd)) {
		if f := strings.SplitN(line, ":", 4); len(f) == 4 && f[2] == uid && f[0] != "" && !strings.ContainsAny(f[0][:1], "#+-") {
			return f[0]
		}
	}
	return ""
}

// runBy is who runs this; the test of a command without a session is nobody's.
func (t *tool) runBy() []person {
	if t.session == nil {
		return nil
	}
	b, _ := readFile(t.passwd) // without one nobody is known
	return t.session.people(b)
}
