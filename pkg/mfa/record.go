package mfa

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"oathkit/pkg/oath"
)

// RecordFormat is the number of the record's format.
const RecordFormat = 1

// MaxRecord is the length of the longest text that DecodeRecord reads, in
// bytes; the largest record is a quarter of it.
const MaxRecord = 64 << 10

// ErrNewerFormat means that a record was written by a later version.
var ErrNewerFormat = errors.New("it was written by a newer version, which alone can read it")

const timeLayout = "2006-01-02T15:04:05Z"

// EncodeRecord writes a user's record as JSON, a field a line, its secrets in
// clear. It refuses what DecodeRecord would not read back.
func EncodeRecord(u User) ([]byte, error) { return EncodeSealed(u, nil) }

// EncodeSealed is EncodeRecord with every secret sealed; a nil Sealer leaves
// them in clear.
func EncodeSealed(u User, sealer Sealer) ([]byte, error) {
	if err := CheckID(u.ID); err != nil {
		return nil, err
	}
	if err := u.Record.Check(); err != nil {
		return nil, fmt.Errorf("the record of %q cannot be written: %w", u.ID, err)
	}
	b := make([]byte, 0, 512+512*len(u.Record.Credentials)+80*len(u.Record.Recovery.Hashes))
	b = append(b, "{\n  \"format\": "...)
	b = strconv.AppendInt(b, RecordFormat, 10)
	b = appendField(b, "\n  ", "user", u.ID)
	b = appendField(b, "\n  ", "user_id", u.Record.UserID)
	b = appendField(b, "\n  ", "epoch", hex.EncodeToString(u.Record.Epoch[:]))
	b = appendField(b, "\n  ", "created", u.Record.Created.UTC().Format(timeLayout))
	if u.Record.Email != "" {
		b = appendField(b, "\n  ", "email", u.Record.Email)
	}
	if u.Record.Source != OwnKeys {
		b = appendField(b, "\n  ", "source", string(u.Record.Source))
	}
	b = append(b, ",\n  \"credentials\": ["...)
	for i := range u.Record.Credentials {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = appendCredential(b, u.ID, &u.Record.Credentials[i], sealer); err != nil {
			return nil, fmt.Errorf("the record of %q cannot be written: credential %d: %w", u.ID, i+1, err)
		}
	}
	b = append(b, "\n  ]"...)
	if r := &u.Record.Recovery; r.ID != [8]byte{} {
		b = appendRecovery(b, r)
	}
	return append(b, "\n}\n"...), nil
}

func appendCredential(b []byte, user string, c *Credential, sealer Sealer) ([]byte, error) {
	const in = "\n      "
	b = append(b, "\n    {\n      \"id\": "...)
	b = appendText(b, c.ID)
	b = appendField(b, in, "label", c.Label)
	b = appendField(b, in, "issuer", c.Issuer)
	b = appendField(b, in, "kind", string(c.Kind))
	if c.Kind == Email || c.Kind == SMS {
		b = appendField(b, in, "address", c.Address)
	}
	b, err := appendSecret(b, in, user, c, sealer)
	if err != nil {
		return nil, err
	}
	if !c.Kind.Sent() {
		b = appendField(b, in, "algorithm", c.Algorithm.String())
		b = append(b, ",\n      \"digits\": "...)
		b = strconv.AppendInt(b, int64(c.Digits), 10)
	}
	switch c.Kind {
	case TOTP:
		b = append(b, ",\n      \"period\": "...)
		b = strconv.AppendInt(b, int64(c.Period), 10)
	case HOTP:
		b = append(b, ",\n      \"counter\": "...)
		b = strconv.AppendUint(b, c.Counter, 10)
	}
	b = append(b, ",\n      \"activated\": "...)
	b = strconv.AppendBool(b, c.Activated)
	b = appendField(b, in, "created", c.Created.UTC().Format(timeLayout))
	return append(b, "\n    }"...), nil
}

func appendRecovery(b []byte, r *RecoverySet) []byte {
	b = append(b, ",\n  \"recovery\": {\n    \"id\": "...)
	b = appendText(b, hex.EncodeToString(r.ID[:]))
	if r.Form != OwnCodes {
		b = appendField(b, "\n    ", "form", string(r.Form))
	}
	b = appendField(b, "\n    ", "salt", hex.EncodeToString(r.Salt))
	b = append(b, ",\n    \"codes\": ["...)
	for i := range r.Hashes {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, "\n      \""...)
		b = hex.AppendEncode(b, r.Hashes[i][:])
		b = append(b, '"')
	}
	return append(b, "\n    ]\n  }"...)
}

