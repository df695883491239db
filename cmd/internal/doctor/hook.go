package doctor

import (
	"path"
	"strconv"
	"strings"
)

// hook reads the command line of pam_exec, and says whether it is that of
// 'oathverify pam', as oathverify itself would read it.
func (l *line) hook() bool {
	args, ok := directly(l.program)
	if !ok {
		return false
	}
	named, ended := false, false // the hook was; there are no more options
	for i := 0; i < len(args); i++ {
		switch word := args[i]; {
		case !ended && word == "--":
			ended = true
		case !ended && len(word) > 1 && word[0] == '-':
			more, ok := l.option(args[i:], named)
			if !ok {
				return false
			}
			i += more
		case named:
			l.wrong = append(l.wrong, word)
		case ended || word != "pam":
			return false // another hook, or somebody's name
		default:
			named = true
		}
	}
	return named
}

// option reads the option that args begin with, and says how many words more it
// takes. ok is false for one with which oathverify judges nobody.
func (l *line) option(args []string, named bool) (more int, ok bool) {
	name, value, valued := strings.Cut(strings.TrimPrefix(args[0][1:], "-"), "=")
	switch name {
	case "h", "help", "version":
		return 0, false
	case "realm":
	case "c", "config":
		if named {
			l.wrong = append(l.wrong, args[0])
			return 0, true
		}
	case "split", "any-realm":
		on, err := strconv.ParseBool(value)
		if !valued {
			on, err = true, nil
		}
		switch {
		case err != nil || !named:
			l.wrong = append(l.wrong, args[0])
		case name == "split":
			l.split = on
		default:
			l.anyRealm = on
		}
		return 0, true
	default:
		l.wrong = append(l.wrong, args[0])
		return 0, true
	}
	if !valued {
		if len(args) == 1 {
			l.wrong = append(l.wrong, args[0])
			return 0, true
		}
		value, more = args[1], 1
	}
	if name == "realm" {
		l.realm = value
	} else {
		l.config = value
	}
	return more, true
}

// directly is what follows oathverify in a command line, where pam_exec is sure
// to get its exit code: from itself, or through sudo. With options such as -b or
// -l sudo says yes by itself.
func directly(program []string) (args []string, ok bool) {
	if len(program) > 0 && path.Base(program[0]) == "sudo" {
		program = program[1:]
		for len(program) > 0 && strings.HasPrefix(program[0], "-") {
			n := sudoOption(program)
			if n == 0 || n > len(program) {
				return nil, false
			}
			program = program[n:]
		}
	}
	if len(program) == 0 || path.Base(program[0]) != "oathverify" {
		return nil, false
	}
	return program[1:], true
}

// sudoOption is how many words an option of sudo takes that leaves the exit code
// to the command; 0 for any other.
func sudoOption(words []string) int {
	switch word := words[0]; {
	case word == "-n", word == "--non-interactive", word == "-H", word == "--set-home", word == "--":
		return 1
	case word == "-u", word == "-g", word == "--user", word == "--group":
		return 2
	case strings.HasPrefix(word, "-u"), strings.HasPrefix(word, "-g"), strings.HasPrefix(word, "--user="), strings.HasPrefix(word, "--group="):
		return 1
	}
	return 0
}
