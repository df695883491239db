package mfa_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
)

func TestCheckID(t *testing.T) {
	for id, want := range map[string]string{
		"alice@pam":                        "",
		"a@b":                              "",
		"alice@example.org@ldap":           "",
		"ålice@räalm":                      "",
		`we"ird/na:me@pam`:                 "",
		strings.Repeat("a", 60) + "@pam":   "",
		strings.Repeat("a", 61) + "@pam":   "65 bytes is too long, at most 64",
		"":                                 "has no realm, write name@realm",
		"alice":                            "has no realm, write name@realm",
		"@pam":                             "has no name before the @",
		"alice@":                           "has no realm behind the @",
		"al ice@pam":                       "has a blank in it",
		"alice@pam ":                       "has a blank in it",
		"alice\u00a0@pam":                  "has a blank in it",
		"alice\n@pam":                      "has the control character U+000A in it",
		"alice\x00@pam":                    "has the control character U+0000",
		"alice\x7f@pam":                    "has the control character U+007F",
		"alice\u202e@pam":                  "has the control character U+202E",
		"alice\u2028@pam":                  "in it",
		"alice\xff@pam":                    "is not valid UTF-8",
		"GEZDGNBVGY3TQOJQGEZDGNBV\x00@pam": "(29 bytes, not shown)",
	} {
		err := mfa.CheckID(id)
		if got := ""; err != nil {
			got = err.Error()
			if want == "" || !strings.Contains(got, want) {
				t.Errorf("%q: %s, want %q", id, got, want)
			}
		} else if want != "" {
			t.Errorf("%q is taken, want %q", id, want)
		}
	}
}

// TestLife goes through every line of the table in the package comment.
func TestLife(t *testing.T) {
	r := dice(5)
	o := mfa.EnableOptions{Now: noon.Add(time.Millisecond), Random: r}
	none := mfa.User{ID: "alice@pam"}

	// From none.
	for name, change := range map[string]func() error{
		"remove":  func() error { _, err := mfa.Remove(none, "x"); return err },
		"disable": func() error { _, err := mfa.Disable(none); return err },
		"reset":   func() error { _, _, err := mfa.Reset(none, o); return err },
		"unlock":  func() error { _, err := mfa.Unlock(none); return err },
		"codes":   func() error { _, _, err := mfa.NewRecoveryCodes(none, 10, r); return err },
	} {
		if err := change(); !errors.Is(err, mfa.ErrNotEnrolled) {
			t.Errorf("%s of nobody: %v", name, err)
		}
	}
	u, c, err := mfa.Enable(none, o)
	if err != nil || !u.Enrolled() || u.Activated() || none.Enrolled() {
		t.Fatal("enable: ", err)
	}
	if c.Kind != mfa.TOTP || c.Digits != 6 || c.Period != 30 || c.Algorithm != oath.SHA1 || c.Key.Bits() != 160 || !c.Created.Equal(noon) || c.Activated {
		t.Errorf("the first credential is %+v", c)
	}
	if u.State.Epoch != u.Record.Epoch {
		t.Error("the state is not the record's")
	}
	if again, _, err := mfa.Enable(u, o); !errors.Is(err, mfa.ErrEnrolled) || !again.Record.Equal(u.Record) {
		t.Error("enabled twice: ", err)
	}
	if v, _, err := mfa.Add(none, o); err != nil || !v.Enrolled() {
		t.Error("add for nobody: ", err)
	}

	// Reset: another epoch and credential, the same user id, nothing else left.
	codes, u, err := mfa.NewRecoveryCodes(u, 10, r)
	if err != nil {
		t.Fatal(err)
	}
	u.State.Failures, u.State.RecoveryUsed = 20, 1
	again, c2, err := mfa.Reset(u, o)
	if err != nil || again.Record.UserID != u.Record.UserID || again.Record.Epoch == u.Record.Epoch || c2.ID == c.ID || c2.Key.Equal(c.Key) {
		t.Error("reset: ", err)
	}
	if again.Record.Recovery.Find(codes[3]) >= 0 || again.State != (mfa.State{}).For(again.Record) {
		t.Error("something survives a reset")
	}

	// Remove: the last one disables.
	two, c3, err := mfa.Add(u, o)
	if err != nil || len(u.Record.Credentials) != 1 || len(two.Record.Credentials) != 2 {
		t.Fatal("add: ", err)
	}
	if _, ok := two.State.Counter(c3.ID); !ok {
		t.Error("the new credential has no counter")
	}
	if _, err := mfa.Remove(two, c2.ID); !errors.Is(err, mfa.ErrNoCredential) {
		t.Error("remove of another's: ", err)
	}
	one, err := mfa.Remove(two, c.ID)
	if err != nil || len(one.Record.Credentials) != 1 || one.Record.Credentials[0].ID != c3.ID || two.Record.Credentials[0].ID != c.ID {
		t.Error("remove: ", err)
	}
	if _, ok := one.State.Counter(c.ID); ok || one.State.Failures != 20 || one.State.RecoveryUsed != 1 {
		t.Error("remove keeps its counter, or forgets something else")
	}
	if u, err := mfa.Remove(one, c3.ID); err != nil || u.Enrolled() || u.ID != "alice@pam" {
		t.Error("remove of the last: ", err)
	}
	if u, err := mfa.Disable(two); err != nil || u.Enrolled() || u.State != (mfa.State{}) {
		t.Error("disable: ", err)
	}
}

