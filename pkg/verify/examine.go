package verify

import (
	"time"

	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
)

// How far an HOTP code may lie from the next counter.
const (
	lookAhead  = 10    // counters after the next one whose code alone is good
	lookBehind = 10    // counters before it whose code is known to be used
	resyncSpan = 100   // counters after the next one where two codes in a row are good
	lostSpan   = 10000 // the same where the next counter is not known
)

// finding is what an answer is to one credential.
type finding struct {
	c         *mfa.Credential // nil: a recovery code
	at        int             // its place among the credentials and the counters
	id        [16]byte        // its id as the state has it
	kind      string
	fresh     bool          // it is a code that is good
	spent     bool          // it is a code that was used, or came too late to be
	resync    bool          // it is good because the code before it came before
	start     uint64        // TOTP: when the code's step begins, seconds since 1970
	next      uint64        // Counter.Next after it has been used
	offset    time.Duration // TOTP: from the current step to the code's
	candidate uint64        // HOTP: Counter.Candidate after it has been refused
	refused   string        // it is the code that was sent, but it is not good: the reason
}

// noted is how a right code is kept in mind while its user is locked.
func (f *finding) noted() mfa.Noted { return mfa.Noted{ID: f.id, Time: f.start} }

// follows reports whether the code is the next but at most one after a noted
// code of the same credential.
func (f *finding) follows(n mfa.Noted) bool {
	period := uint64(f.c.Period)
	return n.ID == f.id && (f.start == n.Time+period || f.start == n.Time+2*period)
}

// findings is what an answer is to a user.
type findings struct {
	empty        bool // nothing but blanks and dashes
	shaped       bool // as many digits as some credential's codes have
	totpShaped   bool // the same of some TOTP credential
	sentShaped   bool // the same of some credential whose codes are sent
	list         []finding
	spent        *finding // the first that is spent
	fresh        *finding // the first that is good
	totp         *finding // the first TOTP code that is good
	recovery     int      // the recovery code's index, or -1
	recoveryUsed bool
}

// examine holds an answer against everything the user has, and does all of
// that work whatever comes of it: the codes of every credential are computed
// even if the answer does not look like one, has matched already, or will not
// be judged.
func examine(u mfa.User, answer string, now time.Time, p Policy) findings {
	r, s := &u.Record, &u.State
	code := ""
	if len(answer) <= maxAnswer {
		code = oath.NormalizeCode(answer)
	}
	f := findings{empty: code == "" && len(answer) <= maxAnswer, list: make([]finding, len(r.Credentials))}
	for i := range r.Credentials {
		c := &r.Credentials[i]
		g := &f.list[i]
		if c.Kind.Sent() {
			*g = examineSent(&u, c, code, now, p)
		} else {
			*g = examineCredential(c, s.Counters[i], code, now, p.Window)
		}
		g.c, g.at, g.id, g.kind = c, i, s.Counters[i].ID, string(c.Kind)
		if oath.IsCode(code, c.Digits) {
			f.shaped = true
			f.totpShaped = f.totpShaped || c.Kind == mfa.TOTP
			f.sentShaped = f.sentShaped || c.Kind.Sent()
		}
		if g.spent && f.spent == nil {
			f.spent = g
		}
		if g.fresh && f.fresh == nil {
			f.fresh = g
		}
		if g.fresh && f.totp == nil && c.Kind == mfa.TOTP {
			f.totp = g
		}
	}
	f.recovery = r.Recovery.Find(code)
	if f.recoveryUsed = f.recovery >= 0 && s.RecoveryUsed&(1<<f.recovery) != 0; f.recoveryUsed {
		f.spent = &finding{kind: kindRecovery, spent: true}
	}
	return f
}

func examineCredential(c *mfa.Credential, n mfa.Counter, code string, now time.Time, window int) finding {
	right := oath.IsCode(code, c.Digits)
	if !right {
		code = "0000000000"[:c.Digits] // for the work alone
	}
	m := matcher{coder: oath.NewCoder(c.Key, c.Algorithm, c.Digits), code: code}
	var f finding
	if c.Kind == mfa.TOTP {
		f = m.totp(n, c.Period, window, now)
	} else {
		f = m.hotp(n)
	}
	if !right {
		return finding{}
	}
	return f
}

