package main

import (
	"os"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/login"
	"oathkit/cmd/internal/request"
	"oathkit/pkg/verify"
)

func (o *options) radiusHook() *cli.Command {
	return o.hook(cli.Command{
		Name:    "radius",
		Summary: "judge a login of FreeRADIUS: rlm_exec",
		Help: `The request is in the environment, in either spelling of shell_escape. A refusal
prints a Reply-Message.`,
		Run: o.radius,
	}, nil)
}

func (o *options) radius(c *cli.Context) error {
	result, err := o.judgeRadius(c)
	text := login.Refusal
	if err != nil {
		text = login.Fault
	}
	if !result.OK {
		// The server reads pairs whatever the exit code is. What cannot be
		// written is found out at the end.
		_, _ = c.Stdout.WriteString(request.ReplyMessage(text))
	}
	return answerHost(c, result, err)
}

func (o *options) judgeRadius(c *cli.Context) (verify.Result, error) {
	r, err := request.ParseRadius(os.Environ())
	if err != nil {
		return verify.Result{Verdict: verify.Error}, cli.Unsure("%w", err).Hint("rlm_exec gives the request with input_pairs = request")
	}
	return o.judgeWhole(c, o.attempt(r.User, "radius", r.Station, ""), secretOf(r.Request))
}
