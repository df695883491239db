package main

import (
	"bufio"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/mfa"
	"oathkit/pkg/qr"
	"oathkit/pkg/verify"
)

// invitation is what a person is told whose password alone still opens.
const invitation = "a second factor is waiting for you: scan its QR code, and log in with the code that your app shows"

// An offer is what a person needs to begin with his factor. It is a secret.
type offer struct {
	Key string `json:"key"` // base32
	URI string `json:"uri"`
	QR  string `json:"qr"` // the URI as UTF-8 text, dark on light
}

// offer is made where it was asked for, to whoever is let in because his factor
// is enabled and was never used. In a realm that requires one there is none:
// there the key of a stolen password would be worth a login.
func (l *login) offer(r verify.Result) (*offer, error) {
	if !l.o.enrol || r.Verdict != verify.Pending || l.policy.Required {
		return nil, nil
	}
	var newest *mfa.Credential
	for i := range l.user.Record.Credentials {
		if c := &l.user.Record.Credentials[i]; !c.Kind.Sent() {
			newest = c
		}
	}
	if newest == nil {
		return nil, nil // his codes are sent
	}
	u, err := newest.URI(l.id)
	if err != nil {
		return nil, err
	}
	uri := u.Format()
	code, err := qr.Encode([]byte(uri), qr.L)
	if err != nil {
		return nil, cli.Unsure("no QR code: %w", err)
	}
	picture := code.AppendHalfBlocks(nil, qr.Style{Quiet: qr.QuietZone})
	return &offer{Key: newest.Key.Base32(), URI: uri, QR: string(picture)}, nil
}

// print writes the offer as a host shows it to the person.
func (f *offer) print(w *bufio.Writer) error {
	_, err := w.WriteString(f.QR + "key: " + f.Key + "\n")
	if err == nil {
		return nil
	}
	return cli.StdoutError(err)
}
