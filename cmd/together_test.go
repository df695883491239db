package cmd

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"oathkit/pkg/oath"
)

// One recovery code, presented by many at once, lets exactly one in.
func TestOneRecoveryCode(t *testing.T) {
	l := newLab(t)
	const many = 32
	l.enrol("alice@pve", newToken(t, 1), oath.HOTP)
	var codes []string
	for range rounds(5, 100) {
		if len(codes) == 0 {
			codes = strings.Fields(l.must("", "mfactl", "codes", "alice@pve"))
		}
		n := count(l.atOnce(repeat("alice@pve", many), repeat(codes[0], many)))
		if n[0] != 1 || n[1] != many-1 {
			t.Fatalf("exit codes %v, want one 0 and %d of 1", n, many-1)
		}
		codes = codes[1:]
	}
}

// loginAndReset logs a user in and resets him at the same moment, the reset a
// little later.
func (l *lab) loginAndReset(user, code string, later time.Duration) (login, reset run) {
	l.t.Helper()
	var wait sync.WaitGroup
	wait.Go(func() { login = l.run(code+"\n", "oathverify", user) })
	wait.Go(func() {
		time.Sleep(later)
		reset = l.run("", "mfactl", "reset", "--json", user)
	})
	wait.Wait()
	if login.code != 0 && login.code != 1 || reset.code != 0 {
		l.t.Fatalf("login: %+v\nreset: %+v", login, reset)
	}
	return login, reset
}

// A right code and a reset at the same moment: either the code came first and
// was good, or the reset came first and it is not. Afterwards there is in both
// cases a user with one fresh credential and nothing of before.
func TestCodeAndReset(t *testing.T) {
	l := newLab(t)
	seen := map[int]int{}
	for i := range rounds(10, 100) {
		user, k := fmt.Sprintf("u%d@pve", i), newToken(t, i)
		away(8 * time.Second)
		l.enrol(user, k, oath.TOTP)
		code := k.totp(0)
		before := l.credentials(user)
		login, reset := l.loginAndReset(user, code, time.Duration(i%5)*time.Millisecond)
		seen[login.code]++
		l.checkReset(user, before, reset.out, k)
	}
	t.Logf("the code came first %d times, the reset %d times", seen[0], seen[1])
}

// An entry is what show and list print of a credential.
type entry struct {
	ID, Blob  string
	UserID    string `json:"user_id"`
	Activated bool
	LastUsed  *string `json:"last_used"`
}

// A person is what show prints.
type person struct {
	UserID      string `json:"user_id"`
	Failures    int
	Locked      bool
	Credentials []entry
}

func (l *lab) credentials(user string) person {
	l.t.Helper()
	var p person
	if err := json.Unmarshal([]byte(l.must("", "mfactl", "show", "--json", user)), &p); err != nil {
		l.t.Fatal(err)
	}
	return p
}

func (l *lab) checkReset(user string, before person, printed string, old *token) {
	l.t.Helper()
	var made entry
	if err := json.Unmarshal([]byte(printed), &made); err != nil {
		l.t.Fatal(err)
	}
	after := l.credentials(user)
	if len(after.Credentials) != 1 {
		l.t.Fatalf("after the reset there are %d credentials", len(after.Credentials))
	}
	c := after.Credentials[0]
	if c.ID != made.ID || c.ID == before.Credentials[0].ID || c.Activated || c.LastUsed != nil {
		l.t.Errorf("after the reset: %+v, printed was %+v", c, made.ID)
	}
	if after.UserID != before.UserID || made.UserID != before.UserID {
		l.t.Errorf("the user id was %s and is %s", before.UserID, after.UserID)
	}
	if after.Locked {
		l.t.Error("locked")
	}
	if r := l.run(old.totp(1)+"\n", "oathverify", user); r.code != 1 {
		l.t.Errorf("a code of the old key: exit code %d", r.code)
	}
	key, err := oath.ParseKey(made.Blob)
	if err != nil {
		l.t.Fatal(err)
	}
	l.must((&token{key: key}).totp(0)+"\n", "oathverify", user)
}
