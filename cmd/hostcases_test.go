package cmd

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// A hostLogin is a way to log in with a host's own program. It returns whether
// the person was let in, and everything that he was shown.
type hostLogin func(user, code string) (in bool, shown string)

// letsInWhomItShould goes through what every host must do: right code in, wrong
// one out, the same one again out, locked out, store broken out; and who has no
// factor is not to be told from who gave a wrong code. What the audit log says of
// a login must hold each of audit.
func (m *machine) letsInWhomItShould(login hostLogin, audit ...string) {
	t := m.t.(*testing.T)
	t.Helper()
	is := func(user, code string, want bool, why ...string) string {
		t.Helper()
		in, shown := login(user, code)
		if in != want {
			t.Fatalf("%s with %q, %v: in is %v, and shown was\n%s", user, code, why, in, shown)
		}
		m.audited(append(why, audit...)...)
		return strings.ReplaceAll(shown, user, "USER")
	}
	right := m.code("alice")
	is("alice", right, true, `"user":"alice@pam"`, `"verdict":"accepted"`)
	wrong := is("alice", "000000", false, `"user":"alice@pam"`, `"verdict":"rejected"`, `"reason":"wrong-code"`)
	again := is("alice", right, false, `"user":"alice@pam"`, `"verdict":"re`)
	nobody := is("nobodys", "000000", false, `"user":"nobodys@pam"`, `"verdict":"not-enrolled"`)
	if again != wrong || nobody != wrong {
		t.Errorf("a person can tell refusals apart: a wrong code shows\n%s\na used one\n%s\nno factor\n%s", wrong, again, nobody)
	}
	m.sameTime(login, attempt{"carol", "000000"}, attempt{"nobodys", "000000"})
	is("alice", m.code("alice"), true, `"verdict":"accepted"`)

	m.configure("[lockout]\nfree = 1\nlock_at = 1\n")
	is("bob", "000000", false, `"verdict":"rejected"`)
	locked := is("bob", m.code("bob"), false, `"user":"bob@pam"`, `"verdict":"locked"`)
	if locked != wrong {
		t.Errorf("a person can tell that he is locked: a wrong code shows\n%s\na lock\n%s", wrong, locked)
	}
	m.configure(patient)

	m.do(os.Rename(m.path("store"), m.path("aside")))
	m.write("store", "no folder")
	is("alice", m.code("alice"), false, `"verdict":"error"`, `"reason":"`, "store")
	m.do(os.Remove(m.path("store")))
	m.do(os.Rename(m.path("aside"), m.path("store")))
	is("alice", m.code("alice"), true, `"verdict":"accepted"`)
}

// An attempt is what somebody at a host's door gives.
type attempt struct{ user, secret string }

// sameTime wants refusals of both to take the same time, within what the machine
// makes of it: the tests run beside others, so the bound is generous, and what is
// slow by chance is measured again.
func (m *machine) sameTime(login hostLogin, a, b attempt) {
	m.t.Helper()
	for try := 1; ; try++ {
		one, other := m.refusals(login, a, b)
		m.t.Logf("a refusal of %s takes %v, of %s %v", a.user, one, b.user, other)
		if apart := max(one-other, other-one); apart <= max(one, other)/2+100*time.Millisecond {
			return
		}
		if try == 3 {
			m.t.Errorf("a refusal of %s takes %v, of %s %v", a.user, one, b.user, other)
			return
		}
	}
}

// refusals are the medians of how long refusals of both take.
func (m *machine) refusals(login hostLogin, a, b attempt) (one, other time.Duration) {
	m.t.Helper()
	var took [2][]time.Duration
	for range 5 {
		for i, try := range [2]attempt{a, b} {
			began := time.Now()
			if in, shown := login(try.user, try.secret); in {
				m.t.Fatalf("%s is in with %q:\n%s", try.user, try.secret, shown)
			}
			took[i] = append(took[i], time.Since(began))
		}
	}
	for i := range took {
		slices.Sort(took[i])
	}
	return took[0][2], took[1][2]
}
