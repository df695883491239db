package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
	"oathkit/pkg/store"
)

// keyTag is the length of what is kept of a key to find it again, in bytes.
const keyTag = 16

func newInspector(s *session) (*inspector, error) {
	in := &inspector{
		s: s, report: report{Findings: []finding{}}, skipped: map[string]bool{},
		keys: map[[keyTag]byte]string{}, salt: make([]byte, sha256.Size),
	}
	for _, name := range s.except {
		in.skipped[name] = true
	}
	_, err := rand.Read(in.salt)
	return in, err
}

// people looks at every user. Of the 100,000 that there may be no key is kept,
// only a tag of each.
func (in *inspector) people() error {
	ids, err := in.s.Store.List(context.Background())
	if err != nil && !partial(err) {
		return advise(err)
	}
	if err != nil {
		each(err, func(err error) { in.add(finding{Check: "stray-file", Message: err.Error()}) })
	}
	for _, id := range ids {
		u, err := in.s.Store.View(context.Background(), id)
		switch {
		case errors.Is(err, store.ErrStateLost):
			in.add(finding{Check: "state-lost", User: id, Message: "no login works before 'mfactl unlock " + id + "'"})
		case err != nil:
			in.add(finding{Check: "unreadable", User: id, Message: err.Error()})
			continue
		}
		if u.Enrolled() { // else he was disabled a moment ago
			in.report.Users++
			in.user(u, err != nil)
		}
	}
	return nil
}

func (in *inspector) user(u mfa.User, lost bool) {
	st := u.State.For(u.Record)
	for _, cr := range u.Record.Credentials {
		add := func(check, format string, args ...any) {
			in.add(finding{Check: check, User: u.ID, Credential: cr.ID, Message: fmt.Sprintf(format, args...)})
		}
		if !cr.Kind.Sent() {
			in.key(u.ID, cr.Key, add)
		}
		in.use(u, cr, lost, add)
	}
	if u.Record.Stale() {
		in.add(finding{Check: "not-sealed", User: u.ID, Message: "a secret is in clear, or under an old key: 'mfactl seal' seals it"})
	}
	if lost {
		return
	}
	if n := u.Record.Recovery.Left(st.RecoveryUsed); len(u.Record.Recovery.Hashes) > 0 && n <= fewRecoveryCodes {
		in.add(finding{Check: "few-recovery-codes", User: u.ID, Message: fmt.Sprintf("%s left: 'mfactl codes %s' makes new ones", plural(n, "recovery code"), u.ID)})
	}
	switch st, err := in.s.standing(u); {
	case err != nil:
		in.add(finding{Check: "unreadable", User: u.ID, Message: err.Error()})
	case st.Locked && st.RetryAfter > 0:
		in.add(finding{Check: "locked", User: u.ID, Message: "until " + stamp(in.s.after(st.RetryAfter), "")})
	case st.Locked:
		in.add(finding{Check: "locked", User: u.ID, Message: "until a recovery code or 'mfactl unlock " + u.ID + "'"})
	}
}

// key looks at what a key is made of.
func (in *inspector) key(user string, k oath.Key, add func(check, format string, args ...any)) {
	if k.Weak() {
		add("weak-key", "%d bits, fewer than the %d that RFC 4226 asks for", k.Bits(), oath.WeakBits)
	}
	switch {
	case mfa.TestKey(k):
		add("known-key", "the key is printed in public, as an example or for tests")
	case mfa.PrintableKey(k):
		add("text-key", "every byte of the key is a printable character, so it was not drawn at random")
	}
	b := k.Bytes()
	m := hmac.New(sha256.New, in.salt)
	_, _ = m.Write(b)
	clear(b)
	tag := [keyTag]byte(m.Sum(nil))
	first, seen := in.keys[tag]
	if !seen {
		in.keys[tag] = user
		return
	}
	add("shared-key", "user %s has the same key, so each can log in as the other", first)
}

// use looks at how long a credential lies about.
func (in *inspector) use(u mfa.User, cr mfa.Credential, lost bool, add func(check, format string, args ...any)) {
	if !cr.Activated {
		if since, long := longAgo(cr.Created, in.s.now, in.s.idle); long {
			add("not-activated", "for %s no right code has been given", since)
		}
		return
	}
	used, known := u.LastUse(cr.ID)
	if lost || !known || used.IsZero() {
		return // when it was used is not known
	}
	if since, long := longAgo(used, in.s.now, in.s.unused); long {
		add("unused", "it was last used %s ago", since)
	}
}
