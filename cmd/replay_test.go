package cmd

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/oath"
)

// crowd is how many processes present a code at the same moment.
const crowd = 64

// One right code, presented by many at once, lets exactly one in.
func TestOneCodeOneLogin(t *testing.T) {
	for _, kind := range []oath.Kind{oath.HOTP, oath.TOTP} {
		t.Run(kind.String(), func(t *testing.T) {
			l := newLab(t)
			for i := range rounds(10, 200) {
				user, k := fmt.Sprintf("u%d@pve", i), newToken(t, i)
				if kind == oath.TOTP {
					away(8 * time.Second)
				}
				l.enrol(user, k, kind)
				code := k.hotp()
				if kind == oath.TOTP {
					code = k.totp(0)
				}
				n := count(l.atOnce(repeat(user, crowd), repeat(code, crowd)))
				if n[0] != 1 || n[1] != crowd-1 {
					t.Fatalf("round %d: exit codes %v, want one 0 and %d of 1", i, n, crowd-1)
				}
			}
		})
	}
}

// The code that activates is used up by that, too.
func TestOneActivation(t *testing.T) {
	l := newLab(t)
	for i := range rounds(3, 50) {
		user, k := fmt.Sprintf("u%d@pve", i), newToken(t, i)
		u := oath.URI{Account: "a", Key: k.key, Digits: 6, Period: 30}
		l.must(u.Format()+"\n", "mfactl", "add", user)
		away(8 * time.Second)
		n := count(l.atOnce(repeat(user, crowd), repeat(k.totp(0), crowd)))
		if n[0] != 1 || n[1] != crowd-1 {
			t.Fatalf("round %d: exit codes %v, want one 0 and %d of 1", i, n, crowd-1)
		}
	}
}

// Everybody with a right code gets in, sixteen at a time.
func TestEverybodyAtOnce(t *testing.T) {
	l := newLab(t)
	const people, together = 320, 16
	users, codes := make([]string, people), make([]string, people)
	for i := range users {
		k := newToken(t, i)
		users[i] = fmt.Sprintf("u%d@pve", i)
		l.enrol(users[i], k, oath.HOTP)
		codes[i] = k.hotp()
	}
	for i := 0; i < people; i += together {
		for j, r := range l.atOnce(users[i:i+together], codes[i:i+together]) {
			if r.code != 0 {
				t.Fatalf("%s: exit code %d: %s", users[i+j], r.code, r.err)
			}
		}
	}
}

// A flood of wrong codes is judged no more often than the lock-out allows,
// however many come at once.
func TestWrongCodeFlood(t *testing.T) {
	l := newLab(t)
	k := newToken(t, 1)
	l.enrol("u@pve", k, oath.HOTP)
	wrong := "000000"
	for c := range uint64(200) {
		if k.at(c) == wrong {
			t.Fatalf("the token has %s at %d: choose another", wrong, c)
		}
	}
	for range rounds(2, 20) {
		if n := count(l.atOnce(repeat("u@pve", crowd), repeat(wrong, crowd))); n[1] != crowd {
			t.Fatalf("exit codes %v, want %d of 1", n, crowd)
		}
	}
	// The audit log has one line each; counted are those that were judged.
	judged := strings.Count(l.read("audit.jsonl"), `"verdict":"rejected"`)
	if judged > 6 {
		t.Errorf("%d wrong codes were judged within a moment, want at most 6: five free ones and the one that starts the delay", judged)
	}
	if r := l.run(k.hotp()+"\n", "oathverify", "u@pve"); r.code != 1 {
		t.Errorf("a right HOTP code during the delay: exit code %d, want 1", r.code)
	}
	l.must("", "mfactl", "unlock", "u@pve")
	k.next--
	l.must(k.hotp()+"\n", "oathverify", "u@pve")
}
