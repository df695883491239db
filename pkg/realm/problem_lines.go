package realm

import (
	"bytes"
	"strings"

	"oathkit/pkg/section"
)

// header reports what is wrong with a section as a whole, then its properties.
func (c *checker) header(l section.Line, i int) {
	f := c.d.file
	s := f.Sections()[i]
	id, typ := string(f.ID(s)), c.d.typeOf(s)
	if typ == "" {
		c.skipped(l, string(f.Type(s)), id)
		return
	}
	if len(id) > 32 {
		c.add(l.Number, Warning, "long-realm-id", "use at most 32 characters",
			"realm %q: Proxmox VE reads the section, but its API refuses an id of more than 32 characters", id)
	}
	if isBuiltin(id) && typ != id {
		c.add(l.Number, Error, "forced-type", "give the realm another id",
			"realm %q is always of type %s: passwords are not checked by the %s server that the section names", id, id, typ)
	}
	c.lookAlike(l, id)
	props := c.d.read(s, typ, l.Number, func(pl section.Line, key, value string, err error) {
		c.dropped(pl, typ, id, key, value, err)
	})
	c.takenOver(props, id)
	if c.last[id] == i {
		c.duplicates(l, i, id, typ, props)
		c.lacking(l, id, missing(typ, props))
		c.marked(id, props)
	}
}

// marked reports all realms marked default but the first.
func (c *checker) marked(id string, props []Property) {
	p, _ := find(props, "default")
	switch {
	case p.Value != "1":
	case c.firstDefault.Line == 0:
		c.firstDefault = p
	default:
		c.add(p.Line, Warning, "several-defaults", "keep default 1 in one realm",
			"realm %q is marked default and so is another one (line %d): Proxmox VE keeps any one of them", id, c.firstDefault.Line)
	}
}

// lacking reports a section that is void.
func (c *checker) lacking(l section.Line, id, key string) {
	switch {
	case key == "":
	case isBuiltin(id):
		c.add(l.Number, Error, "missing-property", "add it, or give the realm another id",
			"the section lacks %s, so Proxmox VE takes over nothing of it: realm %q exists without its settings, a second factor included", key, id)
	default:
		c.add(l.Number, Error, "missing-property", "add "+key,
			"the section lacks %s: nobody of realm %q can log in, and every later write of the file by Proxmox VE fails", key, id)
	}
}

// skipped reports a header whose whole section Proxmox VE passes over.
func (c *checker) skipped(l section.Line, typ, id string) {
	text := l.Text(c.d.file)
	kind, name := c.v.classify(text)
	switch {
	case kind == eyeWish:
		c.add(l.Number, Error, "tfa-not-indented", "indent the line, as in \"\\ttfa type=oath\", and leave no empty line above it",
			"the line seems to ask for a second factor, but Proxmox VE takes it for the header of a section and skips that")
	case hasOdd(text):
		c.odd(l, "the header of realm "+quoteName(name))
	case !isType(strings.ToLower(typ)) && isBuiltin(id):
		c.add(l.Number, Error, "unknown-type", "write "+id+": "+id,
			"Proxmox VE knows no realm type %q and skips the section: realm %q goes without what stands here, a second factor included", typ, id)
	case !isType(strings.ToLower(typ)):
		c.add(l.Number, Error, "unknown-type", "the types are pam, pve, ldap, ad and openid",
			"Proxmox VE knows no realm type %q and skips the section: realm %q does not exist for it", typ, id)
	default:
		c.add(l.Number, Error, "bad-realm-id", "a realm id is a letter, then at least one of letters, digits, \".\", \"-\" and \"_\"",
			"%q is no realm id: Proxmox VE skips the section", id)
	}
}

// lookAlike reports realms whose ids differ in case only.
func (c *checker) lookAlike(l section.Line, id string) {
	lower := strings.ToLower(id)
	other, met := c.folded[lower]
	switch {
	case isBuiltin(lower) && id != lower:
		c.add(l.Number, Error, "look-alike-realm", "write the id in lower case",
			"realm %q is not realm %q: what stands here does not hold for the built-in realm", id, lower)
	case met && other != id:
		c.add(l.Number, Warning, "look-alike-realm", "give one of them another id",
			"realm %q and realm %q are two realms", id, other)
	}
	c.folded[lower] = id
}

