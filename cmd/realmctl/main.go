// Realmctl shows, checks and edits the realms of a domains file, and turns their
// second factor on and off. Root runs it, often in an emergency: with -f it needs
// nothing but that file.
package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/oathconf"
	"oathkit/pkg/realm"
)

func main() { os.Exit(cli.Main(command())) }

// pveRoot is where Proxmox VE's cluster file system is mounted: what is below it
// PVE reads, and has its own locks and its own second factors.
const pveRoot = "/etc/pve"

// A tool is one run of realmctl: where the world is, and what the command line
// says.
type tool struct {
	pve    string           // see pveRoot
	passwd string           // the passwd file
	now    func() time.Time // for accounts that expire
	ready  asker            // asks who has an activated factor

	everybody func(config string) ([]readiness, error) // asks that of all realms; nil asks mfactl

	session *session           // who runs this; nil is nobody
	time    *clock             // nil is the one of this machine
	watcher func(string) error // leaves the process that ends a trial; nil is watch
	systemd [2]string          // where it runs, and where its units are enabled
	plan    *outlook           // what the guard saw
	screen  bool               // standard output is a terminal

	file, users string // -f, -u; "" where not given
	config      string // -c; "" where not given

	json, dryRun, lockOut, letIn, all, wait, showDiff, emergency bool
	digits, step                                                 int           // 0 where not given
	trial                                                        time.Duration // 0 for no trial
	trialRealm                                                   string        // what is tried
}

func command() *cli.Command {
	t := &tool{pve: pveRoot, passwd: "/etc/passwd", now: time.Now}
	t.systemd = [2]string{"/run/systemd/system", "/etc/systemd/system"}
	t.ready = askMfactl
	t.screen = cli.IsTerminal(os.Stdout)
	t.session = &session{env: os.Getenv, loginUID: loginUID(), uid: os.Getuid()}
	return t.command()
}

func (t *tool) command() *cli.Command {
	return &cli.Command{
		Name:    "realmctl",
		Summary: "show, check and edit realms; require a second factor, or stop requiring it",
		Help: `Locked out? With -f only that file is needed:
  realmctl -f /etc/pve/domains.cfg tfa disable pam

exit status: 0 done, 1 refused or faults found, 2 used wrongly, 111 could not find out`,
		Flags: func(f *cli.Flags) {
			f.Func("f,file", "FILE", "the domains file (default: [paths] domains of the configuration, else /etc/oathkit/domains.cfg)", path(&t.file))
			f.Func("u,users", "FILE", "the user file (default: [paths] users of the configuration, else user.cfg beside the domains file)", path(&t.users))
			f.Func("c,config", "FILE", "the configuration (default "+oathconf.DefaultPath+")", path(&t.config))
		},
		Commands: append(t.readers(), t.editors()...),
	}
}

// readers are the commands that change nothing.
func (t *tool) readers() []*cli.Command {
	asJSON := func(f *cli.Flags) { f.Bool(&t.json, "json", "print a JSON object") }
	return []*cli.Command{
		{Name: "list", Summary: "show all realms as the reader of the file sees them", Flags: asJSON, Run: t.list},
		{Name: "show", Args: "REALM", Summary: "show one realm with its properties", MinArgs: 1, MaxArgs: 1, Flags: asJSON, Run: t.show},
		{Name: "users", Args: "[REALM]", Summary: "show the accounts of the user file, never a key", MaxArgs: 1, Flags: asJSON, Run: t.listUsers},
		{
			Name: "check", Summary: "name every line that does not do what it seems to say", Flags: asJSON, Run: t.check,
			Help: "exit status: 1 when a fault could change who gets in",
		},
	}
}

// editors are the commands that write.
func (t *tool) editors() []*cli.Command {
	edits := func(f *cli.Flags) {
		f.Bool(&t.dryRun, "n,dry-run", "print the change as a unified diff and write nothing")
	}
	anyway := func(f *cli.Flags) {
		f.Bool(&t.lockOut, "lock-out-anyway", "do not look who has no second factor and would be locked out")
	}
	return []*cli.Command{
		{
			Name: "tfa", Summary: "require a second factor in a realm, or stop requiring it",
			Commands: t.switches(anyway, edits),
		},
		{Name: "confirm", Summary: "keep the second factor that is on trial", Run: t.confirm},
		{
			Name: "set", Args: "REALM KEY VALUE", Summary: "give a realm a property", MinArgs: 3, MaxArgs: 3, Run: t.set,
			Help: "A secret, such as a password, comes on standard input: VALUE is - then.",
			Flags: func(f *cli.Flags) {
				anyway(f)
				edits(f)
			},
		},
		{Name: "unset", Args: "REALM KEY", Summary: "take a property from a realm", MinArgs: 2, MaxArgs: 2, Flags: edits, Run: t.unset},
		{
			Name: "fix", Summary: "mend what is read otherwise than it is meant, where it can only be meant in one way", Run: t.fix,
			Help: "It prints the change as a unified diff and makes it; with -n it only prints it.\nexit status: 1 when a fault is left that could change who gets in",
			Flags: func(f *cli.Flags) {
				f.Bool(&t.letIn, "let-in-anyway", "mend also what makes a realm ask nobody any more")
				anyway(f)
				edits(f)
			},
		},
		{
			Name: "undo", Summary: "put back what the last edit replaced; twice is redo", Flags: edits, Run: t.undo,
			Help: "No guard stops it, but it names who would be locked out.",
		},
	}
}

// switches are the commands of tfa.
func (t *tool) switches(anyway, edits func(*cli.Flags)) []*cli.Command {
	return []*cli.Command{
		{
			Name: "enable", Args: "REALM", Summary: "require a second factor, once everybody in the realm has one",
			MinArgs: 1, MaxArgs: 1, Run: t.enable,
			Flags: func(f *cli.Flags) {
				f.Func("digits", "N", "digits of a code, 6 to 8 (default: as it is, else 6)", number(&t.digits, 6, 8))
				f.Func("step", "N", "how many seconds a code lasts, 10 to 3600 (default: as it is, else 30)", number(&t.step, 10, realm.MaxStep))
				f.Func("trial", "TIME", "turn it off again after this time, such as 10m, unless it is confirmed before", lasting(&t.trial))
				f.Bool(&t.json, "json", "print who would be locked out, who not, and the change as a JSON object")
				anyway(f)
				edits(f)
			},
		},
		{
			Name: "disable", Args: "REALM...", Summary: "require no second factor; works on a broken file",
			MaxArgs: -1, Run: t.disable,
			Flags: func(f *cli.Flags) {
				f.Bool(&t.all, "all", "in every realm")
				edits(f)
			},
		},
		{
			Name: "expire", Summary: "end a trial whose time is over, as the process that --trial leaves and systemd do",
			Run: t.expire,
			Flags: func(f *cli.Flags) {
				f.Bool(&t.wait, "wait", "wait for the end of the trial")
			},
		},
	}
}

// path is an option's value that names a file.
func path(p *string) func(string) error {
	return func(s string) error {
		if s == "" {
			return errors.New("a file name is wanted")
		}
		*p = s
		return nil
	}
}

// number is an option's value that is a whole number of a range.
func number(p *int, least, most int) func(string) error {
	return func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil || n < least || n > most {
			return fmt.Errorf("a number from %d to %d is wanted", least, most)
		}
		*p = n
		return nil
	}
}

// realmOperand checks a REALM of the command line.
func realmOperand(id string) error {
	if err := realm.CheckID(id); err != nil {
		return cli.Misused("%v", err)
	}
	return nil
}
