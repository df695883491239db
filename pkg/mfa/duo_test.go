package mfa_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"oathkit/pkg/mfa"
)

// A credential of kind duo is activated from the start, there is one at most,
// and nothing is sent for it.
func TestDuoCredential(t *testing.T) {
	u := reachable(t)
	o := mfa.EnableOptions{Kind: mfa.Duo, Label: "Duo", Digits: 8, Period: 60, Now: noon, Random: dice(31)}
	v, c, err := mfa.Add(u, o)
	if err != nil || !c.Activated || c.Kind != mfa.Duo || c.Address != "" || c.Digits != mfa.SentDigits || c.Period != 0 {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, _, err := mfa.Add(v, o); !errors.Is(err, mfa.ErrSameKind) {
		t.Errorf("a second one: %v", err)
	}
	if _, _, err := mfa.Send(v, c.ID, mfa.ForLogin, noon, dice(32)); !errors.Is(err, mfa.ErrNotSent) {
		t.Errorf("sent: %v", err)
	}
	o.Address = "alice@example.org"
	if _, _, err := mfa.Add(u, o); err == nil || !strings.Contains(err.Error(), `kind "duo" has no address`) {
		t.Errorf("with an address: %v", err)
	}
	b, err := mfa.EncodeRecord(v)
	if err != nil {
		t.Fatal(err)
	}
	back, err := mfa.DecodeRecord(v.ID, b)
	if err != nil || !back.Equal(v.Record) {
		t.Errorf("read back: %+v, %v", back, err)
	}
	bad := strings.Replace(string(b), `"kind": "duo",`, `"kind": "duo",`+"\n"+`"address": "",`, 1)
	if _, err := mfa.DecodeRecord(v.ID, []byte(bad)); err == nil || !strings.Contains(err.Error(), `kind "duo" has no "address"`) {
		t.Errorf("an address in the record: %v", err)
	}
	s, err := mfa.DecodeState(mfa.EncodeState(v.State))
	if err != nil || !reflect.DeepEqual(s, v.State) {
		t.Errorf("state: %v", err)
	}
	only, _, err := mfa.Enable(mfa.User{ID: "bob@pam"}, mfa.EnableOptions{Kind: mfa.Duo, Now: noon, Random: dice(33)})
	if err != nil || !only.Activated() {
		t.Errorf("alone: %v", err)
	}
	// New recovery codes are good, although the user was activated before.
	_, only, err = mfa.NewRecoveryCodes(only, 3, dice(34))
	if err != nil || only.Record.Recovery.Left(only.State.For(only.Record).RecoveryUsed) != 3 {
		t.Errorf("recovery codes: %v", err)
	}
}
