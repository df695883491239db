package realm

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"

	"oathkit/pkg/section"
)

// Problems returns the places where the file does not do what it seems to say,
// in the order of the lines: every way in which a person's reading and that of
// Proxmox VE part, and what would lock out everybody or fail the next write.
// The codes are stable words, listed in domains.cfg(5).
func (d *Domains) Problems() []Problem {
	c := &checker{
		d: d, b: d.Bytes(), last: d.lastSections(), told: make(map[int]bool),
		folded: make(map[string]string), times: make(map[string]int), broken: make(map[int]bool),
	}
	for _, s := range d.file.Sections() {
		if d.typeOf(s) != "" {
			c.times[string(d.file.ID(s))]++
		}
	}
	if c.utf16() {
		return c.out
	}
	c.encoding()
	c.walk()
	c.oldReader()
	c.unread()
	sort.SliceStable(c.out, func(i, j int) bool { return c.out[i].Line < c.out[j].Line })
	return c.out
}

// SizeProblem returns the problem of a file under /etc/pve that is n bytes long,
// if that is one.
func SizeProblem(n int) (Problem, bool) {
	if n <= MaxPVE {
		return Problem{}, false
	}
	return Problem{
		Severity: Error, Code: "too-big",
		Message: fmt.Sprintf("the file has %d bytes, and a file under /etc/pve cannot have more than %d: it cannot be written any more", n, MaxPVE),
		Mend:    "remove comments and realms that are not used",
	}, true
}

// A checker walks a file once, line by line.
type checker struct {
	d    *Domains
	b    []byte
	out  []Problem
	told map[int]bool // lines with an error
	last map[string]int

	times        map[string]int    // how many sections a realm has
	broken       map[int]bool      // sections whose header line has an error, by index
	firstDefault Property          // the first mark of a default realm
	folded       map[string]string // realm ids in lower case, and as they were first met
	separator    section.Line      // the last line of blanks below which no header came yet
	ended        section.Line      // the line that ended the last section
	endedIn      string            // the realm of that section
	badHeader    bool              // a header that is not read stands above, outside any section
	v            viewer
}

func (c *checker) add(line int, severity Severity, code, mend, format string, args ...any) {
	if severity == Error {
		c.told[line] = true
	}
	c.out = append(c.out, Problem{
		Line: line, Severity: severity, Code: code,
		Message: fmt.Sprintf(format, args...), Mend: mend,
	})
}

// utf16 reports a file in UTF-16, of which Proxmox VE reads nothing.
func (c *checker) utf16() bool {
	if !bytes.HasPrefix(c.b, []byte{0xff, 0xfe}) && !bytes.HasPrefix(c.b, []byte{0xfe, 0xff}) {
		return false
	}
	c.add(1, Error, "utf-16", "save it as UTF-8 without a byte order mark",
		"the file is in UTF-16: Proxmox VE reads no realm in it, and lets pam and pve in without a second factor")
	return true
}

// encoding reports, once each, bytes that do not belong into a text.
func (c *checker) encoding() {
	if i := bytes.IndexByte(c.b, 0); i >= 0 {
		c.add(c.d.file.LineNumber(i), Warning, "nul-byte", "remove the NUL bytes, or put the file back from a copy",
			"the line holds a NUL byte, which no editor shows and Proxmox VE takes for a letter")
	}
	if i := invalidUTF8(c.b); i >= 0 {
		c.add(c.d.file.LineNumber(i), Warning, "invalid-utf-8", "save the file as UTF-8",
			"the line holds bytes that are not UTF-8")
	}
	if i := bytes.Index(c.b, []byte("\r\n")); i >= 0 {
		c.add(c.d.file.LineNumber(i), Warning, "crlf", "save the file with line feeds alone",
			"lines end in CR LF: to Proxmox VE a line with nothing but a carriage return is not empty, so it ends no section")
	}
}

func invalidUTF8(b []byte) int {
	if utf8.Valid(b) {
		return -1
	}
	i := 0
	for i < len(b) {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		i += n
	}
	return i
}

// walk goes through the lines with what the reader knows at each.
func (c *checker) walk() {
	secs := c.d.file.Sections()
	k, in := 0, -1 // the next section; the section that the line is in
	for l := range c.d.file.Lines() {
		if in >= 0 && l.Start >= secs[in].End {
			c.ended, c.endedIn, in = l, string(c.d.file.ID(secs[in])), -1
			c.badHeader = false
			if string(l.Text(c.d.file)) == "0" {
				c.add(l.Number, Warning, "zero-line", "make the line empty, or remove it",
					"a line that is exactly 0 ends the section of realm %q", c.endedIn)
			}
			continue
		}
		switch {
		case k < len(secs) && l.Start == secs[k].Start:
			in, k, c.separator = k, k+1, section.Line{}
			c.header(l, in)
			c.broken[in] = c.told[l.Number]
		case in >= 0:
			c.bodyLine(l, secs[in])
		default:
			c.outsideLine(l)
		}
	}
}

// oldReader reports the empty line at which Proxmox VE before 2019-08 stops.
func (c *checker) oldReader() {
	old := section.ParseOld(c.b)
	secs := c.d.file.Sections()
	if n := len(secs); n > 0 && secs[n-1].Start >= old.End() {
		c.add(c.d.file.LineNumber(old.End()), Warning, "old-pve-stops", "leave one empty line between sections, and none at the top",
			"Proxmox VE before August 2019 stops reading the file here: it sees none of the realms below, and asks for no second factor in pam and pve if they are among them")
	}
}

// unread reports each wish that no other problem explains and that Proxmox VE
// does not read as the file seems to say.
func (c *checker) unread() {
	secs := c.d.file.Sections()
	byLine, asked := c.effectiveTFA()
	k := -1
	for _, w := range c.d.Wishes() {
		for k+1 < len(secs) && secs[k+1].Start <= w.start {
			k++
		}
		skipped := k >= 0 && w.start < secs[k].End && c.broken[k]
		var open []string
		for _, id := range w.Realms {
			if !asked[id] {
				open = append(open, fmt.Sprintf("%q", id))
			}
		}
		reader, read := byLine[w.Line]
		switch {
		case len(open) == 0:
		case read:
			c.add(w.Line, Error, "tfa-elsewhere", "put one truly empty line above the header of the realm",
				"the line seems to ask for a second factor in realm %s, but Proxmox VE reads it as part of realm %q", strings.Join(open, " or "), reader)
		case !c.told[w.Line] && !skipped:
			c.add(w.Line, Error, "tfa-not-read", "write it as a line of its own, \"\\ttfa type=oath\", in the last section of the realm",
				"the line seems to ask for a second factor in realm %s, but Proxmox VE asks for none there", strings.Join(open, " or "))
		}
	}
}

// effectiveTFA returns which realm's factor a line sets, and which realms have
// one.
func (c *checker) effectiveTFA() (byLine map[int]string, asked map[string]bool) {
	byLine, asked = make(map[int]string), make(map[string]bool)
	for _, r := range c.d.Realms() {
		if r.TFA != nil {
			byLine[r.TFALine], asked[r.ID] = r.ID, true
		}
	}
	return byLine, asked
}
