// Oathverify says whether a one-time code is good: exit 0 yes, 1 no, 111 could
// not find out. It is what hooks run, and it answers nothing else.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/login"
	"oathkit/cmd/internal/site"
	"oathkit/pkg/mfa"
	"oathkit/pkg/realm"
)

func main() { os.Exit(cli.Main(command())) }

// options are what the command line says.
type options struct {
	flags *cli.Flags

	config         string
	realm          string
	service, rhost string
	json, explain  bool
	enrol          bool
	method         string
	request        string
	anyRealm       bool // of a hook

	keyFile   string
	digits    int
	step      int
	algorithm string
	window    int
	hotp      uint64
	time      string
}

func command() *cli.Command {
	o := &options{config: site.DefaultConfig, method: byPasscode, digits: 6, step: 30, algorithm: "SHA1", window: -1}
	return &cli.Command{
		Name:    "oathverify",
		Args:    "[USER]",
		Summary: "say whether a one-time code is good",
		Help: `The code is the first line of standard input, or is asked for on the terminal.
With USER it is judged against the store; with -k against the keys in FILE, and
nothing is remembered, so the same code is good again. The commands are hooks,
for programs that people log in to; a user who is called like one is written
NAME@REALM.

exit status: 0 the code is good, 1 it is not, 111 could not find out`,
		MaxArgs: 1,
		// 2 hangs OpenVPN and 3 is a yes to FreeRADIUS, so misuse is 111 too.
		Misused:  cli.ExitUnsure,
		Judges:   true,
		Flags:    o.declare,
		Run:      o.run,
		Commands: append(o.hooks(), o.doctorCommand()),
	}
}

func (o *options) declare(f *cli.Flags) {
	o.flags = f
	f.String(&o.config, "c,config", "FILE", "the configuration (default "+site.DefaultConfig+")")
	f.String(&o.realm, "realm", "REALM", "the realm of a USER that names none")
	f.String(&o.service, "service", "NAME", "the program that asks, for the audit log")
	f.String(&o.rhost, "rhost", "HOST", "where the person is, for the audit log")
	f.Bool(&o.json, "json", "print the verdict as JSON")
	f.Bool(&o.explain, "explain", "tell root why, besides judging the code")
	f.Bool(&o.enrol, "enrol", "print the QR code of a user who is enabled and has not given a right code yet")
	f.Func("method", "METHOD", "passcode (judge a code, the default), push or phone (by Duo), email or sms (send a code, and answer no)", o.setMethod)
	f.Func("request", "FORMAT", "json: standard input is an object with password, passcode and method, and the verdict is one, too", o.setRequest)
	f.String(&o.keyFile, "k,key-file", "FILE", "judge against the keys or key URIs in FILE, without a store")
	f.Int(&o.digits, "d,digits", "N", "with -k: digits of a code, 6 to 10 (default 6)")
	f.Int(&o.step, "s,step", "SECONDS", "with -k: length of a time step (default 30)")
	f.String(&o.algorithm, "m,algorithm", "ALG", "with -k: SHA1, SHA256 or SHA512 (default SHA1)")
	f.Int(&o.window, "w,window", "N", "with -k: steps to either side, or counters ahead (default 1, or 10 with --hotp)")
	f.Counter(&o.hotp, "hotp", "COUNTER", "with -k: the keys are for HOTP, COUNTER is the next one")
	f.String(&o.time, "time", "TIME", "with -k: judge as of TIME, seconds since 1970 or RFC 3339")
}

// stateless are the options that only -k gives a meaning.
var stateless = [...]string{"digits", "step", "algorithm", "window", "hotp", "time"}

func (o *options) run(c *cli.Context) error {
	if o.flags.Given("key-file") {
		return o.runStateless(c)
	}
	for _, name := range stateless {
		if o.flags.Given(name) {
			return cli.Misused("option %q goes with -k: in the store each credential has its own", "--"+name)
		}
	}
	if len(c.Args) == 0 {
		return cli.Misused("no USER given")
	}
	if o.flags.Given("realm") {
		if err := realm.CheckID(o.realm); err != nil { // an empty one is a hook whose variable is not set
			return cli.Misused("option --realm: %w", err)
		}
	}
	if o.request != "" {
		if o.enrol || o.explain || o.flags.Given("method") {
			return cli.Misused("option --request goes with neither %q, %q nor %q: the request says what it wants", "--enrol", "--explain", "--method")
		}
		return o.runBody(c)
	}
	if o.method != byPasscode {
		if o.enrol || o.explain {
			return cli.Misused("options %q and %q go with a code, and --method %s asks for none", "--enrol", "--explain", o.method)
		}
		return o.runMethod(c)
	}
	return o.runLogin(c)
}

// The methods that --method names.
const (
	byPasscode = login.ByPasscode
	byPush     = login.ByPush
	byPhone    = login.ByPhone
	byEmail    = string(mfa.Email)
	bySMS      = string(mfa.SMS)
)

func (o *options) setMethod(s string) error {
	switch s {
	case byPasscode, byPush, byPhone, byEmail, bySMS:
		o.method = s
		return nil
	}
	return fmt.Errorf("want %s, %s, %s, %s or %s", byPasscode, byPush, byPhone, byEmail, bySMS)
}

func (o *options) setRequest(s string) error {
	if s != "json" {
		return errors.New("want json")
	}
	o.request = s
	return nil
}

// answer reads what the person typed.
func answer(c *cli.Context) (string, error) {
	if cli.IsTerminal(c.Stdin) {
		return cli.AskSecret("One-time code: ")
	}
	line, err := cli.ReadLine(c.Stdin)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", cli.Unsure("cannot read the code: %w", err)
	}
	return line, nil
}
