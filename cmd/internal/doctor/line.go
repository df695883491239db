package doctor

import (
	"slices"
	"strings"

	"oathkit/pkg/pamstack"
)

// A line is one of ours: pam_exec.so that runs oathverify, or pam_oathkit.so.
type line struct {
	exec bool // pam_exec

	// Of pam_exec.
	program []string // and its arguments
	split   bool
	expose  bool
	seteuid bool
	quiet   bool
	skipped bool // type= names another type

	// Of both.
	config string // empty where the line names none
	realm  string
	enrol  bool
	wrong  []string // arguments that are not known

	anyRealm bool // the name may end in another realm
}

// findLines looks for our lines in the auth stack, and for those elsewhere, where
// they do nothing.
func (x *exam) findLines() {
	x.lines = map[int]*line{}
	for i := range x.steps {
		l, hidden := parseLine(&x.steps[i])
		switch {
		case l != nil:
			x.lines[i] = l
		case hidden:
			x.hidden = append(x.hidden, i)
		}
	}
	for _, t := range []pamstack.Type{pamstack.Account, pamstack.Session, pamstack.Password} {
		steps, other := x.service.Stack(t)
		if other && x.service.Found {
			continue
		}
		for _, s := range steps {
			if l, _ := parseLine(&s); l != nil {
				x.add(s.File, s.Line, Error, "wrong-type",
					"the line is for "+t.String()+", where nobody has given a code: it lets nobody in", "make it a line of auth")
			}
		}
	}
}

// ours are the steps that are our lines, in order.
func (x *exam) ours() []int {
	var list []int
	for i := range x.steps {
		if x.lines[i] != nil {
			list = append(list, i)
		}
	}
	return list
}

// parseLine is nil where the step is not ours. hidden says that it has to do with
// oathverify all the same: pam_exec runs something of which that is a part.
func parseLine(s *pamstack.Step) (l *line, hidden bool) {
	if s.Kind != pamstack.Module {
		return nil, false
	}
	l = &line{realm: "pam"}
	switch s.Name() {
	case "pam_oathkit.so":
		l.module(s.Args)
		return l, false
	case "pam_exec.so":
		l.exec = true
		l.options(s.Args, s.Type.String())
		if l.hook() {
			return l, false
		}
		return nil, slices.ContainsFunc(l.program, func(word string) bool { return strings.Contains(word, "oathverify") })
	}
	return nil, false
}

// module reads the arguments of pam_oathkit.so.
func (l *line) module(args []string) {
	for _, arg := range args {
		name, value, valued := strings.Cut(arg, "=")
		switch {
		case name == "config" && strings.HasPrefix(value, "/"):
			l.config = value
		case name == "realm" && value != "":
			l.realm = value
		case name == "prompt" && value != "":
		case name == "enrol" && !valued:
			l.enrol = true
		case name == "any_realm" && !valued:
			l.anyRealm = true
		default:
			l.wrong = append(l.wrong, arg)
		}
	}
}

// options reads the arguments of pam_exec.so.
func (l *line) options(args []string, kind string) {
	for i, arg := range args {
		lower := strings.ToLower(arg)
		switch {
		case lower == "expose_authtok":
			l.expose = true
		case lower == "seteuid":
			l.seteuid = true
		case lower == "quiet":
			l.quiet = true
		case lower == "quiet_log", lower == "debug", lower == "stdout", strings.HasPrefix(lower, "log="):
		case strings.HasPrefix(lower, "type="):
			l.skipped = l.skipped || arg[len("type="):] != kind
		default:
			l.program = args[i:]
			return
		}
	}
}

// su says whether the program of a service calls PAM as the user who started it.
func su(service string) bool {
	switch service {
	case "su", "su-l", "sudo", "sudo-i", "doas", "polkit-1", "pkexec", "chfn", "chsh", "passwd":
		return true
	}
	return false
}

// lineFaults are what is wrong with one of our lines by itself.
func (x *exam) lineFaults(i int) {
	s, l := x.steps[i], x.lines[i]
	say := func(severity Severity, code, message, mend string) {
		x.add(s.File, s.Line, severity, code, message, mend)
	}
	if l.exec {
		switch {
		case !l.expose:
			say(Error, "expose-authtok", "without expose_authtok pam_exec gives oathverify no code, so nobody gets in who needs one", "add expose_authtok")
		case !l.quiet:
			say(Warning, "quiet", "without quiet pam_exec tells the person the exit code, so that a wrong code and a store that is broken look different", "add quiet")
		}
		if su(x.Service) && !l.seteuid {
			say(Error, "seteuid", x.Service+" runs the modules of PAM as the invoking user, who must not be able to read the store: nobody gets in", "add seteuid")
		}
		if l.skipped {
			say(Error, "type", "type= names another type than auth, so pam_exec skips the line", "remove type=")
		}
	}
	manual := "pam_oathkit(8)"
	if l.exec {
		manual = "oathverify(8)"
	}
	for _, arg := range l.wrong {
		if arg == "nullok" {
			say(Error, "nullok", "nullok is no argument here, so everybody is refused", "remove it: the realm file, domains.cfg(5), says who needs a code")
			continue
		}
		say(Error, "argument", "the argument \""+arg+"\" is not known, so everybody is refused", "remove it; see "+manual)
	}
	x.site(i)
}
