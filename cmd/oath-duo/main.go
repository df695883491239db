// Oath-duo does one login at Duo, and is the only program of the toolkit that
// opens a connection. Oathverify runs it when, and only when, a factor is Duo.
package main

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"net/url"
	"os"
	"time"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/oathconf"
	"oathkit/cmd/internal/trusted"
	"oathkit/pkg/config"
	"oathkit/pkg/duo"
	"oathkit/pkg/duo/pipe"
)

func main() { os.Exit(cli.Main(command())) }

type options struct {
	flags  *cli.Flags
	config string
	check  bool
}

func command() *cli.Command {
	o := &options{config: oathconf.DefaultPath}
	return &cli.Command{
		Name:    "oath-duo",
		Summary: "do one login at Duo, for oathverify",
		Help: `The request is one line of JSON on standard input, the verdict the last line on
standard output. Host and keys are those of [duo] in the configuration.

exit status: 0 Duo lets the user in, 1 it does not, 2 used wrongly, 111 could not
find out`,
		Flags: o.declare,
		Run:   o.run,
	}
}

func (o *options) declare(f *cli.Flags) {
	o.flags = f
	f.String(&o.config, "c,config", "FILE", "the configuration (default "+oathconf.DefaultPath+")")
	f.Bool(&o.check, "check", "say whether host, keys and clock are right, and do no login")
}

func (o *options) run(c *cli.Context) error {
	if !o.check && cli.IsTerminal(c.Stdin) {
		return cli.Misused("the request comes on standard input, and that is a terminal").
			Hint("oathverify is what makes requests; --check says whether the configuration is right")
	}
	b, err := oathconf.Read(o.config, o.flags.Given("config"))
	if err != nil {
		return err
	}
	cfg, err := config.Parse(o.config, b)
	if err != nil {
		return err
	}
	client, err := open(&cfg.Duo)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), cfg.Duo.Timeout)
	defer cancel()
	if o.check {
		return check(ctx, c, client, &cfg.Duo)
	}
	line, err := cli.ReadLine(c.Stdin)
	if err != nil {
		return cli.Unsure("cannot read the request: %w", err)
	}
	r, err := pipe.ReadRequest([]byte(line))
	if err != nil {
		return cli.Misused("%w", err)
	}
	l := &login{client: client, config: &cfg.Duo, request: r, tell: func(message string) error { return say(c, pipe.Progress{Progress: message}) }}
	v, err := l.run(ctx)
	if serr := say(c, v); serr != nil {
		return serr
	}
	switch {
	case err != nil:
		return cli.Unsure("%w", err)
	case v.Code() != cli.ExitOK:
		return cli.ErrNo
	}
	return nil
}

// say writes a line of JSON, at once: somebody waits for it.
func say(c *cli.Context, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if _, err := c.Stdout.Write(append(b, '\n')); err != nil {
		return cli.StdoutError(err)
	}
	if err := c.Stdout.Flush(); err != nil {
		return cli.StdoutError(err)
	}
	return nil
}

// The longest files, in bytes.
const (
	maxSecret = 4 << 10
	maxRoots  = 1 << 20
)

// open makes a client of what the configuration says.
func open(d *config.Duo) (*duo.Client, error) {
	if !d.Complete() {
		return nil, cli.Unsure("Duo is not configured: there is no [duo] with host, ikey and skey_file").
			Hint("see oathkit.toml(5)")
	}
	b, err := trusted.ReadSecret(d.SKeyFile, maxSecret)
	if err != nil {
		return nil, cli.Unsure("cannot read the secret key: %w", err)
	}
	skey, err := duo.ReadSecret(b)
	clear(b)
	if err != nil {
		return nil, cli.Unsure("%s: %w", d.SKeyFile, err)
	}
	dc := duo.Config{
		Host: d.Host, IKey: d.IKey, SKey: skey, UserAgent: d.UserAgent, Timeout: d.Timeout,
		Now: time.Now, Random: rand.Reader,
	}
	if d.CAFile != "" {
		pem, err := trusted.ReadFile(d.CAFile, maxRoots)
		if err != nil {
			return nil, cli.Unsure("cannot read the authorities: %w", err)
		}
		dc.Roots = x509.NewCertPool()
		if !dc.Roots.AppendCertsFromPEM(pem) {
			return nil, cli.Unsure("%s: there is no certificate in it, in PEM", d.CAFile)
		}
	}
	if d.Proxy != "" {
		if dc.Proxy, err = url.Parse(d.Proxy); err != nil {
			return nil, cli.Unsure("proxy: %w", err)
		}
	}
	return duo.New(dc)
}

// check is for an administrator who has just written the configuration.
func check(ctx context.Context, c *cli.Context, client *duo.Client, d *config.Duo) error {
	at, err := client.Ping(ctx)
	if err != nil {
		return cli.Unsure("%w", err)
	}
	if off := time.Since(at).Round(time.Second); off.Abs() >= time.Minute {
		c.Warn("the clock of this machine is off by %v, if Duo's is right; from 5 minutes on Duo refuses everything", off)
	}
	if _, err := client.Check(ctx); err != nil {
		return cli.Unsure("%w", err).Hint("Duo was reached; ikey and skey_file must be those of the application at %s, and the clock right", d.Host)
	}
	c.Say("Duo at %s takes our requests", d.Host)
	return nil
}
