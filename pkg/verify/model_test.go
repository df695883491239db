package verify_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
	"oathkit/pkg/verify"

	"pgregory.net/rapid"
)

// model is the rules of a login once more, told differently: as a list of what
// has happened, out of which every question is answered anew. It knows codes
// only as the counters they stand for, and never a state.
type model struct {
	log      []event      // failures and successes, oldest first
	last     [3]uint64    // 1 + the last used step or counter
	awake    [3]bool      // activated
	recovery map[int]bool // used recovery codes
	resync   [3]uint64    // the counter that would be the second in a row
	noted    codeOf       // while locked
	isNoted  bool
	judged   time.Time // the last turn taken
	isJudged bool
}

type event struct {
	at      time.Time
	success bool
	clears  bool // a recovery code in a lock of 30 days
}

type codeOf struct {
	cred    int
	counter uint64
}

// row is the failures since the last success.
func (m *model) row() []event {
	for i := len(m.log) - 1; i >= 0; i-- {
		if m.log[i].success {
			return m.log[i+1:]
		}
	}
	return m.log
}

// month is how many failures lie within today and the 30 days before.
func (m *model) month(now time.Time) (n int) {
	today := now.Unix() / 86400
	for _, e := range m.log {
		if e.clears {
			n = 0
		}
		if !e.success && today-e.at.Unix()/86400 <= 30 {
			n++
		}
	}
	return n
}

// waits says why the user waits, and how long.
func (m *model) waits(now time.Time, l verify.Lockout) (string, time.Duration) {
	row := m.row()
	if len(row) >= l.LockAt {
		return "too-many-in-a-row", 0
	}
	if m.month(now) >= l.MonthMax {
		return "too-many-in-30-days", -1
	}
	if len(row) <= l.Free {
		return "", 0
	}
	delay := l.MaxDelay
	if doubled := len(row) - l.Free - 1; doubled < 20 {
		delay = min(l.MaxDelay, l.Delay<<doubled)
	}
	if left := row[len(row)-1].at.Add(delay).Sub(now); left > 0 {
		return "delayed", left
	}
	return "", 0
}

// A clerk has a desk and the model beside it. The user has a TOTP credential,
// one of 60 s, 8 digits and SHA256, and an HOTP one of 7 digits.
type clerk struct {
	*desk
	m        model
	accepted map[codeOf]int
}

var limits = verify.Lockout{Free: 2, Delay: 30 * time.Second, MaxDelay: 5 * time.Minute, LockAt: 6, MonthMax: 25}

func newClerk(t *rapid.T) *clerk {
	d := open(t, rapid.Bool().Draw(t, "activated"), mfa.EnableOptions{})
	d.add(mfa.EnableOptions{Digits: 8, Period: 60, Algorithm: oath.SHA256})
	d.add(mfa.EnableOptions{Kind: mfa.HOTP, Digits: 7, Counter: 40})
	d.p.Lockout = limits
	d.p.Window = rapid.IntRange(0, 2).Draw(t, "window")
	d.p.Required = rapid.Bool().Draw(t, "required")
	c := &clerk{desk: d, accepted: map[codeOf]int{}}
	c.m.recovery = map[int]bool{}
	c.m.last[2] = 40
	c.m.awake[0] = d.u.Record.Credentials[0].Activated
	return c
}

func (c *clerk) period(i int) uint64 { return []uint64{30, 60, 0}[i] }

func (c *clerk) step(i int) uint64 { return uint64(c.now.Unix()) / c.period(i) }

