package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"strings"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/host"
	"oathkit/cmd/internal/oathconf"
	"oathkit/pkg/oath"
)

// maxInput bounds what is read for a key, in bytes: no key or URI is as long.
const maxInput = 64 << 10

// uri is the key with all that is said about it: by the options, else by the
// URI that was read, else by the configuration.
func (o *options) uri(c *cli.Context) (oath.URI, error) {
	var text, name string
	if !o.generate {
		var err error
		if text, name, err = o.read(c); err != nil {
			return oath.URI{}, err
		}
	}
	u, err := o.known(text)
	var wrong *cli.Failure
	switch {
	case errors.As(err, &wrong), err != nil && name == "":
		return u, err
	case err != nil:
		return u, cli.Refused("%s: %w", name, err).
			Hint("a key is base32 or hex, or an otpauth:// URI, on one line")
	}
	return o.override(u)
}

// known is what is known without the options. An error that is no cli.Failure
// is about the text.
func (o *options) known(text string) (oath.URI, error) {
	isURI := strings.Contains(text, "://")
	named := o.flags.Given("config")
	if isURI && !named {
		// A URI says everything, so a configuration is not asked for.
		return oath.ParseURI(text)
	}
	conf, err := oathconf.Load(o.config, named)
	if err != nil {
		return oath.URI{}, cli.Unsure("%w", err)
	}
	if isURI {
		return oath.ParseURI(text)
	}
	u := oath.URI{Issuer: conf.Issuer, Digits: conf.Digits, Period: conf.Period}
	if u.Algorithm, err = oath.ParseAlgorithm(conf.Algorithm); err != nil {
		return u, cli.Unsure("%s: %w", o.config, err)
	}
	if o.generate {
		if u.Key, err = oath.NewKey(rand.Reader, conf.Bits); err != nil {
			return u, cli.Unsure("%w", err)
		}
	} else if u.Key, err = oath.ParseKey(text); err != nil {
		return u, err
	}
	return u, o.names(&u)
}

// names fills in who and whose, where neither options nor configuration do.
func (o *options) names(u *oath.URI) error {
	needIssuer := u.Issuer == "" && !o.flags.Given("issuer")
	needAccount := !o.flags.Given("account")
	if !needIssuer && !needAccount {
		return nil
	}
	host, err := host.Name()
	if err != nil {
		return cli.Unsure("cannot tell this host's name: %w", err).Hint("name issuer and account: -i ISSUER -a ACCOUNT")
	}
	if needIssuer {
		u.Issuer = host
	}
	if needAccount {
		user := os.Getenv("USER")
		if user == "" {
			user = os.Getenv("LOGNAME")
		}
		if user == "" {
			return cli.Misused("no account: $USER is not set").Hint("say whose key it is: -a ACCOUNT")
		}
		u.Account = user + "@" + host
	}
	return nil
}

// override puts what the options say over what is known.
func (o *options) override(u oath.URI) (oath.URI, error) {
	given := o.flags.Given
	if given("hotp") {
		u.Kind, u.Counter = oath.HOTP, o.counter
	}
	switch {
	case u.Kind == oath.HOTP && given("period"):
		return u, cli.Misused("option --period does not go with a URI of type hotp: a counter has no period")
	case u.Kind == oath.HOTP:
		u.Period = 0
	case given("period"):
		u.Period = o.period
	}
	if given("issuer") {
		u.Issuer = o.issuer
	}
	if given("account") {
		if o.account == "" {
			return u, cli.Misused("the account is empty").Hint("say whose key it is: -a ACCOUNT")
		}
		u.Account = o.account
	}
	if given("digits") {
		u.Digits = o.digits
	}
	if given("algorithm") {
		u.Algorithm = o.algorithm
	}
	return u, nil
}

// read returns the one line of the key file or of standard input, and what the
// place is called in messages.
func (o *options) read(c *cli.Context) (text, name string, err error) {
	in, name := c.Stdin, "standard input"
	if o.flags.Given("key-file") && o.keyFile != "-" {
		name = o.keyFile
		if in, err = os.Open(o.keyFile); err != nil {
			return "", name, cli.Unsure("cannot read the key: %w", err)
		}
		defer in.Close()
	} else if cli.IsTerminal(in) {
		text, err = cli.AskSecret("key or otpauth URI: ")
		if err != nil {
			return "", name, cli.Unsure("%w", err)
		}
		text, err = oneLine([]byte(text), "the answer")
		return text, "the answer", err
	}
	b, err := io.ReadAll(io.LimitReader(in, maxInput+1))
	if err != nil {
		return "", name, cli.Unsure("cannot read the key: %w", err)
	}
	text, err = oneLine(b, name)
	return text, name, err
}

// oneLine is the first line, when nothing but blank lines follows it.
func oneLine(b []byte, name string) (string, error) {
	if len(b) > maxInput {
		return "", cli.Refused("%s is longer than %d bytes, so it is no key", name, maxInput)
	}
	line, rest, _ := bytes.Cut(b, []byte("\n"))
	line = bytes.TrimSpace(line)
	if len(line) == 0 {
		if len(bytes.TrimSpace(rest)) > 0 {
			return "", cli.Refused("%s: the first line is empty", name).Hint("put the key or otpauth URI on the first line")
		}
		return "", cli.Refused("%s: there is no key", name).
			Hint("give a key or an otpauth URI: oathkeygen | oath-qrencode; -g makes a key")
	}
	for n := 2; len(rest) > 0; n++ {
		var next []byte
		next, rest, _ = bytes.Cut(rest, []byte("\n"))
		if len(bytes.TrimSpace(next)) > 0 {
			return "", cli.Refused("%s:%d: a second key or URI", name, n).Hint("a QR code holds one; give one line at a time")
		}
	}
	return string(line), nil
}
