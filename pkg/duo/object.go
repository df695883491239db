package duo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// fields are those of a JSON object, by their names in their exact case.
type fields map[string]json.RawMessage

// object reads an object of JSON (RFC 8259), each name in it once, with nothing
// after it. encoding/json alone would fold the case of names and take the last
// of several, so that one answer could be read in two ways.
func object(b []byte) (fields, error) {
	if !utf8.Valid(b) {
		return nil, errors.New("it is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("it is no JSON object")
	}
	all := fields{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, errors.New("it is no JSON object, or not all of it")
		}
		name, _ := t.(string)
		if _, twice := all[name]; twice {
			return nil, fmt.Errorf("it has %q twice", Clean(name))
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, errors.New("it is no JSON object, or not all of it")
		}
		all[name] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, errors.New("it is no JSON object, or not all of it")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is something after it")
	}
	return all, nil
}

// text is a field that is a string; empty where it is missing or null.
func (f fields) text(name string) (string, error) {
	raw, ok := f[name]
	if !ok || string(raw) == "null" {
		return "", nil
	}
	var s string
	if raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return "", fmt.Errorf("%q in it is no text", name)
	}
	return s, nil
}

// number is a field that is a whole number; 0 where it is missing.
func (f fields) number(name string) (int64, error) {
	raw, ok := f[name]
	if !ok {
		return 0, nil
	}
	var n int64
	if json.Unmarshal(raw, &n) != nil {
		return 0, fmt.Errorf("%q in it is no whole number", name)
	}
	return n, nil
}

// about says whether an answer that names a user or a transaction names the one
// that it was asked about. Most name none.
func (f fields) about(name, asked string) error {
	got, err := f.text(name)
	if err != nil {
		return err
	}
	if _, there := f[name]; there && got != asked {
		return fmt.Errorf("it is about %s %q, not about %q", name, Clean(got), asked)
	}
	return nil
}

// maxShown is how much of a text of the service is shown, in bytes.
const maxShown = 400

// Clean makes a text of the service fit for a terminal and a log: one line of
// printable characters, and of a long one the beginning.
func Clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r):
			return ' '
		case r == unicode.ReplacementChar, !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxShown {
		s = strings.ToValidUTF8(s[:maxShown], "") + "..."
	}
	return s
}
