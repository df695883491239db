// Package doctor says whether a login goes around the code: it reads the PAM
// files of a service as libpam does, and for sshd its configuration, and looks
// at what our lines in them name. It changes nothing and asks nobody for a code.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"oathkit/pkg/pamstack"
)

// Options say what is examined.
type Options struct {
	Service    string // of PAM
	Root       string // the folder that / is; empty for / itself
	Config     string // the configuration of a line that names none
	Named      bool   // it was asked for, so it must be there
	SSHD       string // a file with the output of "sshd -T"; empty to run it
	Connection string // what "sshd -T -C" is to judge; empty for all
}

// A Severity is what a finding means for the answer.
type Severity string

const (
	// Error: somebody gets in without a code, or nobody gets in with one.
	Error Severity = "error"
	// Unsure: it could not be found out.
	Unsure Severity = "unsure"
	// Warning is something to know, or to mend when there is time.
	Warning Severity = "warning"
	// Note is how it should be.
	Note Severity = "note"
	// OK is a verdict: nothing is wrong.
	OK Severity = "ok"
)

// A Finding is one thing about a service. File is as it is called below the
// root.
type Finding struct {
	File     string   `json:"file"`
	Line     int      `json:"line"` // 0 when it is about the whole file
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`
	Message  string   `json:"message"`
	Mend     string   `json:"mend"`
	Way      []Step   `json:"way,omitempty"`
}

// A Step is one module on a way through a stack.
type Step struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Control string `json:"control"`
	Module  string `json:"module"`
	Returns string `json:"returns"`
}

// A Report is what was found, the worst first.
type Report struct {
	Service  string    `json:"service"`
	Verdict  Severity  `json:"verdict"` // the worst of the findings; OK where they are notes
	Findings []Finding `json:"findings"`
}

// ErrNoService means that PAM has no file for the service.
var ErrNoService = errors.New("there is no such service")

// errElsewhere means that the sshd of another root cannot be asked.
var errElsewhere = errors.New("sshd is asked for its settings below / alone")

// exam is one examination.
type exam struct {
	Options
	service *pamstack.Service
	steps   []pamstack.Step // of the auth stack
	lines   map[int]*line   // ours, by step
	hidden  []int           // steps that may be ours
	report  Report
}

// sshd is the service whose program has a configuration of its own.
const sshd = "sshd"

// Examine examines a service.
func Examine(ctx context.Context, o Options) (Report, error) {
	if o.Root != "" {
		root, err := filepath.Abs(o.Root)
		if err != nil {
			return Report{}, err
		}
		if o.Root = root; root == "/" {
			o.Root = ""
		}
	}
	o.Service = strings.ToLower(o.Service) // as libpam does
	x := &exam{Options: o, report: Report{Service: o.Service, Findings: []Finding{}}}
	if o.Service == "" || strings.Contains(o.Service, "/") {
		return x.report, fmt.Errorf("%w: %q is no name of one", ErrNoService, o.Service)
	}
	service, err := pamstack.Load(func(path string) ([]byte, error) { return readFile(x.path(path)) }, o.Service)
	if err != nil {
		return x.report, err
	}
	x.service = service
	if x.steps, _ = service.Stack(pamstack.Auth); !service.Aborted {
		x.findLines()
	}
	if !service.Found && len(x.lines) == 0 {
		return x.report, fmt.Errorf("%w: neither /etc/pam.d/%s nor /usr/lib/pam.d/%s is there", ErrNoService, o.Service, o.Service)
	}
	x.faults()
	d := door{known: true}
	if o.Service == sshd {
		d = x.sshd(ctx)
	}
	x.pam(d)
	x.lookAtFiles()
	x.otherService(ctx)
	x.saslauthd()
	x.finish()
	return x.report, nil
}

// otherService examines the service that the same program asks for when it is to
// start a login shell.
func (x *exam) otherService(ctx context.Context) {
	o, call := x.Options, ""
	switch x.Service {
	case "sudo":
		o.Service, call = "sudo-i", "sudo -i"
	case "su":
		o.Service, call = "su-l", "su -"
	default:
		return
	}
	r, err := Examine(ctx, o)
	switch mend := "oathverify doctor " + o.Service; {
	case errors.Is(err, ErrNoService):
	case err != nil:
		x.add("/etc/pam.d/"+o.Service, 0, Unsure, "other-service", call+": "+x.unrooted(err.Error()), "run it as root")
	case r.Verdict == Error || r.Verdict == Unsure:
		f := r.Findings[0]
		if slices.ContainsFunc(x.report.Findings, func(g Finding) bool { return g.Code == f.Code && g.File == f.File && g.Line == f.Line }) {
			return // both have it from the same line
		}
		x.add(f.File, f.Line, r.Verdict, "other-service", "'"+call+"' asks PAM for "+o.Service+": "+f.Message, mend)
	}
}

// A door is what a service does besides asking PAM.
type door struct {
	known       bool // it is known what
	firstFactor bool // something else vouches for the person before PAM does
	forced      bool // the code is asked for when PAM is through
}

// pam judges the auth stack.
func (x *exam) pam(d door) {
	switch {
	case x.service.Aborted:
		x.add(x.file(), 0, Error, "pam-gives-up", "libpam gives up on the files of this service, so nobody gets in", "mend what the warnings name")
		return
	case len(x.lines) == 0 && d.forced:
		x.add(sshdConfig, 0, Note, "asks", "every session begins with 'oathverify shell', which asks for a code", "")
		return
	case len(x.lines) == 0 && len(x.hidden) > 0:
		s := x.steps[x.hidden[0]]
		x.add(s.File, s.Line, Unsure, "wrapper", "it is not known what the command of this line makes of oathverify's answer",
			"have pam_exec run oathverify itself: pam_exec.so expose_authtok quiet /usr/local/sbin/oathverify pam")
		return
	case len(x.lines) == 0:
		severity := Error
		if !d.known {
			severity = Unsure
		}
		x.add(x.file(), 0, severity, "absent", "no line of this service asks for a code",
			"a line such as: auth required pam_oathkit.so")
		return
	}
	holds := x.goesAround()
	x.nobodyGetsIn(holds)
	if holds && !d.firstFactor {
		x.nobodyChecks()
	}
	for _, i := range x.ours() {
		x.lineFaults(i)
	}
}

// faults are what libpam does not understand, or not in every version.
func (x *exam) faults() {
	for _, f := range x.service.Faults {
		severity := Warning
		switch f.Code {
		case "long-line", "nul", "continuation", "undefined", "too-deep":
			severity = Error // what is read is not sure
		}
		x.add(f.File, f.Line, severity, f.Code, f.Message, "mend the line")
	}
}

// file is the service's own file.
func (x *exam) file() string {
	if x.service.Found {
		return x.service.Files[0]
	}
	return "/etc/pam.d/" + x.Service
}

func (x *exam) add(file string, line int, s Severity, code, message, mend string) {
	x.addFinding(Finding{File: file, Line: line, Severity: s, Code: code, Message: message, Mend: mend})
}

// addFinding leaves out what is known already.
func (x *exam) addFinding(f Finding) {
	for _, g := range x.report.Findings {
		if g.File == f.File && g.Line == f.Line && g.Code == f.Code && (g.Message == f.Message || g.Code == "file-mode" || g.Code == "file-owner") {
			return
		}
	}
	x.report.Findings = append(x.report.Findings, f)
}

func (x *exam) finish() {
	rank := func(s Severity) int { return slices.Index([]Severity{Error, Unsure, Warning, Note}, s) }
	slices.SortStableFunc(x.report.Findings, func(a, b Finding) int { return rank(a.Severity) - rank(b.Severity) })
	x.report.Verdict = OK
	if f := x.report.Findings; len(f) > 0 && f[0].Severity != Note {
		x.report.Verdict = f[0].Severity
	}
}