func TestAddRefuses(t *testing.T) {
	u := full(t)
	o := mfa.EnableOptions{Now: noon, Random: dice(6)}
	if _, _, err := mfa.Add(u, o); !errors.Is(err, mfa.ErrTooMany) || !strings.Contains(err.Error(), fmt.Sprintf(" %d ", mfa.MaxCredentials)) {
		t.Error("a ninth credential: ", err)
	}
	u, err := mfa.Remove(u, u.Record.Credentials[7].ID)
	if err != nil {
		t.Fatal(err)
	}
	o.Key = u.Record.Credentials[4].Key
	if _, _, err := mfa.Add(u, o); !errors.Is(err, mfa.ErrSameKey) {
		t.Error("the same key again: ", err)
	}
	for want, o := range map[string]mfa.EnableOptions{
		"at least 128":            {Bits: 80},
		"kind \"fax\" is unknown": {Kind: "fax"},
		"11 digits":               {Digits: 11},
		"a period of -1":          {Period: -1},
		"counter 9223372036854775808 is out of range": {Kind: mfa.HOTP, Counter: 1 << 63},
		"control character":                           {Label: "a\x1bb"},
		"too long":                                    {Issuer: strings.Repeat("x", 129)},
		"algorithm":                                   {Algorithm: 3},
	} {
		o.Now, o.Random = noon, dice(6)
		after, _, err := mfa.Add(u, o)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
		if !after.Record.Equal(u.Record) {
			t.Error("a refused change changes the user")
		}
	}
	if _, _, err := mfa.Enable(mfa.User{ID: "bob"}, mfa.EnableOptions{Now: noon, Random: dice(1)}); err == nil {
		t.Error("a user without a realm is enabled")
	}
}

