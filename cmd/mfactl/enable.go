package main

import (
	"fmt"
	"os"
	"strings"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/mfa"
	"oathkit/pkg/qr"
)

func (o *options) runEnable(c *cli.Context) error {
	return o.issue(c, true, mfa.Enable)
}

// runReset is for whoever lost what he had: everything but the user's id is made
// anew.
func (o *options) runReset(c *cli.Context) error {
	return o.issue(c, false, mfa.Reset)
}

// A maker is mfa.Enable or mfa.Reset.
type maker func(mfa.User, mfa.EnableOptions) (mfa.User, mfa.Credential, error)

// An issued credential is what has to get to the user.
type issued struct {
	before     mfa.User
	user       mfa.User
	credential mfa.Credential
	codes      []string // recovery codes, on a sheet
}

// issue makes a fresh credential and shows it. With creating set the user, and
// the store, are new.
func (o *options) issue(c *cli.Context, creating bool, make maker) error {
	sheet, err := o.newSheet()
	if err != nil {
		return err
	}
	s, t, err := o.openFor(c, creating)
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
	if creating {
		if err := s.makeStore(t); err != nil {
			return err
		}
	}
	var out issued
	err = s.update(t, func(u mfa.User) (mfa.User, error) {
		p.Now = s.now
		out, err = s.fresh(u, p, make, sheet != nil)
		return out.user, err
	})
	if err != nil {
		return err
	}
	// The key is shown even where the audit log could not be written: the
	// user is enabled, and this is the only time that it is shown unasked.
	event := "enable"
	if !creating {
		event = "reset"
		c.Say("The MFA credentials have been successfully disabled for the user %s", c.Args[0])
	}
	unrecorded := s.record(t, event, out.credential.ID, string(out.credential.Kind), "")
	if err := s.showIssued(t, out, sheet); err != nil {
		return err
	}
	warnApps(c, out.credential)
	s.warnFactor(t)
	if out.before.Activated() && !t.required {
		c.Warn("until user %q gives the first right code, the password alone lets him in", t.id)
	}
	c.Say("The MFA credentials have been successfully enabled for the user %s", c.Args[0])
	return unrecorded
}

// fresh gives the user a credential and, for a sheet, recovery codes.
func (s *session) fresh(u mfa.User, p mfa.EnableOptions, make maker, codes bool) (issued, error) {
	out := issued{before: u}
	var err error
	if out.user, out.credential, err = make(u, p); err != nil || !codes {
		return out, err
	}
	out.codes, out.user, err = mfa.NewRecoveryCodes(out.user, s.Config.Enroll.RecoveryCodes, p.Random)
	return out, err
}

// showIssued prints what was made, or the sheet, before anything else is said.
func (s *session) showIssued(t target, out issued, sheet *sheet) error {
	var err error
	if sheet != nil {
		err = sheet.print(s.c.Stdout, t, out)
	} else {
		err = s.showNew(t, out.user, out.credential)
	}
	if err == nil {
		if err = s.c.Stdout.Flush(); err != nil {
			err = cli.StdoutError(err)
		}
	}
	if err != nil {
		return cli.Unsure("%w", err).
			Hint("user %q is enabled with a key that nobody saw: 'mfactl reset %s' makes another", t.id, t.id)
	}
	return nil
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
	case !t.byRecord(): // see warnFactor
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
	uri, err := cr.URI(t.id)
	if err != nil {
		return err
	}
	style := qr.Style{Quiet: qr.QuietZone}
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
