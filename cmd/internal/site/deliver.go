package site

import (
	"context"
	"fmt"
	"time"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/host"
	"oathkit/pkg/deliver"
	"oathkit/pkg/mfa"
)

// CanSend says, before anything is promised, whether codes of the kind can be
// sent at all.
func (s *Site) CanSend(kind mfa.Kind) error {
	if len(s.courier(kind).Argv) > 0 {
		return nil
	}
	return cli.Unsure("the configuration names no command in [deliver.%s]", kind).
		Hint("nothing was sent; the administrator sets it in oathkit.toml")
}

// SendCode hands a code to the administrator's command for the credential's
// kind. The error names what the command said, never the code; a code that was
// not sent is the caller's to revoke.
func (s *Site) SendCode(cr mfa.Credential, code string, now time.Time) error {
	from, err := s.issuer(cr)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("Your verification code for %s is %s\n", from, code)
	if cr.Kind == mfa.SMS {
		m, err := deliver.SMS{To: cr.Address, Body: text, Secret: code}.Message()
		return s.hand(mfa.SMS, m, err)
	}
	text += "\nIt is good for 5 minutes, once. If you did not ask for it, somebody else did:\ntell your administrator.\n"
	return s.SendMail(deliver.Mail{To: cr.Address, Subject: "Verification code", Body: text, Date: now, Secret: code})
}

// SendMail hands a message to the administrator's command for mail. Its sender
// is the configured one.
func (s *Site) SendMail(mail deliver.Mail) error {
	mail.From = s.Config.Deliver.Email.From
	m, err := mail.Message()
	return s.hand(mfa.Email, m, err)
}

func (s *Site) hand(kind mfa.Kind, m deliver.Message, err error) error {
	if err == nil {
		err = s.CanSend(kind)
	}
	if err != nil {
		return err
	}
	if err := s.courier(kind).Send(context.Background(), m); err != nil {
		return cli.Unsure("nothing was sent: %w", err).Hint("see [deliver.%s] in the configuration; what was to be sent is not good", kind)
	}
	return nil
}

// courier is the administrator's command for a kind.
func (s *Site) courier(kind mfa.Kind) deliver.Command {
	c := &s.Config.Deliver
	if kind == mfa.SMS {
		return deliver.Command{Argv: c.SMS.Command, Timeout: c.SMS.Timeout}
	}
	return deliver.Command{Argv: c.Email.Command, Timeout: c.Email.Timeout}
}

// issuer is how this site calls itself to the person.
func (s *Site) issuer(cr mfa.Credential) (string, error) {
	if cr.Issuer != "" {
		return cr.Issuer, nil
	}
	return s.Issuer()
}

// Issuer is this site's name in people's apps and messages: the configuration's,
// else the host's.
func (s *Site) Issuer() (string, error) {
	if s.Config.OATH.Issuer != "" {
		return s.Config.OATH.Issuer, nil
	}
	name, err := host.Name()
	if err != nil {
		return "", cli.Unsure("cannot find the host's name: %w", err).Hint("set [oath] issuer in the configuration")
	}
	return name, nil
}
