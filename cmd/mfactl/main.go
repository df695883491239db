// Mfactl manages the second factors of users: it enables, shows, adds, removes,
// resets and unlocks, and looks after the store that they are in. Root runs it,
// or the owner of the store.
package main

import (
	"os"
	"slices"
	"strings"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/site"
)

func main() { os.Exit(cli.Main(command())) }

// options are what the command line says.
type options struct {
	flags *cli.Flags // of the command that runs

	config string
	named  bool // the configuration was named
	json   bool

	kind, label, issuer, algorithm string
	digits, period                 int
	counter                        uint64

	email, encryptTo string

	showKeys bool
	realm    string
	lockOut  bool

	idle, unused int // days
	except       []string
	rotate       bool

	format string // of import and export
	output string
	dryRun bool
	addTo  bool
	proved bool
}

func command() *cli.Command {
	o := &options{config: site.DefaultConfig, kind: "totp", idle: 7, unused: 90}
	return &cli.Command{
		Name:    "mfactl",
		Summary: "manage the second factors of users",
		Help: `USER is NAME@REALM; a NAME alone is in the realm marked default, else in pam.

exit status: 0 done, 1 no, 2 used wrongly, 111 could not find out`,
		Flags: func(f *cli.Flags) {
			o.flags = f
			f.Func("c,config", "FILE", "the configuration (default "+site.DefaultConfig+")", func(s string) error {
				o.config, o.named = s, true
				return nil
			})
		},
		Commands: slices.Concat(o.making(), o.others(), o.keeping(), o.moving()),
	}
}

// making are the commands that give a user a credential.
func (o *options) making() []*cli.Command {
	return []*cli.Command{
		{
			Name: "enable", Args: "USER", Summary: "make a key for a user who has none, and show it",
			MinArgs: 1, MaxArgs: 1, Run: o.runEnable, Flags: o.declareIssue,
		},
		{
			Name: "reset", Args: "USER", Summary: "replace all that a user has by a new key, and show it",
			MinArgs: 1, MaxArgs: 1, Run: o.runReset, Flags: o.declareIssue,
		},
		{
			Name: "add", Args: "USER", Summary: "add a key that exists already",
			Help: `The key is the one line of standard input, or is asked for on the terminal: base32
or hex in any spelling, or an otpauth URI, which says type, digits, period,
algorithm and counter itself.`,
			MinArgs: 1, MaxArgs: 1, Run: o.runAdd,
			Flags: func(f *cli.Flags) {
				f.Bool(&o.json, "json", "print the credential as JSON, without its key")
				o.declareCredential(f)
				f.Counter(&o.counter, "counter", "N", "the next counter of a hotp token (default 0)")
			},
		},
	}
}

// others are the commands for users who have one.
func (o *options) others() []*cli.Command {
	return []*cli.Command{
		{
			Name: "list", Summary: "show the credentials of all users", Run: o.runList,
			Flags: func(f *cli.Flags) {
				f.Bool(&o.json, "json", "print a JSON array")
				f.Bool(&o.showKeys, "show-keys", "show the keys, too")
			},
		},
		{
			Name: "show", Args: "USER", Summary: "show one user, never the key",
			MinArgs: 1, MaxArgs: 1, Run: o.runShow,
			Flags: func(f *cli.Flags) { f.Bool(&o.json, "json", "print a JSON object") },
		},
		{
			Name: "disable", Args: "USER", Summary: "remove a user's record with all credentials",
			MinArgs: 1, MaxArgs: 1, Run: o.runDisable, Flags: o.declareLockOut,
		},
		{
			Name: "remove", Args: "USER ID", Summary: "remove one credential of a user",
			MinArgs: 2, MaxArgs: 2, Run: o.runRemove, Flags: o.declareLockOut,
		},
		{
			Name: "unlock", Args: "USER", Summary: "forget failed tries; rebuild a lost state",
			MinArgs: 1, MaxArgs: 1, Run: o.runUnlock,
		},
		{
			Name: "codes", Args: "USER", Summary: "make new recovery codes, and show them",
			MinArgs: 1, MaxArgs: 1, Run: o.runCodes,
			Flags: func(f *cli.Flags) { f.Bool(&o.json, "json", "print a JSON object") },
		},
		{
			Name: "ready", Summary: "show who has a usable factor", Run: o.runReady,
			Flags: func(f *cli.Flags) {
				f.Bool(&o.json, "json", "print a JSON object")
				f.String(&o.realm, "realm", "REALM", "only the users of this realm")
			},
		},
	}
}

