package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/mfa"
	"oathkit/pkg/store"
)

// A portrait is one user as show prints him: everything but secrets.
type portrait struct {
	ID           string       `json:"id"` // name@realm
	UserID       string       `json:"user_id"`
	Created      *time.Time   `json:"created"`
	Required     bool         `json:"required"`    // the realm asks everybody for a factor
	RequiredBy   string       `json:"required_by"` // why, or why not
	State        string       `json:"state"`       // "ok", or "lost": see unlock
	Locked       bool         `json:"locked"`
	LockedUntil  *time.Time   `json:"locked_until"` // null while locked: until unlock or a recovery code
	Failures     int          `json:"failures"`     // in a row
	LastFailure  *time.Time   `json:"last_failure"`
	RecoveryLeft int          `json:"recovery_left"`
	Credentials  []credential `json:"credentials"`
}

type credential struct {
	ID        string     `json:"id"`
	Label     string     `json:"label"`
	Issuer    string     `json:"issuer"`
	Type      string     `json:"type"`
	Algorithm string     `json:"algorithm"`
	Digits    int        `json:"digits"`
	Period    int        `json:"period,omitempty"`  // seconds, totp
	Counter   *uint64    `json:"counter,omitempty"` // the next one, hotp
	Activated bool       `json:"activated"`
	Created   *time.Time `json:"created"`
	LastUsed  *time.Time `json:"last_used"` // the time whose code was given, totp
	Weak      bool       `json:"weak"`      // the key has fewer than 128 bits
}

func (o *options) runShow(c *cli.Context) error {
	s, t, err := o.openFor(c, false)
	if err != nil {
		return err
	}
	u, err := s.view(t)
	lost := errors.Is(err, store.ErrStateLost) && u.Enrolled()
	switch {
	case lost:
		c.Warn("%v", err)
	case err != nil:
		return err
	case !u.Enrolled():
		return notEnabled(t)
	}
	p := s.portrait(u, t, lost)
	if o.json {
		return c.JSON(p)
	}
	return p.print(c.Stdout)
}

func (s *session) portrait(u mfa.User, t target, lost bool) portrait {
	p := portrait{
		ID: u.ID, UserID: u.Record.UserID, Created: utc(u.Record.Created), Required: t.required, RequiredBy: t.why,
		State: "ok", Credentials: []credential{},
	}
	if lost {
		p.State, p.Locked = "lost", true
	} else {
		st := u.State.For(u.Record)
		p.Failures = int(st.Failures)
		if st.Failures > 0 {
			p.LastFailure = utc(time.UnixMilli(st.LastFailure))
		}
		p.RecoveryLeft = u.Record.Recovery.Left(st.RecoveryUsed)
		var left time.Duration
		if p.Locked, left = s.waits(u, t.realm); left > 0 {
			p.LockedUntil = utc(s.now.Add(left + time.Second - 1))
		}
	}
	for _, cr := range u.Record.Credentials {
		p.Credentials = append(p.Credentials, newCredential(cr, u.State, lost))
	}
	return p
}

func newCredential(cr mfa.Credential, st mfa.State, lost bool) credential {
	k := credential{
		ID: cr.ID, Label: cr.Label, Issuer: cr.Issuer, Type: string(cr.Kind), Algorithm: cr.Algorithm.String(), Digits: cr.Digits,
		Period: cr.Period, Activated: cr.Activated, Created: utc(cr.Created), Weak: cr.Key.Weak(),
	}
	counter, ok := st.Counter(cr.ID)
	switch {
	case lost || !ok || counter.Lost:
	case cr.Kind == mfa.HOTP:
		k.Counter = &counter.Next
	case counter.Next > 0:
		// Next is where the step after the used one begins.
		k.LastUsed = utc(time.Unix(int64(counter.Next)-int64(cr.Period), 0))
	}
	return k
}

// utc is a time for JSON: whole seconds, UTC, null for none.
func utc(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Second)
	return &t
}

func (p portrait) print(w io.Writer) error {
	required := "no"
	if p.Required {
		required = "yes"
	}
	lines := [][2]string{
		{"user", p.ID},
		{"user id", p.UserID},
		{"created", stamp(p.Created, "")},
		{"required", required + " (" + p.RequiredBy + ")"},
		{"locked", p.lock()},
		{"failures", p.failed()},
		{"recovery", strconv.Itoa(p.RecoveryLeft) + " codes left"},
	}
	for _, l := range lines {
		if _, err := fmt.Fprintf(w, "%-10s %s\n", l[0]+":", cli.Printable(l[1])); err != nil {
			return cli.StdoutError(err)
		}
	}
	fmt.Fprintln(w)
	rows := make([][]string, 0, len(p.Credentials))
	for _, k := range p.Credentials {
		used := stamp(k.LastUsed, "-")
		kind := fmt.Sprintf("%s/%s/%d", k.Type, k.Algorithm, k.Digits)
		if k.Period > 0 {
			kind += fmt.Sprintf("/%d s", k.Period)
		}
		if k.Counter != nil {
			used = fmt.Sprintf("next counter %d", *k.Counter)
		}
		if k.Weak {
			kind += " (weak)"
		}
		rows = append(rows, []string{k.ID, kind, yesNo(k.Activated), used, k.Label})
	}
	return cli.Table(w, []string{"ID", "TYPE", "ACTIVATED", "LAST USED", "LABEL"}, rows)
}

func (p portrait) lock() string {
	switch {
	case p.State == "lost":
		return "yes, the state is lost: mfactl unlock " + p.ID
	case !p.Locked:
		return "no"
	case p.LockedUntil == nil:
		return "yes, until a recovery code or mfactl unlock " + p.ID
	}
	return "until " + stamp(p.LockedUntil, "")
}

func (p portrait) failed() string {
	if p.Failures == 0 {
		return "0"
	}
	return fmt.Sprintf("%d in a row, the last at %s", p.Failures, stamp(p.LastFailure, ""))
}

func stamp(t *time.Time, none string) string {
	if t == nil {
		return none
	}
	return t.Format("2006-01-02 15:04:05 UTC")
}
