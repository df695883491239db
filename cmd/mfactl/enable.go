package main

import (
	"fmt"
	"os"
	"strings"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
	"oathkit/pkg/qr"
)

func (o *options) runEnable(c *cli.Context) error {
	s, t, err := o.openFor(c, true)
	if err != nil {
		return err
	}
	p, err := s.parameters(t.realm)
	if err != nil {
		return err
	}
	if p.Issuer, err = s.siteIssuer(); err != nil {
		return err
	}
	if err := s.makeStore(t); err != nil {
		return err
	}
	var user mfa.User
	var made mfa.Credential
	err = s.update(t, func(u mfa.User) (after mfa.User, err error) {
		p.Now = s.now
		after, made, err = mfa.Enable(u, p)
		user = after
		return after, err
	})
	if err != nil {
		return err
	}
	// The key is shown even where the audit log could not be written: the
	// user is enabled, and this is the only time that it is shown unasked.
	unrecorded := s.record(t, "enable", made.ID, string(made.Kind), "")
	if err := s.showNew(t, user, made); err != nil {
		return err
	}
	if err := c.Stdout.Flush(); err != nil {
		return cli.Unsure("%w", cli.StdoutError(err)).
			Hint("user %q is enabled with a key that nobody saw: 'mfactl disable %s' and begin again", t.id, t.id)
	}
	warnApps(c, made)
	c.Say("The MFA credentials have been successfully enabled for the user %s", c.Args[0])
	return unrecorded
}

// showNew prints a fresh credential with its key.
func (s *session) showNew(t target, u mfa.User, cr mfa.Credential) error {
	if s.json {
		return s.c.JSON(newObject(u, cr, true))
	}
	w := s.c.Stdout
	fmt.Fprintf(w, "user:        %s\ncredential:  %s\ntype:        %s\nkey:         %s\n\n",
		t.id, cr.ID, describe(cr), groups(cr.Key.Base32()))
	fmt.Fprint(w, "Scan the QR code with an authenticator app, or type the key into it, then log in\n"+
		"with the code that it shows. The first right code activates the credential.\n")
	switch {
	case !t.required:
		fmt.Fprint(w, "Until then the password alone still works.\n")
	case s.Config.Enroll.Grace > 0:
		fmt.Fprintf(w, "For %v the password alone still works.\n", s.Config.Enroll.Grace)
	default:
		fmt.Fprintf(w, "No login works without a code: %s.\n", t.why)
	}
	fmt.Fprint(w, "Whoever sees the key can make the codes, so show it to nobody else.\n\n")
	return s.drawQR(t, cr)
}

// drawQR draws the credential's URI, unless the terminal is too small for it.
func (s *session) drawQR(t target, cr mfa.Credential) error {
	kind, err := oath.ParseKind(string(cr.Kind))
	if err != nil {
		return err
	}
	uri := oath.URI{
		Kind: kind, Issuer: cr.Issuer, Account: t.id, Key: cr.Key, Algorithm: cr.Algorithm,
		Digits: cr.Digits, Period: cr.Period, Counter: cr.Counter,
	}
	style := qr.Style{Quiet: quietZone}
	code, err := qr.Encode([]byte(uri.Format()), qr.L)
	if err != nil {
		s.c.Warn("no QR code: %v", err)
		return nil
	}
	needed, high := code.HalfBlockSize(style)
	columns, rows, ok := cli.TerminalSize(os.Stdout)
	if ok && (needed > columns || high >= rows) { // the last row is the prompt's
		s.c.Warn("no QR code: it needs %d columns and %d rows, this terminal has %d and %d", needed, high+1, columns, rows)
		s.c.Hint("type the key, or give it to oath-qrencode in a larger terminal")
		return nil
	}
	if _, err := s.c.Stdout.Write(code.AppendHalfBlocks(nil, style)); err != nil {
		return cli.StdoutError(err)
	}
	return nil
}

// quietZone is the light border that readers want, in modules (ISO 18004
// section 6.3.8).
const quietZone = 4

// groups is a key in groups of four, as people type it.
func groups(key string) string {
	var b strings.Builder
	for i := 0; i < len(key); i += 4 {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(key[i:min(i+4, len(key))])
	}
	return b.String()
}
