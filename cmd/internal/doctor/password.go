package doctor

import (
	"slices"
	"strings"

	"oathkit/pkg/pamstack"
)

// The memory of the searches below.
const (
	vouched = 1 << iota // a module has checked a password
	guessed             // a module has said yes of which nothing is known
	coded               // a line of ours has said yes
	handed              // pam_exec has: the one answer was the code
	vested              // a module that sets credentials has said yes
)

// honest is what a module may return: one that checks passwords, or may do so,
// says yes or no, and stays out of it only where its arguments tell it to.
func (x *exam) honest(i int) []pamstack.Code {
	s := x.steps[i]
	if t := tradeOf(s); t != password && t != unknown || slices.ContainsFunc(s.Args, func(arg string) bool {
		return strings.Contains(arg, "ignore") || strings.HasPrefix(arg, "minimum_uid")
	}) {
		return x.codes(i)
	}
	return append(pamstack.Failing(), pamstack.Success)
}

// nobodyGetsIn looks for a login with a right code, and a password where one is
// asked for, and on the way for lines that nobody comes to, and lines that show a
// QR code to anybody. holds says that nothing goes around our lines: where
// something does, that is what is to be mended.
func (x *exam) nobodyGetsIn(holds bool) {
	reached := map[int]bool{}
	bare := map[int]bool{} // reached before a password held
	q := pamstack.Search{Steps: x.steps, Codes: x.knowing, Remember: x.rememberKnowing, Reach: func(i, memory int) {
		reached[i] = true
		bare[i] = bare[i] || memory&vouched == 0
	}}
	ways, err := q.Ways()
	if err != nil {
		x.add(x.file(), 0, Unsure, "too-many", err.Error(), "")
		return
	}
	for _, i := range x.ours() {
		s := x.steps[i]
		if !reached[i] {
			x.add(s.File, s.Line, Error, "unreachable", "whatever the modules before it say, this line is never come to", "move it up")
		}
		if x.lines[i].enrol && bare[i] {
			x.add(s.File, s.Line, Error, "enrol",
				"with enrol the QR code, which is a secret, is shown to people whose password did not hold", "put a line before it that checks the password and is \"requisite\"")
		}
	}
	last := x.steps[x.ours()[len(x.ours())-1]]
	granted := func(bits int) bool {
		return slices.ContainsFunc(ways, func(w pamstack.Way) bool { return w.Memory&bits == bits })
	}
	switch {
	case !holds || granted(coded|vested):
	case granted(coded):
		x.add(last.File, last.Line, Warning, "credentials",
			"no module here sets credentials, so programs that want them set, such as sshd, sudo and login, refuse everybody",
			"auth required pam_permit.so behind it")
	default:
		x.add(last.File, last.Line, Error, "nobody",
			"nobody gets in with a right code"+x.shared(), "check the password elsewhere, use pam_oathkit.so, or 'oathverify pam --split' alone")
	}
}

// knowing is what a module may return to somebody who knows the password and the
// code. pam_exec has no question of its own: what it takes for the code is what
// was typed as the password.
func (x *exam) knowing(i, memory int) []pamstack.Code {
	l := x.lines[i]
	switch {
	case l != nil && l.skipped:
		return l.no()
	case l != nil && l.exec && memory&vouched != 0, l == nil && memory&handed != 0 && tradeOf(x.steps[i]) == password:
		return pamstack.Failing()
	case l != nil:
		return append(pamstack.Failing(), pamstack.Success)
	}
	return x.honest(i)
}

func (x *exam) rememberKnowing(memory int, e pamstack.Event) int {
	l := x.lines[e.Step]
	switch {
	case e.Code != pamstack.Success:
	case l != nil && l.exec:
		memory |= coded | handed
	case l != nil:
		memory |= coded | vested
	case tradeOf(x.steps[e.Step]) == password:
		memory |= vouched | vested
	case vests(x.steps[e.Step]):
		memory |= vested
	}
	return memory
}

