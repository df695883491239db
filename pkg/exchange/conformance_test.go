package exchange

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/account"
	"oathkit/pkg/internal/pvetest"
	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
	"oathkit/pkg/verify"
)

const manual = "../../man/man7/oathkit-differences.7"

// held runs fn, which says what we make of a case and what Proxmox VE did, for
// every case of a kind.
func held(t *testing.T, kind string, n int, fn func(t *testing.T, c pvetest.Case) (got, want string)) {
	l := pvetest.NewLedger(t, manual, kind)
	for _, c := range pvetest.Cases(t, kind, n) {
		t.Run(c.Name, func(t *testing.T) {
			got, want := fn(t, c)
			l.Compare(t, c, got, want)
		})
	}
	l.Done(t)
}

func TestTFAAsPVEReadsIt(t *testing.T) {
	held(t, "tfa.cfg/parse", 14, func(t *testing.T, c pvetest.Case) (got, want string) {
		var in struct {
			TFA string `json:"tfa_cfg"`
		}
		var out struct {
			CFG   string
			Error string `json:"parse_error"`
		}
		pvetest.Read(t, c.Input, &in)
		pvetest.Read(t, c.Expected, &out)
		if want = out.CFG; out.Error != "" {
			want = "error"
		}
		f, err := ParseTFA([]byte(in.TFA))
		if err != nil {
			return "error", want
		}
		return string(f.Text()), want
	})
}

