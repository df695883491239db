package main

import (
	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/login"
	"oathkit/pkg/realm"
	"oathkit/pkg/verify"
)

// A hook is a command of oathverify that one kind of host runs. Its own options
// come after its name, and of the program's only the configuration before it.
// Whatever a host says wrongly is "could not find out".

// hooks are the commands, by their host.
func (o *options) hooks() []*cli.Command {
	return []*cli.Command{
		o.checkpasswordHook(),
		o.converseHook(),
		o.openvpnHook(),
		o.pamHook(),
		o.pipeHook(),
		o.radiusHook(),
		o.shellHook(),
		o.squidHook(),
	}
}

// hook makes a command of what one host needs. Every hook judges one realm.
func (o *options) hook(cmd cli.Command, flags func(f *cli.Flags)) *cli.Command {
	run := cmd.Run
	var own *cli.Flags
	cmd.Own = true
	cmd.Flags = func(f *cli.Flags) {
		own = f
		f.String(&o.realm, "realm", "REALM", "the realm that is judged (default "+hookRealm+")")
		f.Bool(&o.anyRealm, "any-realm", "a name that ends in another realm is judged there, instead of refused")
		if flags != nil {
			flags(f)
		}
	}
	cmd.Run = func(c *cli.Context) error {
		if err := o.checkHook(); err != nil {
			return err
		}
		if !own.Given("realm") && !o.flags.Given("realm") {
			o.realm = hookRealm
		}
		if err := realm.CheckID(o.realm); err != nil { // an empty one is a variable of the host's that is not set
			return cli.Misused("option --realm: %w", err)
		}
		return run(c)
	}
	return &cmd
}

// hookRealm is the realm of a host that names none.
const hookRealm = "pam"

// checkHook refuses options of the program that mean nothing to a hook.
func (o *options) checkHook() error {
	for _, name := range o.flags.Names() {
		if name != "config" && name != "realm" && o.flags.Given(name) {
			return cli.Misused("option %q does not go before a hook's name", "--"+name).
				Hint("-c does; a hook's own options come after its name")
		}
	}
	return nil
}

// attempt is somebody at the host's door.
func (o *options) attempt(name, service, rhost, tty string) login.Attempt {
	return login.Attempt{Name: name, Realm: o.realm, AnyRealm: o.anyRealm, Service: service, RHost: rhost, TTY: tty}
}

// judgeCode judges a code where the host sees to the password itself.
func (o *options) judgeCode(c *cli.Context, a login.Attempt, code string) (verify.Result, error) {
	return o.atDoor(c, a, func(l *login.Login) (verify.Result, error) { return l.Judge(code) })
}

// judgeWhole judges a login that nobody else has a say in.
func (o *options) judgeWhole(c *cli.Context, a login.Attempt, s login.Secret) (verify.Result, error) {
	return o.atDoor(c, a, func(l *login.Login) (verify.Result, error) { return l.JudgeWhole(s) })
}

func (o *options) atDoor(c *cli.Context, a login.Attempt, judge func(*login.Login) (verify.Result, error)) (verify.Result, error) {
	l, err := login.Begin(c, o.config, o.flags.Given("config"), a)
	if err != nil {
		return verify.Result{Verdict: verify.Error}, err
	}
	defer l.Close()
	if name := l.Resolve(); name != nil {
		return l.RefuseName(name)
	}
	return judge(l)
}

// answerHost is the verdict as an exit code. What is said is for a host that
// shows it to the person.
func answerHost(c *cli.Context, r verify.Result, err error) error {
	switch {
	case err != nil:
		return err
	case !r.OK:
		c.Say("%s", login.Refusal)
		return cli.ErrNo
	}
	return nil
}
