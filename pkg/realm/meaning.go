package realm

import (
	"bytes"
	"maps"

	"oathkit/pkg/section"
)

// betterButSame says whether a person reads both files alike, the second has fewer
// faults, and what Proxmox VE reads of it lies between what it reads of the first
// and what a person reads; see Fix.
func betterButSame(a, b *Domains) bool {
	person := a.meaning()
	if !maps.EqualFunc(person, b.meaning(), func(x, y *meant) bool {
		return x.wish == y.wish && maps.Equal(x.said, y.said)
	}) {
		return false
	}
	wasErrors, wasWarnings := a.faults()
	if errors, warnings := b.faults(); errors > wasErrors || errors == wasErrors && warnings >= wasWarnings {
		return false
	}
	was, is := a.effectiveProperties(), b.effectiveProperties()
	for id := range is {
		for p := range is[id] {
			if !was[id][p] && !person.sees(id, p) {
				return false
			}
		}
	}
	for id := range was {
		for p := range was[id] {
			if !is[id][p] && person.sees(id, p) {
				return false
			}
		}
	}
	return true
}

// faults counts the problems of the file.
func (d *Domains) faults() (errors, warnings int) {
	d.faultsOnce.Do(func() {
		for _, p := range d.Problems() {
			if p.Severity == Error {
				d.errors++
			} else {
				d.warnings++
			}
		}
	})
	return d.errors, d.warnings
}

// A said is a property as a person reads it.
type said struct{ key, value string }

// meant is what a person reads of a realm.
type meant struct {
	wish bool // for a factor
	said map[said]bool
}

type meanings map[string]*meant

// sees says whether a person sees the property in the realm. To him a factor is a
// factor, however it is written.
func (m meanings) sees(id string, p said) bool {
	r := m[id]
	return r != nil && (r.said[p] || p.key == "tfa" && r.wish)
}

func (m meanings) of(id string) *meant {
	if m[id] == nil {
		m[id] = &meant{said: make(map[said]bool)}
	}
	return m[id]
}

// meaning is what a person reads in the file, by realm; what stands above the
// first header is of the realm "".
func (d *Domains) meaning() meanings {
	m := make(meanings)
	owners := []*meant{m.of("")}
	var v viewer
	for l := range d.file.Lines() {
		text := bytes.TrimRight(l.Text(d.file), "\r")
		for piece := range bytes.SplitSeq(text, []byte{'\r'}) {
			kind, name := v.classify(piece)
			switch kind {
			case eyeHeader:
				owners = []*meant{m.of(string(name))}
			case eyeDoubted:
				owners = []*meant{owners[0], m.of(string(name))}
				owners[0].said[said{"?", string(name)}] = true
			case eyeWish:
				for _, r := range owners {
					r.wish = true
				}
			default:
				k, value, hasValue, ok := section.SplitProperty(piece)
				if !ok {
					continue
				}
				stored := string(value)
				if !hasValue {
					stored = "1" // of a boolean
				}
				for _, r := range owners {
					r.said[said{string(k), stored}] = true
				}
			}
		}
	}
	return m
}

// effectiveProperties is what Proxmox VE reads, by realm. A section that lacks a
// property counts with what it has, which is nothing until it is completed.
func (d *Domains) effectiveProperties() map[string]map[said]bool {
	all := make(map[string]map[said]bool)
	secs := d.file.Sections()
	for id, i := range d.lastSections() {
		typ := d.typeOf(secs[i])
		props := make(map[said]bool)
		for _, p := range d.read(secs[i], typ, 0, nil) {
			if p.Key == "tfa" {
				p.Value = "" // which one, the value says to a person as well
			}
			props[said{p.Key, p.Value}] = true
		}
		all[id] = props
	}
	return all
}