func TestURIAsPVEReadsIt(t *testing.T) {
	held(t, "otpauth-uri/rust", 40, func(t *testing.T, c pvetest.Case) (got, want string) {
		var in struct {
			URI  string
			Now  int64
			Code *string
		}
		type reading struct {
			Account, Algorithm, Code string
			Digits, Period           uint64
			Issuer                   *string
			Secret                   string `json:"secret_hex"`
			URI                      string `json:"to_uri"`
			Verify                   *int
		}
		var out struct {
			OK    *reading
			Error string
		}
		pvetest.Read(t, c.Input, &in)
		pvetest.Read(t, c.Expected, &out)
		show := func(r reading) string {
			b, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
		if want = "error"; out.OK != nil {
			want = show(*out.OK)
		}
		u, err := parsePVEURI(in.URI)
		if err != nil {
			return "error", want
		}
		cr, err := u.credential()
		if err != nil {
			return "not carried: " + err.Error(), want
		}
		r := reading{
			Account: u.account, Algorithm: cr.Algorithm.String(), Digits: uint64(cr.Digits), Period: uint64(cr.Period),
			Secret: hex.EncodeToString(cr.Key.Bytes()), URI: u.text(),
		}
		if u.hasIssuer {
			r.Issuer = &u.issuer
		}
		coder, step := oath.NewCoder(cr.Key, cr.Algorithm, cr.Digits), oath.StepAt(time.Unix(in.Now, 0), cr.Period)
		if in.Now != 0 {
			r.Code = string(coder.AppendCode(nil, step))
		}
		if in.Code != nil {
			if at, ok := coder.Match(oath.NormalizeCode(*in.Code), step-1, step+1); ok {
				n := int(at) - int(step)
				r.Verify = &n
			}
		}
		if back, err := oath.ParseURI(r.URI); err != nil && u.account != "" || err == nil && !back.Key.Equal(cr.Key) {
			t.Errorf("our own reader: %v", err)
		}
		return show(r), want
	})
}

func TestOldKeysAsPVEMigratesThem(t *testing.T) {
	held(t, "legacy-key-migration", 10, func(t *testing.T, c pvetest.Case) (got, want string) {
		var in struct{ Keys string }
		var out []struct{ URI string }
		pvetest.Read(t, c.Input, &in)
		pvetest.Read(t, c.Expected, &out)
		for _, o := range out {
			u, err := parsePVEURI(o.URI)
			if err != nil {
				t.Fatal(err)
			}
			want += fmt.Sprintf("%x/%v/%d/%d ", u.secret, u.algorithm, u.digits, u.period)
		}
		users := account.ParseUsers([]byte("user:joe@pve:1:0:::::" + in.Keys + ":\n"))
		people, _ := Users(users, func(string) Shape { return Shape{Digits: 8, Period: 60} }, false, noon)
		for _, p := range people {
			for _, cr := range p.Credentials {
				got += fmt.Sprintf("%x/%v/%d/%d ", cr.Key.Bytes(), cr.Algorithm, cr.Digits, cr.Period)
			}
		}
		return got, want
	})
}

// A play is a user who came out of a tfa.cfg and what happens to him.
type play struct {
	t      *testing.T
	user   mfa.User
	came   Clock // when he was imported
	policy verify.Policy
}

func (p *play) start(cfg, user string) {
	f, err := ParseTFA([]byte(cfg))
	if err != nil {
		p.t.Fatal(err)
	}
	p.user = mfa.User{ID: user}
	people, _ := f.People()
	for _, who := range people {
		if who.ID == user && len(who.Credentials) > 0 {
			p.user = arrive(p.t, who, p.came)
		}
	}
}

// arrive is a person as he is with us.
func arrive(t testing.TB, who Person, clock Clock) mfa.User {
	t.Helper()
	u, _, err := mfa.Import(mfa.User{ID: who.ID}, who.Imported, mfa.ImportOptions{Window: clock.Window, Now: clock.Now, Random: dice(1)})
	if err != nil {
		t.Fatal(err)
	}
	if who.Locked {
		u, _ = verify.Lock(u, time.Time{}, clock.Now, verify.DefaultLockout())
	}
	if !who.LockedUntil.IsZero() {
		u, _ = verify.Lock(u, who.LockedUntil, clock.Now, verify.DefaultLockout())
	}
	return u
}

// leave is a user of ours as he is exported.
func leave(t testing.TB, u mfa.User, now time.Time) Person {
	t.Helper()
	st, err := verify.Status(u, now, verify.Policy{Window: 1, Lockout: verify.DefaultLockout()})
	if err != nil {
		t.Fatal(err)
	}
	p, _ := PersonOf(u)
	if st.Locked {
		if p.Locked = st.RetryAfter == 0; !p.Locked {
			p.LockedUntil = now.Add(st.RetryAfter)
		}
	}
	return p
}

// summary is what of a tfa.cfg can be compared: the keys in use with the last
// step that was used, the recovery codes that are left, the locks. A step that
// is not after since is none.
func summary(f TFA, since int64) string {
	var b strings.Builder
	for _, u := range f.users {
		for _, e := range u.totp {
			if e.disabled {
				continue
			}
			fmt.Fprintf(&b, "%x", e.uri.secret)
			if e.lastCount != nil && *e.lastCount > since {
				fmt.Fprintf(&b, " %d", *e.lastCount)
			}
			b.WriteString("; ")
		}
		if u.recovery != nil {
			for _, e := range u.recovery.entries {
				if e != "" {
					fmt.Fprintf(&b, "%.4s ", e)
				}
			}
		}
		if u.locked {
			b.WriteString("locked ")
		}
		if u.lockedUntil != nil {
			fmt.Fprintf(&b, "until %d", *u.lockedUntil)
		}
	}
	return strings.TrimSpace(b.String())
}

// step is one thing that happens in a case of tfa.cfg/verify.
type step struct {
	Op, Value string
	Repeat    int
	Now       int64
}

// do does it and says what comes of it, in the words of outcome.
func (p *play) do(s step, now time.Time) string {
	switch s.Op {
	case "respond":
		_, answer, _ := strings.Cut(s.Value, ":")
		var r verify.Result
		for range max(s.Repeat, 1) {
			r, p.user = verify.Decide(p.user, answer, now, p.policy)
		}
		return yesNo(r.OK)
	case "challenge":
		st, err := verify.Status(p.user, now, p.policy)
		if err != nil {
			p.t.Fatal(err)
		}
		if st.Usable == 0 {
			return "none"
		}
		return fmt.Sprintf("totp, %d recovery codes", st.RecoveryLeft)
	case "unlock":
		st, err := verify.Status(p.user, now, p.policy)
		if err == nil {
			p.user, err = mfa.Unlock(p.user)
		}
		if err != nil {
			return "error"
		}
		return fmt.Sprintf("was locked: %v", st.Locked)
	case "add_recovery":
		codes, u, err := mfa.NewRecoveryCodes(p.user, 10, dice(2))
		if err != nil {
			return "error"
		}
		p.user = u
		return fmt.Sprintf("%d codes of %d", len(codes), len(codes[0]))
	case "reboot": // we keep nothing that it could clear
		return "ok"
	}
	p.t.Fatalf("unknown step %q", s.Op)
	return ""
}

// outcome is what Proxmox VE made of a step, in the words of do.
func outcome(t *testing.T, op string, result json.RawMessage) string {
	var said string
	if json.Unmarshal(result, &said) == nil {
		switch {
		case op == "respond":
			return yesNo(strings.HasPrefix(said, "Success"))
		case strings.HasPrefix(said, "ERR"):
			return "error"
		}
		return said
	}
	var r struct {
		TOTP     bool
		Recovery []int
		Was      bool `json:"was_locked"`
		Count    int
		Len      int
	}
	pvetest.Read(t, result, &r)
	switch op {
	case "challenge":
		return fmt.Sprintf("totp, %d recovery codes", len(r.Recovery))
	case "unlock":
		return fmt.Sprintf("was locked: %v", r.Was)
	}
	return fmt.Sprintf("%d codes of %d", r.Count, r.Len)
}

func yesNo(ok bool) string {
	if ok {
		return "yes"
	}
	return "no"
}

func TestLoginAsInPVE(t *testing.T) {
	held(t, "tfa.cfg/verify", 24, func(t *testing.T, c pvetest.Case) (got, want string) {
		var in struct {
			User  string
			Now   int64
			TFA   string `json:"tfa_cfg"`
			Steps []step
		}
		var out struct {
			CFG   *string
			Steps []struct {
				Op     string
				Result json.RawMessage
			}
		}
		pvetest.Read(t, c.Input, &in)
		pvetest.Read(t, c.Expected, &out)
		now := time.Unix(in.Now, 0)
		// An hour before, so that every code of now is one that was not used.
		p := &play{t: t, came: Clock{now.Add(-time.Hour), 1}, policy: verify.Policy{Window: 1, Required: true, Lockout: verify.DefaultLockout()}}
		p.start(in.TFA, in.User)
		for i, s := range in.Steps {
			if s.Now != 0 {
				now = time.Unix(s.Now, 0)
			}
			got += p.do(s, now) + "\n"
			want += outcome(t, s.Op, out.Steps[i].Result) + "\n"
		}
		if out.CFG == nil {
			return got, want
		}
		there, err := ParseTFA([]byte(*out.CFG))
		if err != nil {
			t.Fatal(err)
		}
		here, _ := NewTFA([]Person{leave(t, p.user, now)}, Clock{now, 1})
		since := p.came.Now.Unix()/30 + 1
		return got + summary(here, since), want + summary(there, since)
	})
}
