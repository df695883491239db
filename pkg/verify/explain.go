package verify

import (
	"fmt"
	"time"
	"unicode/utf8"

	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
)

// How far Explain looks beyond what is accepted.
const (
	searchTime    = 24 * time.Hour // to each side of now, for a clock that is off
	searchCounter = 10000          // counters to each side of the next one
)

// Explain says in sentences, for root, what Decide says to the same arguments
// and why: u is the user as he was before the decision. It holds no code and
// no secret, and what it says of a code is true of that code alone.
func Explain(u mfa.User, answer string, now time.Time, p Policy) []string {
	r, after := Decide(u, answer, now, p)
	e := explainer{now: now, p: p, r: r}
	e.say("the verdict is %s (%s)", string(r.Verdict), r.Reason)
	if r.Verdict == Error {
		e.fault(u)
		return e.lines
	}
	e.realm()
	if !u.Enrolled() {
		e.say("the user has no credential")
		return e.lines
	}
	e.id, e.record = u.ID, u.Record
	e.state = settle(u.Record, u.State.For(u.Record), now, p.Window)
	e.user(u)
	e.waiting()
	e.pending()
	e.answer(u, after, answer)
	return e.lines
}

// explainer gathers sentences about one decision.
type explainer struct {
	now    time.Time
	p      Policy
	r      Result
	id     string
	record mfa.Record
	state  mfa.State // before the decision
	lines  []string
}

func (e *explainer) say(format string, args ...any) {
	e.lines = append(e.lines, fmt.Sprintf(format, args...))
}

func (e *explainer) fault(u mfa.User) {
	if err := e.p.Check(); err != nil {
		e.say("the policy makes no sense: %v", err)
	} else if err := u.Record.Check(); err != nil {
		e.say("the record makes no sense: %v", err)
	}
}

func (e *explainer) realm() {
	switch {
	case e.p.Required && e.p.RequiredBy != "":
		e.say("a factor is required of everybody in the realm: %s", e.p.RequiredBy)
	case e.p.Required:
		e.say("a factor is required of everybody in the realm")
	default:
		e.say("the realm requires a factor only of users who have an activated one")
	}
}

func (e *explainer) user(u mfa.User) {
	if u.Activated() {
		return
	}
	e.say("no credential of the user is activated yet; the first right code activates it")
	switch end := u.Record.Created.Add(e.p.Grace); {
	case !e.p.Required:
		e.say("until then an empty answer is accepted")
	case e.p.Grace > 0 && e.now.Before(end):
		e.say("until %s an empty answer is accepted", stamp(end))
	case e.p.Grace > 0:
		e.say("the time of grace in which an empty answer was accepted ended at %s", stamp(end))
	}
}

// waiting tells of a delay or a lock, and what opens it.
func (e *explainer) waiting() {
	const ways = "a recovery code opens it, or two TOTP codes in a row, or mfactl unlock"
	switch w := waiting(e.state, e.now, e.p.Lockout); w.reason {
	case reasonInARow:
		e.say("the user is locked after %d wrong answers in a row, until somebody opens it: %s", e.state.Failures, ways)
	case reasonMonth:
		e.say("the user is locked until %s after %d wrong answers within 30 days: %s", stamp(e.now.Add(w.left)), e.state.Month.Sum(e.now), ways)
	case reasonDelayed:
		e.say("after %d wrong answers in a row codes are not judged until %s, %s from now", e.state.Failures, stamp(e.now.Add(w.left)), seconds(w.left))
	default:
		switch n := e.state.Failures; {
		case n == 1:
			e.say("the answer before this one was wrong")
		case n > 1:
			e.say("before this answer there were %d wrong ones in a row", n)
		}
	}
	if e.r.Reason == reasonNoted {
		e.say("the code is right, but the user is delayed or locked; one of the next two codes opens")
	}
}

// pending tells of a code that was sent, and of a removal.
func (e *explainer) pending() {
	s := e.state.Sent
	for i := range e.record.Credentials {
		c := &e.record.Credentials[i]
		if e.open(i) {
			e.say("a code for %s was sent to %s %s ago; it is good until %s, and for %d more tries", s.Purpose, name(c), e.ago(s.At), stamp(s.Expires()), mfa.SentTries-s.Tries)
		}
	}
	u := mfa.User{ID: e.id, Record: e.record, State: e.state}
	if until, ok := u.RemovalPending(e.now); ok {
		e.say("a removal was asked for; its token is good until %s", stamp(until))
	}
}

// ago is how long before now a stamp in Unix milliseconds lies, in words.
func (e *explainer) ago(at int64) string {
	return seconds(max(time.Duration(mfa.Milliseconds(e.now)-at), 0) * time.Millisecond)
}

func (e *explainer) answer(u, after mfa.User, answer string) {
	code := oath.NormalizeCode(answer)
	switch {
	case len(answer) > maxAnswer:
		e.say("the answer is %d bytes long; more than %d are not looked at", len(answer), maxAnswer)
		return
	case code == "":
		e.say("nothing was answered")
		return
	case e.recovery(code, after):
		return
	}
	known := false
	for i := range e.record.Credentials {
		c := &e.record.Credentials[i]
		known = e.credential(c, e.state.Counters[i], code) || known
	}
	if !known {
		e.unknown(code)
	}
}

func (e *explainer) recovery(code string, after mfa.User) bool {
	i := e.record.Recovery.Find(code)
	if i < 0 {
		return false
	}
	if e.state.RecoveryUsed&(1<<i) != 0 {
		e.say("it is a recovery code that was used already")
	} else {
		e.say("it is a recovery code that was not used yet; %d are left now", after.Record.Recovery.Left(after.State.RecoveryUsed))
	}
	return true
}

// unknown says what an answer looks like that is nothing to any credential.
func (e *explainer) unknown(code string) {
	digits := true
	for i := range len(code) {
		digits = digits && code[i] >= '0' && code[i] <= '9'
	}
	if !digits {
		e.say("the answer has %d characters that are not all digits 0 to 9, and is no recovery code", utf8.RuneCountInString(code))
		return
	}
	shaped := false
	for i := range e.record.Credentials {
		c := &e.record.Credentials[i]
		shaped = shaped || len(code) == c.Digits
		if c.Kind.Sent() && !e.open(i) {
			e.say("no code that is still good was sent to %s", name(c))
		}
		if len(code) != c.Digits {
			e.say("the answer has %d digits, a code of %s has %d", len(code), name(c), c.Digits)
		}
	}
	if shaped {
		e.say("it is no code of the user's, not even with a clock that is off by up to a day, another hash, period or number of digits")
	}
}

// open reports whether a code that is still good was sent to credential i.
func (e *explainer) open(i int) bool {
	return e.state.Sent.Open(e.now) && e.state.Sent.ID == e.state.Counters[i].ID
}

// name is how sentences call a credential.
func name(c *mfa.Credential) string {
	if c.Label != "" {
		return fmt.Sprintf("credential %q (%s, %s)", c.Label, c.Kind, c.ID)
	}
	return fmt.Sprintf("credential %s (%s)", c.ID, c.Kind)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// seconds is a duration in words, in whole seconds, rounded up.
func seconds(d time.Duration) string { return fmt.Sprintf("%d s", (d+time.Second-1)/time.Second) }
