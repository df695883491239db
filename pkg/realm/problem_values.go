package realm

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"oathkit/pkg/section"
)

// longStep is the TOTP step in seconds above which check warns.
const longStep = 300

// harmless reports whether the loss of a property changes nobody's login.
func harmless(key string) bool {
	return oneOf(key, "comment", "default", "filter", "sync_attributes", "user_classes",
		"group_dn", "group_name_attr", "group_filter", "group_classes", "sync-defaults-options")
}

// dropped reports a property that Proxmox VE does not take over.
func (c *checker) dropped(l section.Line, typ, id, key, value string, err error) {
	text := l.Text(c.d.file)
	eye, _ := c.v.classify(text)
	switch {
	case eye == eyeHeader, hasOdd(text) && eye == eyeWish && key != "tfa":
		return // bodyLine says what the line seems to be
	case key == "tfa" && errors.Is(err, errInnerCR):
		return // strange does
	}
	var dup *duplicateError
	switch {
	case errors.As(err, &dup):
		c.repeatedValue(l, id, key, value, dup.first)
	case key == "tfa":
		c.badTFA(l, typ, id, value, err)
	case eye == eyeWish:
		c.add(l.Number, Error, "tfa-spelling", "write \"\\ttfa type=oath\"",
			"the line seems to ask for a second factor in realm %q, but to Proxmox VE it is the unknown property %q, which it drops", id, nameOf(key))
	case errors.Is(err, errUnknownKey):
		c.add(l.Number, Warning, "unknown-property", "remove it",
			"realm %q: Proxmox VE knows no property %q, drops it, and loses it at its next write", id, nameOf(key))
	case errors.Is(err, errNotOfType):
		c.add(l.Number, severityOf(key), "property-of-other-type", "remove it",
			"realm %q: a realm of type %s has no property %q, Proxmox VE drops it", id, typ, key)
	case oneOf(key, "password", "client-key"):
		c.add(l.Number, severityOf(key), "bad-value", "mend the value", "realm %q: Proxmox VE drops %s: its value is not valid", id, key)
	default:
		c.add(l.Number, severityOf(key), "bad-value", "mend the value", "realm %q: Proxmox VE drops %s: %v", id, key, err)
	}
}

func severityOf(key string) Severity {
	if harmless(key) {
		return Warning
	}
	return Error
}

// repeatedValue reports a property that is given twice.
func (c *checker) repeatedValue(l section.Line, id, key, value string, first Property) {
	severity := severityOf(key)
	if value == first.Value {
		severity = Warning
	}
	c.add(l.Number, severity, "duplicate-property", "keep one of them",
		"realm %q: only the first %s counts (line %d: %s), Proxmox VE drops this one", id, key, first.Line, plain(first.Shown()))
}

// badTFA reports a tfa line that Proxmox VE drops, so that it asks for nothing.
func (c *checker) badTFA(l section.Line, typ, id, value string, err error) {
	code, why := "tfa-type", fmt.Sprint(err)
	var bad *tfaError
	switch {
	case errors.Is(err, errNotOfType):
		code, why = "tfa-openid", "a realm of type "+typ+" takes no tfa property, the provider has to ask for the factor"
	case errors.Is(err, errNoValue):
		code, why = "tfa-empty", "the value is missing"
	case errors.As(err, &bad):
		code = bad.code
	}
	mend := "write \"\\ttfa type=oath\", or remove the line"
	if code == "tfa-openid" {
		mend = "remove the line"
	}
	value = value[:min(len(value), 2*maxTFA)]
	c.add(l.Number, Error, code, mend,
		"the line seems to ask for a second factor in realm %q, but Proxmox VE drops it and asks for none (%s): %s", id, plain(shown("tfa", value)), why)
}

// takenOver reports values that Proxmox VE takes and nobody can want.
func (c *checker) takenOver(props []Property, id string) {
	p, ok := find(props, "tfa")
	if !ok {
		return
	}
	t, _ := ParseTFA(p.Value)
	if signedDigits(p.Value) {
		c.add(p.Line, Error, "tfa-signed-digits", "write the number without a sign",
			"realm %q: Proxmox VE takes the number of digits with its sign, and then no code is right: nobody can log in", id)
	}
	switch {
	case t.Step > MaxStep:
		c.add(p.Line, Error, "tfa-step-huge", "write step=30, or leave it out",
			"realm %q: a code stays right for %s: who once saw one can log in with it, and no authenticator app makes such codes", id, stepText(t.Step))
	case t.Step > longStep:
		c.add(p.Line, Warning, "tfa-step-long", "write step=30, or leave it out",
			"realm %q: a code stays right for %s", id, stepText(t.Step))
	}
}

// stepText says how long a code is right: its own step and one on each side.
func stepText(step int) string {
	if step > 1<<31 {
		return "ever"
	}
	return strconv.Itoa(3*step) + " seconds"
}

// signedDigits reports whether the number of digits is written with a sign.
func signedDigits(value string) bool {
	return strings.HasPrefix(value, "digits=+") || strings.Contains(value, ",digits=+")
}

func itoa(n int) string { return strconv.Itoa(n) }

func quoteName(name []byte) string { return fmt.Sprintf("%q", name) }
