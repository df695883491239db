package main

import (
	"bufio"
	"errors"

	"oathkit/cmd/internal/caller"
	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/converse"
	"oathkit/cmd/internal/login"
	"oathkit/pkg/verify"
)

func (o *options) converseHook() *cli.Command {
	var talk login.Talk
	return o.hook(cli.Command{
		Name:    "converse",
		Summary: "ask a person through a host that speaks the protocol of this hook",
		Help: `The PAM module pam_oathkit.so and 'oathverify shell' speak it. Called by
somebody through sudo, it asks for that user's code and for nobody else's.`,
		Run: func(c *cli.Context) error { return o.converse(c, talk) },
	}, func(f *cli.Flags) {
		f.String(&talk.Prompt, "prompt", "TEXT", "the question (default "+`"`+login.Prompt+`"`+")")
		f.Bool(&talk.Enrol, "enrol", "show the QR code of a user who is enabled and has not given a right code yet")
	})
}

// converse gives a verdict in every case that it can be given in: a host that
// hears none waits for the end of the process, and knows no more.
func (o *options) converse(c *cli.Context, talk login.Talk) error {
	j, head, err := converse.NewJudge(c.Stdin, lines{c.Stdout})
	if err != nil {
		err = cli.Unsure("%w", err)
	}
	var r verify.Result
	if err == nil {
		r, err = o.talk(c, j, head, talk)
	}
	verdict := converse.Refused
	switch {
	case err != nil:
		verdict = converse.Unsure
	case r.OK && r.Verdict == verify.Accepted:
		verdict = converse.Accepted
	case r.OK:
		verdict = converse.Ignored
	}
	if serr := j.Say(verdict); serr != nil {
		return errors.Join(err, serr)
	}
	if verdict == converse.Refused {
		return cli.ErrNo
	}
	return err
}

func (o *options) talk(c *cli.Context, j *converse.Judge, head converse.Head, talk login.Talk) (verify.Result, error) {
	if err := o.checkCaller(head); err != nil {
		return verify.Result{}, err
	}
	l, err := login.Begin(c, o.config, o.flags.Given("config"), o.attempt(head.User, head.Service, head.RHost, head.TTY))
	if err != nil {
		return verify.Result{}, err
	}
	ask := func() (verify.Result, error) { return l.Converse(j, talk) }
	if !caller.UnderSudo() {
		return ask()
	}
	who, id, err := caller.Sudo(l.Site.Realms)
	if err != nil {
		return verify.Result{}, l.Fail(err)
	}
	l.Attempt.Name, l.Attempt.OwnWord = id, true
	return judgeSession(c, l, who.UID, ask)
}

// checkCaller refuses a host that does not say who the person is, and somebody
// who called sudo and wants a say in whose files are used, and which.
func (o *options) checkCaller(head converse.Head) error {
	switch {
	case !caller.UnderSudo():
		if head.User == "" {
			return cli.Unsure("the host does not say who the user is")
		}
	case o.flags.Given("config"):
		return cli.Misused("option %q is not for use under sudo: the configuration decides who gets in", "--config")
	case o.realm != hookRealm || o.anyRealm:
		return cli.Misused("options %q and %q are not for use under sudo: its users are those of realm %s", "--realm", "--any-realm", hookRealm)
	case head.User != "":
		return cli.Misused("under sudo the user is the one who called it, and nobody else is named")
	}
	return nil
}

// lines passes every line on at once: somebody waits for it.
type lines struct{ out *bufio.Writer }

func (w lines) Write(p []byte) (int, error) {
	n, err := w.out.Write(p)
	if err == nil {
		err = w.out.Flush()
	}
	return n, err
}
