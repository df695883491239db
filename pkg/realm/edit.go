package realm

import (
	"fmt"
	"slices"

	"oathkit/pkg/section"
)

// MaxStep is the longest TOTP step in seconds that an edit writes. Proxmox VE
// knows no maximum, but a code that is good for hours is a password.
const MaxStep = 3600

// An EditError says why an edit was not made, and which line is in the way.
type EditError struct {
	Line    int    // counted from 1; 0 when no line is in the way
	Message string // what is wrong, without the line
	Mend    string // what to do first, or ""
}

// Error returns the message; the caller puts file and line in front.
func (e *EditError) Error() string { return e.Message }

func editErrorf(line int, mend, format string, args ...any) *EditError {
	return &EditError{Line: line, Message: fmt.Sprintf(format, args...), Mend: mend}
}

// EnableTFA makes a realm ask for a second factor: it replaces the line that
// asks for one, else a line of the realm's section that seems to, else it adds
// one below the last property. For pam and pve it makes the section when there
// is none. The zero value of Digits and Step is the default. The error is an
// *EditError.
func EnableTFA(b []byte, id string, t TFA) ([]byte, error) {
	if t.Step > MaxStep {
		return nil, editErrorf(0, "", "step=%d: must be at most %d seconds", t.Step, MaxStep)
	}
	return Set(b, id, "tfa", t.Value())
}

// Set gives a property of a realm a value, where it stands or below the last
// property. A comment is given as text and stored percent-encoded. Proxmox VE
// must read the result as the same file with that one difference, else nothing
// is changed and the error, an *EditError, names the line in the way.
func Set(b []byte, id, key, value string) ([]byte, error) {
	e, err := newEdit(b, id, key)
	if err != nil {
		return nil, err
	}
	if e.value, err = storable(e.typ, key, value); err != nil {
		return nil, err
	}
	if err := e.otherDefault(); err != nil {
		return nil, err
	}
	out, err := e.set()
	if err != nil {
		return nil, err
	}
	if err := e.verify(out); err != nil {
		return nil, err
	}
	return out, nil
}

// Unset removes a property from the section of a realm: every line with that
// key, so that no second one takes the place of the first. The error is an
// *EditError.
func Unset(b []byte, id, key string) ([]byte, error) {
	e, err := newEdit(b, id, key)
	if err != nil {
		return nil, err
	}
	if !e.inFile {
		return b, nil
	}
	var cuts []span
	for l := range e.body() {
		if k, _, _, ok := section.SplitProperty(l.Text(e.d.file)); ok && string(k) == key {
			if err := e.owned(l); err != nil {
				return nil, err
			}
			cuts = append(cuts, span{l.Start, l.Next})
		}
	}
	if _, known := ruleOf(e.typ, key); !known && len(cuts) == 0 {
		return nil, unknownProperty(e.typ, key)
	}
	out := cut(b, cuts)
	if err := e.verify(out); err != nil {
		return nil, err
	}
	if err := e.stillWished(cuts); err != nil {
		return nil, err
	}
	return out, nil
}

// stillWished refuses to unset tfa where another line goes on asking for a
// factor in the realm, and where a line that goes asks for one in another realm
// as a person reads it.
func (e *edit) stillWished(cuts []span) error {
	if e.key != "tfa" {
		return nil
	}
	const mend = "disable the second factor of the realm instead, which removes all such lines"
	for _, w := range e.d.Wishes() {
		gone := slices.ContainsFunc(cuts, func(s span) bool { return s.start <= w.start && w.end <= s.end })
		switch {
		case gone && (len(w.Realms) != 1 || w.Realms[0] != e.id):
			return editErrorf(w.Line, mend, "the line seems to ask for a second factor in another realm than %q", e.id)
		case !gone && w.of(e.id):
			return editErrorf(w.Line, mend, "the line would still ask for a second factor in realm %q, as a person reads it", e.id)
		}
	}
	return nil
}

// storable returns a value as it is stored, if Proxmox VE takes it.
func storable(typ, key, value string) (string, error) {
	r, ok := ruleOf(typ, key)
	switch {
	case !ok:
		return "", unknownProperty(typ, key)
	case value == "":
		return "", editErrorf(0, "unset the property instead", "%s: the value is empty", key)
	case key == "comment":
		value = encodeEnds(EncodeText(value))
	}
	for i := 0; i < len(value); i++ {
		if value[i] == '\n' || value[i] == '\r' || value[i] == 0 {
			return "", editErrorf(0, "", "%s: a value is one line of text, without control characters", key)
		}
	}
	if section.IsSpace(value[0]) || section.IsSpace(value[len(value)-1]) {
		return "", editErrorf(0, "", "%s: blanks at the ends of a value are not read", key)
	}
	stored, err := r.check(value)
	switch {
	case err != nil:
		return "", editErrorf(0, "", "%s: %s", key, err)
	case key == "tfa":
		return stored, writableTFA(stored)
	}
	return stored, nil
}

// encodeEnds keeps the blanks at the ends of a comment, which the reader would
// cut off.
func encodeEnds(s string) string {
	if s != "" && s[len(s)-1] == ' ' {
		s = s[:len(s)-1] + "%20"
	}
	if s != "" && s[0] == ' ' {
		s = "%20" + s[1:]
	}
	return s
}

// writableTFA refuses what Proxmox VE reads and nobody wants.
func writableTFA(value string) error {
	t, _ := ParseTFA(value)
	switch {
	case t.Step > MaxStep:
		return editErrorf(0, "", "tfa: step=%d: must be at most %d seconds", t.Step, MaxStep)
	case signedDigits(value):
		return editErrorf(0, "write the number without a sign", "tfa: %s: with a sign before the digits nobody can log in", plain(shown("tfa", value)))
	}
	return nil
}

func unknownProperty(typ, key string) error {
	if isPropertyName(key) {
		return editErrorf(0, "", "a realm of type %s has no property %q", typ, key)
	}
	return editErrorf(0, "", "no realm has a property %q", key)
}
