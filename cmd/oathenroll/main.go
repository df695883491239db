// Oathenroll lets a user enrol alone: it shows a QR code, gives recovery codes,
// and activates nothing before a right code proved that the user has what was
// shown. It removes, too, and sends codes to whoever gets them by e-mail or SMS.
// Users run it through sudo, each for himself alone.
package main

import (
	"fmt"
	"os"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/site"
)

func main() { os.Exit(cli.Main(command())) }

// options are what the command line says.
type options struct {
	config string
	named  bool // the configuration was named
	user   string
	batch  bool
	phone  string

	scan, showKey, save, adapt answer
}

// An answer is one that an option may give before it is asked for.
type answer struct{ given, yes bool }

func (a *answer) set(s string) error {
	yes, ok := cli.YesNo(s)
	if !ok || s == "" {
		return fmt.Errorf("want y or n")
	}
	a.given, a.yes = true, yes
	return nil
}

func command() *cli.Command {
	if len(os.Args) > 0 && os.Args[0] == writerName {
		return writer()
	}
	o := &options{config: site.DefaultConfig}
	return &cli.Command{
		Name:    "oathenroll",
		Summary: "enrol your own second factor, alone",
		Help: `Under sudo the user is whoever called sudo, in the realm pam; elsewhere it is the
user of the process, or USER. Questions are asked on the terminal.

exit status: 0 done, 1 no, 2 used wrongly, 111 could not find out`,
		Flags: o.declare,
		Commands: []*cli.Command{
			{
				Name: "mk", Args: "AUTHENTICATOR|EMAIL|SMS", Summary: "enrol: make a factor and prove it",
				Help: `AUTHENTICATOR is an app that makes codes, EMAIL and SMS are codes that are sent.
Nothing is activated before the right code was given.`,
				MinArgs: 1, MaxArgs: 1, Run: o.runMake,
				Flags: func(f *cli.Flags) {
					f.String(&o.phone, "phone", "NUMBER", "phone number to receive SMS")
					f.Func("scan", "y|n", "answer to: do you have a phone to scan a QR code?", o.scan.set)
					f.Func("show-key", "y|n", "answer to: display the security key?", o.showKey.set)
					f.Func("adapt", "y|n", "answer to: store what the app does? (asked if it ignores algorithm or digits)", o.adapt.set)
					o.declareSave(f)
				},
			},
			{Name: "verify", Summary: "check the enrolment: is this code right?", Run: o.runVerify},
			{Name: "rm", Summary: "disable what there is, with a token that is mailed", Run: o.runRemove},
			{Name: "get-token", Summary: "have a code sent by e-mail or SMS", Run: o.runGetToken},
			{Name: "codes", Summary: "make new recovery codes; the old ones are void", Run: o.runCodes, Flags: o.declareSave},
		},
	}
}

func (o *options) declare(f *cli.Flags) {
	f.Func("c,config", "FILE", "the configuration (default "+site.DefaultConfig+"); not under sudo", func(s string) error {
		o.config, o.named = s, true
		return nil
	})
	f.Func("u,user", "USER", "who is enrolled: NAME@REALM, or NAME in the default realm; not under sudo", func(s string) error {
		if s == "" {
			return fmt.Errorf("want a name")
		}
		o.user = s
		return nil
	})
	f.Bool(&o.batch, "batch", "ask nothing: secrets are lines of standard input, in the order of the questions")
}

func (o *options) declareSave(f *cli.Flags) {
	f.Func("save", "y|n", "answer to: save the codes into a text file?", o.save.set)
}