// digits judges a right code of the past, the present or the future.
func (c *clerk) digits(x codeOf) (verdict, reason string) {
	m := &c.m
	low, high := c.window(x.cred)
	fresh := x.counter >= max(low, m.last[x.cred]) && x.counter <= high
	spent := x.counter < m.last[x.cred] && (x.counter >= low && x.counter <= high || x.counter+1 == m.last[x.cred])
	candidate := uint64(0)
	second := false
	if x.cred == 2 {
		next := m.last[2]
		fresh = x.counter >= next && x.counter <= next+10
		spent = x.counter < next && x.counter+10 >= next
		second = m.resync[2] != 0 && x.counter == m.resync[2]
		if x.counter > next+10 && x.counter <= next+100 {
			candidate = x.counter + 1
		}
	}
	why, _ := m.waits(c.now, limits)
	switch {
	case why != "":
		if x.cred == 2 || spent || m.isNoted && m.noted == x && fresh || m.isJudged && c.now.Sub(m.judged) < 10*time.Second {
			return "locked", why
		}
		m.judged, m.isJudged = c.now, true
		if !fresh {
			return "locked", why
		}
		if m.isNoted && m.noted.cred == x.cred && (x.counter == m.noted.counter+1 || x.counter == m.noted.counter+2) {
			c.take(x)
			return "accepted", "opened"
		}
		m.noted, m.isNoted = x, true
		return "locked", "noted"
	case spent:
		return "replayed", "used-code"
	case second:
		c.take(x)
		return "accepted", "resynchronised"
	case fresh:
		c.take(x)
		return "accepted", "right-code"
	}
	c.miss(candidate)
	if candidate != 0 {
		return "rejected", "out-of-step"
	}
	return "rejected", "wrong-code"
}

func (c *clerk) window(i int) (low, high uint64) {
	if i == 2 {
		return 0, 0
	}
	w := uint64(c.p.Window)
	return c.step(i) - w, c.step(i) + w
}

func (c *clerk) take(x codeOf) {
	c.m.last[x.cred] = x.counter + 1
	c.m.awake[x.cred] = true
	c.accepted[x]++
	c.succeed(false)
}

func (c *clerk) succeed(clears bool) {
	c.m.log = append(c.m.log, event{at: c.now, success: true, clears: clears})
	c.m.resync, c.m.isNoted, c.m.isJudged = [3]uint64{}, false, false
}

func (c *clerk) miss(candidate uint64) {
	c.m.log = append(c.m.log, event{at: c.now})
	c.m.resync[2] = candidate
}

// nothing judges an answer that is no code of any counter nearby.
func (c *clerk) nothing(shaped, totpShaped bool) (verdict, reason string) {
	m := &c.m
	if why, _ := m.waits(c.now, limits); why != "" {
		if totpShaped && (!m.isJudged || c.now.Sub(m.judged) >= 10*time.Second) {
			m.judged, m.isJudged = c.now, true
		}
		return "locked", why
	}
	c.miss(0)
	if shaped {
		return "rejected", "wrong-code"
	}
	return "rejected", "not-a-code"
}

func (c *clerk) spare(i int) (verdict, reason string) {
	m := &c.m
	why, _ := m.waits(c.now, limits)
	switch {
	case m.recovery[i] && why != "":
		return "locked", why
	case m.recovery[i]:
		return "replayed", "recovery-code"
	}
	m.recovery[i] = true
	c.succeed(why == "too-many-in-30-days")
	return "accepted", "recovery-code"
}

func (c *clerk) blank() (verdict, reason string) {
	if !slices.Contains(c.m.awake[:], true) && !c.p.Required {
		return "pending", "not-activated"
	}
	if why, _ := c.m.waits(c.now, limits); why != "" {
		return "locked", why
	}
	return "rejected", "empty"
}

