package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Flags declares the options of a command. Each method takes the names
// separated by a comma ("c,config"), what usage shows for the value, and a line
// of help. The value that the variable has when it is declared is its default.
type Flags struct {
	fs       *flag.FlagSet
	options  []option
	operands []string
	ended    bool // "--" ended the options

	help, version bool
}

type option struct{ names, arg, help string }

func newFlags(chain []*Command) *Flags {
	f := &Flags{fs: flag.NewFlagSet("", flag.ContinueOnError)}
	f.fs.SetOutput(io.Discard)
	for _, cmd := range chain {
		if cmd.Flags != nil {
			cmd.Flags(f)
		}
	}
	f.Bool(&f.help, "h,help", "show this help and exit")
	f.Bool(&f.version, "version", "show the version and exit")
	return f
}

func (f *Flags) add(names, arg, help string, declare func(name string)) {
	f.options = append(f.options, option{names, arg, help})
	for name := range strings.SplitSeq(names, ",") {
		declare(name)
	}
}

// Bool declares an option without a value.
func (f *Flags) Bool(p *bool, names, help string) {
	f.add(names, "", help, func(name string) { f.fs.BoolVar(p, name, *p, "") })
}

// String declares an option that takes any text.
func (f *Flags) String(p *string, names, arg, help string) {
	f.add(names, arg, help, func(name string) { f.fs.StringVar(p, name, *p, "") })
}

// Int declares an option that takes a whole number, in decimal digits: package
// flag would take 060 for 48.
func (f *Flags) Int(p *int, names, arg, help string) {
	f.Func(names, arg, help, func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil {
			return errors.New("must be a whole number")
		}
		*p = n
		return nil
	})
}

// Counter declares an option that takes a whole number from 0 to 2^64-1, as the
// counter of HOTP is one.
func (f *Flags) Counter(p *uint64, names, arg, help string) {
	f.Func(names, arg, help, func(s string) error {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			return errors.New("must be a whole number from 0 to 18446744073709551615")
		}
		*p = n
		return nil
	})
}

// Duration declares an option that takes a time such as 10m or 90s.
func (f *Flags) Duration(p *time.Duration, names, arg, help string) {
	f.add(names, arg, help, func(name string) { f.fs.DurationVar(p, name, *p, "") })
}

// Func declares an option whose value is given to set, which says what is wrong
// with it.
func (f *Flags) Func(names, arg, help string, set func(string) error) {
	f.add(names, arg, help, func(name string) { f.fs.Func(name, "", set) })
}

// Given says whether the option was on the command line, by any of its names.
func (f *Flags) Given(name string) bool {
	for _, o := range f.options {
		if !hasName(o.names, name) {
			continue
		}
		given := false
		f.fs.Visit(func(fl *flag.Flag) { given = given || hasName(o.names, fl.Name) })
		return given
	}
	return false
}

// Names are the options that were declared, by the longest of their names.
func (f *Flags) Names() []string {
	names := make([]string, 0, len(f.options))
	for _, o := range f.options {
		names = append(names, o.names[strings.LastIndexByte(o.names, ',')+1:])
	}
	return names
}

func hasName(names, name string) bool {
	for n := range strings.SplitSeq(names, ",") {
		if n == name {
			return true
		}
	}
	return false
}

// parse reads options and operands, mixed, until "--". With first set it stops
// at the first operand, which names a command.
func (f *Flags) parse(args []string, first bool) error {
	f.operands, f.ended = nil, false
	for {
		before := len(args)
		if err := f.fs.Parse(args); err != nil {
			return Misused("%s", optionError(err))
		}
		rest := f.fs.Args()
		f.ended = len(rest) < before && args[before-len(rest)-1] == "--"
		if len(rest) == 0 || first || f.ended {
			f.operands = append(f.operands, rest...)
			return nil
		}
		f.operands = append(f.operands, rest[0])
		args = rest[1:]
	}
}

// optionError puts package flag's words into ours.
func optionError(err error) string {
	msg := err.Error()
	if name, ok := strings.CutPrefix(msg, "flag provided but not defined: "); ok {
		name, _, _ = strings.Cut(name, "=")
		return fmt.Sprintf("unknown option %q", dashes(strings.TrimLeft(name, "-")))
	}
	if name, ok := strings.CutPrefix(msg, "flag needs an argument: "); ok {
		return fmt.Sprintf("option %q needs a value", dashes(strings.TrimLeft(name, "-")))
	}
	if rest, ok := strings.CutPrefix(msg, "bad flag syntax: "); ok {
		return fmt.Sprintf("%q is no option", rest)
	}
	for _, place := range [...]string{" for flag -", " for -"} {
		before, rest, ok := strings.Cut(msg, place)
		if name, why, colon := strings.Cut(rest, ":"); ok && colon {
			if what, value, _ := strings.Cut(before, ` "`); len(value) > maxShown {
				before = what
			}
			return before + " for option " + dashes(name) + ":" + why
		}
	}
	return msg
}

// maxShown is the length of the longest word of the command line that a message
// repeats, in bytes. A longer one may be a key that somebody gave there by mistake.
const maxShown = 15

func dashes(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// done answers --help and --version.
func (f *Flags) done(c *Context, chain []*Command) bool {
	switch {
	case f.help:
		f.usage(c.Stdout, chain)
	case f.version:
		c.Stdout.WriteString(chain[0].Name + " " + Version + "\n")
	default:
		return false
	}
	return true
}