// duplicates reports, at the section that counts, those that do not.
func (c *checker) duplicates(l section.Line, i int, id, typ string, props []Property) {
	if c.times[id] < 2 {
		return
	}
	number, counted := 1, 0
	for _, s := range c.d.file.Sections()[:i] {
		t := c.d.typeOf(s)
		if t == "" || string(c.d.file.ID(s)) != id {
			continue
		}
		number += bytes.Count(c.b[counted:s.Start], []byte{'\n'})
		counted = s.Start
		old := c.d.read(s, t, number, nil)
		severity, lost := Warning, ""
		if t != typ || !sameBut(old, props, "comment") {
			severity = Error
		}
		if p, ok := find(old, "tfa"); ok {
			if _, still := find(props, "tfa"); !still {
				lost = ", and with it the second factor of line " + itoa(p.Line)
			}
		}
		c.add(l.Number, severity, "duplicate-realm", "make one section of them",
			"only this section of realm %q counts: Proxmox VE ignores the one at line %d%s", id, number, lost)
	}
}

// bodyLine looks at a line inside a section that is not its header.
func (c *checker) bodyLine(l section.Line, s section.Section) {
	text := l.Text(c.d.file)
	kind := section.KindOf(text)
	if kind == section.Blank {
		c.separator = l
	}
	if c.strange(l, text) {
		return
	}
	switch kind {
	case section.Header, section.Junk, section.Property:
	default:
		return
	}
	id := string(c.d.file.ID(s))
	eye, name := c.v.classify(text)
	switch {
	case kind == section.Header && eye == eyeHeader:
		c.swallowed(l, string(name), id)
	case eye == eyeHeader:
		c.misshapen(l, text, string(name))
	case kind == section.Property:
	case eye == eyeWish:
		c.unindented(l)
	default:
		c.add(l.Number, Warning, "stray-line", "remove it, or put # in front of it",
			"the line is neither header, property nor comment: Proxmox VE ignores it")
	}
	c.separator = section.Line{}
}

// swallowed reports a header that Proxmox VE ignores because the section above
// has not ended.
func (c *checker) swallowed(l section.Line, name, id string) {
	line, code, why := l.Number, "missing-empty-line", "no empty line stands above it"
	if sep := c.separator; sep.Number > 0 {
		line, code, why = sep.Number, "blank-separator", "the line above it is not truly empty, it holds blanks"
		if bytes.IndexByte(sep.Text(c.d.file), '\r') >= 0 {
			code, why = "crlf-separator", "the line above it is not truly empty, it holds a carriage return"
		}
	}
	c.told[l.Number] = true
	c.add(line, Error, code, "put one truly empty line above the header",
		"the header of realm %q at line %d is ignored, as %s: Proxmox VE adds the lines below it to realm %q", name, l.Number, why, id)
}

// misshapen reports a line that looks like a header and is not read as one.
func (c *checker) misshapen(l section.Line, text []byte, name string) {
	word, rest, _ := strings.Cut(strings.TrimRight(string(text), spaces), ":")
	code, why := "header-trailing-text", "text follows the realm"
	switch {
	case hasOdd(text):
		c.odd(l, "the header of realm "+quoteName([]byte(name)))
		return
	case section.IsSpace(text[0]):
		code, why = "header-indented", "it does not start in the first column"
	case strings.TrimRight(word, spaces) != word:
		code, why = "header-blank-before-colon", "blanks stand before the colon"
	case strings.Contains(rest, "#"):
		code, why = "header-comment", "a comment follows on the same line"
	}
	c.badHeader = true
	c.add(l.Number, Error, code, "write it as \"type: realm\" in the first column, with nothing behind it",
		"the line seems to begin realm %q, but Proxmox VE ignores it: %s", name, why)
}

func (c *checker) unindented(l section.Line) {
	c.add(l.Number, Error, "tfa-not-indented", "indent the line, as in \"\\ttfa type=oath\"",
		"the line seems to ask for a second factor, but Proxmox VE ignores it: it is not indented")
}

