package config

import (
	"errors"
	"strings"

	"oathkit/pkg/config/oathtable"

	"github.com/BurntSushi/toml"
)

// syntax is an error of the TOML reader in our form.
func syntax(name, text string, err error) error {
	var pe toml.ParseError
	if !errors.As(err, &pe) {
		return err
	}
	what := strings.TrimSuffix(pe.Message, ".")
	if pe.Usage != "" {
		what += " (" + pe.Usage + ")"
	}
	return oathtable.At(name, text, pe.Position.Start, lowerFirst(what))
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// errHere asks the TOML reader where it is.
var errHere = errors.New("here")

// here fails to be decoded, and so makes the reader tell the value's position.
type here struct{}

func (*here) UnmarshalTOML(any) error { return errHere }

// place is the byte offset in text of a key's value, or of a table's header. The
// TOML reader keeps positions to itself but for errors, so the file is read a
// second time with a decoder that fails at the key. A table that was never
// written by itself ("oath.bits = 1") is where its first key is.
func place(text string, key toml.Key) int {
	var m map[string]toml.Primitive
	md, err := toml.Decode(text, &m)
	if err != nil || len(key) == 0 {
		return 0
	}
	for i, piece := range key {
		value, ok := m[piece]
		if !ok {
			break
		}
		var inner map[string]toml.Primitive
		if i < len(key)-1 && md.PrimitiveDecode(value, &inner) == nil {
			m = inner
			continue
		}
		var pe toml.ParseError
		if errors.As(md.PrimitiveDecode(value, new(here)), &pe) && pe.Position.Line > 0 {
			return pe.Position.Start
		}
		break
	}
	for _, k := range md.Keys() {
		if len(k) > len(key) && k[0] == key[0] {
			return place(text, k)
		}
	}
	return 0
}
