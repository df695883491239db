package main

import (
	"context"
	"errors"
	"fmt"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/doctor"
)

// doctorCommand is no hook: it looks at the files that call for one.
func (o *options) doctorCommand() *cli.Command {
	var asJSON bool
	var d doctor.Options
	return &cli.Command{
		Name:    "doctor",
		Args:    "SERVICE",
		Summary: "say whether a login of a PAM service can go around the code",
		Help: `The files of PAM are read as libpam reads them, and every combination of what
their modules can answer is tried. For sshd its configuration is judged, too.
Run it as root.

exit status: 0 it cannot, 1 it can, or nobody gets in, 111 could not find out`,
		MinArgs: 1,
		MaxArgs: 1,
		Own:     true,
		Flags: func(f *cli.Flags) {
			f.Bool(&asJSON, "json", "print the report as JSON")
			f.String(&d.Root, "root", "DIR", "examine the system whose / is DIR")
			f.String(&d.SSHD, "sshd", "FILE", "what 'sshd -T' prints is in FILE; sshd is not run")
			f.String(&d.Connection, "connection", "SPEC", "judge sshd for one connection, as its -C describes it")
		},
		Run: func(c *cli.Context) error {
			if err := o.checkHook(); err != nil {
				return err
			}
			d.Service, d.Config, d.Named = c.Args[0], o.config, o.flags.Given("config")
			return examine(c, d, asJSON)
		},
	}
}

func examine(c *cli.Context, d doctor.Options, asJSON bool) error {
	report, err := doctor.Examine(context.Background(), d)
	if errors.Is(err, doctor.ErrNoService) {
		return cli.Unsure("%w", err).Hint("PAM asks the service \"other\" for a program that has no file of its own")
	}
	if err != nil {
		return cli.Unsure("%w", err).Hint("run it as root")
	}
	if asJSON {
		err = c.JSON(report)
	} else {
		err = printReport(c, report)
	}
	switch {
	case err != nil:
		return err
	case report.Verdict == doctor.Error:
		return cli.ErrNo
	case report.Verdict == doctor.Unsure:
		return cli.Unsure("it could not be found out whether a login of %q can go around the code", d.Service)
	}
	return nil
}

// printReport prints a line for each finding, and below it the way that shows it.
func printReport(c *cli.Context, report doctor.Report) error {
	for _, f := range report.Findings {
		where := f.File
		if f.Line > 0 {
			where = fmt.Sprintf("%s:%d", f.File, f.Line)
		}
		text := fmt.Sprintf("%s: %s: %s [%s]", where, f.Severity, f.Message, f.Code)
		if f.Mend != "" {
			text += "; mend: " + f.Mend
		}
		if _, err := c.Stdout.WriteString(cli.Printable(text) + "\n"); err != nil {
			return cli.StdoutError(err)
		}
		for _, s := range f.Way {
			step := fmt.Sprintf("%s:%d %s %s: %s", s.File, s.Line, s.Control, s.Module, s.Returns)
			if _, err := c.Stdout.WriteString("    " + cli.Printable(step) + "\n"); err != nil {
				return cli.StdoutError(err)
			}
		}
	}
	return nil
}
