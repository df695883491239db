package main

import (
	"oathkit/cmd/internal/cli"
)

func (o *options) runSeal(c *cli.Context) error {
	return cli.Unsure("not there yet")
}
