package doctor

import (
	"fmt"
	"path"
	"strings"

	"oathkit/pkg/pamstack"
)

// A trade is what is known of a module.
type trade int

const (
	unknown  trade = iota
	neutral        // looks at something else than a password
	password       // checks a password
	never          // always fails
	always         // always succeeds
	caller         // succeeds where root calls
)

// tradeOf judges a module by its name, where it is where the system's are.
func tradeOf(s pamstack.Step) trade {
	if folder := path.Dir(s.Path); folder != "." && !strings.HasPrefix(folder, "/lib") && !strings.HasPrefix(folder, "/usr/lib") {
		return unknown
	}
	switch strings.TrimSuffix(s.Name(), ".so") {
	case "pam_deny":
		return never
	case "pam_permit":
		return always
	case "pam_rootok":
		return caller
	case "pam_unix", "pam_ldap", "pam_sss", "pam_krb5", "pam_winbind", "pam_pwdfile", "pam_userdb", "pam_mysql", "pam_pgsql",
		"pam_radius_auth", "pam_tacplus":
		return password
	case "pam_env", "pam_faildelay", "pam_nologin", "pam_succeed_if", "pam_access", "pam_localuser", "pam_faillock", "pam_securetty",
		"pam_shells", "pam_group", "pam_cap", "pam_keyinit", "pam_motd", "pam_mail", "pam_listfile", "pam_time", "pam_wheel",
		"pam_usertype", "pam_echo", "pam_warn", "pam_tally2", "pam_umask", "pam_limits", "pam_issue", "pam_selinux", "pam_sepermit",
		"pam_loginuid", "pam_gnome_keyring", "pam_kwallet5", "pam_mount", "pam_ecryptfs", "pam_systemd", "pam_lastlog", "pam_rhosts":
		return neutral
	}
	return unknown
}

// codes is what a module that is not ours may return to somebody who is not
// root. What is not known may return anything.
func (x *exam) codes(i int) []pamstack.Code {
	switch tradeOf(x.steps[i]) {
	case never:
		return []pamstack.Code{pamstack.AuthErr}
	case always:
		return []pamstack.Code{pamstack.Success}
	case caller:
		if su(x.Service) { // a daemon runs as root, so there it lets everybody in
			return []pamstack.Code{pamstack.AuthErr}
		}
	}
	return pamstack.AnyCode()
}

// no is what our line may return to somebody who needs a code and has none.
func (l *line) no() []pamstack.Code {
	if l.skipped {
		return []pamstack.Code{pamstack.Ignore}
	}
	return pamstack.Failing()
}

// The memory of goesAround: our line has said no and that holds, or the step at
// which it was got around.
const (
	nothing = 0
	bound   = 1
	around  = 2 // and more
)

// goesAround looks for logins that are granted though no line of ours says yes,
// and says whether there are none.
func (x *exam) goesAround() (holds bool) {
	q := pamstack.Search{
		Steps: x.steps,
		Codes: func(i, _ int) []pamstack.Code {
			if l := x.lines[i]; l != nil {
				return l.no()
			}
			return x.codes(i)
		},
		Remember: x.rememberAround,
	}
	ways, err := q.Ways()
	if err != nil {
		x.add(x.file(), 0, Unsure, "too-many", err.Error(), "")
	}
	for _, w := range ways {
		x.wayAround(w)
	}
	if len(ways) == 0 && err == nil {
		x.asks()
	}
	for i, s := range x.steps {
		if tradeOf(s) == caller && su(x.Service) && i < x.ours()[0] {
			x.add(s.File, s.Line, Note, "root", "root is not asked for a code here", "")
		}
	}
	return len(ways) == 0
}

// asks says which lines the login depends on.
func (x *exam) asks() {
	alone := false
	for _, k := range x.ours() {
		q := pamstack.Search{
			Steps: x.steps,
			Codes: func(i, _ int) []pamstack.Code {
				if i == k {
					return x.lines[k].no()
				}
				return x.codes(i)
			},
			Remember: func(memory int, _ pamstack.Event) int { return memory },
		}
		if ways, err := q.Ways(); err == nil && len(ways) == 0 {
			alone = true
			x.add(x.steps[k].File, x.steps[k].Line, Note, "asks", "nobody of whom a code is required gets in without this line's yes", "")
		}
	}
	if !alone {
		x.add(x.file(), 0, Note, "asks", "nobody of whom a code is required gets in without the yes of one of the lines that ask for it", "")
	}
}