// TestShortRandom gives every change too little randomness: an error, never an
// id or a key of zeros.
func TestShortRandom(t *testing.T) {
	all := make([]byte, 4096)
	if _, err := dice(3).Read(all); err != nil {
		t.Fatal(err)
	}
	u := enabled(t, mfa.EnableOptions{})
	for name, change := range map[string]func(r io.Reader) error{
		"enable": func(r io.Reader) error {
			_, _, err := mfa.Enable(mfa.User{ID: "a@b"}, mfa.EnableOptions{Now: noon, Random: r})
			return err
		},
		"add": func(r io.Reader) error { _, _, err := mfa.Add(u, mfa.EnableOptions{Now: noon, Random: r}); return err },
		"reset": func(r io.Reader) error {
			_, _, err := mfa.Reset(u, mfa.EnableOptions{Now: noon, Random: r})
			return err
		},
		"codes": func(r io.Reader) error { _, _, err := mfa.NewRecoveryCodes(u, 10, r); return err },
	} {
		failed := 0
		for n := range 200 {
			if err := change(bytes.NewReader(all[:n])); err != nil {
				failed++
			} else if n < 36 {
				t.Errorf("%s: %d random bytes are enough", name, n)
			}
		}
		if failed < 36 || failed > 199 {
			t.Errorf("%s: %d short sources are refused", name, failed)
		}
	}
	if _, _, err := mfa.NewRecoveryCodes(u, 10, zeros{}); err == nil {
		t.Error("a set of codes that are all the same")
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 1
	}
	return len(b), nil
}

