package mfa_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
)

// reachable is a user with an authenticator, an e-mail address and a phone.
func reachable(t testing.TB) mfa.User {
	t.Helper()
	r := dice(20)
	u := enabled(t, mfa.EnableOptions{Label: "phone", Random: r, Email: "alice@example.org"})
	for _, o := range []mfa.EnableOptions{{Kind: mfa.Email, Address: "alice@example.org"}, {Kind: mfa.SMS, Address: "+14165550123"}} {
		o.Now, o.Random = noon, r
		var err error
		if u, _, err = mfa.Add(u, o); err != nil {
			t.Fatal(err)
		}
	}
	return u
}

func send(t testing.TB, u mfa.User, i int, p mfa.Purpose, now time.Time) (string, mfa.User) {
	t.Helper()
	code, u, err := mfa.Send(u, u.Record.Credentials[i].ID, p, now, dice(uint64(now.UnixNano())))
	if err != nil {
		t.Fatal(err)
	}
	return code, u
}

// matching lists the credentials that take a code as the one that was sent.
func matching(u mfa.User, code string) (list []int) {
	for i := range u.Record.Credentials {
		if c := &u.Record.Credentials[i]; u.State.Sent.Matches(u.ID, &u.Record, c, code) {
			list = append(list, i)
		}
	}
	return list
}