func appendField(b []byte, in, name, value string) []byte {
	b = append(b, ',')
	b = append(b, in...)
	b = appendText(b, name)
	b = append(b, ": "...)
	return appendText(b, value)
}

// appendText writes a string whose characters CheckID or CheckLabel allow.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		if r == '"' || r == '\\' {
			b = append(b, '\\')
		}
		b = utf8.AppendRune(b, r)
	}
	return append(b, '"')
}

// DecodeRecord reads the record of the user with that id, as long as no secret
// in it is sealed. Errors in the text are *RecordError; none holds a secret.
func DecodeRecord(id string, b []byte) (Record, error) { return DecodeSealed(id, b, nil) }

// DecodeSealed is DecodeRecord for secrets that are sealed or in clear. With a
// nil Sealer a sealed one is ErrSealed.
func DecodeSealed(id string, b []byte, sealer Sealer) (Record, error) {
	if len(b) > MaxRecord {
		return Record{}, fmt.Errorf("the record has %d bytes, at most %d are read", len(b), MaxRecord)
	}
	s := &scanner{b: b, user: id, sealer: sealer}
	r := s.record(id)
	r.stale = s.stale
	if s.err == nil && s.peek() != 0 || s.i < len(s.b) {
		s.fail("there is more text behind the record")
	}
	if s.err == nil {
		return r, nil
	}
	if newer := newerFormat(b); newer != nil {
		return Record{}, newer
	}
	return Record{}, s.err
}

// newerFormat is asked once a record made no sense: a newer format explains it
// better than the first thing that is strange about it.
func newerFormat(b []byte) error {
	s := &scanner{b: b}
	if !s.expect('{', "the record") {
		return nil
	}
	for s.err == nil {
		name := s.text("the record")
		s.expect(':', "the record")
		s.peek()
		if at := s.i; name == "format" {
			if n := s.number("format"); s.err == nil && n > RecordFormat {
				s.failAt(at, "the record has format %d, this program reads format %d: %w", n, RecordFormat, ErrNewerFormat)
				return s.err
			}
			return nil
		}
		s.skip(16)
		s.expect(',', "the record")
	}
	return nil
}

func (s *scanner) record(id string) (r Record) {
	names := []string{"format", "user", "user_id", "epoch", "created", "credentials", "recovery", "email", "source"}
	seen := s.object("the record", names, func(i int) {
		at := s.i
		switch names[i] {
		case "format":
			if n := s.number("format"); n != RecordFormat {
				s.failAt(at, "the record has format %d, this program reads format %d", n, RecordFormat)
			}
		case "user":
			if user := s.text("user"); user != id {
				s.failAt(at, "this is the record of %s, not of %q", shown(user), id)
			}
		case "user_id":
			if r.UserID = s.text("user_id"); !isID(r.UserID) {
				s.failAt(at, "user_id is not 32 lower-case hex digits in the shape of a version-4 UUID")
			}
		case "epoch":
			s.hex("epoch", r.Epoch[:])
			if r.Epoch == [16]byte{} {
				s.failAt(at, "the epoch is zero")
			}
		case "created":
			r.Created = s.time("created")
		case "credentials":
			r.Credentials = s.credentials()
		case "recovery":
			r.Recovery = s.recovery()
		case "email":
			if r.Email = s.text("email"); r.Email == "" {
				s.failAt(at, "email is empty: where there is none the field is left out")
			}
		case "source":
			if r.Source = Source(s.text("source")); r.Source == OwnKeys {
				s.failAt(at, "source is empty: where there is none the field is left out")
			}
		}
	})
	s.require("the record", names[:6], seen)
	if s.err == nil {
		if err := r.Check(); err != nil {
			s.failAt(0, "%w", err)
		}
	}
	return r
}

func (s *scanner) credentials() (list []Credential) {
	list = make([]Credential, 0, 2)
	s.array("credentials", func(n int) {
		if n >= MaxCredentials {
			s.fail("credential %d is one too many: %w", n+1, ErrTooMany)
			return
		}
		list = append(list, s.credential("credential "+strconv.Itoa(n+1)))
	})
	return list
}

