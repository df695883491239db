package exchange

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/account"
	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
	"oathkit/pkg/verify"

	"pgregory.net/rapid"
)

// dice is a repeatable source of randomness.
func dice(seed byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{seed}) }

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func parse(t testing.TB, text string) TFA {
	t.Helper()
	f, err := ParseTFA([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return f
}

func TestSample(t *testing.T) {
	b, err := os.ReadFile("testdata/tfa.cfg")
	if err != nil {
		t.Fatal(err)
	}
	people, losses := parse(t, string(b)).People()
	if len(people) != 1 || len(losses) != 0 {
		t.Fatalf("%v, %v", people, losses)
	}
	u := arrive(t, people[0], Clock{noon, 1})
	c := u.Record.Credentials[0]
	if u.ID != "joe@pve" || c.ID != "1f36d4cf52c9475da5cd49c573c54e55" || c.Label != "phone" || c.Issuer != "Proxmox VE" || !c.Activated ||
		c.Created.Unix() != 1772600000 || string(c.Key.Bytes()) != "12345678901234567890" {
		t.Errorf("%+v", c)
	}
	// The step that was used there is refused here as used; the next one is good.
	policy := verify.Policy{Window: 1, Required: true, Lockout: verify.DefaultLockout()}
	for step, want := range map[uint64]verify.Verdict{59086667: verify.Replayed, 59086668: verify.Accepted} {
		code := oath.NewCoder(c.Key, c.Algorithm, c.Digits).AppendCode(nil, step)
		if r, _ := verify.Decide(u, string(code), time.Unix(59086667*30+5, 0), policy); r.Verdict != want {
			t.Errorf("step %d: %s, want %s", step, r.Verdict, want)
		}
	}
}

func line(user, kind, data string) string {
	return user + ":" + kind + ":" + base64.StdEncoding.EncodeToString([]byte(data)) + "\n"
}

func TestOldLines(t *testing.T) {
	text := "\n# a comment\n" +
		line("joe@pve", "oath", `{"keys":"P6NDPDL6QDS7YFP4 v2-0x3132333435363738393031323334353637383930;v2-MFRGGZDFMZTWQ2LKMFRGGZDF","config":{"digits":"8","step":60}}`) +
		line("ann@pve", "oath", `{"keys":"3132333435363738393031323334353637383930"}`) + "\r\n" +
		line("bob@pve", "yubico", `{"keys":"ccccccbcgujh vvvvvvbcgujh"}`) +
		line("eve@pve", "u2f", `{"keyHandle":"x","publicKey":"y"}`) +
		line("dan@pve", "u2f", `{"challenge":"x"}`) +
		line("ann@pve", "oath", `{"keys":"mfrggzdfmztwq2lk","config":{}}`)
	people, losses := parse(t, text).People()
	var got []string
	for _, p := range people {
		s := fmt.Sprintf("%s %v", p.ID, p.Needed)
		for _, c := range p.Credentials {
			s += fmt.Sprintf(" %s/%d/%d/%v/%v", c.Key.Base32(), c.Digits, c.Period, c.Activated, c.UnknownUse)
		}
		got = append(got, s)
	}
	for _, l := range losses {
		got = append(got, l.String())
	}
	want := []string{
		"joe@pve true P6NDPDL6QDS7YFP4/8/60/true/true GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ/8/60/true/true MFRGGZDFMZTWQ2LKMFRGGZDF/8/60/true/true",
		"ann@pve true MFRGGZDFMZTWQ2LK/6/30/true/true",
		"bob@pve true",
		"eve@pve true",
		"dan@pve false",
		"bob@pve: yubico: 2 factors, which cannot be used here",
		"eve@pve: u2f: 1 factor, which cannot be used here",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, bad := range []string{
		"joe@pve", "joe@pve:oath", "joe@pve:oath:!", line("joe@pve", "oath", "x"), line("joe@pve", "other", "{}"),
		line("joe@pve", "oath", `{"keys":"short"}`), line("joe@pve", "oath", `{"keys":"v2-0xabc"}`), line("joe@pve", "oath", `{"keys":5}`),
		line("joe@pve", "oath", `{"keys":"P6NDPDL6QDS7YFP4","config":{"digits":"+ 6"}}`), line("joe@pve", "oath", `{"keys":"P6NDPDL6QDS7YFP1"}`),
		line("joe@pve", "oath", `{"keys":"P6NDPDL6QDS7YFP4","config":{"other":1}}`), line("joe@pve", "oath", `{"keys":"P6NDPDL6QDS7YFP4"} x`),
	} {
		if _, err := ParseTFA([]byte("\n" + bad)); err == nil || !strings.HasPrefix(err.Error(), "line 2: ") {
			t.Errorf("%q: %v", bad, err)
		} else if strings.Contains(err.Error(), "P6NDPDL6") {
			t.Errorf("the key is in %v", err)
		}
	}
}

// What cannot be carried is told, and nothing is carried that is not in use.
func TestLosses(t *testing.T) {
	const uri = "otpauth://totp/joe?secret=P6NDPDL6QDS7YFP4"
	entry := func(more string) string { return `{"id":"a","created":1,"entry":"` + uri + `"` + more + `}` }
	for _, tt := range []struct{ name, user, want string }{
		{"switched off", `{"totp":[` + entry(`,"enable":false`) + `]}`, "totp 1: it is switched off there"},
		{"a short key", `{"totp":[{"id":"a","created":1,"entry":"otpauth://totp/joe?secret=ME"}]}`, "totp 1: key is too short"},
		{"no period", `{"totp":[{"id":"a","created":1,"entry":"` + uri + `&period=0"}]}`, "totp 1: a step is 1 to 86400 seconds"},
		{"the key twice", `{"totp":[` + entry("") + "," + entry("") + `]}`, "totp 2: it has the key of another one"},
		{"a label", `{"totp":[` + entry(`,"description":"a\nb"`) + `]}`, "totp 1: its description cannot be a label here"},
		{"webauthn", `{"webauthn":[{"id":"a","created":1,"entry":{"x":[1]}}]}`, "webauthn: 1 factor, which cannot be used here"},
		{"u2f", `{"u2f":[{"id":"a","created":1,"enable":false,"entry":{}}]}`, "u2f: 1 factor, switched off there"},
		{"codes alone", `{"recovery":{"secret":"0123456789abcdef","entries":["` + strings.Repeat("ab", 32) + `"],"created":1}}`, "recovery codes: there is no key"},
		{"another secret", `{"totp":[` + entry("") + `],"recovery":{"secret":"0123","entries":["` + strings.Repeat("ab", 32) + `"],"created":1}}`, "recovery codes: their secret has 4 bytes"},
		{"no hash", `{"totp":[` + entry("") + `],"recovery":{"secret":"0123456789abcdef","entries":["AB"],"created":1}}`, "recovery code 1: it is not 64"},
	} {
		people, losses := parse(t, `{"users":{"joe@pve":`+tt.user+`}}`).People()
		if len(losses) != 1 || !strings.HasPrefix(losses[0].String(), "joe@pve: "+tt.want) {
			t.Errorf("%s: %v", tt.name, losses)
		}
		for _, v := range []any{people, losses, parse(t, `{"users":{"joe@pve":`+tt.user+`}}`)} {
			if s := fmt.Sprintf("%+v %#v", v, v); strings.Contains(s, "P6NDPDL6") || strings.Contains(s, strings.Repeat("ab", 32)) {
				t.Errorf("%s: a secret is printed: %s", tt.name, s)
			}
		}
	}
	var many []string
	for i := range 9 {
		many = append(many, fmt.Sprintf(`{"id":"%d","created":1,"entry":"otpauth://totp/j?secret=P6NDPDL6QDS7YFP%c"}`, i, 'A'+i))
	}
	people, losses := parse(t, `{"users":{"joe@pve":{"totp":[`+strings.Join(many, ",")+`]}}}`).People()
	if len(people[0].Credentials) != mfa.MaxCredentials || len(losses) != 1 || losses[0].What != "totp 9" {
		t.Errorf("nine: %v", losses)
	}
}

// Recovery codes stay usable beside one that is not, and one that is there twice.
func TestRecoveryBeside(t *testing.T) {
	const entry = `{"totp":[{"id":"a","created":1,"entry":"otpauth://totp/joe?secret=P6NDPDL6QDS7YFP4"}],`
	good, other := strings.Repeat("ab", 32), strings.Repeat("0c", 32)
	for entries, want := range map[string]int{
		`null,"` + good + `","` + strings.ToUpper(other) + `","` + other + `"`: 1,
		`"` + good + `","` + other + `","` + good + `"`:                        0,
		`"` + good + `","` + other + `",""`:                                    -1,
		`"x","` + other + `","` + good + `00","` + good + `"`:                  2,
	} {
		f, err := ParseTFA([]byte(`{"users":{"joe@pve":` + entry + `"recovery":{"secret":"0123456789abcdef","entries":[` + entries + `],"created":1}}}}`))
		if want < 0 {
			if err == nil {
				t.Errorf("%s: read", entries)
			}
			continue
		}
		people, losses := f.People()
		if err != nil || len(losses) != want || len(people[0].Recovery.Hashes) != 2 {
			t.Errorf("%s: %v, %v", entries, losses, err)
			continue
		}
		arrive(t, people[0], Clock{noon, 1})
	}
}

// No error of a tfa.cfg holds a part of what may be a secret.
func TestTFAErrors(t *testing.T) {
	for _, text := range []string{
		`{"users":{"a@pve":{"totp":"SECRETSECRET"}}}`,
		`{"users":{"a@pve":{"totp":[{"id":"a","created":"SECRETSECRET","entry":"x"}]}}}`,
		`{"users":{"a@pve":{"totp":[{"id":"a","created":1,"entry":"otpauth://totp/a?secret=SECRETSECRET1"}]}}}`,
		`{"users":{"a@pve":{"totp":[{"id":"a","created":1,"entry":"otpauth://totp/a?SECRETSECRET"}]}}}`,
		`{"users":{"a@pve":{"totp":[{"id":"a","created":1,"entry":"SECRETSECRET"}]}}}`,
		`{"users":{"a@pve":{"totp-locked":"SECRETSECRET"}}}`,
		`{"users":{},"users":{"SECRETSECRET":{}}}`,
		`{"users":SECRETSECRET}`,
		`SECRETSECRET`,
	} {
		if f, err := ParseTFA([]byte(text)); err == nil || strings.Contains(err.Error(), "SECRET") || len(f.users) > 0 {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestTally(t *testing.T) {
	const entry = `{"id":"a","created":1,"entry":"otpauth://totp/a?secret=`
	f := parse(t, `{"users":{"joe@pve":{"totp":[`+entry+`P6NDPDL6QDS7YFP4"},`+entry+`ME"},`+entry+`MFRGGZDFMZTWQ2LK","enable":false},`+
		entry+`ME&period=0"},`+entry+`ME&digits=10"}],"webauthn":[{"id":"a","created":1,"entry":{}},{"id":"a","created":1,"enable":false,"entry":{}}],`+
		`"yubico":[{"id":"a","created":1,"entry":"x"}],"recovery":{"secret":"","entries":[],"created":1},"totp-locked":true},"ann@pve":{"recovery":null}}}`)
	n := f.Of("joe@pve")
	if n.TOTP != 2 || n.Disabled != 1 || n.Broken != 2 || n.Other != 2 || !n.Recovery || !n.Locked || len(n.Keys) != 2 {
		t.Errorf("%+v", n)
	}
	for _, id := range []string{"ann@pve", "Joe@pve", ""} {
		if n := f.Of(id); n.TOTP+n.Disabled+n.Broken+n.Other+len(n.Keys) > 0 || n.Recovery || n.Locked {
			t.Errorf("%q: %+v", id, n)
		}
	}
}

// aFile draws a tfa.cfg of which everything can be carried.
func aFile(t *rapid.T) TFA {
	var f TFA
	for i := range rapid.IntRange(1, 4).Draw(t, "users") {
		u := tfaUser{id: fmt.Sprintf("user%d@pve", i), locked: rapid.Bool().Draw(t, "locked")}
		for j := range rapid.IntRange(1, mfa.MaxCredentials).Draw(t, "keys") {
			e := tfaEntry{
				description: rapid.StringMatching(`[ -~äß]{0,20}`).Draw(t, "description"),
				created:     rapid.Int64Range(1, lastSecond).Draw(t, "created"),
				id:          rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{11}`).Draw(t, "id") + fmt.Sprint(j),
				uri: pveURI{
					secret:    append(rapid.SliceOfN(rapid.Byte(), 9, 63).Draw(t, "secret"), byte(j)),
					algorithm: oath.Algorithm(rapid.IntRange(0, 2).Draw(t, "algorithm")),
					digits:    rapid.Uint64Range(6, 9).Draw(t, "digits"),
					period:    rapid.Uint64Range(1, oath.MaxPeriod).Draw(t, "period"),
					issuer:    rapid.StringMatching(`[ -~é]{0,20}`).Draw(t, "issuer"),
					account:   u.id,
				},
			}
			e.uri.hasIssuer = e.uri.issuer != ""
			if rapid.Bool().Draw(t, "used") {
				last := rapid.Int64Range(0, mfa.MaxCounter/oath.MaxPeriod-2).Draw(t, "last")
				e.lastCount = &last
			}
			u.totp = append(u.totp, e)
		}
		if rapid.Bool().Draw(t, "codes") {
			u.recovery = &tfaRecovery{secret: rapid.StringMatching(`[0-9a-f]{16}`).Draw(t, "salt"), created: u.totp[0].created}
			for j := range rapid.IntRange(1, 12).Draw(t, "entries") {
				u.recovery.entries = append(u.recovery.entries, hex.EncodeToString([]byte(fmt.Sprintf("%032d", j))))
			}
		}
		if !u.locked && rapid.Bool().Draw(t, "for a while") {
			until := noon.Unix() + rapid.Int64Range(1, 3600).Draw(t, "until")
			u.lockedUntil = &until
		}
		f.put(u)
	}
	return f
}

// Import, export and import again: nothing changes, and what is exported is the
// file itself, but for what no file there says.
func TestThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		file := aFile(t)
		clock := Clock{noon, 1}
		first := string(file.Text())
		again, err := ParseTFA([]byte(first))
		if err != nil {
			t.Fatalf("%v\n%s", err, first)
		}
		people, losses := again.People()
		if len(losses) > 0 {
			t.Fatalf("%v\n%s", losses, first)
		}
		var left []Person
		var users []mfa.User
		for _, p := range people {
			u, _, err := mfa.Import(mfa.User{ID: p.ID}, p.Imported, mfa.ImportOptions{Window: 1, Now: noon, Random: dice(3)})
			if err != nil {
				t.Fatal(err)
			}
			until := p.LockedUntil
			if p.Locked || !until.IsZero() {
				u, _ = verify.Lock(u, until, noon, verify.DefaultLockout())
			}
			st, err := verify.Status(u, noon, verify.Policy{Window: 1, Lockout: verify.DefaultLockout()})
			if err != nil || st.Locked != (p.Locked || !until.IsZero()) {
				t.Fatalf("locked %v, %v", st.Locked, err)
			}
			back, losses := PersonOf(u)
			if len(losses) > 0 {
				t.Fatal(losses)
			}
			if st.Locked {
				if back.Locked = st.RetryAfter == 0; !back.Locked {
					back.LockedUntil = noon.Add(st.RetryAfter)
				}
			}
			left, users = append(left, back), append(users, u)
		}
		out, losses := NewTFA(left, clock)
		if len(losses) > 0 {
			t.Fatal(losses)
		}
		// What the file does not say, the export does: the steps that are not good
		// because nothing is known of them.
		for i := range file.users {
			for j := range file.users[i].totp {
				if e := &file.users[i].totp[j]; e.lastCount == nil {
					last := noon.Unix()/int64(e.uri.period) + 1
					e.lastCount = &last
				}
			}
		}
		if got, want := string(out.Text()), string(file.Text()); got != want {
			t.Fatalf("exported\n%s\nwant\n%s", got, want)
		}
		people, _ = out.People()
		for i, p := range people {
			u, _, err := mfa.Import(mfa.User{ID: p.ID}, p.Imported, mfa.ImportOptions{Window: 1, Now: noon, Random: dice(3)})
			if err != nil || !u.Record.Equal(users[i].Record) || u.State.Counters != users[i].State.Counters {
				t.Fatalf("imported again: %v", err)
			}
		}
	})
}

func shape(string) Shape { return Shape{Digits: 6, Period: 30} }

func same(id string) string { return id }

func TestUsersThereAndBack(t *testing.T) {
	const file = "user:ann@pve:1:0:A:B:a@b.c:n:P6NDPDL6QDS7YFP4,3132333435363738393031323334353637383930:\r\nuser:bob@pve:1:0:::::v2-0x6162636465666768696a6b6c6d:\n" +
		"user:eve@pve:1:0:::::x:\nuser:dan@pve:1\ngroup:g:ann@pve::\n# lost\nuser:off@pve:1:0:::::mfrggzdfmztwq2lk:\n" +
		"user:no@pve:0:0:::::P6NDPDL6QDS7YFP4:\nuser:old@pve:1:5:::::P6NDPDL6QDS7YFP4:\n"
	people, losses := Users(account.ParseUsers([]byte(file)), shape, false, noon)
	var got []string
	var ours []Person
	for _, p := range people {
		got = append(got, fmt.Sprintf("%s %d %v", p.ID, len(p.Credentials), p.Needed))
		if len(p.Credentials) == 0 {
			continue
		}
		u := arrive(t, p, Clock{noon, 1})
		if u.Activated() {
			t.Errorf("%s is activated", p.ID)
		}
		back, _ := PersonOf(u)
		ours = append(ours, back)
	}
	if want := []string{"ann@pve 2 true", "bob@pve 1 true", "eve@pve 0 false", "no@pve 0 false", "off@pve 1 true", "old@pve 0 false"}; !slices.Equal(got, want) || len(losses) != 3 {
		t.Errorf("%q, %v", got, losses)
	}
	// The lines that have the keys already stay; the one that PVE would not take
	// is put right.
	out, edits, losses := EditUsers([]byte(file), ours, shape, same)
	if want := strings.Replace(file, "mfrggzdfmztwq2lk", "MFRGGZDFMZTWQ2LK", 1); string(out) != want || len(edits) != 1 || len(losses) != 0 {
		t.Errorf("%q, %v, %v", out, edits, losses)
	}
	// In a file without keys they come back.
	empty := strings.NewReplacer("n:P6NDPDL6QDS7YFP4,3132333435363738393031323334353637383930", "n:", "v2-0x6162636465666768696a6b6c6d", "x!oath", "mfrggzdfmztwq2lk", "").Replace(file)
	out, edits, _ = EditUsers([]byte(empty), ours, shape, same)
	if want := strings.Replace(file, "mfrggzdfmztwq2lk", "MFRGGZDFMZTWQ2LK", 1); string(out) != want || len(edits) != 3 {
		t.Errorf("%q, %v", out, edits)
	}
}

func TestEditUsersLeavesOut(t *testing.T) {
	u := arrive(t, Person{ID: "ann@pve", Imported: mfa.Imported{Credentials: []mfa.ImportedCredential{
		{Key: mustKey(t, "P6NDPDL6QDS7YFP4"), Digits: 8}, {Key: mustKey(t, "MFRGGZDFMZTWQ2LK"), Algorithm: oath.SHA256},
	}}}, Clock{noon, 1})
	u, c, err := mfa.Add(u, mfa.EnableOptions{Kind: mfa.HOTP, Now: noon, Random: dice(4)})
	if err != nil {
		t.Fatal(err)
	}
	p, losses := PersonOf(u)
	if len(losses) != 1 || len(p.Credentials) != 2 {
		t.Errorf("%v", losses)
	}
	for _, tt := range []struct {
		file string
		want int
		s    func(string) Shape
	}{
		{"user:ann@pve:1:0:::::OLD:\n", 3, shape},        // two keys, and the line that stays
		{"user:ann@pve:1:0::::::\n", 2, shape},           // two keys
		{"user:bob@pve:1:0::::::\n", 1, shape},           // no line
		{"user:ann@pve:1:\nuser:Ann@pve:1:\n", 1, shape}, // two lines
		{"user:ann@pve:1:0::::::\n", 2, func(string) Shape { return Shape{Other: "yubico"} }},
	} {
		out, edits, losses := EditUsers([]byte(tt.file), []Person{p}, tt.s, strings.ToLower)
		if string(out) != tt.file || len(edits) != 0 || len(losses) != tt.want {
			t.Errorf("%q: %q, %v, %v", tt.file, out, edits, losses)
		}
		if s := fmt.Sprint(losses); strings.Contains(s, "P6ND") || strings.Contains(s, c.Key.Base32()) {
			t.Errorf("a key is in %s", s)
		}
	}
}

func mustKey(t testing.TB, s string) oath.Key {
	t.Helper()
	k, err := oath.ParseKey(s)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Our own codes and unactivated credentials stay here.
func TestNewTFALeavesOut(t *testing.T) {
	u, _, err := mfa.Enable(mfa.User{ID: "ann@pve"}, mfa.EnableOptions{Now: noon, Random: dice(5)})
	if err != nil {
		t.Fatal(err)
	}
	if _, u, err = mfa.NewRecoveryCodes(u, 3, dice(6)); err != nil {
		t.Fatal(err)
	}
	p, losses := PersonOf(u)
	for _, id := range []string{"a/b@pve", "a:b@pve", "ann@p"} {
		if f, more := NewTFA([]Person{{ID: id, Imported: mfa.Imported{Credentials: []mfa.ImportedCredential{{Key: mustKey(t, "P6NDPDL6QDS7YFP4"), Activated: true}}}}}, Clock{noon, 1}); f.Has(id) || len(more) != 1 {
			t.Errorf("%s, of whom PVE knows nothing, is there: %v", id, more)
		}
	}
	f, more := NewTFA([]Person{p}, Clock{noon, 1})
	if len(losses) != 1 || len(more) != 1 || p.Needed || f.Has("ann@pve") || string(f.Text()) != "{}" {
		t.Errorf("%v, %v, %s", losses, more, f.Text())
	}
}
