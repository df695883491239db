package main

import (
	"io"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/login"
	"oathkit/cmd/internal/request"
	"oathkit/pkg/verify"
)

// runBody judges a request in JSON, and answers in JSON. With a password in it
// both must hold; without one the caller has seen to that.
func (o *options) runBody(c *cli.Context) error {
	o.json = true
	l, err := o.begin(c)
	if err != nil {
		return o.unsure(c, l, err)
	}
	b, err := io.ReadAll(io.LimitReader(c.Stdin, request.MaxJSON+1))
	defer clear(b)
	if err != nil {
		return o.unsure(c, l, l.Fail(cli.Unsure("cannot read the request: %w", err)))
	}
	body, err := request.ParseJSON(b)
	if err != nil {
		return o.unsure(c, l, l.Fail(cli.Unsure("%w", err)))
	}
	if name := l.Resolve(); name != nil {
		r, err := l.RefuseName(name)
		if err != nil {
			return o.unsure(c, l, err)
		}
		return o.tell(c, l, r)
	}
	r, err := judgeBody(l, body)
	if err != nil {
		return o.unsure(c, l, err)
	}
	return o.tell(c, l, r)
}

func judgeBody(l *login.Login, body request.Body) (verify.Result, error) {
	switch {
	case !body.HasPassword:
		return l.JudgeBy(body.Method, body.Passcode)
	case len(l.Site.Config.Login.Password) == 0:
		return verify.Result{Verdict: verify.Error}, l.Fail(cli.Unsure("the request has a password, and no program is configured that could say whether it is right").
			Hint("set [login] password in oathkit.toml, or check the password first and send none"))
	}
	r, err := l.JudgeWhole(login.Secret{Password: body.Password, Code: body.Passcode, Method: body.Method})
	if err == nil && !r.OK && r.Verdict != login.Sent {
		// One answer, whatever was wrong; the audit log has the truth.
		r = verify.Result{Verdict: verify.Rejected}
	}
	return r, err
}
