package cmd

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"oathkit/pkg/oath"
)

// What the guard says of an account is what becomes of its owner: for random records
// and a random user file, whoever it calls fine gets in with the right code once the
// realm asks, and whoever it calls locked out does not. Only a credential that no code
// has activated yet is none to the guard, though its first right code would open.
func TestGuardAgreesWithTheLogin(t *testing.T) {
	for seed := range uint64(rounds(3, 40)) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 5))
			typ := []string{"pve", "ldap"}[r.IntN(2)]
			l := newLab(t)
			l.write("domains.cfg", labRealms+typ+": office\n\tcomment x\n"+
				map[string]string{"ldap": "\tserver1 a\n\tbase_dn dc=x\n\tuser_attr uid\n"}[typ])
			if keys := r.IntN(2) == 0; keys {
				l.write("oathkit.toml", l.read("oathkit.toml")+"[verify]\nkeys = \"user.cfg\"\n")
			}
			people := populate(l, r, typ)
			for id, state := range outlookOf(l, "office") {
				p, listed := people[id]
				if !listed {
					t.Fatalf("%s is nobody of the user file", id)
				}
				p.state = state
			}
			l.must("", "realmctl", "tfa", "enable", "office", "--lock-out-anyway")
			for id, p := range people {
				code := l.run(p.code(), "oathverify", id).code
				switch {
				case p.state == "":
					t.Errorf("%s (%s): the guard overlooks it", id, p.kind)
				case p.state == "fine" && code != 0, p.state == "locked-out" && code != 1 && p.kind != "pending":
					t.Errorf("%s (%s): the guard says %s, oathverify says %d", id, p.kind, p.state, code)
				case (p.state == "off") != p.off:
					t.Errorf("%s (%s): the guard says %s", id, p.kind, p.state)
				}
			}
		})
	}
}

type employee struct {
	kind, state string
	off         bool
	code        func() string
}

// populate writes a user file and makes the records of its users in the realm office.
func populate(l *lab, r *rand.Rand, typ string) map[string]*employee {
	kinds := []string{"nothing", "pending", "totp", "hotp", "reset", "disabled", "key", "lower case", "no key", "key and record", "see tfa.cfg"}
	other, err := oath.ParseKey("P6NDPDL6QDS7YFP4")
	if err != nil {
		l.t.Fatal(err)
	}
	people := make(map[string]*employee)
	var lines strings.Builder
	for i := range 10 {
		k := newToken(l.t, i)
		id := fmt.Sprintf("u%d@office", i)
		p := &employee{kind: kinds[r.IntN(len(kinds))], off: r.IntN(6) == 0}
		if p.kind == "lower case" {
			k = &token{key: other}
		}
		p.code = func() string { return k.totp(0) + "\n" }
		people[id] = p
		l.equip(id, k, p)
		keys := map[string]string{
			"key": hex.EncodeToString(k.key.Bytes()), "lower case": "p6ndpdl6qds7yfp4", "no key": "P6NDPDL6", "key and record": "P6NDPDL6QDS7YFP4", "see tfa.cfg": "x!oath",
		}[p.kind]
		enabled, expire := 1, 0
		if p.off && r.IntN(2) == 0 {
			enabled = 0
		} else if p.off {
			expire = 1
		}
		if typ == "ldap" && r.IntN(2) == 0 {
			id = strings.ToUpper(id[:1]) + id[1:] // the same person
		}
		fmt.Fprintf(&lines, "user:%s:%d:%d:::::%s:\n", id, enabled, expire, keys)
	}
	l.write("user.cfg", lines.String())
	return people
}

// equip makes the record of a person.
func (l *lab) equip(id string, k *token, p *employee) {
	l.t.Helper()
	switch p.kind {
	case "pending":
		l.must((oath.URI{Account: "a", Key: k.key, Digits: 6, Period: 30}).Format()+"\n", "mfactl", "add", id)
	case "totp", "key and record":
		l.enrol(id, k, oath.TOTP)
	case "hotp":
		l.enrol(id, k, oath.HOTP)
		p.code = func() string { return k.hotp() + "\n" }
	case "reset", "disabled":
		l.enrol(id, k, oath.TOTP)
		l.must("", "mfactl", map[string]string{"reset": "reset", "disabled": "disable"}[p.kind], id)
	}
}

// outlookOf is what the guard says of each account of a realm.
func outlookOf(l *lab, realm string) map[string]string {
	l.t.Helper()
	r := l.run("", "realmctl", "tfa", "enable", realm, "-n", "--json")
	var plan struct {
		Unknown  string
		Accounts []struct{ ID, State string }
	}
	if err := json.Unmarshal([]byte(r.out), &plan); err != nil || plan.Unknown != "" {
		l.t.Fatalf("%v: %s%s", err, r.out, r.err)
	}
	states := make(map[string]string)
	for _, a := range plan.Accounts {
		states[a.ID] = a.State
	}
	return states
}
