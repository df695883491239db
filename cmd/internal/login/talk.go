package login

import (
	"fmt"

	"oathkit/pkg/mfa"
	"oathkit/pkg/verify"
)

// A Person is told things and asked questions. An error of a question means that
// it was not answered.
type Person interface {
	Tell(text string) error
	Warn(text string) error
	Ask(prompt string) (string, error) // the answer does not show
}

// Prompt is the question for a code.
const Prompt = "One-time code: "

// FewCodes is from how many recovery codes left on a person is warned.
const FewCodes = 3

// reasonCancelled is of a question that nobody answered: nothing was judged, and
// nothing is counted.
const reasonCancelled = "cancelled"

// A Talk is how a person is asked.
type Talk struct {
	Prompt string // empty means Prompt, and where Duo is asked what can be answered
	Enrol  bool   // show the QR code to whoever is enabled and has not given a right code yet
}

// Converse asks the person for what he is to give, if he is to give something,
// and judges it. Who is asked for a factor, and has none, is asked like anybody
// else.
func (l *Login) Converse(p Person, t Talk) (verify.Result, error) {
	unsure := verify.Result{Verdict: verify.Error}
	name := l.Resolve()
	if name == nil {
		u, err := l.view()
		switch {
		case err != nil:
			return unsure, l.Fail(err)
		case !u.Enrolled() && !l.Policy.Required:
			return l.Judge("")
		}
		switch duo, err := l.realmFactor(); {
		case err != nil:
			return l.tellOf(p, unsure, l.Fail(err))
		case duo || duoOf(u) != nil:
			return l.converseDuo(p, t, u, duo)
		}
		if err := l.prepare(p, t, u); err != nil {
			return unsure, l.Fail(err)
		}
	}
	if t.Prompt == "" {
		t.Prompt = Prompt
	}
	code, err := p.Ask(t.Prompt)
	if err != nil {
		return l.Refuse(reasonCancelled)
	}
	if name != nil {
		r, err := l.RefuseName(name)
		return l.tellOf(p, r, err)
	}
	r, err := l.Judge(code)
	return l.tellOf(p, r, err)
}

// prepare shows or sends what the person needs for his answer.
func (l *Login) prepare(p Person, t Talk, u mfa.User) error {
	if sent, err := l.SendFirst(); err != nil {
		l.c.Warn("%v", err) // he may have a recovery code
	} else if sent {
		return p.Tell(Notice)
	}
	if !t.Enrol {
		return nil
	}
	offer, err := l.OfferOf(u)
	if err != nil || offer == nil {
		return err
	}
	return p.Tell(offer.QR + "key: " + offer.Key + "\n" + Invitation)
}

// tellOf tells the person what became of his answer. That he cannot be told any
// more changes nothing of it.
func (l *Login) tellOf(p Person, r verify.Result, err error) (verify.Result, error) {
	switch {
	case err != nil:
		_ = p.Warn(Fault)
	case !r.OK:
		_ = p.Warn(Refusal)
	case r.Kind == "recovery" && r.RecoveryLeft <= FewCodes:
		_ = p.Warn(fmt.Sprintf("%d recovery codes are left", r.RecoveryLeft))
	}
	return r, err
}
