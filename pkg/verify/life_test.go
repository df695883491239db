package verify_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
	"oathkit/pkg/verify"

	"pgregory.net/rapid"
)

// A life is a user and, beside him, the table of package mfa told once more: as
// what a person who watches would write down. It never looks into a state or a
// hash. Codes are of 8 and 9 digits (TOTP), 10 (HOTP) and 6 (sent), so that none
// is another by chance.
type life struct {
	t      *rapid.T
	u      mfa.User
	now    time.Time
	p      verify.Policy
	random *rand.ChaCha8

	enrolled bool
	userID   string
	email    string
	factors  []*factor
	codes    []spare // of the set that counts
	oldCodes []string

	failures int
	last     time.Time // of them
	full     bool      // the longest wait counts from last
	judged   time.Time // zero: no turn was taken
	noted    *factor
	notedAt  uint64

	letter   *letter // the code that was sent last; nil: none
	sentAt   time.Time
	oldSent  []string
	removal  *letter
	askedAt  time.Time
	oldToken []string
}

type factor struct {
	id        string
	kind      mfa.Kind
	key       oath.Key
	algorithm oath.Algorithm
	digits    int
	activated bool
	next      uint64 // TOTP: when the first good step begins; HOTP: the next counter
	start     uint64
	used      bool
}

type spare struct {
	code string
	used bool
}

// letter is a code or a token that went out.
type letter struct {
	text    string
	to      *factor
	purpose mfa.Purpose
	at      time.Time
	tries   int
	used    bool
}

const lifePeriod = 30

// within says whether a stamp is younger than limit; 10 seconds in the future
// are none.
func (l *life) within(at time.Time, limit time.Duration) bool {
	age := l.now.Sub(at)
	return !at.IsZero() && age >= -10*time.Second && age < limit
}

func (l *life) waits() (reason string, left time.Duration) {
	if l.failures >= l.p.Lockout.LockAt {
		return "too-many-in-a-row", 0
	}
	if l.failures <= l.p.Lockout.Free {
		return "", 0
	}
	delay := []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute}[l.failures-l.p.Lockout.Free-1]
	if l.full {
		delay = l.p.Lockout.MaxDelay
	}
	if left := l.last.Add(delay).Sub(l.now); left > 0 {
		return "delayed", left
	}
	return "", 0
}

// clock puts right what a clock that was set back made impossible.
func (l *life) clock() {
	latest := l.now.Add(10 * time.Second)
	if l.failures > 0 && l.last.After(latest) {
		l.last, l.full = l.now, true
	}
	if l.judged.After(latest) {
		l.judged = l.now
	}
	if l.sentAt.After(latest) && (l.letter == nil || !l.letter.used) {
		l.letter, l.sentAt = nil, time.Time{}
	}
	if l.askedAt.After(latest) {
		l.removal, l.askedAt = nil, time.Time{}
	}
}

// pick draws a number from low to high, each as likely as the others, which
// rapid's own numbers are not: it prefers small ones.
func (l *life) pick(label string, low, high int) int {
	bits := rapid.SliceOfN(rapid.Bool(), 10, 10).Draw(l.t, label)
	v := 0
	for _, b := range bits {
		v <<= 1
		if b {
			v++
		}
	}
	return low + v%(high-low+1)
}

func one[T any](l *life, label string, list ...T) T { return list[l.pick(label, 0, len(list)-1)] }

func (l *life) miss() {
	l.failures++
	if l.now.After(l.last) || l.failures == 1 && l.last.IsZero() {
		l.last = l.now
	}
	l.full = false
}

func (l *life) succeed() {
	l.failures, l.last, l.full = 0, time.Time{}, false
	l.judged, l.noted = time.Time{}, nil
}

func (l *life) gone() {
	*l = life{t: l.t, u: l.u, now: l.now, p: l.p, random: l.random, email: l.email}
}

// keep is what a store does: the user is written and read again.
func (l *life) keep(u mfa.User) {
	if !u.Enrolled() {
		if u.ID != l.u.ID || u.State != (mfa.State{}) {
			l.t.Fatalf("nothing of a user without a record is kept: %+v", u)
		}
		l.u = u
		return
	}
	b, err := mfa.EncodeRecord(u)
	if err != nil {
		l.t.Fatal(err)
	}
	r, err := mfa.DecodeRecord(u.ID, b)
	if err != nil || !r.Equal(u.Record) {
		l.t.Fatal("the record is not kept: ", err)
	}
	s, err := mfa.DecodeState(mfa.EncodeState(u.State.For(r)))
	if err != nil || s != u.State.For(u.Record) {
		l.t.Fatalf("the state is not kept: %v\n%+v\n%+v", err, s, u.State)
	}
	l.u = mfa.User{ID: u.ID, Record: r, State: s.For(r)}
}

// wants compares an error with the one that the table has.
func (l *life) wants(err, want error) bool {
	if !errors.Is(err, want) || want == nil && err != nil {
		l.t.Fatalf("error %v, want %v", err, want)
	}
	return err == nil
}

