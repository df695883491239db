package mfa

import (
	"encoding/hex"
	"math"
	"time"
)

// State is what logins change. It is a comparable value: two states are the
// same if == says so. The zero State belongs to no record.
type State struct {
	Epoch    [16]byte                // the record's, else everything here is void
	Counters [MaxCredentials]Counter // in any order; a zero ID is a free place

	Failures    uint16 // wrong answers in a row
	LastFailure int64  // time of the last of them in Unix milliseconds; no meaning if there are none
	FullDelay   bool   // the wait since LastFailure is the longest one, not the one that follows from Failures
	Month       Tally  // wrong answers of the last 30 days

	Judged int64 // when a code was last judged although the user is delayed or locked, Unix milliseconds
	Noted  Noted // a right code that was given then

	RecoverySet  [8]byte // the record's, else RecoveryUsed is void
	RecoveryUsed uint64  // bit i: code i was used

	Sent    Sent    // the code that was sent last
	Removal Removal // the removal that was asked for last
}

// Counter is how far one credential has been used.
type Counter struct {
	ID   [16]byte // the credential's id
	Kind Kind     // the credential's kind; another one voids the counter
	// Next is the first value that is good. HOTP: a counter. TOTP: a time in
	// seconds since 1970, such that a step is good if it begins then or later:
	// a time, not a number of steps, so that it means the same under another
	// period. Email, SMS and Duo: when the last answer was accepted, in seconds
	// since 1970, 0 for never.
	Next uint64
	// Candidate is, if not zero, the counter whose code would be the second of
	// two in a row that bring an HOTP credential back into step.
	Candidate uint64
	// Lost means that Next is not known: a TOTP credential must skip what
	// could have been used, an HOTP credential is found by two codes in a row.
	Lost bool
}

// Noted is a TOTP code that was right while its user was delayed or locked.
type Noted struct {
	ID   [16]byte // the credential's id; zero: nothing is noted
	Time uint64   // when the step begins, seconds since 1970
}

// Counter returns the counter of the credential. ok is false if there is none.
func (s State) Counter(credID string) (c Counter, ok bool) {
	if i := s.place(binaryID(credID)); i >= 0 {
		return s.Counters[i], true
	}
	return Counter{}, false
}

// WithCounter returns the state with c in the place of the counter of the same
// credential, or in a free one. If there is none the state is unchanged.
func (s State) WithCounter(c Counter) State {
	i := s.place(c.ID)
	if i < 0 {
		i = s.place([16]byte{})
	}
	if i >= 0 {
		s.Counters[i] = c
	}
	return s
}

func (s State) place(id [16]byte) int {
	for i := range s.Counters {
		if s.Counters[i].ID == id {
			return i
		}
	}
	return -1
}

// binaryID is a credential's id as the state keeps it; zero if it is none.
func binaryID(credID string) (id [16]byte) {
	if len(credID) != 2*len(id) {
		return id
	}
	if _, err := hex.Decode(id[:], []byte(credID)); err != nil {
		return [16]byte{}
	}
	return id
}

// For returns the state as far as it belongs to the record, its counters in the
// order of the record's credentials: what hangs on
// another epoch or recovery set is dropped, and so are the counters of
// credentials that the record does not have. A credential without a counter
// starts anew if it was never activated; else its counter is lost. A state of
// another epoch voids the recovery codes of a record in use: which were used is
// not known.
func (s State) For(r Record) State {
	same := s.Epoch == r.Epoch
	if !same {
		s = State{Epoch: r.Epoch}
	}
	old := s.Counters
	s.Counters = [MaxCredentials]Counter{}
	inUse := false
	for i := range min(len(r.Credentials), MaxCredentials) {
		c := &r.Credentials[i]
		inUse = inUse || c.Activated
		s.Counters[i] = c.firstCounter()
		for _, o := range old {
			if o.ID == s.Counters[i].ID && o.Kind == c.Kind {
				s.Counters[i] = o
			}
		}
	}
	if s.Noted != (Noted{}) && s.place(s.Noted.ID) < 0 {
		s.Noted = Noted{}
	}
	if s.Sent.ID != ([16]byte{}) && s.place(s.Sent.ID) < 0 {
		s.Sent = s.Sent.Revoked()
	}
	if s.RecoverySet != r.Recovery.ID {
		s.RecoverySet, s.RecoveryUsed = r.Recovery.ID, 0
		if !same && inUse {
			s.RecoveryUsed = r.Recovery.all()
		}
	}
	return s
}