// examineSent holds an answer against the code that was sent last.
func examineSent(u *mfa.User, c *mfa.Credential, code string, now time.Time, p Policy) finding {
	shaped := oath.IsCode(code, c.Digits)
	if !shaped {
		code = "0000000000"[:c.Digits] // for the work alone
	}
	s := u.State.Sent
	switch right := s.Matches(u.ID, &u.Record, c, code); {
	case !right || !shaped:
		return finding{}
	case s.Used:
		return finding{spent: true}
	case s.Tries >= mfa.SentTries:
		return finding{refused: reasonTries}
	case !s.Open(now):
		return finding{refused: reasonExpired}
	case s.Purpose != p.purpose():
		return finding{refused: reasonPurpose}
	}
	return finding{fresh: true, next: uint64(max(mfa.Seconds(now), 0))}
}

// matcher looks for one code among those of one key.
type matcher struct {
	coder *oath.Coder
	code  string
}

// totp looks at the steps around now and, for a client that sends the last code
// again and again, at the last one that was used.
func (m matcher) totp(n mfa.Counter, period, window int, now time.Time) (f finding) {
	seconds := mfa.Seconds(now)
	p := uint64(period)
	step := oath.StepAt(time.Unix(seconds, 0), period)
	low, high := step-min(step, uint64(window)), step+uint64(window)
	good := (n.Next + p - 1) / p // the first step that is not used

	_, late := m.match(low, min(high+1, good), true)
	at, fresh := m.match(max(low, good), high+1, true)
	_, last := m.match(good-min(good, 1), max(good, 1), good > 0)
	if seconds < 0 {
		return finding{} // before 1970 there are no steps
	}
	f = finding{fresh: fresh, spent: late || last}
	if fresh {
		f.start, f.next = at*p, (at+1)*p
		f.offset = time.Duration(int64(at)-int64(step)) * time.Duration(period) * time.Second
	}
	return f
}

// hotp looks from the next counter on, behind it for codes that were used, and
// further ahead for the first of two codes in a row.
func (m matcher) hotp(n mfa.Counter) (f finding) {
	const end = mfa.MaxCounter // the next counter must have a number
	behind, ahead, span := uint64(lookBehind), uint64(lookAhead+1), uint64(resyncSpan+1)
	if n.Lost {
		behind, ahead, span = 0, 0, lostSpan
	}
	low := n.Next - min(n.Next, behind)
	near := min(n.Next, end-ahead) + ahead
	far := min(n.Next, end-span) + span

	_, f.spent = m.match(low, n.Next, true)
	at, fresh := m.match(n.Next, near, true)
	first, out := m.match(near, far, true)
	_, second := m.match(n.Candidate, n.Candidate+1, n.Candidate != 0 && n.Candidate < end)
	if out {
		f.candidate = first + 1
	}
	if second {
		at, fresh, f.resync = n.Candidate, true, true
	}
	f.fresh, f.next = fresh, at+1
	return f
}

// match looks from low up to and not including high. If it is not asked for,
// the work is done for nothing.
func (m matcher) match(low, high uint64, wanted bool) (at uint64, ok bool) {
	if low >= high {
		return 0, false
	}
	at, ok = m.coder.Match(m.code, low, high-1)
	return at, ok && wanted
}

// examineDecoy does for nobody the work of a user with one TOTP credential and
// ten recovery codes.
func examineDecoy(answer string, now time.Time, p Policy) {
	key, err := oath.KeyFromBytes(make([]byte, 20))
	if err != nil {
		return
	}
	u := mfa.User{ID: "nobody@pam", Record: mfa.Record{
		UserID: "00000000000040008000000000000000", Epoch: [16]byte{1},
		Credentials: []mfa.Credential{{ID: "00000000000040008000000000000000", Kind: mfa.TOTP, Key: key, Digits: 6, Period: 30}},
		Recovery:    mfa.RecoverySet{ID: [8]byte{1}, Salt: make([]byte, 16), Hashes: make([][32]byte, 10)},
	}}
	_ = u.Record.Check()
	u.State = settle(u.Record, mfa.State{}.For(u.Record), now, p.Window)
	_ = waiting(u.State, now, p.Lockout)
	_ = examine(u, answer, now, p)
}
