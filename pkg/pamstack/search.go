package pamstack

import "errors"

// An Event is one step of a way through a stack.
type Event struct {
	Step int
	Code Code
	Next int // the step that comes after it: what is between was skipped
}

// A Search looks for ways through a stack that end in success.
type Search struct {
	Steps []Step
	// Codes are what a step may return in a memory, the likeliest first. Steps
	// without a module are not asked about.
	Codes func(step, memory int) []Code
	// Remember is the memory after an event; before the first it is 0. Ways
	// that the dispatcher and the memory cannot tell apart are one.
	Remember func(memory int, e Event) int
	// Reach is told of every step with a module that is come to, once for each
	// memory at least; it may be nil.
	Reach func(step, memory int)
}

// A Way ends in success.
type Way struct {
	Memory int // at its end
	Events []Event
}

// ErrTooMany means that there are more states than can be looked at.
var ErrTooMany = errors.New("the stack has too many ways to look at them all")

// maxStates bounds a search.
const maxStates = 1 << 18

// A point is where the dispatcher can be.
type point struct {
	state
	memory int
}

// A visit is how a point was reached first.
type visit struct {
	point point
	from  int // the visit before; -1 for the first
	event Event
}

// Ways returns one way for each memory in which a login can be granted, a
// shortest one each.
func (q Search) Ways() ([]Way, error) {
	first := point{state: begin()}
	visits := []visit{{point: first, from: -1}}
	seen := map[point]bool{first: true}
	done := map[int]bool{}
	var ways []Way
	for i := 0; i < len(visits); i++ {
		p := visits[i].point
		if p.next >= len(q.Steps) {
			if p.result() == Success && !done[p.memory] {
				done[p.memory] = true
				ways = append(ways, Way{p.memory, trace(visits, i)})
			}
			continue
		}
		for _, code := range q.codes(p) {
			to, e := q.follow(p, code)
			if seen[to] {
				continue
			}
			if len(visits) >= maxStates {
				return nil, ErrTooMany
			}
			seen[to] = true
			visits = append(visits, visit{to, i, e})
		}
	}
	return ways, nil
}

func (q Search) codes(p point) []Code {
	if q.Steps[p.next].Kind != Module {
		return []Code{PermDenied}
	}
	if q.Reach != nil {
		q.Reach(p.next, p.memory)
	}
	return q.Codes(p.next, p.memory)
}

// follow is where a code leads.
func (q Search) follow(p point, code Code) (point, Event) {
	e := Event{Step: p.next, Code: code}
	p.advance(q.Steps, code)
	e.Next = p.next
	if p.status != Success {
		p.status = PermDenied // which no it is makes no difference
	}
	if q.Steps[e.Step].Kind != Substack {
		p.memory = q.Remember(p.memory, e)
	}
	return p, e
}

func trace(visits []visit, i int) []Event {
	var events []Event
	for ; visits[i].from >= 0; i = visits[i].from {
		events = append(events, visits[i].event)
	}
	for a, b := 0, len(events)-1; a < b; a, b = a+1, b-1 {
		events[a], events[b] = events[b], events[a]
	}
	return events
}

// AnyCode is every code that a module may return, the likeliest first.
func AnyCode() []Code {
	list := []Code{Success, AuthErr, Ignore}
	for c := Code(0); c < Incomplete; c++ {
		if c != Success && c != AuthErr && c != Ignore {
			list = append(list, c)
		}
	}
	return list
}

// Failing is every code that is a no: all but success, ignore and
// new_authtok_reqd, which is a yes with a password that has to be changed.
func Failing() []Code {
	list := []Code{AuthErr}
	for c := Success + 1; c < Incomplete; c++ {
		if c != AuthErr && c != Ignore && c != newAuthtokReqd {
			list = append(list, c)
		}
	}
	return list
}