func (l *life) confirm() {
	token := "abcd-abcd"
	if len(l.oldToken) > 0 && l.pick("old", 0, 1) == 0 {
		token = one(l, "token", l.oldToken...)
	}
	right := l.removal != nil && l.pick("right", 0, 3) == 0
	if right {
		token = l.removal.text
	}
	l.clock()
	why, left := l.waits()
	verdict, reason := "rejected", "wrong-token"
	switch {
	case !l.enrolled:
		verdict, reason = "not-enrolled", "no-record"
	case why != "":
		verdict, reason = "locked", why
	case l.removal == nil:
		reason = "no-removal"
	case !right:
		l.removal.tries = min(l.removal.tries+1, 5)
	case l.removal.tries == 5:
		reason = "too-many-tries"
	case !l.within(l.removal.at, 15*time.Minute):
		reason = "expired-token"
	default:
		verdict, reason = "accepted", "removed"
	}
	if verdict == "rejected" {
		l.miss()
		_, left = l.waits()
	}
	r, u := verify.ConfirmRemoval(l.u, token, l.now, l.p)
	if string(r.Verdict) != verdict || r.Reason != reason || r.RetryAfter != left && l.enrolled && verdict != "accepted" {
		l.t.Fatalf("the token is %s (%s, %v), the table says %s (%s, %v)", r.Verdict, r.Reason, r.RetryAfter, verdict, reason, left)
	}
	if verdict == "accepted" {
		l.gone()
	}
	l.keep(u)
}

// check compares what can be seen of the user.
func (l *life) check() {
	if l.u.Enrolled() != l.enrolled || l.enrolled && (l.u.Record.UserID != l.userID || l.u.Record.Email != l.email) {
		l.t.Fatalf("enrolled %v as %s, %q; the table says %v as %s, %q", l.u.Enrolled(), l.u.Record.UserID, l.u.Record.Email, l.enrolled, l.userID, l.email)
	}
	usable := 0
	for i, f := range l.factors {
		c := l.u.Record.Credentials[i]
		if c.ID != f.id || c.Activated != f.activated || c.Digits != f.digits || c.Algorithm != f.algorithm {
			l.t.Fatalf("credential %d is %+v, the table says %+v", i, c, f)
		}
		if _, used := l.u.LastUse(f.id); used != f.used {
			l.t.Fatalf("credential %d was used: %v, the table says %v", i, used, f.used)
		}
		if f.activated {
			usable++
		}
	}
	left := 0
	for _, s := range l.codes {
		if !s.used {
			left++
		}
	}
	watch := *l
	watch.clock()
	s, err := verify.Status(l.u, l.now, l.p)
	why, wait := watch.waits()
	want := verify.Standing{Enrolled: l.enrolled, Usable: usable, Pending: len(l.factors) - usable, RecoveryLeft: left, Failures: l.failures, Month: s.Month}
	want.Locked, want.Reason, want.RetryAfter = why != "", why, wait
	if m := watch.removal; m != nil && m.tries < 5 && l.within(m.at, 15*time.Minute) {
		want.Removal = m.at.Add(15 * time.Minute)
	}
	if err != nil || !s.Removal.Equal(want.Removal) {
		l.t.Fatalf("a removal is pending until %v, the table says %v; %v", s.Removal, want.Removal, err)
	}
	if s.Removal = want.Removal; s != want {
		l.t.Fatalf("the status is\n%+v, the table says\n%+v", s, want)
	}
	open := watch.letter != nil && !watch.letter.used && watch.letter.tries < 5 && l.within(watch.letter.at, 5*time.Minute)
	if got := l.u.State.Sent.Open(l.now); got != open {
		l.t.Fatalf("a sent code is open: %v, the table says %v", got, open)
	}
}

// end is one of the changes that take something away.
func (l *life) end() {
	switch one(l, "end", "disable", "reset", "unlock", "unlock", "remove", "remove") {
	case "disable":
		u, err := mfa.Disable(l.u)
		if l.wants(err, l.orNone(nil)) {
			l.gone()
			l.keep(u)
		}
	case "reset":
		l.reset()
	case "unlock":
		l.unlock()
	case "remove":
		l.remove()
	}
}

// pass lets time pass; now and then the clock is set back.
func (l *life) pass() {
	d := one(l, "time", time.Second, time.Second, 5*time.Second, 9*time.Second, 10*time.Second, 29*time.Second, 30*time.Second,
		30*time.Second, time.Minute, 299*time.Second, 5*time.Minute, 15*time.Minute, time.Hour)
	if l.pick("back", 0, 19) == 0 {
		d = -d
	}
	l.now = l.now.Add(d)
}

// TestLife lives whole lives, every change in any order under a clock that also
// jumps back, and compares each step with the table.
func TestLife(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := &life{t: t, u: mfa.User{ID: "alice@pam"}, now: noon, p: verify.Policy{Window: 1}}
		l.random = rand.NewChaCha8([32]byte{byte(l.pick("seed", 0, 255))})
		l.p.Required = rapid.Bool().Draw(t, "required")
		free := one(l, "free", 2, 8)
		l.p.Lockout = verify.Lockout{Free: free, Delay: 30 * time.Second, MaxDelay: 4 * time.Minute, LockAt: free + 4, MonthMax: 10000}
		for range l.pick("steps", 1, 200) {
			step := l.pick("step", 0, 39)
			if !l.enrolled && step > 9 {
				step = 0 // not much is to be seen of nobody
			}
			switch step {
			case 0:
				l.enable(false)
			case 1:
				l.enable(true)
			case 2:
				l.end()
			case 3:
				l.newCodes()
			case 4:
				l.setParameters()
			case 5:
				l.setEmail()
			case 6, 7, 8:
				l.send()
			case 9, 10:
				l.ask()
			case 11, 12, 13:
				l.confirm()
			case 14, 15, 16, 17, 18, 19:
				l.pass()
			default:
				l.answer()
			}
			l.check()
		}
	})
}