// vests says whether a module has something to say when credentials are set.
// Where all of them ignore that, libpam refuses.
func vests(s pamstack.Step) bool {
	switch s.Name() {
	case "pam_exec.so", "pam_faildelay.so", "pam_nologin.so", "pam_succeed_if.so":
		return false
	}
	return true
}

// shared explains what pam_exec cannot do.
func (x *exam) shared() string {
	for _, i := range x.ours() {
		if !x.lines[i].exec {
			continue
		}
		for k, s := range x.steps {
			if k != i && tradeOf(s) == password {
				return ": pam_exec has no question of its own, and takes for the code what was typed as the password of " + s.String()
			}
		}
	}
	return ""
}

// nobodyChecks looks for logins in which no password is checked: those of users
// who need no code, for whom nothing is checked then, and those with a code alone.
func (x *exam) nobodyChecks() {
	if x.unchecked(false) {
		return
	}
	x.unchecked(true)
}

// unchecked looks for them with a code, or without one for users who need none,
// and says whether it found any.
func (x *exam) unchecked(code bool) (found bool) {
	q := pamstack.Search{
		Steps: x.steps,
		Codes: func(i, _ int) []pamstack.Code {
			if l := x.lines[i]; l != nil {
				return x.answers(l, code)
			}
			return x.honest(i)
		},
		Remember: func(memory int, e pamstack.Event) int {
			if e.Code != pamstack.Success {
				return memory
			}
			if l := x.lines[e.Step]; l != nil {
				if memory |= coded; l.split && x.loginPassword(l) {
					memory |= vouched
				}
				return memory
			}
			switch tradeOf(x.steps[e.Step]) {
			case password:
				memory |= vouched
			case unknown:
				memory |= guessed
			}
			return memory
		},
	}
	ways, err := q.Ways()
	if err != nil {
		x.add(x.file(), 0, Unsure, "too-many", err.Error(), "")
		return false
	}
	guess := (*pamstack.Way)(nil)
	for _, w := range ways {
		switch {
		case w.Memory&vouched != 0 || code && w.Memory&coded == 0:
		case w.Memory&guessed != 0:
			guess = &w
		default:
			x.saidUnchecked(w, code)
			return true
		}
	}
	if guess != nil {
		x.saidGuessed(*guess)
		return true
	}
	return false
}

// answers is what a line of ours may return: to a right code, or to a user who
// needs none.
func (x *exam) answers(l *line, code bool) []pamstack.Code {
	list := pamstack.Failing()
	switch {
	case l.skipped:
		return l.no()
	case code:
		list = append(list, pamstack.Success)
	case !x.asksNobody(l):
	case l.exec && (!l.split || x.loginPassword(l)):
		list = append(list, pamstack.Success)
	case !l.exec:
		list = append(list, pamstack.Ignore)
	}
	return list
}

func (x *exam) saidUnchecked(w pamstack.Way, code bool) {
	s := x.steps[x.ours()[0]]
	f := Finding{
		File: s.File, Line: s.Line, Severity: Error, Code: "nothing-checked",
		Message: "a user of whom no code is required gets in here with no password, either: nothing is checked",
		Mend:    "put a line before it that checks the password, or let the realm require a factor of everybody", Way: x.steps2way(w),
	}
	if code {
		f.Severity, f.Code = Warning, "code-alone"
		f.Message = "a code alone lets people in: nobody checks a password"
		f.Mend = "put a line before it that checks the password and is \"requisite\"; with --split set [login] password in oathkit.toml"
	}
	x.addFinding(f)
}

func (x *exam) saidGuessed(w pamstack.Way) {
	for _, e := range w.Events {
		if s := x.steps[e.Step]; e.Code == pamstack.Success && x.lines[e.Step] == nil && tradeOf(s) == unknown {
			x.addFinding(Finding{
				File: s.File, Line: s.Line, Severity: Warning, Code: "password-unknown",
				Message: "it is not known whether " + s.Name() + " checks a password, and nothing else does", Way: x.steps2way(w),
			})
			return
		}
	}
}
