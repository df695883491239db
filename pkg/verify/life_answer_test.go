package verify_test

import (
	"fmt"
	"slices"
	"time"

	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
	"oathkit/pkg/verify"
)

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
