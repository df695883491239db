package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/trusted"
	"oathkit/pkg/oath"
)

const (
	maxKeyFile = 1 << 20 // bytes
	maxWindow  = 1000    // steps or counters; beyond that a guess is too likely to be right
	lookAhead  = 10      // counters, as in the store
)

// A match is what --json says of a stateless check.
type match struct {
	OK            bool    `json:"ok"`
	Verdict       string  `json:"verdict"`
	Key           int     `json:"key,omitempty"`  // its number in the file, from 1
	Kind          string  `json:"kind,omitempty"` // totp or hotp
	Step          *uint64 `json:"step,omitempty"` // the time step or counter that matched
	Offset        *int64  `json:"offset,omitempty"`
	OffsetSeconds *int64  `json:"offset_seconds,omitempty"`
}

func (o *options) runStateless(c *cli.Context) error {
	for _, name := range [...]string{"realm", "service", "rhost", "explain", "enrol", "method"} {
		if o.flags.Given(name) {
			return cli.Misused("option %q goes with a USER, not with -k", "--"+name)
		}
	}
	switch {
	case len(c.Args) > 0:
		return cli.Misused("a USER and -k do not go together")
	case o.flags.Given("hotp") && o.flags.Given("step"):
		return cli.Misused("options --hotp and --step do not go together: a counter has no time step")
	}
	base, err := o.parameters()
	if err != nil {
		return err
	}
	now, err := o.now()
	if err != nil {
		return err
	}
	keys, err := readKeys(c, o.keyFile, base)
	if err != nil {
		return err
	}
	code, err := answer(c)
	if err != nil {
		return err
	}
	m := o.match(keys, oath.NormalizeCode(code), now)
	if o.json {
		if err := c.JSON(m); err != nil {
			return err
		}
	}
	if !m.OK {
		return cli.ErrNo
	}
	return nil
}

// parameters are what the options say of keys that come without their own.
func (o *options) parameters() (oath.URI, error) {
	u := oath.URI{Digits: o.digits, Period: o.step, Counter: o.hotp}
	if o.flags.Given("hotp") {
		u.Kind = oath.HOTP
	}
	var err error
	if u.Algorithm, err = oath.ParseAlgorithm(o.algorithm); err != nil {
		return u, cli.Misused("%w", err)
	}
	p := oath.Params{Kind: u.Kind, Algorithm: u.Algorithm, Digits: u.Digits, Period: u.Period}
	if err := p.Check(); err != nil {
		return u, cli.Misused("%w", err)
	}
	if o.flags.Given("window") && (o.window < 0 || o.window > maxWindow) {
		return u, cli.Misused("window %d is outside 0 to %d", o.window, maxWindow)
	}
	return u, nil
}

func (o *options) now() (time.Time, error) {
	if !o.flags.Given("time") {
		return time.Now(), nil
	}
	if n, err := strconv.ParseInt(o.time, 10, 64); err == nil {
		if n < 0 {
			return time.Time{}, cli.Misused("time %d is before 1970", n)
		}
		return time.Unix(n, 0), nil
	}
	t, err := time.Parse(time.RFC3339, o.time)
	if err != nil || t.Unix() < 0 {
		return t, cli.Misused("time %q is neither seconds since 1970 nor like 2026-01-31T12:00:00Z", o.time)
	}
	return t, nil
}

// readKeys reads a file of keys, as in user.cfg, or of key URIs, one a line.
func readKeys(c *cli.Context, name string, base oath.URI) ([]oath.URI, error) {
	b, err := trusted.ReadFile(name, maxKeyFile)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(name); err == nil && info.Mode().Perm()&0o044 != 0 {
		c.Warn("%s: has mode %04o, so others can read the keys: chmod 0600 it", name, info.Mode().Perm())
	}
	var keys []oath.URI
	for i, line := range strings.Split(string(b), "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.Contains(line, "://"):
			u, err := oath.ParseURI(line)
			if err != nil {
				return nil, fmt.Errorf("%s:%d: %w", name, i+1, err)
			}
			keys = append(keys, u)
		default:
			list, err := oath.ParseKeys(line)
			if err != nil {
				return nil, fmt.Errorf("%s:%d: %w", name, i+1, err)
			}
			for _, k := range list {
				u := base
				u.Key = k
				keys = append(keys, u)
			}
		}
	}
	if len(keys) == 0 {
		return nil, cli.Unsure("%s: there is no key in it", name)
	}
	for i, u := range keys {
		if u.Key.Weak() {
			c.Warn("%s: key %d has %d bits, fewer than the 128 that RFC 4226 asks for", name, i+1, u.Key.Bits())
		}
	}
	return keys, nil
}

// match tries every key, so that time does not tell which one it was.
func (o *options) match(keys []oath.URI, code string, now time.Time) match {
	m := match{Verdict: "rejected"}
	for i, u := range keys {
		from, to, base := o.span(u, now)
		if !oath.IsCode(code, u.Digits) {
			continue
		}
		step, ok := oath.NewCoder(u.Key, u.Algorithm, u.Digits).Match(code, from, to)
		if !ok || m.OK {
			continue
		}
		offset := int64(step - base)
		m = match{OK: true, Verdict: "accepted", Key: i + 1, Kind: u.Kind.String(), Step: &step, Offset: &offset}
		if u.Kind == oath.TOTP {
			seconds := offset * int64(u.Period)
			m.OffsetSeconds = &seconds
		}
	}
	return m
}

// span is the first and the last counter to try, and the one that is due.
func (o *options) span(u oath.URI, now time.Time) (from, to, due uint64) {
	w := uint64(1)
	if u.Kind == oath.HOTP {
		w = lookAhead
	}
	if o.window >= 0 {
		w = uint64(o.window)
	}
	due = u.Counter
	if u.Kind == oath.TOTP {
		due = oath.StepAt(now, u.Period)
		from = due - min(due, w)
	} else {
		from = due
	}
	to = due + w
	if to < due {
		to = ^uint64(0)
	}
	return from, to, due
}