// firstCounter is the counter of a credential of which no state is known.
func (c *Credential) firstCounter() Counter {
	n := Counter{ID: binaryID(c.ID), Kind: c.Kind, Lost: c.Activated && !c.Kind.Sent()}
	if c.Kind == HOTP {
		n.Next = c.Counter
	}
	return n
}

// Rebuild makes a state for a record whose state was lost, so that nothing that
// may have been used is good again: TOTP begins behind now and the window (in
// steps), HOTP must be found by two codes in a row, all recovery codes are
// void, and so are a sent code and a removal token. Failures are forgotten.
func Rebuild(r Record, now time.Time, window int) State {
	s := State{Epoch: r.Epoch, RecoverySet: r.Recovery.ID, RecoveryUsed: r.Recovery.all()}
	for i := range min(len(r.Credentials), MaxCredentials) {
		c := r.Credentials[i].firstCounter()
		c.Lost = !c.Kind.Sent()
		if c.Kind == TOTP {
			c = c.Behind(now, r.Credentials[i].Period, window)
		}
		s.Counters[i] = c
	}
	return s
}

// Behind returns the counter of a TOTP credential moved, never back, behind the
// last step that window steps around now allow, and no longer lost.
func (c Counter) Behind(now time.Time, period, window int) Counter {
	p := int64(max(period, 1))
	next := (max(Seconds(now), 0)/p + int64(max(window, 0)) + 1) * p
	c.Next = max(c.Next, uint64(next))
	c.Lost = false
	return c
}

// CountFailure returns the state with one more wrong answer, in a row and in the
// tally of 30 days. The stamp never goes back, so that a process that waited for
// the user's lock shortens no delay.
func (s State) CountFailure(now time.Time) State {
	if s.Failures < math.MaxUint16 {
		s.Failures++
	}
	s.LastFailure = max(Milliseconds(now), s.LastFailure)
	s.FullDelay = false
	s.Month = s.Month.Add(now)
	return s
}

// UncountFailure takes back a failure that CountFailure counted for an answer that
// was not found wrong after all. The stamp stays, so that a delay which was over
// may begin anew.
func (s State) UncountFailure(now time.Time) State {
	if s.Failures > 0 {
		s.Failures--
	}
	if s.Failures == 0 {
		s.LastFailure, s.FullDelay = 0, false
	}
	s.Month = s.Month.Remove(now)
	return s
}

// LastUse reports whether a credential was used, and when the code that was
// used last began to be good, as far as that is known: HOTP codes have no time,
// then at is zero. After a Rebuild every TOTP credential seems to have been used
// at the end of the window of that time.
func (u User) LastUse(credID string) (at time.Time, used bool) {
	i := u.Record.Find(credID)
	if i < 0 {
		return time.Time{}, false
	}
	c := &u.Record.Credentials[i]
	n, ok := u.State.For(u.Record).Counter(credID)
	switch {
	case !ok:
		return time.Time{}, false
	case n.Lost:
		return time.Time{}, true
	case c.Kind == HOTP:
		return time.Time{}, n.Next > c.Counter
	case n.Next == 0:
		return time.Time{}, false
	case c.Kind == TOTP:
		return time.Unix(max(int64(n.Next)-int64(c.Period), 0), 0).UTC(), true
	default:
		return time.Unix(int64(n.Next), 0).UTC(), true
	}
}
