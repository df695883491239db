package main

import (
	"crypto/rand"
	"fmt"
	"strings"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
)

// An object is a credential as enable and list print it. The fields are in the
// order of their names.
type object struct {
	Activated bool   `json:"activated"`
	Blob      string `json:"blob,omitempty"` // the key, base32
	ID        string `json:"id"`
	Name      string `json:"name"` // the user without the realm
	Type      string `json:"type"`
	UserID    string `json:"user_id"`
}

// newObject is the credential for printing, with its key where that was asked
// for.
func newObject(u mfa.User, cr mfa.Credential, showKey bool) object {
	name, _, _ := mfa.SplitID(u.ID)
	o := object{Activated: cr.Activated, ID: cr.ID, Name: name, Type: string(cr.Kind), UserID: u.Record.UserID}
	if showKey && !cr.Kind.Sent() {
		o.Blob = cr.Key.Base32()
	}
	return o
}

// parameters is what a new credential in the realm is like: what the options
// say, else what the realm's tfa line says, else the configuration.
func (s *session) parameters(realm string) (mfa.EnableOptions, error) {
	c := s.Config.OATH
	p := oath.Params{Digits: c.Digits, Period: c.Period}
	if tfa := s.Realms.TFA(realm); tfa != nil {
		if tfa.Digits != 0 {
			p.Digits = tfa.Digits
		}
		if tfa.Step != 0 {
			p.Period = tfa.Step
		}
	}
	if s.flags.Given("digits") {
		p.Digits = s.digits
	}
	if s.flags.Given("period") {
		p.Period = s.period
	}
	algorithm := c.Algorithm
	if s.flags.Given("algorithm") {
		algorithm = s.algorithm
	}
	var err error
	if s.kind == string(mfa.Duo) {
		return mfa.EnableOptions{}, cli.Misused("type duo has no key to make").Hint("'mfactl add --type duo USER' says that Duo is asked about a user")
	}
	if p.Kind, err = oath.ParseKind(s.kind); err != nil {
		return mfa.EnableOptions{}, cli.Misused("%w", err)
	}
	if p.Algorithm, err = oath.ParseAlgorithm(algorithm); err != nil {
		return mfa.EnableOptions{}, cli.Misused("%w", err)
	}
	if p.Kind == oath.HOTP && s.flags.Given("period") {
		return mfa.EnableOptions{}, cli.Misused("option %q goes with type totp", "--period")
	}
	if p.Kind == oath.TOTP && s.flags.Given("counter") {
		return mfa.EnableOptions{}, cli.Misused("option %q goes with type hotp", "--counter")
	}
	if err := p.Check(); err != nil {
		return mfa.EnableOptions{}, cli.Misused("%w", err)
	}
	if err := mfa.CheckLabel(s.label); err != nil {
		return mfa.EnableOptions{}, cli.Misused("label: %w", err)
	}
	if s.email != "" {
		if err := mfa.CheckEmail(s.email); err != nil {
			return mfa.EnableOptions{}, cli.Misused("%w", err)
		}
	}
	return mfa.EnableOptions{
		Kind: mfa.Kind(p.Kind.String()), Label: s.label, Bits: c.Bits, Algorithm: p.Algorithm,
		Digits: p.Digits, Period: p.Period, Counter: s.counter, Email: s.email, Random: rand.Reader,
	}, nil
}

// siteIssuer is the name of this site in people's apps.
func (s *session) siteIssuer() (string, error) {
	issuer := s.issuer
	if !s.flags.Given("issuer") {
		var err error
		if issuer, err = s.Issuer(); err != nil {
			return "", err
		}
	}
	if err := mfa.CheckLabel(issuer); err != nil {
		return "", cli.Misused("issuer: %w", err)
	}
	return issuer, nil
}

// describe is the credential's parameters in words.
func describe(cr mfa.Credential) string {
	if cr.Kind.Sent() {
		return string(cr.Kind)
	}
	s := fmt.Sprintf("%s, %s, %d digits", cr.Kind, cr.Algorithm, cr.Digits)
	if cr.Kind == mfa.TOTP {
		s += fmt.Sprintf(", a new code every %d s", cr.Period)
	}
	return s
}

// warnApps tells of parameters that authenticator apps are known to ignore:
// they show codes then, but never the right ones.
func warnApps(c *cli.Context, cr mfa.Credential) {
	var odd []string
	if cr.Algorithm != oath.SHA1 {
		odd = append(odd, cr.Algorithm.String())
	}
	if cr.Digits != oath.DefaultDigits {
		odd = append(odd, fmt.Sprintf("%d digits", cr.Digits))
	}
	if cr.Kind == mfa.TOTP && cr.Period != oath.DefaultPeriod {
		odd = append(odd, fmt.Sprintf("a period of %d s", cr.Period))
	}
	if len(odd) == 0 {
		return
	}
	c.Warn("not every app knows %s: some show codes that are never right", strings.Join(odd, ", "))
	c.Hint("try the user's app before he depends on it, or use SHA1, 6 digits and 30 s")
}
