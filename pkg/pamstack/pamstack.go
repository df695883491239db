// Package pamstack reads the service files of Linux-PAM (pam.d(5)) as libpam
// does, and works out what a stack of modules can answer: libpam's dispatcher
// is run over every combination of what the modules may return, so that "can
// somebody get in without this module's yes" is found by search, not guessed
// from the words in the file.
//
// What is promised: the lines, their order and the controls are those that
// libpam 1.5.2 with Debian's @include makes of the same files, held against the
// library itself by a test; where versions of libpam read a file in different
// ways, or would be ended by it, there is a Fault. Each step keeps its file and
// line. Files come through a callback.
//
// Left out: /etc/pam.conf, which libpam reads only where there is no /etc/pam.d;
// the second walk over a stack for pam_setcred; and what a module does inside.
package pamstack

import "strconv"

// A Type is the group of services that a line is for.
type Type uint8

// The types, and Any, which is what a whole file is read for.
const (
	Any Type = iota
	Auth
	Account
	Session
	Password
)

// String is the type as a line begins with it.
func (t Type) String() string {
	switch t {
	case Auth:
		return "auth"
	case Account:
		return "account"
	case Session:
		return "session"
	case Password:
		return "password"
	}
	return "any"
}

// A Place is a line of a file, from 1.
type Place struct {
	File string
	Line int
}

// String is the place as messages name it, FILE:LINE.
func (p Place) String() string { return p.File + ":" + strconv.Itoa(p.Line) }

// A Kind says how libpam comes to a step's return code.
type Kind uint8

const (
	// Module is an ordinary line: the module answers.
	Module Kind = iota
	// MustFail is a line that libpam cannot make sense of: it answers
	// perm_denied without a module.
	MustFail
	// Substack is the line that begins one; it answers nothing.
	Substack
)

// A Step is one entry of a stack, in the order of the dispatcher.
type Step struct {
	Place
	Type    Type
	Kind    Kind
	Silent  bool     // a "-" before the type: that the module is missing is not logged
	Control string   // as it is written, without brackets
	Actions Actions  // what the control makes of each return code
	Path    string   // the module as it is written; for Substack the file
	Args    []string // of the module
	Level   int      // how many substacks it is in
	Within  []Place  // the include lines that led to its file, outermost first
}

// Name is the module's file name without folders.
func (s Step) Name() string {
	for i := len(s.Path) - 1; i >= 0; i-- {
		if s.Path[i] == '/' {
			return s.Path[i+1:]
		}
	}
	return s.Path
}

// A Fault is something in a file that libpam refuses, or that its versions read
// in different ways.
type Fault struct {
	Place
	Code    string // long-line, nul, continuation, unended, include, too-deep, bad-line, undefined
	Message string
}

// A Service is what libpam would make of a service's files.
type Service struct {
	Name   string
	Files  []string // that were read, in order
	Found  bool     // there is a file of that name; else only "other" counts
	Faults []Fault
	// Aborted is set where libpam gives up: every call is answered "no".
	Aborted bool

	own, other []Step
}

// Stack is what libpam runs for a type: the service's own lines, or those of
// the service "other" where it has none.
func (s *Service) Stack(t Type) (steps []Step, other bool) {
	if s.Aborted {
		return nil, false
	}
	if steps = only(s.own, t); len(steps) > 0 {
		return steps, false
	}
	return only(s.other, t), true
}

func only(steps []Step, t Type) []Step {
	var list []Step
	for _, s := range steps {
		if s.Type == t {
			list = append(list, s)
		}
	}
	return list
}
