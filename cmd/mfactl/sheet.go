package main

import (
	"fmt"
	"io"
	"strings"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/qr"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"
)

// A sheet is what a user gets of his enrolment, readable to its recipient alone:
// the only form in which a key leaves this program for the road.
type sheet struct {
	recipient age.Recipient
}

// newSheet is the sheet that --encrypt-to asks for; nil without it.
func (o *options) newSheet() (*sheet, error) {
	if !o.flags.Given("encrypt-to") {
		return nil, nil
	}
	if o.json {
		return nil, cli.Misused("options %q and %q do not go together: nothing but the sheet is printed", "--encrypt-to", "--json")
	}
	r, err := parseRecipient(o.encryptTo)
	if err != nil {
		return nil, err
	}
	return &sheet{r}, nil
}

// parseRecipient reads an age recipient or an SSH public key. What it cannot
// read it does not repeat, for it may be the secret half.
func parseRecipient(s string) (age.Recipient, error) {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "AGE-SECRET-KEY-") || strings.Contains(s, "PRIVATE KEY") {
		return nil, cli.Misused("the recipient is a private key, which should never have been on a command line").
			Hint("make a new pair of keys, and give its public half here")
	}
	if strings.HasPrefix(s, "ssh-") && !strings.ContainsAny(s, "\r\n") {
		r, err := agessh.ParseRecipient(s)
		if err != nil {
			return nil, badRecipient("it is no SSH public key of the types ssh-ed25519 or ssh-rsa, or a weak one")
		}
		return r, nil
	}
	list, err := age.ParseRecipients(strings.NewReader(s))
	switch {
	case err != nil:
		return nil, badRecipient("it is no age recipient")
	case len(list) != 1:
		return nil, badRecipient("there are several")
	}
	return list[0], nil
}

func badRecipient(why string) error {
	return cli.Misused("bad recipient: %s", why).
		Hint("a recipient is what 'age-keygen -y' prints (age1…), or the line of an SSH public key (ssh-ed25519 …)")
}

// print writes the sheet, encrypted and armored.
func (sh *sheet) print(w io.Writer, t target, out issued) error {
	text, err := sh.text(t, out)
	if err != nil {
		return err
	}
	a := armor.NewWriter(w)
	e, err := age.Encrypt(a, sh.recipient)
	if err != nil {
		return fmt.Errorf("cannot encrypt the sheet: %w", err)
	}
	if _, err := io.WriteString(e, text); err != nil {
		return cli.StdoutError(err)
	}
	if err := e.Close(); err != nil {
		return cli.StdoutError(err)
	}
	if err := a.Close(); err != nil {
		return cli.StdoutError(err)
	}
	return nil
}

// text is the sheet as the user reads it.
func (sh *sheet) text(t target, out issued) (string, error) {
	cr := out.credential
	uri, err := cr.URI(t.id)
	if err != nil {
		return "", err
	}
	code, err := qr.Encode([]byte(uri.Format()), qr.L)
	if err != nil {
		return "", fmt.Errorf("no QR code: %w", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "user:        %s\nissuer:      %s\ncredential:  %s\ntype:        %s\nkey:         %s\nuri:         %s\n\n",
		t.id, cr.Issuer, cr.ID, describe(cr), groups(cr.Key.Base32()), uri.Format())
	b.WriteString("Scan the QR code with an authenticator app, or type the key into it, then log in\n" +
		"with the code that it shows. The first right code activates the credential.\n" +
		"Whoever sees this sheet can make the codes, so show it to nobody else.\n\n")
	b.Write(code.AppendHalfBlocks(nil, qr.Style{Quiet: qr.QuietZone}))
	b.WriteString("\nRecovery codes, each good once instead of a code, for when the app is lost:\n\n")
	for _, code := range out.codes {
		b.WriteString("    " + code + "\n")
	}
	return b.String(), nil
}
