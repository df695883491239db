package doctor

import (
	"context"
	"os"
	"slices"

	"oathkit/pkg/sshdconf"
)

// sshdConfig is what sshd reads unless it is told otherwise.
const sshdConfig = "/etc/ssh/sshd_config"

// files is the root as package sshdconf reads it.
type files struct{ x *exam }

func (f files) ReadFile(path string) ([]byte, error) { return readFile(f.x.path(path)) }

func (f files) Glob(pattern string) ([]string, error) { return f.x.glob(pattern) }

// sshd judges by which ways sshd lets people in.
func (x *exam) sshd(ctx context.Context) door {
	settings, err := x.settings(ctx)
	if err != nil {
		x.add(sshdConfig, 0, Unsure, "sshd", x.unrooted(err.Error()),
			"run it as root, or give what 'sshd -T' prints with --sshd")
		return door{}
	}
	file, err := sshdconf.Read(files{x}, sshdConfig)
	if err != nil {
		x.add(sshdConfig, 0, Unsure, "sshd", "its Match blocks cannot be seen: "+x.unrooted(err.Error()), "run it as root")
		return door{}
	}
	for _, name := range file.Files {
		x.trusted(name, "whoever can write the configuration of sshd decides who gets in")
	}
	variants := []sshdconf.Variant{file.Global(settings)}
	if x.Connection == "" {
		ok := false
		if variants, ok = file.Variants(settings); !ok {
			x.add(sshdConfig, 0, Unsure, "sshd-match", "there are too many Match blocks to judge every combination", "judge one kind of connection at a time with --connection")
		}
	}
	return x.variants(variants)
}

func (x *exam) variants(list []sshdconf.Variant) door {
	d := door{known: len(list) > 0, firstFactor: len(list) > 0, forced: len(list) > 0}
	var known []told
	for _, v := range list {
		if name := v.Settings["pamservicename"]; len(name) > 0 && name[0] != sshd {
			x.add(sshdConfig, 0, Error, "sshd-service", "sshd asks PAM for the service "+name[0]+", and not for "+sshd, "oathverify doctor "+name[0]+", or PAMServiceName "+sshd)
		}
		j := sshdconf.Judge(v, len(x.lines) > 0)
		d.firstFactor = d.firstFactor && (j.FirstFactor || j.Forced)
		d.forced = d.forced && j.Forced
		if len(x.lines) == 0 && !j.Forced {
			continue // that PAM asks nobody is said elsewhere
		}
		alone := len(v.Blocks) <= len(list[0].Blocks)+1
		before := len(known)
		for _, f := range j.Findings {
			locksOut := !f.Error || f.Code == "sshd-no-way"
			if locksOut && !alone || slices.ContainsFunc(known[:before], func(t told) bool { return t.covers(f, v) }) {
				continue // of a combination, which may not exist, only what is open counts
			}
			known = append(known, told{f, v})
			severity := Warning
			if f.Error {
				severity = Error
			}
			x.add(f.File, f.Line, severity, f.Code, f.Message, f.Mend)
		}
	}
	return d
}

// told is a finding that has been reported for a combination of blocks.
type told struct {
	finding sshdconf.Finding
	variant sshdconf.Variant
}

// covers says whether another one of a larger combination is the same.
func (t told) covers(f sshdconf.Finding, v sshdconf.Variant) bool {
	if t.finding.Place != f.Place || t.finding.Code != f.Code {
		return false
	}
	for _, b := range t.variant.Blocks {
		if !slices.Contains(v.Blocks, b) {
			return false
		}
	}
	return true
}

// settings are those in force, as sshd itself says.
func (x *exam) settings(ctx context.Context) (sshdconf.Settings, error) {
	switch {
	case x.SSHD != "":
		b, err := os.ReadFile(x.SSHD)
		if err != nil {
			return nil, err
		}
		s := sshdconf.ParseSettings(string(b))
		return s, s.Check()
	case x.Root != "":
		return nil, errElsewhere
	}
	return sshdconf.Effective(ctx, x.Connection)
}
