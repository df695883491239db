package login

import (
	"oathkit/cmd/internal/cli"
	"oathkit/pkg/mfa"
	"oathkit/pkg/qr"
)

// An Offer is what a person needs to begin with his factor. It is a secret.
type Offer struct {
	Key string `json:"key"` // base32
	URI string `json:"uri"`
	QR  string `json:"qr"` // the URI as UTF-8 text, dark on light
}

// OfferOf is the newest credential of a user who has never used one, for his
// app. It is nil for one who has, for one whose codes are sent, and in a realm
// that requires a factor: there the key of a stolen password would be worth a
// login.
func (l *Login) OfferOf(u mfa.User) (*Offer, error) {
	if l.Policy.Required || u.Activated() {
		return nil, nil
	}
	var newest *mfa.Credential
	for i := range u.Record.Credentials {
		if c := &u.Record.Credentials[i]; !c.Kind.Sent() {
			newest = c
		}
	}
	if newest == nil {
		return nil, nil
	}
	uri, err := newest.URI(l.ID)
	if err != nil {
		return nil, err
	}
	text := uri.Format()
	code, err := qr.Encode([]byte(text), qr.L)
	if err != nil {
		return nil, cli.Unsure("no QR code: %w", err)
	}
	picture := code.AppendHalfBlocks(nil, qr.Style{Quiet: qr.QuietZone})
	return &Offer{Key: newest.Key.Base32(), URI: text, QR: string(picture)}, nil
}
