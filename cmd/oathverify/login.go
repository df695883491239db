package main

import (
	"os"
	"time"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/login"
	"oathkit/pkg/mfa"
	"oathkit/pkg/verify"
)

func (o *options) runLogin(c *cli.Context) error {
	if o.explain && os.Geteuid() != 0 {
		return cli.Unsure("--explain tells what a person must not know, so only root may ask for it")
	}
	l, err := o.begin(c)
	if err != nil {
		return o.unsure(c, l, err)
	}
	name := l.Resolve()
	if name == nil && cli.IsTerminal(c.Stdin) {
		if l.AsksDuo() {
			return o.talkAtTerminal(c, l)
		}
		switch sent, err := l.SendFirst(); {
		case err != nil:
			c.Warn("%v", err)
		case sent:
			c.Say("%s", login.Notice)
		}
	}
	code, err := answer(c)
	if err != nil {
		return o.unsure(c, l, l.Fail(err))
	}
	if name != nil {
		r, err := l.RefuseName(name)
		if err != nil {
			return o.unsure(c, l, err)
		}
		if o.explain {
			c.Say("%v", name)
		}
		return o.tell(c, l, r)
	}
	return o.judge(c, l, code)
}

// begin opens the site for the attempt that the command line speaks of.
func (o *options) begin(c *cli.Context) (*login.Login, error) {
	return login.Begin(c, o.config, o.flags.Given("config"), login.Attempt{
		Name: c.Args[0], Realm: o.realm, Service: o.service, RHost: o.rhost,
	})
}

func (o *options) judge(c *cli.Context, l *login.Login, code string) error {
	var explained []string
	if o.explain {
		l.Look = func(u mfa.User, answer string, now time.Time) {
			explained = verify.Explain(u, answer, now, l.Policy)
		}
	}
	r, err := l.Judge(code)
	if err != nil {
		return o.unsure(c, l, err)
	}
	if o.explain && explained == nil {
		explained = []string{askedDuo(r)}
	}
	for _, line := range explained {
		if o.json {
			c.Say("%s", line)
			continue
		}
		if _, err := c.Stdout.WriteString(line + "\n"); err != nil {
			return cli.StdoutError(err)
		}
	}
	return o.tell(c, l, r)
}

// askedDuo explains a verdict that the records do not.
func askedDuo(r verify.Result) string {
	return "the verdict is " + string(r.Verdict) + " (" + r.Reason + "): Duo was asked, and what its factors are is not known here"
}

// tell gives the verdict to the one who asked.
func (o *options) tell(c *cli.Context, l *login.Login, r verify.Result) error {
	var offer *login.Offer
	var err error
	if o.enrol && r.Verdict == verify.Pending {
		if offer, err = l.OfferOf(l.User); err != nil {
			return err
		}
	}
	switch {
	case o.json:
		v := verdictOf(l, r)
		v.Enrol = offer
		err = c.JSON(v)
	case offer != nil:
		if _, err = c.Stdout.WriteString(offer.QR + "key: " + offer.Key + "\n"); err != nil {
			err = cli.StdoutError(err)
		}
	}
	if err != nil {
		return err
	}
	switch {
	case !r.OK:
		c.Say("%s", messageOf(l, r))
		return cli.ErrNo
	case r.Verdict == verify.Pending:
		c.Say("%s", login.Invitation)
	case r.Kind == "recovery" && r.RecoveryLeft <= login.FewCodes:
		c.Warn("%d recovery codes are left", r.RecoveryLeft)
	}
	return nil
}

// runMethod asks the person in another way than for a code: Duo does, where it
// has a say, and else a code is sent, which lets nobody in.
func (o *options) runMethod(c *cli.Context) error {
	l, err := o.begin(c)
	if err != nil {
		return o.unsure(c, l, err)
	}
	if name := l.Resolve(); name != nil {
		r, err := l.RefuseName(name)
		if err != nil {
			return o.unsure(c, l, err)
		}
		return o.tell(c, l, r)
	}
	r, err := l.JudgeBy(o.method, "")
	if err != nil {
		return o.unsure(c, l, err)
	}
	return o.tell(c, l, r)
}
