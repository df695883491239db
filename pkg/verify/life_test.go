package verify_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
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

// open draws options of a new credential.
func (l *life) options() mfa.EnableOptions {
	o := mfa.EnableOptions{Now: l.now, Random: l.random}
	switch one(l, "kind", mfa.TOTP, mfa.TOTP, mfa.HOTP, mfa.Email, mfa.SMS) {
	case mfa.TOTP:
		o.Digits = l.pick("digits", 8, 9)
	case mfa.HOTP:
		o.Kind, o.Digits, o.Counter = mfa.HOTP, 10, uint64(l.pick("counter", 0, 50))
	case mfa.Email:
		o.Kind, o.Address = mfa.Email, "alice@example.org"
	case mfa.SMS:
		o.Kind, o.Address = mfa.SMS, "+14165550123"
	}
	if l.pick("email", 0, 3) == 0 {
		o.Email = one(l, "address", "a@example.org", "b@example.org")
	}
	return o
}

func (l *life) born(c mfa.Credential, o mfa.EnableOptions) {
	f := &factor{id: c.ID, kind: c.Kind, key: c.Key, algorithm: c.Algorithm, digits: c.Digits, next: c.Counter, start: c.Counter}
	for _, g := range l.factors {
		if g.id == f.id {
			l.t.Fatal("two credentials have one id")
		}
	}
	l.factors = append(l.factors, f)
	l.enrolled = true
	if o.Email != "" && o.Email != l.email {
		l.email, l.removal = o.Email, nil
	}
}

func (l *life) enable(add bool) {
	o := l.options()
	change, want := mfa.Enable, mfa.ErrEnrolled
	if add {
		change, want = mfa.Add, mfa.ErrTooMany
	}
	if !l.enrolled || add && len(l.factors) < mfa.MaxCredentials {
		want = nil
	}
	u, c, err := change(l.u, o)
	if !l.wants(err, want) {
		return
	}
	if !l.enrolled {
		if u.Record.UserID == l.userID {
			l.t.Fatal("a new user has the user id of the old one")
		}
		l.email = ""
		l.gone()
		l.userID = u.Record.UserID
	}
	l.born(c, o)
	l.keep(u)
}

func (l *life) orNone(want error) error {
	if !l.enrolled {
		return mfa.ErrNotEnrolled
	}
	return want
}

func (l *life) reset() {
	o := l.options()
	u, c, err := mfa.Reset(l.u, o)
	if l.wants(err, l.orNone(nil)) {
		id := l.userID
		l.gone()
		l.userID = id
		l.born(c, o)
		l.keep(u)
	}
}

func (l *life) remove() {
	f := l.any()
	u, err := mfa.Remove(l.u, f.id)
	if !l.wants(err, l.orNone(nil)) {
		return
	}
	l.factors = slices.DeleteFunc(l.factors, func(g *factor) bool { return g == f })
	if l.noted == f {
		l.noted = nil
	}
	if l.letter != nil && l.letter.to == f {
		l.letter = nil
	}
	if len(l.factors) == 0 {
		l.gone()
	}
	l.keep(u)
}

// any is one of the user's factors, or one that nobody has.
func (l *life) any(kinds ...mfa.Kind) *factor {
	list := slices.DeleteFunc(slices.Clone(l.factors), func(f *factor) bool { return len(kinds) > 0 && !slices.Contains(kinds, f.kind) })
	if len(list) == 0 {
		return &factor{id: strings.Repeat("0", 12) + "40008" + strings.Repeat("0", 15)}
	}
	return list[l.pick("factor", 0, len(list)-1)]
}

func (l *life) newCodes() {
	n := l.pick("codes", 1, 5)
	codes, u, err := mfa.NewRecoveryCodes(l.u, n, l.random)
	if !l.wants(err, l.orNone(nil)) {
		return
	}
	for _, s := range l.codes {
		l.oldCodes = append(l.oldCodes, s.code)
	}
	l.codes = nil
	for _, c := range codes {
		l.codes = append(l.codes, spare{code: c})
	}
	l.keep(u)
}

func (l *life) unlock() {
	u, err := mfa.Unlock(l.u)
	if l.wants(err, l.orNone(nil)) {
		l.succeed()
		l.keep(u)
	}
}

func (l *life) setEmail() {
	email := one(l, "email", "", "a@example.org", "c@example.org")
	u, err := mfa.SetEmail(l.u, email)
	if l.wants(err, l.orNone(nil)) {
		if email != l.email {
			l.email, l.removal = email, nil
		}
		l.keep(u)
	}
}

