package main

import (
	"io"
	"os"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/request"
)

func (o *options) pipeHook() *cli.Command {
	service := "pipe"
	return o.hook(cli.Command{
		Name:    "pipe",
		Summary: "judge a user and a secret on two lines: Apache's mod_authnz_external",
		Run:     func(c *cli.Context) error { return o.pipe(c, service) },
	}, func(f *cli.Flags) {
		f.String(&service, "service", "NAME", "the program that asks, for the audit log (default "+service+")")
	})
}

func (o *options) pipe(c *cli.Context, service string) error {
	b, err := io.ReadAll(io.LimitReader(c.Stdin, request.MaxPipe+1))
	if err != nil {
		return cli.Unsure("cannot read standard input: %w", err)
	}
	r, err := request.ParsePipe(b)
	if err != nil {
		return cli.Unsure("%w", err)
	}
	result, err := o.judgeWhole(c, o.attempt(r.User, service, os.Getenv("IP"), ""), secretOf(r))
	return answerHost(c, result, err)
}
