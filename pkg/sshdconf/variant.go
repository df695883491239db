package sshdconf

import (
	"slices"
	"strings"
)

// decides says whether a keyword has a part in who gets in without a code.
func decides(keyword string) bool {
	switch keyword {
	case "authenticationmethods", "kbdinteractiveauthentication", "challengeresponseauthentication", "skeyauthentication",
		"passwordauthentication", "pubkeyauthentication", "hostbasedauthentication", "gssapiauthentication",
		"kerberosauthentication", "permitemptypasswords", "usepam", "permitrootlogin", "forcecommand",
		"disableforwarding", "permittunnel", "permituserenvironment", "permituserrc", "acceptenv", "pamservicename":
		return true
	}
	return false
}

// old are the names that "sshd -T" no longer prints.
func modern(keyword string) string {
	switch keyword {
	case "challengeresponseauthentication", "skeyauthentication":
		return "kbdinteractiveauthentication"
	}
	return keyword
}

// A Variant is what is in force for connections that match some blocks.
type Variant struct {
	Settings Settings
	Blocks   []Block // of which each is matched
	file     *File
	in       []bool // by number of block
}

// MaxBlocks is how many blocks Variants looks at together.
const MaxBlocks = 10

// Variants are the settings, and those of every combination of the blocks that
// change who gets in, the smaller ones first. ok is false where there are more
// than MaxBlocks.
func (f *File) Variants(s Settings) (list []Variant, ok bool) {
	var free, always []int
	for n := 1; n < len(f.Blocks); n++ {
		switch {
		case !slices.ContainsFunc(f.Lines, func(l Line) bool { return l.Block == n && decides(l.Keyword) }):
		case strings.EqualFold(f.Blocks[n].Criteria, "all") && f.Blocks[n].Outer == 0:
			always = append(always, n)
		default:
			free = append(free, n)
		}
	}
	if len(free) > MaxBlocks {
		return nil, false
	}
	for set := range 1 << len(free) {
		chosen := slices.Clone(always)
		for i, n := range free {
			if set&(1<<i) != 0 {
				chosen = append(chosen, n)
			}
		}
		slices.Sort(chosen)
		list = append(list, f.variant(s, chosen))
	}
	slices.SortStableFunc(list, func(a, b Variant) int { return len(a.Blocks) - len(b.Blocks) })
	return list, true
}

// Global is the settings alone, for a connection that they were printed for.
func (f *File) Global(s Settings) Variant {
	return Variant{Settings: s, file: f, in: make([]bool, len(f.Blocks))}
}

// variant lays blocks over the settings: of a keyword's lines in them the first
// one counts, and those of AcceptEnv all.
func (f *File) variant(s Settings, chosen []int) Variant {
	v := Variant{Settings: Settings{}, file: f, in: make([]bool, len(f.Blocks))}
	for key, values := range s {
		v.Settings[key] = values
	}
	for _, n := range chosen {
		v.in[n] = true
		v.Blocks = append(v.Blocks, f.Blocks[n])
	}
	set := map[string]bool{}
	for _, l := range f.Lines {
		if !v.in[l.Block] || l.Block == 0 {
			continue
		}
		key := modern(l.Keyword)
		switch {
		case !set[key]:
			set[key] = true
			v.Settings[key] = []string{l.Args}
		case key == "acceptenv":
			v.Settings[key] = append(v.Settings[key], l.Args)
		}
	}
	return v
}

// place is the line that a keyword's value is from, or the file where it is the
// default.
func (v Variant) place(keyword string) Place {
	for _, inBlock := range []bool{true, false} {
		for _, l := range v.file.Lines {
			if modern(l.Keyword) == keyword && (l.Block != 0) == inBlock && (!inBlock || v.in[l.Block]) {
				return l.Place
			}
		}
	}
	return Place{v.file.Path, 0}
}

// whose are the connections that a finding is about, in words; empty for all.
func (v Variant) whose() string {
	var b strings.Builder
	for _, block := range v.Blocks {
		if b.Len() > 0 {
			b.WriteString(" and ")
		}
		b.WriteString("\"Match " + block.Criteria + "\"")
	}
	return b.String()
}
