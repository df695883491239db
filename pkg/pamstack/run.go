package pamstack

// impression is what the dispatcher thinks of a login so far.
type impression int8

const (
	negative impression = iota - 1
	unformed
	positive
)

// A state of the dispatcher, before a step. It is comparable.
type state struct {
	next      int // the step; len(steps) at the end
	level     int // of the step before
	thinks    impression
	status    Code
	remembers [maxLevel]memory // what was thought when each substack began
}

type memory struct {
	thinks impression
	status Code
}

func begin() state {
	s := state{status: PermDenied}
	s.remembers[0] = memory{unformed, PermDenied}
	return s
}

// advance takes the return code of the step s.next.
func (s *state) advance(steps []Step, code Code) {
	h := &steps[s.next]
	if s.level < h.Level {
		s.remembers[h.Level] = memory{s.thinks, s.status}
	}
	s.level = h.Level
	if h.Kind == Substack {
		s.next++
		return
	}
	act := ActBad
	if code < Codes {
		act = h.Actions[code]
	} else {
		code = PermDenied
	}
	switch act {
	case ActReset:
		s.thinks, s.status = s.remembers[h.Level].thinks, s.remembers[h.Level].status
	case ActOK, ActDone:
		if s.thinks == unformed || s.thinks == positive && s.status == Success {
			s.thinks, s.status = positive, code
		}
		if s.thinks == positive && act == ActDone {
			s.leave(steps)
			return
		}
	case ActBad, ActDie:
		if s.thinks != negative {
			s.thinks, s.status = negative, code
			if code == Ignore {
				s.status = PermDenied
			}
		}
		if act == ActDie {
			s.leave(steps)
			return
		}
	case ActIgnore:
	default:
		if !s.jump(steps, int(act)) {
			s.thinks, s.status = negative, PermDenied
		}
	}
	s.next++
}

// leave goes to the end of the substack, or of the stack.
func (s *state) leave(steps []Step) {
	for s.next++; s.next < len(steps) && steps[s.next].Level >= s.level; s.next++ {
	}
}

// jump skips n steps of this level, with the substacks behind them. It is false
// where there are not so many.
func (s *state) jump(steps []Step, n int) bool {
	more := func(level int) bool { return s.next+1 < len(steps) && steps[s.next+1].Level >= level }
	for n > 0 && more(s.level) {
		s.next++
		for more(s.level + 1) {
			s.next++
		}
		n--
	}
	return n == 0
}

// result is what the application is told at the end.
func (s *state) result() Code {
	if s.status == Success && s.thinks != positive {
		return PermDenied
	}
	return s.status
}

// Run is libpam's dispatcher: what it returns when each module that it comes to
// returns what answer says. Incomplete is not known here.
func Run(steps []Step, answer func(i int) Code) Code {
	s := begin()
	for s.next < len(steps) {
		code := PermDenied
		if steps[s.next].Kind == Module {
			code = answer(s.next)
		}
		s.advance(steps, code)
	}
	return s.result()
}
