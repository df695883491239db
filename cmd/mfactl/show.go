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
	Email        string       `json:"email"`
	Source       string       `json:"source,omitempty"` // where the keys are decided, if not here
	RemovalUntil *time.Time   `json:"removal_until"`    // until when a removal that was asked for can be confirmed
	Credentials  []credential `json:"credentials"`
}

type credential struct {
	ID        string     `json:"id"`
	Label     string     `json:"label"`
	Issuer    string     `json:"issuer"`
	Type      string     `json:"type"`
	Address   string     `json:"address,omitempty"`   // email, sms
	Algorithm string     `json:"algorithm,omitempty"` // totp, hotp
	Digits    int        `json:"digits,omitempty"`
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
	p, err := s.portrait(u, t, lost)
	if err != nil {
		return err
	}
	if o.json {
		return c.JSON(p)
	}
	return p.print(c.Stdout)
}

func (s *session) portrait(u mfa.User, t target, lost bool) (portrait, error) {
	p := portrait{
		ID: u.ID, UserID: u.Record.UserID, Created: utc(u.Record.Created), Required: t.required, RequiredBy: t.why,
		State: "ok", Email: u.Record.Email, Source: string(u.Record.Source), Credentials: []credential{},
	}
	st, err := s.standing(u)
	switch {
	case err != nil:
		return p, cli.Unsure("user %q: %w", u.ID, err)
	case lost:
		p.State, p.Locked = "lost", true
	default:
		p.Failures, p.RecoveryLeft, p.Locked = st.Failures, st.RecoveryLeft, st.Locked
		if st.Failures > 0 {
			p.LastFailure = utc(time.UnixMilli(u.State.For(u.Record).LastFailure))
		}
		p.RemovalUntil = utc(st.Removal)
		if st.RetryAfter > 0 {
			p.LockedUntil = s.after(st.RetryAfter)
		}
	}
	for _, cr := range u.Record.Credentials {
		p.Credentials = append(p.Credentials, newCredential(u, cr, lost))
	}
	return p, nil
}

func newCredential(u mfa.User, cr mfa.Credential, lost bool) credential {
	k := credential{
		ID: cr.ID, Label: cr.Label, Issuer: cr.Issuer, Type: string(cr.Kind), Address: cr.Address,
		Activated: cr.Activated, Created: utc(cr.Created),
	}
	if !cr.Kind.Sent() {
		k.Algorithm, k.Digits, k.Period, k.Weak = cr.Algorithm.String(), cr.Digits, cr.Period, cr.Key.Weak()
	}
	if lost {
		return k
	}
	if at, used := u.LastUse(cr.ID); used {
		k.LastUsed = utc(at)
	}
	if counter, ok := u.State.For(u.Record).Counter(cr.ID); ok && cr.Kind == mfa.HOTP && !counter.Lost {
		k.Counter = &counter.Next
	}
	return k
}

// after is a time from now on, not too early by a part of a second.
func (s *session) after(d time.Duration) *time.Time { return utc(s.now.Add(d + time.Second - 1)) }

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
	if p.Source != "" {
		lines = append(lines, [2]string{"keys", "those of " + p.Source + " at each login"})
	}
	if p.Email != "" {
		lines = append(lines, [2]string{"e-mail", p.Email})
	}
	if p.RemovalUntil != nil {
		lines = append(lines, [2]string{"removal", "asked for, can be confirmed until " + stamp(p.RemovalUntil, "")})
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
		kind, what := k.Type, k.Label
		if k.Algorithm != "" {
			kind = fmt.Sprintf("%s/%s/%d", k.Type, k.Algorithm, k.Digits)
		} else if what == "" {
			what = k.Address
		}
		if k.Period > 0 {
			kind += fmt.Sprintf("/%d s", k.Period)
		}
		if k.Counter != nil {
			used = fmt.Sprintf("next counter %d", *k.Counter)
		}
		if k.Weak {
			kind += " (weak)"
		}
		rows = append(rows, []string{k.ID, kind, yesNo(k.Activated), used, what})
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
