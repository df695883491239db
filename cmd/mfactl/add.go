package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
)

func (o *options) runAdd(c *cli.Context) error {
	s, t, err := o.openFor(c, true)
	if err != nil {
		return err
	}
	var p mfa.EnableOptions
	if s.kind == string(mfa.Duo) {
		p, err = s.duoParameters()
	} else if p, err = s.parameters(t.realm); err == nil {
		err = s.readKey(&p)
	}
	if err != nil {
		return err
	}
	if err := s.makeStore(t); err != nil {
		return err
	}
	var user mfa.User
	var made mfa.Credential
	err = s.update(t, func(u mfa.User) (after mfa.User, err error) {
		p.Now = s.now
		after, made, err = mfa.Add(u, p)
		user = after
		return after, err
	})
	if err != nil {
		return err
	}
	unrecorded := s.record(t, "add", made.ID, string(made.Kind), "")
	if s.json {
		if err := c.JSON(newObject(user, made, false)); err != nil {
			return err
		}
	}
	then := "the first right code activates it"
	if made.Kind == mfa.Duo {
		then = "from now on Duo is asked"
	}
	if made.Kind != mfa.Duo {
		s.warnFactor(t)
	}
	c.Say("Credential %s (%s) has been added for the user %s; %s", made.ID, describe(made), c.Args[0], then)
	return unrecorded
}

// duoParameters is for a credential of kind duo, which has no key: it says that
// Duo is asked. Where Duo is not configured nobody could log in with it.
func (s *session) duoParameters() (mfa.EnableOptions, error) {
	for _, name := range [...]string{"digits", "period", "algorithm", "counter"} {
		if s.flags.Given(name) {
			return mfa.EnableOptions{}, cli.Misused("option %q goes with a key, and type duo has none", "--"+name)
		}
	}
	if !s.Config.Duo.Complete() {
		return mfa.EnableOptions{}, cli.Refused("Duo is not configured, so the user could not log in").
			Hint("[duo] in oathkit.toml needs host, ikey and skey_file; 'oath-duo --check' tries them")
	}
	if err := mfa.CheckLabel(s.label); err != nil {
		return mfa.EnableOptions{}, cli.Misused("label: %w", err)
	}
	if s.email != "" {
		if err := mfa.CheckEmail(s.email); err != nil {
			return mfa.EnableOptions{}, cli.Misused("%w", err)
		}
	}
	return mfa.EnableOptions{Kind: mfa.Duo, Label: s.label, Email: s.email, Random: rand.Reader}, nil
}

// inURI are the options for what an otpauth URI says itself.
var inURI = [...]string{"type", "digits", "period", "algorithm", "counter"}

// readKey reads a key or URI and puts what it says into p.
func (s *session) readKey(p *mfa.EnableOptions) error {
	text, err := s.keyText()
	if err != nil {
		return err
	}
	if !strings.Contains(text, "://") {
		if p.Key, err = oath.ParseKey(text); err != nil {
			return badKey(err)
		}
		s.warnWeak(p.Key)
		return nil
	}
	for _, name := range inURI {
		if s.flags.Given(name) {
			return cli.Misused("option %q goes with a bare key: a URI says that itself", "--"+name)
		}
	}
	u, err := oath.ParseURI(text)
	if err != nil {
		return badKey(err)
	}
	p.Kind, p.Key, p.Algorithm = mfa.Kind(u.Kind.String()), u.Key, u.Algorithm
	p.Digits, p.Period, p.Counter, p.Issuer = u.Digits, u.Period, u.Counter, u.Issuer
	if p.Label == "" {
		p.Label = u.Account
	}
	if err := mfa.CheckLabel(p.Issuer); err != nil {
		return badKey(fmt.Errorf("its issuer: %w", err))
	}
	if err := mfa.CheckLabel(p.Label); err != nil {
		return cli.Refused("the account in the otpauth URI cannot be the label: %w", err).Hint("say --label LABEL")
	}
	s.warnWeak(p.Key)
	return nil
}

// maxKey bounds what is read for a key, in bytes: no URI is as long.
const maxKey = 64 << 10

// keyText is the one line that was given.
func (s *session) keyText() (string, error) {
	if cli.IsTerminal(s.c.Stdin) {
		text, err := cli.AskSecret("Key or otpauth URI: ")
		if err != nil {
			return "", cli.Unsure("%w", err)
		}
		return text, nil
	}
	b, err := io.ReadAll(io.LimitReader(s.c.Stdin, maxKey+1))
	switch {
	case err != nil:
		return "", cli.Unsure("cannot read the key: %w", err)
	case len(b) > maxKey:
		return "", badKey(fmt.Errorf("it is longer than %d bytes", maxKey))
	}
	line, rest, _ := strings.Cut(string(b), "\n")
	if strings.TrimSpace(rest) != "" {
		return "", badKey(errors.New("there is more than one line"))
	}
	return line, nil
}

func badKey(err error) error {
	return cli.Refused("the key on standard input: %w", err).
		Hint("a key is base32 or hex of at least %d bits, or an otpauth URI, on one line; nothing was changed", oath.MinBits)
}

// warnWeak tells of a key that is too easy to guess, though it is taken.
func (s *session) warnWeak(k oath.Key) {
	test, text := mfa.TestKey(k), mfa.PrintableKey(k)
	if k.Weak() {
		s.c.Warn("the key has %d bits, fewer than the %d that RFC 4226 asks for", k.Bits(), oath.WeakBits)
	}
	switch {
	case test:
		s.c.Warn("the key is weak: it is printed in public, as an example or for tests")
	case text:
		s.c.Warn("the key is weak: every byte of it is a printable character, so it was not drawn at random")
	}
	if test || text || k.Weak() {
		s.c.Hint("where the device can take another one, 'mfactl enable' makes a key of %d bits", s.Config.OATH.Bits)
	}
}
