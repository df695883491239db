package mfa_test

import (
	"strings"
	"testing"

	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
)

func mirrored(t *testing.T, u mfa.User, keys ...string) mfa.User {
	t.Helper()
	var list []mfa.ImportedCredential
	for _, k := range keys {
		list = append(list, mfa.ImportedCredential{Label: "user.cfg", Key: key(t, k)})
	}
	o := importing
	o.Random = dice(21)
	n, err := mfa.Mirror(u, list, o)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestMirror(t *testing.T) {
	u := mirrored(t, mfa.User{ID: "joe@pve"}, keyA, keyB, keyA)
	c := u.Record.Credentials
	if u.Record.Source != mfa.UserFile || len(c) != 2 || !c[0].Activated || !c[1].Activated {
		t.Fatalf("%+v", u.Record)
	}
	for i := range c {
		if n, ok := u.State.Counter(c[i].ID); !ok || n.Lost || n.Next != 0 {
			t.Errorf("credential %d begins at %d, lost %v", i, n.Next, n.Lost)
		}
	}
	text := encode(t, u)
	if r, err := mfa.DecodeRecord(u.ID, text); err != nil || !r.Equal(u.Record) || !strings.Contains(string(text), "\n  \"source\": \"user.cfg\",\n") {
		t.Errorf("%v\n%s", err, text)
	}
	for _, bad := range []string{`""`, `"other"`, `5`} {
		if _, err := mfa.DecodeRecord(u.ID, []byte(strings.Replace(string(text), `"user.cfg",`+"\n  \"cred", bad+",\n  \"cred", 1))); err == nil {
			t.Errorf("source %s was read", bad)
		}
	}
	other := u.Record
	if other.Source = mfa.OwnKeys; other.Equal(u.Record) {
		t.Error("the source makes no difference")
	}

	// What was used of a key stays used, whatever else comes and goes.
	n, _ := u.State.Counter(c[1].ID)
	n.Next = 900
	u.State = u.State.WithCounter(n).CountFailure(noon)
	v := mirrored(t, u, keyC, keyB)
	if len(v.Record.Credentials) != 2 || v.Record.Credentials[1].ID != c[1].ID || v.Record.Epoch != u.Record.Epoch || v.State.Failures != 1 {
		t.Fatalf("%+v", v.Record)
	}
	if n, _ := v.State.Counter(c[1].ID); n.Next != 900 || n.Lost {
		t.Errorf("%+v", n)
	}
	// A key that is new may have been there before, so it is good for no earlier time.
	if n, ok := v.State.Counter(v.Record.Credentials[0].ID); !ok || n.Lost || n.Next != 900 {
		t.Errorf("%+v", n)
	}
	back := mirrored(t, mirrored(t, v, keyC), keyB)
	if n, ok := back.State.Counter(back.Record.Credentials[0].ID); !ok || n.Lost || n.Next != 900 {
		t.Errorf("taken out and put back: %+v", n)
	}
	if again := mirrored(t, v, keyC, keyB); !again.Record.Equal(v.Record) || again.State != v.State {
		t.Error("the same keys make another record")
	}
	if w := mirrored(t, v); w.Enrolled() || w.ID != "joe@pve" {
		t.Errorf("without keys: %+v", w.Record)
	}

	// The realm's digits and step are those of now; a state that was lost is lost.
	o := importing
	o.Random = dice(22)
	w, err := mfa.Mirror(v, []mfa.ImportedCredential{{Key: key(t, keyB), Digits: 8, Period: 60}}, o)
	if err != nil || w.Record.Credentials[0].Digits != 8 || w.Record.Credentials[0].Period != 60 || w.Record.Credentials[0].ID != c[1].ID {
		t.Errorf("%+v, %v", w.Record, err)
	}
	v.State = mfa.State{}
	if n, _ := mirrored(t, v, keyC, keyB).State.Counter(c[1].ID); !n.Lost {
		t.Error("a counter that was lost begins anew")
	}
	if n := mirrored(t, v, keyA).State.Counters[0]; !n.Lost {
		t.Error("a key takes the place of a lost one and begins anew")
	}
	if _, err := mfa.Mirror(v, []mfa.ImportedCredential{{Key: key(t, keyB), Period: oath.MaxPeriod + 1}}, o); err == nil {
		t.Error("a step of more than a day")
	}
}

// A record of the user's own is left alone, and a mirror that somebody changes
// becomes one.
func TestMirrorOfNone(t *testing.T) {
	own := enabled(t, mfa.EnableOptions{})
	if got := mirrored(t, own, keyA); !got.Record.Equal(own.Record) || got.State != own.State {
		t.Error("his own record was changed")
	}
	m := mirrored(t, mfa.User{ID: "joe@pve"}, keyA, keyB)
	add := mfa.EnableOptions{Now: noon, Random: dice(23)}
	for name, change := range map[string]func() (mfa.User, error){
		"add":    func() (mfa.User, error) { u, _, err := mfa.Add(m, add); return u, err },
		"reset":  func() (mfa.User, error) { u, _, err := mfa.Reset(m, add); return u, err },
		"remove": func() (mfa.User, error) { return mfa.Remove(m, m.Record.Credentials[0].ID) },
		"import": func() (mfa.User, error) {
			u, _, err := mfa.Import(m, mfa.Imported{Credentials: []mfa.ImportedCredential{{Key: key(t, keyA)}}}, importing)
			return u, err
		},
		"import more": func() (mfa.User, error) {
			o := importing
			o.Random, o.Add = dice(24), true
			u, _, err := mfa.Import(m, mfa.Imported{Credentials: []mfa.ImportedCredential{{Key: key(t, keyC)}}}, o)
			return u, err
		},
	} {
		if u, err := change(); err != nil || u.Record.Source != mfa.OwnKeys || !u.Enrolled() {
			t.Errorf("%s: source %q, %v", name, u.Record.Source, err)
		}
	}
	// Whatever else the file had then is left behind; failures and codes stay.
	o := importing
	o.Random = dice(27)
	_, with, err := mfa.NewRecoveryCodes(m, 3, dice(26))
	if err != nil {
		t.Fatal(err)
	}
	n, _ := with.State.Counter(with.Record.Credentials[1].ID)
	n.Next = 1_800_000_000
	with.State = with.State.WithCounter(n).CountFailure(noon)
	u, added, err := mfa.Import(with, mfa.Imported{Credentials: []mfa.ImportedCredential{{Key: key(t, keyC)}, {Key: key(t, keyB)}}}, o)
	if c := u.Record.Credentials; err != nil || added != 1 || len(c) != 2 || !c[0].Key.Equal(key(t, keyB)) || !c[1].Key.Equal(key(t, keyC)) {
		t.Fatalf("%+v, %v", c, err)
	}
	if n, ok := u.State.Counter(u.Record.Credentials[0].ID); !ok || n.Next != 1_800_000_000 || u.State.Failures != 1 || len(u.Record.Recovery.Hashes) != 3 {
		t.Errorf("%+v, %d failures", n, u.State.Failures)
	}
	if u, _, err := mfa.Import(with, mfa.Imported{Credentials: []mfa.ImportedCredential{{Key: key(t, keyC)}}}, o); err != nil || len(u.Record.Credentials) != 1 {
		t.Errorf("none of them: %+v, %v", u.Record.Credentials, err)
	}
	for name, change := range map[string]func() (mfa.User, error){
		"unlock": func() (mfa.User, error) { return mfa.Unlock(m) },
		"email":  func() (mfa.User, error) { return mfa.SetEmail(m, "joe@example.org") },
		"codes":  func() (mfa.User, error) { _, u, err := mfa.NewRecoveryCodes(m, 3, dice(25)); return u, err },
	} {
		u, err := change()
		if err != nil || u.Record.Source != mfa.UserFile {
			t.Errorf("%s: source %q, %v", name, u.Record.Source, err)
		}
		if n := mirrored(t, u, keyA, keyB); !n.Record.Equal(u.Record) {
			t.Errorf("%s: lost when the keys are read again", name)
		}
	}
}