func TestRecoveryCodes(t *testing.T) {
	u := enabled(t, mfa.EnableOptions{})
	for _, n := range []int{0, -1, 65} {
		if _, _, err := mfa.NewRecoveryCodes(u, n, dice(1)); err == nil {
			t.Errorf("%d codes are made", n)
		}
	}
	codes, v, err := mfa.NewRecoveryCodes(u, 64, dice(1))
	if err != nil || len(codes) != 64 || v.Record.Recovery.Left(0) != 64 || v.Record.Recovery.Left(1<<64-1) != 0 || v.Record.Recovery.Left(5) != 62 {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i, c := range codes {
		if len(c) != 19 || c[4] != '-' || c[9] != '-' || c[14] != '-' || strings.Trim(c, "abcdefghijklmnopqrstuvwxyz234567-") != "" || seen[c] {
			t.Errorf("code %q", c)
		}
		seen[c] = true
		for _, spelling := range []string{c, strings.ToUpper(c), strings.ReplaceAll(c, "-", ""), " " + strings.ReplaceAll(c, "-", " - ")} {
			if v.Record.Recovery.Find(spelling) != i {
				t.Errorf("code %d is not found as %q", i, spelling)
			}
		}
		if v.Record.Recovery.Find(c[:18]) >= 0 || u.Record.Recovery.Find(c) >= 0 {
			t.Errorf("what is no code is found")
		}
	}
	// A new set under the same epoch voids what was used of the old one.
	v.State.RecoveryUsed = 3
	_, w, err := mfa.NewRecoveryCodes(v, 10, dice(2))
	if err != nil || w.State.RecoveryUsed != 0 || w.Record.Epoch != v.Record.Epoch || w.State.RecoverySet != w.Record.Recovery.ID {
		t.Error("a new set: ", err)
	}
	if s := v.State.For(w.Record); s.RecoveryUsed != 0 || s.RecoverySet != w.Record.Recovery.ID {
		t.Error("a crash between the new record and its state leaves codes used")
	}
}

// TestStateFor has a state beside records it does not quite belong to.
func TestStateFor(t *testing.T) {
	u := full(t)
	u.State.Failures, u.State.RecoveryUsed, u.State.Judged = 7, 6, 5
	u.State.Noted = mfa.Noted{ID: u.State.Counters[2].ID, Time: 60}
	for i := range u.State.Counters {
		u.State.Counters[i].Next = uint64(100 + i)
	}
	if u.State.For(u.Record) != u.State || u.State.For(u.Record).For(u.Record) != u.State {
		t.Error("a state of its own record is changed")
	}

	t.Run("a credential is gone", func(t *testing.T) {
		r := u.Record
		r.Credentials = r.Credentials[3:]
		s := u.State.For(r)
		if s.Noted != (mfa.Noted{}) || s.Counters[0] != u.State.Counters[3] || s.Counters[5] != (mfa.Counter{}) || s.Failures != 7 {
			t.Errorf("%+v", s)
		}
	})
	t.Run("a counter is missing", func(t *testing.T) {
		s := u.State
		s.Counters[2], s.Counters[3] = mfa.Counter{}, mfa.Counter{} // the fourth is activated
		s = s.For(u.Record)
		if s.Counters[2].Lost || !s.Counters[3].Lost || s.Counters[2].Next != u.Record.Credentials[2].Counter || s.Counters[3].Next != u.Record.Credentials[3].Counter {
			t.Errorf("%+v", s.Counters)
		}
	})
	t.Run("the kind has changed", func(t *testing.T) {
		s := u.State
		s.Counters[3].Kind = mfa.HOTP
		if u.Record.Credentials[3].Kind != mfa.TOTP {
			t.Fatal("the fourth is to be TOTP")
		}
		if s = s.For(u.Record); !s.Counters[3].Lost || s.Counters[3].Kind != mfa.TOTP || s.Counters[3].Next != 0 {
			t.Errorf("%+v", s.Counters[3])
		}
	})
	t.Run("another epoch", func(t *testing.T) {
		r := u.Record
		r.Epoch[0]++
		s := u.State.For(r)
		if s.Failures != 0 || s.Epoch != r.Epoch || s.RecoveryUsed != 1<<64-1 || s.RecoverySet != r.Recovery.ID || !s.Counters[3].Lost || s.Counters[0].Lost {
			t.Errorf("%+v", s)
		}
		r.Credentials = r.Credentials[:3] // never used
		if s := u.State.For(r); s.RecoveryUsed != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestRebuild(t *testing.T) {
	u := full(t)
	s := mfa.Rebuild(u.Record, noon, 2)
	for i, c := range u.Record.Credentials {
		n, ok := s.Counter(c.ID)
		if !ok || n != s.Counters[i] || n.Lost != (c.Kind == mfa.HOTP) {
			t.Errorf("%+v", n)
		}
		if p := uint64(c.Period); c.Kind == mfa.TOTP && n.Next != (uint64(noon.Unix())/p+3)*p {
			t.Errorf("period %d: next is %d", p, n.Next)
		}
	}
	if u.Record.Recovery.Left(s.RecoveryUsed) != 0 || s.For(u.Record) != s {
		t.Error("recovery codes survive")
	}
}

// A lost counter that lies ahead of the clock stays there.
func TestBehind(t *testing.T) {
	for next, want := range map[uint64]uint64{0: uint64(noon.Unix()) + 60, 1 << 40: 1 << 40} {
		if c := (mfa.Counter{Next: next, Lost: true}).Behind(noon, 30, 1); c.Next != want || c.Lost {
			t.Errorf("from %d: %+v", next, c)
		}
	}
	if c := (mfa.Counter{}).Behind(time.Unix(-5, 0), 30, 1); c.Next != 60 {
		t.Errorf("before 1970: %+v", c)
	}
}

func TestWithCounter(t *testing.T) {
	var s mfa.State
	for i := range byte(10) {
		s = s.WithCounter(mfa.Counter{ID: [16]byte{1 + i}, Kind: mfa.TOTP, Next: 1})
		s = s.WithCounter(mfa.Counter{ID: [16]byte{1 + i}, Kind: mfa.TOTP, Next: 2})
	}
	for i, c := range s.Counters {
		if c.ID[0] != byte(i+1) || c.Next != 2 {
			t.Errorf("%+v", s.Counters)
		}
	}
}

func TestTally(t *testing.T) {
	day := func(n int) time.Time { return noon.AddDate(0, 0, n) }
	var a mfa.Tally
	for range 3 {
		a = a.Add(day(0))
	}
	a = a.Add(day(10)).Add(day(30))
	for _, c := range []struct{ day, sum int }{{30, 5}, {31, 2}, {40, 2}, {41, 1}, {60, 1}, {61, 0}, {62, 0}, {9999, 0}, {0, 5}, {-5000, 5}} {
		if got := a.Sum(day(c.day)); got != c.sum {
			t.Errorf("on day %d the sum is %d, want %d", c.day, got, c.sum)
		}
	}
	midnight := func(n int) time.Time { return time.Date(2026, 3, 1+n, 0, 0, 0, 0, time.UTC) }
	for limit, want := range map[int]time.Time{6: day(30), 5: midnight(31), 4: midnight(31), 3: midnight(31), 2: midnight(41), 1: midnight(61), 0: midnight(61)} {
		if got := a.Falls(day(30), limit); !got.Equal(want) {
			t.Errorf("below %d at %v, want %v", limit, got, want)
		}
	}
	// Set back, it starts to count from now, and nothing is lost.
	if b := a.At(day(-100)); b.Sum(day(-100)) != 5 || b.Sum(day(-99)) != 2 || b.Sum(day(-70)) != 1 || b.Sum(day(-69)) != 0 {
		t.Errorf("set back: %+v", b)
	}
	var many mfa.Tally
	for range 70000 {
		many = many.Add(noon)
	}
	if many.Sum(noon) != 1<<16-1 {
		t.Errorf("a sum of %d", many.Sum(noon))
	}
	// Before 1970 a day begins at midnight, too.
	old := mfa.Tally{}.Add(time.Unix(-1, 0))
	if old.Day != -1 || old.Sum(time.Unix(0, 0)) != 1 {
		t.Errorf("before 1970: %+v", old)
	}
}

func TestTimes(t *testing.T) {
	for _, unix := range []int64{-1 << 63, -1 << 40, 1 << 40, 1<<63 - 1} {
		s, ms := mfa.Seconds(time.Unix(unix, 5)), mfa.Milliseconds(time.Unix(unix, 5))
		if y := time.Unix(s, 0).UTC().Year(); (y != 0 && y != 9999) || ms != 1000*s {
			t.Errorf("%d is %d s, %d ms, in the year %d", unix, s, ms, y)
		}
	}
	if ms := mfa.Milliseconds(time.Unix(3, 5e6)); ms != 3005 {
		t.Error(ms)
	}
}

func TestStateRefused(t *testing.T) {
	good := mfa.EncodeState(full(t).State)
	if len(good) != mfa.StateSize || mfa.StateSize > 464 {
		t.Fatalf("a state has %d bytes", len(good))
	}
	for name, c := range map[string]struct {
		at   int
		b    byte
		want string
	}{
		"empty":         {0, 0, "the state is empty"},
		"newer":         {0, 2, "the state has version 2, this program reads version 1"},
		"kind":          {33, 7, "values that no state has"},
		"large counter": {34, 0x80, "values that no state has"},
		"double":        {17 + 33, good[17], ""},
		"spare":         {mfa.StateSize - 1, 1, "values that no state has"},
		"spare, first":  {458, 1, "values that no state has"},
		"purpose":       {414, 4, "values that no state has"},
		"no credential": {414, 1, "values that no state has"}, // the first counter is TOTP's
		"used, unsent":  {414, 0x80, "values that no state has"},
		"place, unsent": {415, 1, "values that no state has"},
		"tries, unsent": {416, 1, "values that no state has"},
		"hash, unsent":  {417, 1, "values that no state has"},
		"time sent":     {406, 0x7f, "values that no state has"},
		"time removal":  {433, 0x7f, "values that no state has"},
		"tries, none":   {441, 1, "values that no state has"},
		"lost sent":     {33, 0x83, "values that no state has"},
		"truth":         {17 + 8*33 + 10, 2, "values that no state has"},
		"time":          {17 + 8*33 + 2, 0x7f, "values that no state has"},
	} {
		b := bytes.Clone(good)
		if name == "double" {
			copy(b[17+33:17+33+16], b[17:17+16])
			c.want = "values that no state has"
		} else {
			b[c.at] = c.b
		}
		if _, err := mfa.DecodeState(b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %s", name, err, c.want)
		}
	}
	for _, b := range [][]byte{nil, good[:463], append(bytes.Clone(good), 0)} {
		if _, err := mfa.DecodeState(b); err == nil {
			t.Errorf("%d bytes are taken", len(b))
		}
	}
}