// outsideLine looks at a line outside any section.
func (c *checker) outsideLine(l section.Line) {
	text := l.Text(c.d.file)
	kind := section.KindOf(text)
	if c.strange(l, text) {
		return
	}
	eye, name := c.v.classify(text)
	switch {
	case kind != section.Junk && kind != section.Property:
	case eye == eyeHeader:
		c.misshapen(l, text, string(name))
	case kind == section.Property:
		c.orphan(l, text, eye)
	case eye == eyeWish:
		c.unindented(l)
	default:
		c.add(l.Number, Warning, "stray-line", "remove it, or put # in front of it",
			"the line is neither header, property nor comment: Proxmox VE ignores it")
	}
}

// orphan reports a property that no section owns.
func (c *checker) orphan(l section.Line, text []byte, eye eyeKind) {
	k, _, _, _ := section.SplitProperty(text)
	why, mend := "no header stands above it", "put it below the header of its realm"
	if c.ended.Number > 0 {
		why = "line " + itoa(c.ended.Number) + " ended the section of realm " + quoteName([]byte(c.endedIn))
		mend = "remove the line that ended the section"
	}
	if c.badHeader {
		why, mend = "the header above it is not one that Proxmox VE reads", "mend the header"
	}
	switch {
	case eye == eyeWish:
		c.add(l.Number, Error, "orphan-tfa", mend,
			"the line seems to ask for a second factor, but Proxmox VE ignores it: %s", why)
	case c.badHeader:
	case harmless(string(k)) || !isPropertyName(string(k)):
		c.add(l.Number, Warning, "orphan-property", mend, "Proxmox VE ignores the property %q: %s", nameOf(string(k)), why)
	default:
		c.add(l.Number, Error, "orphan-property", mend, "Proxmox VE ignores the property %q: %s", nameOf(string(k)), why)
	}
}

// strange reports a line that holds several for the eye, or characters that are
// not what they look like where that matters.
func (c *checker) strange(l section.Line, text []byte) bool {
	trimmed := bytes.TrimRight(text, "\r")
	if bytes.IndexByte(trimmed, '\r') >= 0 {
		severity := Warning
		c.v.scan(c.b, l.Start, l.Next, l.Number, func(e eyeLine) bool {
			if !e.first || e.kind == eyeWish {
				severity = Error
			}
			return true
		})
		c.add(l.Number, severity, "lone-cr", "end the lines with line feeds",
			"a carriage return stands inside the line: editors may show two lines, Proxmox VE reads one")
		return severity == Error
	}
	if !hasOdd(text) {
		return false
	}
	plain, _ := c.v.classify(visibleASCII(text))
	switch eye, name := c.v.classify(text); {
	case eye == eyeWish && plain != eyeWish:
		c.odd(l, "a line that asks for a second factor")
	case eye == eyeWish && !section.IsSpace(text[0]):
		c.odd(l, "a line that asks for a second factor")
	case eye == eyeHeader && plain != eyeHeader:
		c.badHeader = true
		c.odd(l, "the header of realm "+quoteName(name))
	default:
		return false
	}
	return true
}

// odd reports a line that looks right and holds characters that spoil it.
func (c *checker) odd(l section.Line, what string) {
	if bytes.HasPrefix(l.Text(c.d.file), []byte("\xef\xbb\xbf")) {
		c.add(l.Number, Error, "byte-order-mark", "save the file as UTF-8 without a byte order mark",
			"the line looks like %s, but Proxmox VE takes the byte order mark in front of it for a part of the first word", what)
		return
	}
	c.add(l.Number, Error, "invisible-character", "write the line anew, with tabs and plain blanks",
		"the line looks like %s, but holds characters that are not what they look like (such as no-break spaces), which Proxmox VE takes for letters", what)
}

// visibleASCII replaces each byte that is no ASCII text by a letter, which is
// what it is to the reader.
func visibleASCII(text []byte) []byte {
	out := bytes.Clone(text)
	for i, ch := range out {
		if hasOdd([]byte{ch}) {
			out[i] = 'x'
		}
	}
	return out
}