func (s *scanner) credential(where string) (c Credential) {
	begin := s.i
	names := []string{"id", "label", "issuer", "kind", "secret", "activated", "created", "algorithm", "digits", "period", "counter", "sealed", "address"}
	var sealed sealedText
	seen := s.object(where, names, func(i int) {
		switch names[i] {
		case "id":
			c.ID = s.text(where)
		case "label":
			c.Label = s.text(where)
		case "issuer":
			c.Issuer = s.text(where)
		case "kind":
			c.Kind = Kind(s.text(where))
		case "secret":
			c.Key = s.secret(where)
		case "sealed":
			sealed = s.sealed(where)
		case "algorithm":
			c.Algorithm = s.algorithm(where)
		case "digits":
			c.Digits = s.small(where)
		case "activated":
			c.Activated = s.truth(where)
		case "created":
			c.Created = s.time(where)
		case "period":
			c.Period = s.small(where)
		case "counter":
			c.Counter = s.number(where)
		case "address":
			c.Address = s.text(where)
		}
	})
	if seen&(1<<11) != 0 {
		c.Key = s.open(where, sealed, c.ID, seen&(1<<4) != 0)
		seen |= 1 << 4
	}
	if c.Kind.Sent() {
		s.require(where, names[:7], seen)
		s.forbid(begin, where, names[7:11], seen>>7)
		c.Digits = SentDigits
	} else {
		s.require(where, names[:9], seen)
	}
	if s.err != nil {
		return c
	}
	period, counter, address := seen&(1<<9) != 0, seen&(1<<10) != 0, seen&(1<<12) != 0
	switch err := c.check(); {
	case err != nil:
		s.failAt(begin, "%s: %w", where, err)
	case c.Kind == TOTP && (!period || counter):
		s.failAt(begin, "%s: kind %q has a %q and no %q", where, "totp", "period", "counter")
	case c.Kind == HOTP && (period || !counter):
		s.failAt(begin, "%s: kind %q has a %q and no %q", where, "hotp", "counter", "period")
	case address && (!c.Kind.Sent() || c.Kind == Duo):
		s.failAt(begin, "%s: kind %q has no %q", where, string(c.Kind), "address")
	}
	return c
}

func (s *scanner) algorithm(where string) oath.Algorithm {
	at := s.i
	text := s.text(where)
	for a := oath.SHA1; a <= oath.SHA512; a++ {
		if a.String() == text {
			return a
		}
	}
	s.failAt(at, "%s: algorithm %s is unknown, it must be SHA1, SHA256 or SHA512", where, shown(text))
	return oath.SHA1
}

func (s *scanner) time(where string) time.Time {
	at := s.i
	text := s.text(where)
	t, err := time.Parse(timeLayout, text)
	if s.err == nil && (err != nil || len(text) != len(timeLayout) || checkTime(t) != nil) {
		s.failAt(at, "%s: time %s is not like %q", where, shown(text), "2026-03-01T15:04:05Z")
	}
	return t
}

// hex reads lower-case hex digits that fill dst.
func (s *scanner) hex(where string, dst []byte) {
	at := s.i
	text := s.bytes(where)
	if s.err != nil {
		return
	}
	if len(text) != 2*len(dst) || !isHex(text) {
		s.failAt(at, "%s: %d lower-case hex digits should be here", where, 2*len(dst))
		return
	}
	_, _ = hex.Decode(dst, text)
}

func (s *scanner) recovery() (r RecoverySet) {
	names := []string{"id", "salt", "codes", "form"}
	seen := s.object("recovery", names, func(i int) {
		switch names[i] {
		case "form":
			at := s.i
			if r.Form = RecoveryForm(s.text("recovery form")); r.Form == OwnCodes {
				s.failAt(at, "recovery form is empty: where there is none the field is left out")
			}
		case "id":
			s.hex("recovery id", r.ID[:])
		case "salt":
			r.Salt = make([]byte, saltBytes)
			s.hex("recovery salt", r.Salt)
		case "codes":
			s.array("recovery codes", func(n int) {
				if n >= MaxRecoveryCodes {
					s.fail("there are more than %d recovery codes", MaxRecoveryCodes)
					return
				}
				var h [32]byte
				s.hex("recovery codes", h[:])
				r.Hashes = append(r.Hashes, h)
			})
		}
	})
	s.require("recovery", names[:3], seen)
	return r
}

// require fails unless each of the names was seen.
func (s *scanner) require(where string, names []string, seen uint64) {
	for i := range names {
		if seen&(1<<i) == 0 {
			s.fail("%s: field %q is missing", where, names[i])
		}
	}
}

// forbid fails if one of the names was seen.
func (s *scanner) forbid(at int, where string, names []string, seen uint64) {
	for i := range names {
		if seen&(1<<i) != 0 {
			s.failAt(at, "%s: a credential whose codes are sent has no %q", where, names[i])
		}
	}
}