func (l *life) setParameters() {
	f := l.any()
	a := oath.Algorithm(l.pick("algorithm", 0, 2))
	digits := f.digits
	if f.kind == mfa.TOTP {
		digits = l.pick("digits", 8, 9)
	}
	u, err := mfa.SetParameters(l.u, f.id, a, digits)
	want := l.orNone(nil)
	switch {
	case want != nil:
	case f.kind.Sent():
		want = mfa.ErrSentKind
	case f.activated:
		want = mfa.ErrActivated
	}
	if l.wants(err, want) {
		f.algorithm, f.digits = a, digits
		l.keep(u)
	}
}

func (l *life) send() {
	f := l.any()
	if sent := l.any(mfa.Email, mfa.SMS); sent.kind != "" && l.pick("sent kind", 0, 5) > 0 {
		f = sent
	}
	p := mfa.Purpose(one(l, "purpose", 1, 1, 1, 2, 3))
	code, u, err := mfa.Send(l.u, f.id, p, l.now, l.random)
	want := l.orNone(nil)
	switch {
	case want != nil:
	case !f.kind.Sent():
		want = mfa.ErrNotSent
	case l.within(l.sentAt, 30*time.Second) && (l.letter == nil || !l.letter.used):
		want = mfa.ErrTooSoon
	}
	if !l.wants(err, want) {
		return
	}
	if l.letter != nil {
		l.oldSent = append(l.oldSent, l.letter.text)
	}
	l.letter, l.sentAt = &letter{text: code, to: f, purpose: p, at: l.now}, l.now
	l.keep(u)
	if l.pick("delivered", 0, 5) == 0 {
		l.keep(mfa.RevokeSent(l.u, code))
		l.oldSent = append(l.oldSent, code)
		l.letter = nil
	}
}

