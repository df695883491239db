package exchange

import (
	"testing"
	"time"

	"oathkit/pkg/account"
	"oathkit/pkg/internal/pvetest"
	"oathkit/pkg/mfa"
	"oathkit/pkg/realm"
	"oathkit/pkg/verify"
)

// A whole login: the realm file, user.cfg as [verify] keys has it, an imported
// tfa.cfg, and a password that held.
func TestLoginFlow(t *testing.T) {
	held(t, "login-flow", 17, func(t *testing.T, c pvetest.Case) (got, want string) {
		var in struct {
			Domains  string  `json:"domains_cfg"`
			Users    string  `json:"user_cfg"`
			TFA      *string `json:"tfa_cfg"`
			OTP      *string `json:"otp_param"`
			User     string
			Password bool `json:"password_correct"`
			Now      int64
		}
		var out struct {
			Error     string
			Challenge *string
		}
		pvetest.Read(t, c.Input, &in)
		pvetest.Read(t, c.Expected, &out)
		switch {
		case out.Error != "":
			want = "refused"
		case out.Challenge != nil:
			want = "asks for a code"
		default:
			want = "in by the password alone"
		}
		if !in.Password {
			t.Fatal("a case with a wrong password")
		}
		now := time.Unix(in.Now, 0)
		domains := realm.Parse([]byte(in.Domains))
		_, _, required := domains.Required("pve")
		p := &play{t: t, user: mfa.User{ID: in.User}, came: Clock{now.Add(-time.Hour), 1}}
		p.policy = verify.Policy{Window: 1, Required: required, Lockout: verify.DefaultLockout()}
		if in.TFA != nil {
			p.start(*in.TFA, in.User)
		}
		if required {
			p.user = mirror(t, p.user, in.Users, now)
		}
		if in.OTP == nil {
			r, _ := verify.Decide(p.user, "", now, p.policy)
			switch {
			case r.OK:
				return "in by the password alone", want
			case p.user.Enrolled():
				return "asks for a code", want
			}
			return "refused", want
		}
		if r, _ := verify.Decide(p.user, *in.OTP, now, p.policy); r.OK {
			return "in by password and code", want
		}
		return "refused", want
	})
}

// mirror is the user with the keys that his account has.
func mirror(t *testing.T, u mfa.User, file string, now time.Time) mfa.User {
	var keys []mfa.ImportedCredential
	if a, ok := account.ParseUsers([]byte(file)).Lookup(u.ID); ok && a.Enabled && !a.Expired(now) {
		list, _ := KeysOf(a.Keys)
		for _, k := range list {
			keys = append(keys, mfa.ImportedCredential{Key: k})
		}
	}
	u, err := mfa.Mirror(u, keys, mfa.ImportOptions{Now: now, Random: dice(9)})
	if err != nil {
		t.Fatal(err)
	}
	return u
}
