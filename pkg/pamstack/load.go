package pamstack

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// An Open returns a file's bytes. One that is not there is fs.ErrNotExist; any
// other error ends Load.
type Open func(path string) ([]byte, error)

// Bounds of what is followed: libpam's own for substacks, and ours for includes,
// on which it has none.
const (
	maxLevel   = 16
	maxInclude = 32
	maxSteps   = 10000
)

// Load reads the files of a service, and of the service "other".
func Load(open Open, service string) (*Service, error) {
	s := &Service{Name: service}
	own := loader{open: open, service: s, steps: &s.own}
	if strings.EqualFold(service, "other") {
		own.steps = &s.other // and once more below, as libpam does
	}
	path, ok, err := own.file(service, Any, 0, nil)
	if err != nil {
		return nil, err
	}
	s.Found = path != ""
	if s.Found && !ok {
		s.Aborted = true
		return s, nil
	}
	rest := loader{open: open, service: s, steps: &s.other}
	path, ok, err = rest.file("other", Any, 0, nil)
	if err != nil {
		return nil, err
	}
	s.Aborted = path != "" && !ok || path == "" && !s.Found
	return s, nil
}

// vendor is where a distribution may keep its files.
const vendor = "/usr/lib/pam.d/"

// A loader fills one list of steps.
type loader struct {
	open    Open
	service *Service
	steps   *[]Step
}

// file reads one file for a type. ok is false where libpam gives it up; the steps
// before that place stay. The path is empty where there is no such file.
func (l *loader) file(name string, want Type, level int, within []Place) (path string, ok bool, err error) {
	path, b, err := l.find(name)
	if path == "" || err != nil {
		return "", false, err
	}
	l.service.Files = append(l.service.Files, path)
	for _, line := range Lines(b) {
		at := Place{path, line.Number}
		if line.Fault != "" {
			if at.Line == 0 {
				at.Line = 1
			}
			l.fault(at, line.Fault, "%s", lineFault(line.Fault))
		}
		if line.Fault == "unended" {
			return path, false, nil
		}
		if line.Text == "" {
			continue
		}
		if ok, err := l.line(line.Text, at, want, level, within); !ok || err != nil {
			return path, false, err
		}
	}
	return path, true, nil
}

// find looks for a file where libpam does.
func (l *loader) find(name string) (path string, b []byte, err error) {
	folders := [...]string{"/etc/pam.d/", vendor}
	if strings.HasPrefix(name, "/") {
		folders = [...]string{"", ""}
	}
	for _, folder := range folders {
		b, err := l.open(folder + name)
		switch {
		case err == nil:
			return folder + name, b, nil
		case !errors.Is(err, fs.ErrNotExist):
			return "", nil, err
		}
	}
	return "", nil, nil
}

func (l *loader) fault(at Place, code, format string, args ...any) {
	l.service.Faults = append(l.service.Faults, Fault{at, code, fmt.Sprintf(format, args...)})
}

// line adds what one line says.
func (l *loader) line(text string, at Place, want Type, level int, within []Place) (ok bool, err error) {
	s := Step{Place: at, Type: want, Level: level, Within: within}
	if s.Type == Any {
		s.Type = Auth // what libpam takes a line for that has no type
	}
	word, text, has := token(text)
	if has && strings.HasPrefix(word, "-") {
		s.Silent, word = true, word[1:]
	}
	if has && strings.EqualFold(word, "@include") {
		name, _, _ := token(text)
		return l.included(name, s, want, level)
	}
	switch t := typeOf(word); {
	case has && t != Any:
		s.Type = t
	case has:
		s.Kind = MustFail
		l.fault(at, "bad-line", "%q is no type: libpam takes the line for one of type %s that always fails", word, s.Type)
	default:
		s.Kind = MustFail
	}
	if want != Any && s.Type != want {
		return true, nil
	}
	control, text, has := token(text)
	include := strings.EqualFold(control, "include") && has
	substack := strings.EqualFold(control, "substack") && has
	path, text, named := token(text)
	s.Control, s.Path = control, path
	if include || substack {
		return l.nested(s, substack, named)
	}
	good := false
	if s.Actions, good = parseControl(control); !has || !good {
		s.Actions = every(ActBad)
		l.fault(at, "bad-line", "libpam does not know the control %q: whatever the module says is a no", control)
	}
	if !has || !named {
		s.Kind = MustFail
		l.fault(at, "bad-line", "the line names no module, so it always fails")
	}
	for word, rest, more := token(text); more; word, rest, more = token(rest) {
		s.Args = append(s.Args, word)
	}
	return l.add(s), nil
}