func (l *life) ask() {
	token, u, err := mfa.RequestRemoval(l.u, l.now, l.random)
	want := l.orNone(nil)
	if want == nil && l.within(l.askedAt, 30*time.Second) {
		want = mfa.ErrTooSoon
	}
	if !l.wants(err, want) {
		return
	}
	if l.removal != nil {
		l.oldToken = append(l.oldToken, l.removal.text)
	}
	l.removal, l.askedAt = &letter{text: token, at: l.now}, l.now
	l.keep(u)
	if l.pick("delivered", 0, 5) == 0 {
		l.keep(mfa.RevokeRemoval(l.u, token))
		l.oldToken = append(l.oldToken, token)
		l.removal = nil
	}
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

// An answer is what a person types, and what it is.
type answer struct {
	text   string
	f      *factor // whose code it is
	at     uint64  // the step or counter of it
	letter *letter // the code that was sent last
	spare  int     // a recovery code of the set that counts, or -1
}

// draw makes an answer.
func (l *life) draw() answer {
	a := answer{spare: -1}
	switch one(l, "answer", "right", "right", "last", "wrong", "wrong", "wrong", "wrong", "sent", "sent", "sent", "recovery", "old", "empty") {
	case "right":
		a.f = l.any(mfa.TOTP, mfa.HOTP)
		a.at = uint64(l.now.Unix()) / lifePeriod
		if a.f.kind == mfa.HOTP {
			a.at = a.f.next
		}
	case "last":
		if a.f = l.any(mfa.TOTP, mfa.HOTP); a.f.used {
			a.at = a.f.next - 1
			if a.f.kind == mfa.TOTP {
				a.at = (a.f.next - 1) / lifePeriod
			}
			break
		}
		a.f = nil
	case "sent":
		if l.letter != nil {
			a.letter, a.text = l.letter, l.letter.text
			return a
		}
	case "recovery":
		if len(l.codes) > 0 {
			a.spare = l.pick("code", 0, len(l.codes)-1)
			a.text = l.codes[a.spare].code
			return a
		}
	case "old":
		if list := slices.Concat(l.oldSent, l.oldCodes); len(list) > 0 {
			a.text = one(l, "old", list...)
			if l.letter == nil || a.text != l.letter.text {
				return a
			}
		}
	case "empty":
		a.text = one(l, "nothing", "", " ", "--")
		return a
	}
	if a.f != nil && a.f.kind != "" {
		a.text = string(oath.NewCoder(a.f.key, a.f.algorithm, a.f.digits).AppendCode(nil, a.at))
		a.text = a.text[:4] + " " + a.text[4:]
		return a
	}
	a.f = nil
	a.text = fmt.Sprintf("%0*d", one(l, "digits", 6, 6, 6, 8, 9, 10, 5, 11), l.random.Uint64()%100000)
	if l.letter != nil && a.text == l.letter.text {
		a.text = "x"
	}
	return a
}

// shaped says whether some factor's codes look like an answer.
func (l *life) shaped(a answer, kinds ...mfa.Kind) bool {
	text := oath.NormalizeCode(a.text)
	for _, f := range l.factors {
		if oath.IsCode(text, f.digits) && (len(kinds) == 0 || slices.Contains(kinds, f.kind)) {
			return true
		}
	}
	return false
}

// status of a code: good, or used, or neither.
func (l *life) status(a answer) (good, spent bool) {
	if a.f == nil {
		return false, false
	}
	begins := a.at
	if a.f.kind == mfa.TOTP {
		begins *= lifePeriod
	}
	return begins >= a.f.next, begins < a.f.next
}

func (l *life) take(f *factor, at uint64) {
	f.next, f.used, f.activated = at+1, true, true
	if f.kind == mfa.TOTP {
		f.next = (at + 1) * lifePeriod
	}
	l.succeed()
}

// judge says what the rules say to an answer, and changes what they change.
func (l *life) judge(a answer) (verdict, reason string) {
	l.clock()
	if a.letter != l.letter {
		a.letter = nil // the clock voids it
	}
	why, _ := l.waits()
	good, spent := l.status(a)
	active := slices.ContainsFunc(l.factors, func(f *factor) bool { return f.activated })
	switch {
	case !l.enrolled && l.p.Required:
		return "not-enrolled", "no-record"
	case !l.enrolled:
		return "not-required", "no-record"
	case oath.NormalizeCode(a.text) == "" && !active && !l.p.Required:
		return "pending", "not-activated"
	case oath.NormalizeCode(a.text) == "" && why == "":
		return "rejected", "empty"
	case oath.NormalizeCode(a.text) == "":
		return "locked", why
	case a.spare >= 0 && !l.codes[a.spare].used:
		l.codes[a.spare].used = true
		l.succeed()
		return "accepted", "recovery-code"
	case why != "":
		return "locked", l.turn(a, why, good, spent)
	case a.spare >= 0:
		return "replayed", "recovery-code"
	case spent:
		return "replayed", "used-code"
	case good:
		l.take(a.f, a.at)
		return "accepted", "right-code"
	}
	return l.mail(a)
}

// turn is what happens while locked to what is no recovery code.
func (l *life) turn(a answer, why string, good, spent bool) string {
	good = good && a.f.kind == mfa.TOTP
	switch {
	case !l.shaped(a, mfa.TOTP) || spent:
		return why
	case good && l.noted == a.f && l.notedAt == a.at:
		return why
	case !l.judged.IsZero() && l.now.Sub(l.judged) < 10*time.Second:
		return why
	}
	l.judged = l.now
	switch {
	case !good:
		return why
	case l.noted == a.f && (a.at == l.notedAt+1 || a.at == l.notedAt+2):
		l.take(a.f, a.at)
		return "opened"
	}
	l.noted, l.notedAt = a.f, a.at
	return "noted"
}

// mail judges what is no code but perhaps one that was sent.
func (l *life) mail(a answer) (verdict, reason string) {
	good := l.letter != nil && !l.letter.used && l.letter.tries < 5 && l.within(l.letter.at, 5*time.Minute)
	m := a.letter
	reason = "wrong-code"
	switch {
	case m == nil && !l.shaped(a):
		reason = "not-a-code"
	case m == nil:
	case m.used:
		return "replayed", "used-code"
	case m.tries >= 5:
		reason = "too-many-tries"
	case !good:
		reason = "expired-code"
	case m.purpose != max(l.p.Purpose, mfa.ForLogin):
		reason = "other-purpose"
	default:
		m.used, m.to.used, m.to.activated = true, true, true
		m.to.next = uint64(l.now.Unix())
		l.succeed()
		return "accepted", "sent-code"
	}
	if good && l.shaped(a, mfa.Email, mfa.SMS) {
		l.letter.tries++
	}
	l.miss()
	return "rejected", reason
}

func (l *life) answer() {
	a := l.draw()
	l.p.Purpose = mfa.Purpose(one(l, "policy's purpose", 0, 0, 1, 1, 2, 3))
	verdict, reason := l.judge(a)
	before := l.u
	r, u := verify.Decide(l.u, a.text, l.now, l.p)
	if reason == "opened" {
		verdict = "accepted"
	}
	if string(r.Verdict) != verdict || r.Reason != reason {
		l.t.Fatalf("the answer %q is %s (%s), the table says %s (%s)\n%+v", a.text, r.Verdict, r.Reason, verdict, reason, l.u)
	}
	_ = verify.Explain(before, a.text, l.now, l.p)
	l.keep(u)
	if again, _ := verify.Decide(l.u, a.text, l.now, l.p); r.Verdict == verify.Accepted && again.OK {
		l.t.Fatalf("%q is accepted twice", a.text)
	}
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