// keeping are the commands that look after the store.
func (o *options) keeping() []*cli.Command {
	return []*cli.Command{
		{
			Name: "audit", Summary: "look for weak keys, idle credentials, open files and more; 1 when there are any",
			Help: "The checks: " + strings.Join(checks[:8], ", ") + ",\n" + strings.Join(checks[8:], ", ") + ".",
			Run:  o.runAudit,
			Flags: func(f *cli.Flags) {
				f.Bool(&o.json, "json", "print a JSON object")
				f.Int(&o.idle, "days", "N", "find credentials that are not activated after N days (default 7)")
				f.Int(&o.unused, "unused", "N", "find activated credentials that were not used for N days (default 90)")
				f.Func("except", "CHECK", "leave out this check; may be given again", o.skipCheck)
			},
		},
		{
			Name: "restored", Summary: "make the store safe after a backup was put back", Run: o.runRestored,
			Help: `Which codes were used since the backup is not known, so everybody gets a new
state: used codes stay refused, recovery codes are void, locks are forgotten.`,
		},
		{
			Name: "seal", Summary: "seal the secrets of all records with the present key", Run: o.runSeal,
			Flags: func(f *cli.Flags) {
				f.Bool(&o.rotate, "rotate", "first put a new key into the file that [seal] key_file names")
			},
		},
	}
}

// moving are the commands for the files of other systems.
func (o *options) moving() []*cli.Command {
	return []*cli.Command{
		{
			Name: "import", Args: "FILE", Summary: "take over users from a file of another system",
			Help: `Users who have a record are left alone, and it can be run again. What cannot be
carried is listed. FILE - is standard input.`,
			MinArgs: 1, MaxArgs: 1, Run: o.runImport, Flags: o.declareImport,
		},
		{
			Name: "export", Args: "[FILE]", Summary: "write users in the format of another system, with their keys",
			Help: `For pve-user, FILE (or standard input) is the user.cfg to edit: it is not written,
its edited text is the output, in which nothing but the keys is another.`,
			MaxArgs: 1, Run: o.runExport, Flags: o.declareExport,
		},
	}
}

func (o *options) declareIssue(f *cli.Flags) {
	f.Bool(&o.json, "json", "print the credential as JSON")
	o.declareCredential(f)
	f.String(&o.issuer, "issuer", "ISSUER", "the site's name in the user's app (default: the configuration's, else the host's)")
	f.String(&o.email, "email", "ADDRESS", "where mail about the user's factors goes")
	f.String(&o.encryptTo, "encrypt-to", "RECIPIENT", "print key, QR code and recovery codes encrypted to an age recipient or SSH public key")
}

func (o *options) declareCredential(f *cli.Flags) {
	f.String(&o.kind, "type", "TYPE", "totp (codes follow the clock, the default), hotp (a counter) or, to add, duo (Duo is asked, and there is no key)")
	f.String(&o.label, "label", "LABEL", "what the credential is called in lists")
	f.Int(&o.digits, "digits", "N", "digits of a code, 6 to 10 (default: the realm's, else the configuration's)")
	f.Int(&o.period, "period", "SECONDS", "how long a totp code lasts (default: the realm's, else the configuration's)")
	f.String(&o.algorithm, "algorithm", "ALG", "SHA1, SHA256 or SHA512 (default: the configuration's)")
}

func (o *options) declareLockOut(f *cli.Flags) {
	f.Bool(&o.lockOut, "lock-out-anyway", "do it although the user is locked out then")
}
