package pamstack

import "strings"

// A Code is what a module returns, as libpam numbers it.
type Code uint8

// The codes that have a meaning of their own here.
const (
	Success       Code = 0
	PermDenied    Code = 6
	AuthErr       Code = 7
	Ignore        Code = 25
	ModuleUnknown Code = 28
	Incomplete    Code = 31
)

// Codes is how many there are.
const Codes = 32

// codeNames are their names in a control, in order of number.
const codeNames = "success open_err symbol_err service_err system_err buf_err perm_denied auth_err cred_insufficient " +
	"authinfo_unavail user_unknown maxtries new_authtok_reqd acct_expired session_err cred_unavail cred_expired " +
	"cred_err no_module_data conv_err authtok_err authtok_recover_err authtok_lock_busy authtok_disable_aging " +
	"try_again ignore abort authtok_expired module_unknown bad_item conv_again incomplete"

// String is the code's name in a control.
func (c Code) String() string {
	n := Code(0)
	for name := range strings.FieldsSeq(codeNames) {
		if n == c {
			return name
		}
		n++
	}
	return "invalid"
}

// An Action is what a return code does to a stack: one of those below, or, where
// it is positive, how many steps are jumped over.
type Action int

// The actions that are no jump.
const (
	ActIgnore Action = -iota
	ActOK
	ActDone
	ActBad
	ActDie
	ActReset
	undefined
)

// actionNames are their names in a control, in order.
const actionNames = "ignore ok done bad die reset"

// maxJump bounds a jump: a longer one leaves every stack.
const maxJump = 1 << 20

// Actions are a control's action for each code.
type Actions [Codes]Action

func every(a Action) (all Actions) {
	for i := range all {
		all[i] = a
	}
	return all
}

func (a *Actions) rest(act Action) {
	for i := range a {
		if a[i] == undefined {
			a[i] = act
		}
	}
}

// newAuthtokReqd is the code of a password that has to be changed.
const newAuthtokReqd Code = 12

// parseControl makes actions of a control. With ok false it is malformed, and
// everything is bad.
func parseControl(word string) (actions Actions, ok bool) {
	a := every(undefined)
	simple := func(good, bad Action, ignore bool) (Actions, bool) {
		a[Success], a[newAuthtokReqd] = good, good
		if ignore {
			a[Ignore] = ActIgnore
		}
		a.rest(bad)
		return a, true
	}
	switch strings.ToLower(word) {
	case "required":
		return simple(ActOK, ActBad, true)
	case "requisite":
		return simple(ActOK, ActDie, true)
	case "optional":
		return simple(ActOK, ActIgnore, false)
	case "sufficient":
		return simple(ActDone, ActIgnore, false)
	}
	for s := skip(word); s != ""; s = skip(s) {
		code, s2, found := prefix(s, codeNames+" default")
		if !found || s2 == "" {
			return every(ActBad), false
		}
		if s2 = skip(s2); s2 == "" || s2[0] != '=' {
			return every(ActBad), false
		}
		s2 = skip(s2[1:])
		act, s3, good := action(s2)
		if !good {
			return every(ActBad), false
		}
		if code < Codes {
			a[code] = act
		} else {
			a.rest(act)
		}
		s = s3
	}
	a.rest(ActBad)
	return a, true
}

// action reads an action or a jump from the front of s.
func action(s string) (act Action, rest string, ok bool) {
	if n, rest, found := prefix(s, actionNames); found {
		return Action(-n), rest, true
	}
	for s != "" && s[0] >= '0' && s[0] <= '9' {
		act = min(act*10+Action(s[0]-'0'), maxJump)
		s = s[1:]
	}
	return act, s, act > 0
}

// prefix says which of the names s begins with. As in libpam the first one that
// fits is taken, and nothing has to end behind it.
func prefix(s, names string) (n int, rest string, ok bool) {
	for name := range strings.FieldsSeq(names) {
		if rest, ok = strings.CutPrefix(s, name); ok {
			return n, rest, true
		}
		n++
	}
	return 0, s, false
}

// skip drops blanks as isspace(3) sees them.
func skip(s string) string { return strings.TrimLeft(s, " \t\n\v\f\r") }
