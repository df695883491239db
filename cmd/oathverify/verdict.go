package main

import (
	"time"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/login"
	"oathkit/pkg/verify"
)

// A verdict is what --json prints for a login.
type verdict struct {
	OK            bool         `json:"ok"`
	Verdict       string       `json:"verdict"`
	User          string       `json:"user"` // name@realm
	Realm         string       `json:"realm"`
	Credential    string       `json:"credential"`     // its id; empty when none was used
	Kind          string       `json:"kind"`           // of the credential, or recovery, or duo; empty when none was used
	OffsetSeconds int64        `json:"offset_seconds"` // how far the person's clock is ahead
	RecoveryLeft  int          `json:"recovery_left"`
	RetryAfter    int64        `json:"retry_after"` // seconds; 0 when there is nothing to wait for
	Message       string       `json:"message"`     // for the person
	Enrol         *login.Offer `json:"enrol,omitempty"`
}

func verdictOf(l *login.Login, r verify.Result) verdict {
	v := verdict{
		OK: r.OK, Verdict: string(r.Verdict), User: l.ID, Realm: l.Realm,
		Credential: r.Credential, Kind: r.Kind, OffsetSeconds: int64(r.Offset / time.Second),
		RecoveryLeft: r.RecoveryLeft, RetryAfter: int64((r.RetryAfter + time.Second - 1) / time.Second),
	}
	v.Message = messageOf(l, r)
	return v
}

// messageOf is what the person is told of a result: Duo's words where it was
// asked and had some.
func messageOf(l *login.Login, r verify.Result) string {
	switch {
	case l.Said != "" && r.Verdict != verify.Locked:
		return l.Said
	case r.Verdict == login.Sent:
		return login.Notice
	case !r.OK:
		return login.Refusal
	case r.Verdict == verify.Pending:
		return login.Invitation
	}
	return ""
}

// unsure passes an error on, after a verdict for whoever reads JSON. The message
// in that is for the person, who learns nothing of files or of who exists.
func (o *options) unsure(c *cli.Context, l *login.Login, err error) error {
	if !o.json {
		return err
	}
	v := verdict{Verdict: "error", User: c.Args[0], Realm: o.realm, Message: login.Fault}
	if l != nil {
		v.User, v.Realm = l.ID, l.Realm
	}
	if jerr := c.JSON(v); jerr != nil {
		return jerr
	}
	return err
}
