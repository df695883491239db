package main

import (
	"time"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/verify"
)

// A verdict is what --json prints for a login.
type verdict struct {
	OK            bool   `json:"ok"`
	Verdict       string `json:"verdict"`
	User          string `json:"user"` // name@realm
	Realm         string `json:"realm"`
	Credential    string `json:"credential"`     // its id; empty when none was used
	Kind          string `json:"kind"`           // totp, hotp or recovery; empty when none was used
	OffsetSeconds int64  `json:"offset_seconds"` // how far the person's clock is ahead
	RecoveryLeft  int    `json:"recovery_left"`
	RetryAfter    int64  `json:"retry_after"` // seconds; 0 when there is nothing to wait for
	Message       string `json:"message"`     // for the person
	Enrol         *offer `json:"enrol,omitempty"`
}

func (l *login) verdict(r verify.Result) verdict {
	v := verdict{
		OK: r.OK, Verdict: string(r.Verdict), User: l.id, Realm: l.realm,
		Credential: r.Credential, Kind: r.Kind, OffsetSeconds: int64(r.Offset / time.Second),
		RecoveryLeft: r.RecoveryLeft, RetryAfter: int64((r.RetryAfter + time.Second - 1) / time.Second),
	}
	switch {
	case r.Verdict == sent:
		v.Message = notice
	case !r.OK:
		v.Message = refusal
	case r.Verdict == verify.Pending:
		v.Message = invitation
	}
	return v
}

// unsure passes an error on, after a verdict for whoever reads JSON. The message
// in that is for the person, who learns nothing of files or of who exists.
func (o *options) unsure(c *cli.Context, id, realm string, err error) error {
	if !o.json {
		return err
	}
	if jerr := c.JSON(verdict{Verdict: "error", User: id, Realm: realm, Message: fault}); jerr != nil {
		return jerr
	}
	return err
}