func TestSentCredential(t *testing.T) {
	u := reachable(t)
	for i, kind := range []mfa.Kind{mfa.TOTP, mfa.Email, mfa.SMS} {
		c := u.Record.Credentials[i]
		if c.Kind != kind || c.Key.Bits() != 160 || c.Digits != 6 || (c.Address != "") != kind.Sent() || (c.Period == 0) != kind.Sent() {
			t.Errorf("%+v", c)
		}
	}
	known := u.Record.Credentials[0].Key
	for want, o := range map[string]mfa.EnableOptions{
		"address: e-mail address \"\" has no @":  {Kind: mfa.Email},
		"address: a phone number has 3 to 15":    {Kind: mfa.SMS},
		"address: a phone number has only":       {Kind: mfa.SMS, Address: "alice@example.org"},
		"address: e-mail address \"112\" has no": {Kind: mfa.Email, Address: "112"},
		`kind "totp" has no address`:             {Address: "alice@example.org"},
		`kind "hotp" has no address`:             {Kind: mfa.HOTP, Address: "112"},
	} {
		o.Now, o.Random = noon, dice(21)
		if _, _, err := mfa.Add(u, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	// What cannot be chosen is not taken from the options.
	v, c, err := mfa.Add(u, mfa.EnableOptions{Kind: mfa.SMS, Address: "112", Key: known, Bits: 512, Digits: 8, Period: 60, Counter: 7, Algorithm: oath.SHA512, Now: noon, Random: dice(22)})
	if err != nil || c.Key.Equal(known) || c.Key.Bits() != 160 || c.Digits != 6 || c.Period != 0 || c.Counter != 0 || c.Algorithm != oath.SHA1 {
		t.Errorf("%+v, %v", c, err)
	}
	if err := v.Record.Check(); err != nil {
		t.Error(err)
	}
}

func TestSend(t *testing.T) {
	u := reachable(t)
	code, v := send(t, u, 1, mfa.ForLogin, noon)
	if len(code) != mfa.SentDigits || strings.Trim(code, "0123456789") != "" {
		t.Errorf("code %q", code)
	}
	if u.State.Sent != (mfa.Sent{}) {
		t.Error("the argument has changed")
	}
	if got := matching(v, code); len(got) != 1 || got[0] != 1 {
		t.Errorf("the code is that of credentials %v", got)
	}
	if !v.State.Sent.Expires().Equal(noon.Add(mfa.SentFor)) {
		t.Error(v.State.Sent.Expires())
	}
	for after, open := range map[time.Duration]bool{
		0: true, mfa.SentFor - time.Millisecond: true, mfa.SentFor: false, time.Hour: false, 1 << 62: false,
		-10 * time.Second: true, -10*time.Second - time.Millisecond: false, -time.Hour: false, -1 << 62: false,
	} {
		if v.State.Sent.Open(noon.Add(after)) != open {
			t.Errorf("after %v it is not %v", after, open)
		}
	}
	for name, change := range map[string]func(*mfa.Sent){
		"used":  func(s *mfa.Sent) { s.Used = true },
		"tries": func(s *mfa.Sent) { s.Tries = mfa.SentTries },
	} {
		s := v.State.Sent
		if change(&s); s.Open(noon) {
			t.Errorf("%s, and still open", name)
		}
	}
	for name, other := range map[string]func(*mfa.User){
		"another user":       func(w *mfa.User) { w.ID = "bob@pam" },
		"another epoch":      func(w *mfa.User) { w.Record.Epoch[0]++ },
		"another time":       func(w *mfa.User) { w.State.Sent.At++ },
		"another purpose":    func(w *mfa.User) { w.State.Sent.Purpose = mfa.ForChange },
		"another credential": func(w *mfa.User) { w.State.Sent.ID = w.State.Counters[2].ID },
		"none sent":          func(w *mfa.User) { w.State.Sent = mfa.Sent{} },
		"revoked":            func(w *mfa.User) { w.State.Sent = w.State.Sent.Revoked() },
	} {
		w := v
		if other(&w); len(matching(w, code)) != 0 {
			t.Errorf("%s: the code is good", name)
		}
	}
	if strings.Contains(fmt.Sprintf("%v %+v %#v %x", v, v.State, v.State.Sent, v.State.Sent), fmt.Sprintf("%x", v.State.Sent.Hash)) {
		t.Error("the hash is printed")
	}
}

func TestSendRefused(t *testing.T) {
	u := reachable(t)
	for _, c := range []struct {
		u    mfa.User
		cred string
		p    mfa.Purpose
		want error
	}{
		{mfa.User{ID: "bob@pam"}, u.Record.Credentials[1].ID, mfa.ForLogin, mfa.ErrNotEnrolled},
		{u, u.Record.UserID, mfa.ForLogin, mfa.ErrNoCredential},
		{u, "", mfa.ForLogin, mfa.ErrNoCredential},
		{u, u.Record.Credentials[0].ID, mfa.ForLogin, mfa.ErrNotSent},
		{u, u.Record.Credentials[1].ID, 0, nil},
		{u, u.Record.Credentials[1].ID, 4, nil},
	} {
		code, after, err := mfa.Send(c.u, c.cred, c.p, noon, dice(1))
		if err == nil || c.want != nil && !errors.Is(err, c.want) || code != "" || after.State != c.u.State {
			t.Errorf("purpose %d: %v, want %v", c.p, err, c.want)
		}
	}
	if _, _, err := mfa.Send(u, u.Record.Credentials[1].ID, mfa.ForLogin, noon, strings.NewReader("abc")); err == nil {
		t.Error("three random bytes are enough")
	}
	if _, _, err := mfa.Send(u, u.Record.Credentials[1].ID, mfa.ForLogin, noon, bytes.NewReader(bytes.Repeat([]byte{0xff}, 4096))); err == nil {
		t.Error("a source that gives nothing but ones is taken")
	}
}

// TestSendThrottled: 30 seconds between two codes, whatever they are for; the
// later one revokes the earlier.
func TestSendThrottled(t *testing.T) {
	u := reachable(t)
	first, u := send(t, u, 1, mfa.ForLogin, noon)
	for _, after := range []time.Duration{-10 * time.Second, 0, time.Second, 29999 * time.Millisecond} {
		var soon *mfa.TooSoonError
		_, same, err := mfa.Send(u, u.Record.Credentials[2].ID, mfa.ForChange, noon.Add(after), dice(1))
		if !errors.As(err, &soon) || !errors.Is(err, mfa.ErrTooSoon) || soon.Wait != mfa.SendEvery-after || same.State != u.State {
			t.Errorf("after %v: %v", after, err)
		}
	}
	_, _, err := mfa.Send(u, u.Record.Credentials[2].ID, mfa.ForChange, noon.Add(9500*time.Millisecond), dice(1))
	if want := "it is too soon for another one: wait 21 seconds"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	second, v := send(t, u, 2, mfa.ForChange, noon.Add(30*time.Second))
	if len(matching(v, first)) != 0 || len(matching(v, second)) != 1 {
		t.Error("the new code does not revoke the old one")
	}
	// Once it was accepted the next may follow at once.
	used := u
	used.State.Sent.Used = true
	send(t, used, 1, mfa.ForLogin, noon)
	// A clock that was set back hinders nothing.
	send(t, u, 1, mfa.ForLogin, noon.Add(-time.Hour))
	// Failures, also those that lock, neither hinder nor help: verify's Status says so.
	u.State.Failures = 20
	send(t, u, 1, mfa.ForLogin, noon.Add(time.Minute))
}

func TestRevokeSent(t *testing.T) {
	u := reachable(t)
	first, u := send(t, u, 1, mfa.ForLogin, noon)
	if v := mfa.RevokeSent(u, "000000"); v.State != u.State && first != "000000" {
		t.Error("another code revokes it")
	}
	v := mfa.RevokeSent(u, first[:3]+" "+first[3:])
	if v.State.Sent != (mfa.Sent{At: u.State.Sent.At}) || len(matching(v, first)) != 0 || v.State.Failures != 0 {
		t.Errorf("%+v", v.State.Sent)
	}
	if _, _, err := mfa.Send(v, v.Record.Credentials[1].ID, mfa.ForLogin, noon.Add(time.Second), dice(1)); !errors.Is(err, mfa.ErrTooSoon) {
		t.Error("a gateway that fails is asked without end: ", err)
	}
	_, newer := send(t, u, 1, mfa.ForLogin, noon.Add(time.Minute))
	if w := mfa.RevokeSent(newer, first); w.State != newer.State {
		t.Error("a code that was sent meanwhile is revoked")
	}
	u.State.Sent.Used = true
	if w := mfa.RevokeSent(u, first); w.State != u.State {
		t.Error("a used code is forgotten, so that it is no replay")
	}
	if w := mfa.RevokeSent(mfa.User{ID: "bob@pam"}, first); w.Enrolled() {
		t.Error(w)
	}
}

// TestSentGoes: with its credential, with the epoch, and with a state that was
// lost; and it does not go with another credential.
func TestSentGoes(t *testing.T) {
	u := reachable(t)
	code, u := send(t, u, 2, mfa.ForLogin, noon)
	token, u, err := mfa.RequestRemoval(u, noon, dice(9))
	if err != nil {
		t.Fatal(err)
	}
	v, err := mfa.Remove(u, u.Record.Credentials[1].ID)
	if err != nil {
		t.Fatal(err)
	}
	v.State, err = mfa.DecodeState(mfa.EncodeState(v.State))
	if got := matching(v, code); err != nil || len(got) != 1 || got[0] != 1 {
		t.Errorf("it goes with another credential: %v, %v", got, err)
	}
	if v, err = mfa.Remove(v, u.Record.Credentials[2].ID); err != nil || v.State.Sent != (mfa.Sent{At: mfa.Milliseconds(noon)}) {
		t.Errorf("it stays without its credential: %+v, %v", v.State.Sent, err)
	}
	if _, pending := v.RemovalPending(noon); !pending {
		t.Error("the removal goes with a credential")
	}
	if v, err = mfa.Unlock(u); err != nil || v.State.Sent != u.State.Sent || v.State.Removal != u.State.Removal {
		t.Error("unlock makes a code or a token good for longer, or for less: ", err)
	}
	reset, _, err := mfa.Reset(u, mfa.EnableOptions{Now: noon, Random: dice(3)})
	if err != nil || reset.State.Sent != (mfa.Sent{}) || reset.State.Removal != (mfa.Removal{}) {
		t.Error("they survive a reset: ", err)
	}
	if s := u.State.For(reset.Record); s.Sent != (mfa.Sent{}) || s.Removal != (mfa.Removal{}) {
		t.Error("they survive a crash between the writes of a reset")
	}
	if s := mfa.Rebuild(u.Record, noon, 1); s.Sent != (mfa.Sent{}) || s.Removal != (mfa.Removal{}) || s.Counters[1].Lost || s.Counters[2].Next != 0 {
		t.Errorf("rebuilt: %+v", s)
	}
	w := u
	w.State = mfa.Rebuild(u.Record, noon, 1)
	if len(matching(w, code)) != 0 {
		t.Error("a code survives a rebuild")
	}
	if _, err := mfa.ConfirmRemoval(w, token, noon); !errors.Is(err, mfa.ErrNoRemoval) {
		t.Error("a token survives a rebuild: ", err)
	}
}

// TestSixDigits counts first digits of codes, and looks at the two ends of what
// is taken of 32 random bits: without the rejection the codes below 967296
// would be more likely.
func TestSixDigits(t *testing.T) {
	u := reachable(t)
	id := u.Record.Credentials[1].ID
	four := func(v ...uint32) *bytes.Reader {
		var b []byte
		for _, v := range v {
			b = binary.BigEndian.AppendUint32(b, v)
		}
		return bytes.NewReader(b)
	}
	for want, r := range map[string]*bytes.Reader{
		"000000": four(0),
		"000007": four(7),
		"999999": four(4293999999),
		"123456": four(4294967295, 4294000000, 123456),
		"000001": four(1000001),
	} {
		if code, _, err := mfa.Send(u, id, mfa.ForLogin, noon, r); err != nil || code != want {
			t.Errorf("code %q, want %q: %v", code, want, err)
		}
	}
	const n = 20000
	r := dice(77)
	var seen [6][10]int
	for range n {
		code, _, err := mfa.Send(u, id, mfa.ForLogin, noon, r)
		if err != nil {
			t.Fatal(err)
		}
		for i := range code {
			seen[i][code[i]-'0']++
		}
	}
	for i := range seen {
		chi := 0.0
		for _, k := range seen[i] {
			chi += float64((k-n/10)*(k-n/10)) / (n / 10)
		}
		if chi > 27.9 { // 9 degrees of freedom, 1 in 1000
			t.Errorf("digit %d: chi square %.1f, %v", i+1, chi, seen[i])
		}
	}
}

func TestPurpose(t *testing.T) {
	for p, want := range map[mfa.Purpose]string{mfa.ForLogin: "login", mfa.ForEnrol: "enrolment", mfa.ForChange: "change", 0: "nothing", 9: "nothing"} {
		if p.String() != want {
			t.Errorf("%d is %q", p, p)
		}
	}
}

// TestSentRecord writes and reads the records and states of sent kinds.
func TestSentRecord(t *testing.T) {
	u := reachable(t)
	text := string(encode(t, u))
	for _, want := range []string{
		"\"created\": \"2026-03-01T12:00:00Z\",\n  \"email\": \"alice@example.org\",\n  \"credentials\"",
		"\"kind\": \"email\",\n      \"address\": \"alice@example.org\",\n      \"secret\": \"",
		"\"kind\": \"sms\",\n      \"address\": \"+14165550123\",\n      \"secret\": \"",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if n := strings.Count(text, `"digits"`) + strings.Count(text, `"algorithm"`) + strings.Count(text, `"period"`); n != 3 {
		t.Errorf("%d parameters, and one credential has three", n)
	}
	for _, c := range []struct{ old, new, want string }{
		{`"email": "alice@example.org"`, `"email": ""`, "line 7: email is empty"},
		{`"email": "alice@example.org"`, `"email": "alice"`, `line 1: email: e-mail address "alice" has no @`},
		{`"email": "alice@example.org"`, `"email": "a@b\nBcc: c"`, "has the control character"},
		{`"address": "+14165550123",`, ``, "credential 3: address: a phone number has 3 to 15 digits"},
		{`"address": "alice@example.org"`, `"address": "alice@example.org", "digits": 6`, `credential 2: a credential whose codes are sent has no "digits"`},
		{`"address": "alice@example.org"`, `"address": "alice@example.org", "algorithm": "SHA1"`, `credential 2: a credential whose codes are sent has no "algorithm"`},
		{`"address": "alice@example.org"`, `"address": "alice@example.org", "period": 30`, `credential 2: a credential whose codes are sent has no "period"`},
		{`"address": "alice@example.org"`, `"address": "alice@example.org", "counter": 0`, `credential 2: a credential whose codes are sent has no "counter"`},
		{`"kind": "totp"`, `"kind": "totp", "address": ""`, `credential 1: kind "totp" has no "address"`},
		{`"kind": "totp"`, `"kind": "totp", "address": "a@b"`, `credential 1: kind "totp" has no address`},
		{`"kind": "sms"`, `"kind": "email"`, `credential 3: address: e-mail address "+14165550123" has no @`},
		{`"kind": "email"`, `"kind": "totp"`, `credential 2: field "algorithm" is missing`},
	} {
		changed := strings.Replace(text, c.old, c.new, 1)
		if changed == text {
			t.Fatalf("%q is not in the record", c.old)
		}
		if _, err := mfa.DecodeRecord(u.ID, []byte(changed)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want %s", c.new, err, c.want)
		}
	}

	// A state of before there were sent codes ends in zeros, and so does one
	// without any.
	if b := mfa.EncodeState(u.State); b[0] != 1 || strings.Trim(string(b[406:]), "\x00") != "" {
		t.Errorf("nothing sent is written as % x", b[406:])
	}
	_, u = send(t, u, 2, mfa.ForEnrol, noon)
	_, u = request(t, u, noon.Add(time.Second))
	u.State.Sent.Tries, u.State.Sent.Used, u.State.Removal.Tries = 3, true, 4
	b := mfa.EncodeState(u.State)
	if s, err := mfa.DecodeState(b); err != nil || s != u.State {
		t.Errorf("%v\n%+v\n%+v", err, s, u.State)
	}
	// As oathkit-store(5) has it.
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(noon.UnixMilli()))
	if string(b[406:414]) != string(ms[:]) || b[414] != 0x82 || b[415] != 2 || b[416] != 3 || string(b[417:433]) != string(u.State.Sent.Hash[:]) {
		t.Errorf("the sent code is written as % x", b[406:433])
	}
	binary.BigEndian.PutUint64(ms[:], uint64(noon.UnixMilli()+1000))
	if string(b[433:441]) != string(ms[:]) || b[441] != 4 || string(b[442:458]) != string(u.State.Removal.Hash[:]) || string(b[458:]) != "\x00\x00\x00\x00\x00\x00" {
		t.Errorf("the removal is written as % x", b[433:])
	}
	if b[17+33+16] != 3 || b[17+66+16] != 4 || b[0] != 1 {
		t.Error("kinds or version are written differently")
	}
	// A code whose credential has no counter could not be accepted.
	u.State.Sent.ID[3]++
	if s, err := mfa.DecodeState(mfa.EncodeState(u.State)); err != nil || s.Sent != u.State.Sent.Revoked() {
		t.Errorf("%+v, %v", s.Sent, err)
	}
}