// nested follows an include or a substack. Where that fails, libpam has a line in
// its place that always fails.
func (l *loader) nested(s Step, substack, named bool) (ok bool, err error) {
	level := s.Level
	if substack {
		entry := s
		entry.Kind, entry.Actions = Substack, every(ActBad)
		if named && !l.add(entry) {
			return false, nil
		}
		level++
	}
	if ok, err = l.follow(s, s.Type, level, named); ok || err != nil {
		return ok, err
	}
	s.Kind, s.Actions, s.Path = MustFail, every(ActBad), ""
	return l.add(s), nil
}

// included follows an @include. Where that fails, and no type is asked for,
// libpam gives the whole file up.
func (l *loader) included(name string, s Step, want Type, level int) (ok bool, err error) {
	s.Path = name
	if ok, err = l.follow(s, want, level, name != ""); ok || err != nil || want == Any {
		return ok, err
	}
	// Debian's libpam adds a line whose actions it never set.
	l.fault(s.Place, "undefined", "what libpam does after this line is not defined")
	s.Kind, s.Actions, s.Path, s.Type = MustFail, every(ActIgnore), "", want
	return l.add(s), nil
}

func (l *loader) follow(s Step, want Type, level int, named bool) (ok bool, err error) {
	switch {
	case !named:
		l.fault(s.Place, "include", "the line names no file to include")
		return false, nil
	case level >= maxLevel || len(s.Within) >= maxInclude:
		l.fault(s.Place, "too-deep", "files include each other too deep")
		return false, nil
	}
	within := append(s.Within[:len(s.Within):len(s.Within)], s.Place)
	path, ok, err := l.file(s.Path, want, level, within)
	switch {
	case err != nil:
		return false, err
	case strings.HasPrefix(path, vendor) && !strings.HasPrefix(s.Path, "/"):
		l.fault(s.Place, "include", "the included file is %s: Debian's libpam looks for it in /etc/pam.d alone, others find it there", path)
	case path == "":
		l.fault(s.Place, "include", "there is no file %q to include", s.Path)
	case !ok:
		l.fault(s.Place, "include", "libpam gives up on the included file %q", s.Path)
	}
	return ok, nil
}

// add appends a step, unless libpam would end there.
func (l *loader) add(s Step) bool {
	if len(*l.steps) >= maxSteps {
		l.fault(s.Place, "too-deep", "there are more than %d lines in the stacks", maxSteps)
		return false
	}
	if name := s.Name(); s.Path != "" || s.Kind == Module {
		if i := strings.LastIndexByte(name, '.'); i >= 0 {
			name = name[:i]
		}
		if name == "" || name == "?" {
			l.fault(s.Place, "bad-line", "%q is no name of a module: libpam gives up here", s.Path)
			if len(s.Within) > 0 { // it has been added by then, half made
				l.fault(s.Place, "undefined", "what libpam does after this line is not defined")
			}
			return false
		}
	}
	*l.steps = append(*l.steps, s)
	return true
}

func typeOf(word string) Type {
	for _, t := range [...]Type{Auth, Account, Session, Password} {
		if strings.EqualFold(word, t.String()) {
			return t
		}
	}
	return Any
}

func lineFault(code string) string {
	switch code {
	case "nul":
		return "there is a zero byte in the line, behind which libpam reads nothing"
	case "long-line":
		return fmt.Sprintf("the line has more than %d bytes: libpam before 1.6 takes the rest for another line", maxLine-1)
	case "continuation":
		return "a blank line or a comment follows a backslash: some versions of libpam go on with the line after it, others do not"
	}
	return "the file ends in a backslash, so libpam gives up on it"
}