func (x *exam) rememberAround(memory int, e pamstack.Event) int {
	action := x.steps[e.Step].Actions[e.Code]
	switch {
	case memory >= around:
		return memory
	case x.lines[e.Step] != nil && (action == pamstack.ActBad || action == pamstack.ActDie):
		return bound
	case memory == bound && action != pamstack.ActReset:
		return bound
	case memory == bound, x.lines[e.Step] != nil, x.leavesOurs(e):
		return around + e.Step
	}
	return nothing
}

// leavesOurs says whether an event skips a line of ours, and none comes after it.
func (x *exam) leavesOurs(e pamstack.Event) bool {
	skipped := false
	for _, i := range x.ours() {
		switch {
		case i >= e.Next:
			return false
		case i > e.Step:
			skipped = true
		}
	}
	return skipped
}

// wayAround says how a login goes around our lines.
func (x *exam) wayAround(w pamstack.Way) {
	if w.Memory < around {
		x.add(x.file(), 0, Error, "around", "a login is granted without a code", "")
		return
	}
	i := w.Memory - around
	s := x.steps[i]
	e := eventAt(w, i)
	ours := x.steps[x.ours()[0]]
	for _, k := range x.ours() {
		if k > i {
			ours = x.steps[k]
			break
		}
	}
	f := Finding{File: s.File, Line: s.Line, Severity: Error, Way: x.steps2way(w)}
	module, did := s.Name(), "returns "+e.Code.String()
	switch e.Code {
	case pamstack.Success:
		did = "succeeds"
	case pamstack.AuthErr:
		did = "fails"
	}
	switch action := s.Actions[e.Code]; {
	case x.lines[i] != nil:
		f.Code = "not-binding"
		f.Message = fmt.Sprintf("where the line %s, it keeps nobody out: after that, which is %s, the login can still be granted", did, control(s))
		if e.Code == pamstack.AuthErr {
			f.Message = fmt.Sprintf("a wrong code does not keep anybody out: after the line's no, which is %s, the login can still be granted", control(s))
		}
		f.Mend = "make the line \"required\", before whatever grants the login"
	case action == pamstack.ActReset:
		f.Code = "reset"
		f.Message = fmt.Sprintf("%s %s, and %s makes libpam forget the no of %s", module, did, control(s), ours.Place)
		f.Mend = "let nothing reset behind our line"
	case action == pamstack.ActDone:
		f.Code = "sufficient"
		f.Message = fmt.Sprintf("%s %s, %s: the login is granted before %s", module, did, control(s), ours.Place)
		f.Mend = "put our line before it, or put it into a substack of its own, which ends without ending the login"
	default:
		f.Code = "jump"
		f.Message = fmt.Sprintf("%s %s, and %s jumps over %s: the login is granted without it", module, did, control(s), ours.Place)
		f.Mend = "let the jump end before our line, or put our line first; who needs no code is for the realm file, domains.cfg(5)"
	}
	x.addFinding(f)
}

func eventAt(w pamstack.Way, step int) pamstack.Event {
	for _, e := range w.Events {
		if e.Step == step {
			return e
		}
	}
	return pamstack.Event{}
}

// control is a control as it is written in the file.
func control(s pamstack.Step) string {
	if strings.Contains(s.Control, "=") {
		return "[" + s.Control + "]"
	}
	return s.Control
}

// steps2way is a way in the order in which its modules are called.
func (x *exam) steps2way(w pamstack.Way) []Step {
	var list []Step
	for _, e := range w.Events {
		s := x.steps[e.Step]
		if s.Kind == pamstack.Module {
			list = append(list, Step{s.File, s.Line, control(s), s.Name(), e.Code.String()})
		}
	}
	return list
}
