package verify_test

import (
	"slices"
	"strings"
	"time"

	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
)

// options draws options of a new credential.
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