// act draws one answer, judges it both ways and compares.
func (c *clerk) act(t *rapid.T) {
	answer, verdict, reason := "", "", ""
	switch rapid.IntRange(0, 9).Draw(t, "answer") {
	case 0, 1, 2, 3: // a code of a step around now
		x := codeOf{cred: rapid.IntRange(0, 1).Draw(t, "credential")}
		x.counter = c.step(x.cred) + 3 - rapid.Uint64Range(0, 6).Draw(t, "step")
		if rapid.IntRange(0, 5).Draw(t, "last") == 0 && c.m.last[x.cred] > 0 {
			x.counter = c.m.last[x.cred] - 1
		}
		answer = c.code(x.cred, x.counter)
		verdict, reason = c.digits(x)
	case 4, 5: // a code of a counter around the next one
		x := codeOf{2, c.m.last[2] + rapid.SampledFrom([]uint64{0, 0, 1, 5, 10, 11, 12, 50, 99, 100, 101}).Draw(t, "ahead")}
		if back := rapid.SampledFrom([]uint64{0, 0, 1, 2, 10, 11}).Draw(t, "behind"); back > 0 {
			x.counter = c.m.last[2] - back
		}
		if c.m.resync[2] != 0 && rapid.Bool().Draw(t, "second") {
			x.counter = c.m.resync[2]
		}
		answer = c.code(2, x.counter)
		verdict, reason = c.digits(x)
	case 6: // a wrong code
		digits := rapid.SampledFrom([]string{"%06d", "%07d", "%08d", "%05d"}).Draw(t, "digits")
		answer = c.useless(digits)
		n := len(answer)
		verdict, reason = c.nothing(n > 5, n == 6 || n == 8)
	case 7: // a recovery code
		i := rapid.IntRange(0, 9).Draw(t, "recovery")
		answer = c.codes[i]
		verdict, reason = c.spare(i)
	case 8:
		answer = rapid.SampledFrom([]string{"aaaa-aaaa-aaaa-aaaa", "x", "٣٤٥٦٧٨"}).Draw(t, "text")
		verdict, reason = c.nothing(false, false)
	case 9:
		verdict, reason = c.blank()
	}
	r, u := verify.Decide(c.u, answer, c.now, c.p)
	if string(r.Verdict) != verdict || r.Reason != reason {
		t.Fatalf("at %v the answer %q is %s (%s), the model says %s (%s); %+v", c.now.Sub(noon), answer, r.Verdict, r.Reason, verdict, reason, c.u.State)
	}
	if why, left := c.m.waits(c.now, limits); left >= 0 && verdict != "pending" && (verdict == "locked" || verdict == "rejected" && why != "") && r.RetryAfter != left {
		t.Fatalf("retry after %v, the model says %v", r.RetryAfter, left)
	}
	for i := range c.m.awake {
		if u.Record.Credentials[i].Activated != c.m.awake[i] {
			t.Fatalf("credential %d: activated is %v", i, u.Record.Credentials[i].Activated)
		}
	}
	if r.RecoveryLeft != 10-len(c.m.recovery) {
		t.Fatalf("%d recovery codes left, the model says %d", r.RecoveryLeft, 10-len(c.m.recovery))
	}
	c.u = c.kept(t, u)
	for x, n := range c.accepted {
		if n > 1 {
			t.Fatalf("the code of %+v was accepted %d times", x, n)
		}
	}
}

// kept is the user after a store has written and read him.
func (c *clerk) kept(t *rapid.T, u mfa.User) mfa.User {
	b, err := mfa.EncodeRecord(u)
	if err != nil {
		t.Fatal(err)
	}
	r, err := mfa.DecodeRecord(u.ID, b)
	if err != nil {
		t.Fatal(err)
	}
	s, err := mfa.DecodeState(mfa.EncodeState(u.State))
	if err != nil || s != u.State {
		t.Fatal("the state is not kept: ", err)
	}
	return mfa.User{ID: u.ID, Record: r, State: s}
}

// useless is digits that stand for nothing.
func (c *clerk) useless(format string) string {
	random := rand.New(rand.NewPCG(uint64(len(c.m.log)), 1))
next:
	for {
		w := fmt.Sprintf(format, random.IntN(100000))
		for i, cr := range c.u.Record.Credentials {
			from := c.m.last[i] - min(c.m.last[i], 20)
			coder := oath.NewCoder(cr.Key, cr.Algorithm, cr.Digits)
			_, near := coder.Match(w, from, from+200)
			if i < 2 {
				_, last := coder.Match(w, c.step(i)-20, c.step(i)+20)
				near = near || last
			}
			if near {
				continue next
			}
		}
		return w
	}
}

// TestModel compares the decision with the model over sequences of answers,
// under a clock that goes forward.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newClerk(t)
		for range rapid.IntRange(10, 120).Draw(t, "answers") {
			c.now = c.now.Add(rapid.SampledFrom([]time.Duration{
				0, 0, time.Second, 9 * time.Second, 10 * time.Second, 29 * time.Second, 30 * time.Second,
				31 * time.Second, 61 * time.Second, 5 * time.Minute, time.Hour, 24 * time.Hour, 9 * 24 * time.Hour,
			}).Draw(t, "forward"))
			c.act(t)
		}
	})
}
