package login

import (
	"fmt"
	"strconv"
	"strings"

	"oathkit/pkg/duo/pipe"
	"oathkit/pkg/mfa"
	"oathkit/pkg/verify"
)

// A choice is one way in which a person can be asked.
type choice struct{ method, device, text string }

// converseDuo is a login at Duo with somebody to talk to: what can be done is
// listed, and chosen by its number, or a passcode is given. It goes on until one
// was right, or as often as the configuration says.
//
// A code of the user's own is judged as ever, unless the realm's factor is Duo.
func (l *Login) converseDuo(p Person, t Talk, u mfa.User, realmDuo bool) (verify.Result, error) {
	l.User = u
	r, devices, err := l.runDuo(pipe.Request{Ask: pipe.Devices}, func(string) {})
	switch {
	case err != nil:
		return l.tellOf(p, verify.Result{Verdict: verify.Error}, l.Fail(err))
	case r.Reason != "": // Duo has said all that there is to say
		if r.OK {
			if u, err = l.view(); err != nil {
				return l.tellOf(p, verify.Result{Verdict: verify.Error}, l.Fail(err))
			}
			r = l.stillAsked(u, r)
		}
		r, err = l.record(r)
		return l.tellDuo(p, r, err)
	}
	tell := func(message string) { _ = p.Tell(message) }
	choices, listed := choicesOf(devices), false
	for try := range l.Site.Config.Duo.Prompts {
		c := choice{}
		l.Said = "" // of the try before
		if try == 0 && l.Site.Config.Duo.Autopush && len(choices) > 0 && choices[0].method != BySMS {
			c = choices[0]
		} else {
			if !listed && len(choices) > 0 {
				listed = true
				_ = p.Tell(menu(l.ID, choices))
			}
			prompt := t.Prompt
			if prompt == "" {
				prompt = question(choices)
			}
			answer, err := p.Ask(prompt)
			if err != nil {
				return l.Refuse(reasonCancelled)
			}
			c = choose(choices, answer)
			if c.method == ByPasscode && !realmDuo && !forDuo(u, c.method, c.text) {
				if r, err = l.judgeOwn(c.text); err != nil || r.OK {
					return l.tellOf(p, r, err)
				}
				_ = p.Warn(Refusal)
				continue
			}
		}
		if r, err = l.try(c, tell); err != nil || r.OK {
			return l.tellDuo(p, r, err)
		}
		_, _ = l.tellDuo(p, r, nil)
	}
	return r, nil
}

// try presents one choice, after preauth has been passed.
func (l *Login) try(c choice, tell func(string)) (verify.Result, error) {
	q := pipe.Request{Ask: pipe.Auth, Method: c.method, Device: c.device}
	if c.method == ByPasscode {
		q.Passcode = c.text
	}
	if why := unfit(q.Method, q.Passcode); why != "" {
		return l.Refuse(why)
	}
	r, err := l.present(q, tell)
	if err != nil {
		return r, l.Fail(err)
	}
	return l.record(r)
}

// tellDuo tells the person what Duo said, where it said something.
func (l *Login) tellDuo(p Person, r verify.Result, err error) (verify.Result, error) {
	switch {
	case err != nil || l.Said == "" || r.Verdict == verify.Locked:
		return l.tellOf(p, r, err)
	case r.OK, r.Verdict == Sent:
		_ = p.Tell(l.Said)
	default:
		_ = p.Warn(l.Said)
	}
	return r, nil
}

// choicesOf are the ways in which a user of these devices can be asked: pushes
// first, then calls, then messages.
func choicesOf(devices []pipe.Device) []choice {
	var list []choice
	for _, way := range [...]struct{ method, text string }{
		{ByPush, "Push to %s"}, {ByPhone, "Call to %s"}, {BySMS, "New passcodes by SMS to %s"},
	} {
		for _, d := range devices {
			for _, can := range d.Can {
				if can == way.method && len(list) < maxChoices {
					list = append(list, choice{way.method, d.ID, fmt.Sprintf(way.text, called(d))})
				}
			}
		}
	}
	return list
}

// maxChoices is how many are listed: no number of one looks like a passcode.
const maxChoices = 99

func called(d pipe.Device) string {
	switch {
	case d.Name != "" && d.Number != "":
		return d.Name + " (" + d.Number + ")"
	case d.Name != "":
		return d.Name
	case d.Number != "":
		return d.Number
	}
	return "your device"
}

// menu lists the choices.
func menu(id string, choices []choice) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Duo login of %s\nGive a passcode, or the number of one of these:", id)
	for i, c := range choices {
		fmt.Fprintf(&b, "\n %d. %s", i+1, c.text)
	}
	return b.String()
}

func question(choices []choice) string {
	if len(choices) == 0 {
		return "Duo passcode: "
	}
	return fmt.Sprintf("Passcode or number (1-%d): ", len(choices))
}

// choose reads the answer: a number of the list, the name of a method, for the
// first device that can do it, or a passcode.
func choose(choices []choice, answer string) choice {
	answer = strings.TrimSpace(answer)
	if n, err := strconv.Atoi(answer); err == nil && len(answer) <= 2 && n >= 1 && n <= len(choices) {
		return choices[n-1]
	}
	for _, c := range choices {
		if strings.EqualFold(answer, c.method) {
			return c
		}
	}
	return choice{method: ByPasscode, text: answer}
}
