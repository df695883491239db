package exchange

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// A TFA is a tfa.cfg of Proxmox VE. It prints as [secret].
type TFA struct {
	users []tfaUser      // in the order of the file
	place map[string]int // of each id among them
}

// Format prints [secret], whatever the verb.
func (TFA) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[secret]") }

// A tfaUser is what the file says of one user.
type tfaUser struct {
	id          string
	totp        []tfaEntry
	other       [3]tfaOther // in the order of otherKinds
	recovery    *tfaRecovery
	locked      bool
	lockedUntil *int64
}

// A tfaEntry is one key.
type tfaEntry struct {
	id, description string
	created         int64
	disabled        bool
	uri             pveURI
	lastCount       *int64 // the last step that was used
}

// A tfaOther is a list of factors that are none of ours, as it is in the file.
type tfaOther struct {
	raw     json.RawMessage
	entries int
	enabled int
}

// A tfaRecovery is a set of recovery codes.
type tfaRecovery struct {
	secret  string
	entries []string // hex; empty: used
	created int64
}

// otherKinds are the names of the lists of tfaUser.other.
var otherKinds = [...]string{"u2f", "webauthn", "yubico"}

// ParseTFA reads a tfa.cfg, in its JSON or in the lines that it had before
// Proxmox VE 7. What Proxmox VE could not read is an error, for the whole file:
// nobody knows what it meant by then.
func ParseTFA(b []byte) (TFA, error) {
	if !utf8.Valid(b) {
		return TFA{}, errors.New("it is not UTF-8")
	}
	text := bytes.TrimLeft(b, " \t\r\n")
	if len(text) == 0 {
		return TFA{}, nil
	}
	if text[0] != '{' {
		return parseOldTFA(b)
	}
	var t TFA
	seen := false
	err := object(b, func(name string, raw json.RawMessage) error {
		switch {
		case name != "users":
			return nil // PVE takes whatever else is there, and loses it
		case seen:
			return errors.New("the users are there twice")
		}
		seen = true
		return object(raw, func(id string, raw json.RawMessage) error {
			u, err := parseTFAUser(id, raw)
			if err != nil {
				return fmt.Errorf("user %s: %w", clipped(id, 64), err)
			}
			t.put(u)
			return nil
		})
	})
	if err != nil {
		return TFA{}, err
	}
	return t, nil
}

// put adds a user; of one that is there twice the last is the one that counts.
func (t *TFA) put(u tfaUser) {
	if i, ok := t.place[u.id]; ok {
		t.users[i] = u
		return
	}
	if t.place == nil {
		t.place = map[string]int{}
	}
	t.place[u.id] = len(t.users)
	t.users = append(t.users, u)
}

func parseTFAUser(id string, raw json.RawMessage) (tfaUser, error) {
	u := tfaUser{id: id}
	seen := map[string]bool{}
	err := object(raw, func(name string, raw json.RawMessage) (err error) {
		if seen[name] {
			return fmt.Errorf("field %q is there twice", name)
		}
		seen[name] = true
		switch name {
		case "totp":
			err = list(raw, func(raw json.RawMessage) error {
				e, err := parseTOTP(raw)
				u.totp = append(u.totp, e)
				return err
			})
		case "u2f", "webauthn", "yubico":
			err = u.parseOther(name, raw)
		case "recovery":
			u.recovery, err = parseRecovery(raw)
		case "totp-locked":
			u.locked, err = truth(raw)
		case "tfa-locked-until":
			if string(raw) != "null" {
				u.lockedUntil = new(int64)
				*u.lockedUntil, err = integer(raw)
			}
		default:
			return fmt.Errorf("PVE does not know the field %s", clipped(name, 15))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
	return u, err
}

// parseItem reads what every item has around its entry.
func parseItem(raw json.RawMessage, entry func(json.RawMessage) error) (e tfaEntry, err error) {
	seen := map[string]bool{}
	err = object(raw, func(name string, raw json.RawMessage) (err error) {
		if seen[name] {
			return fmt.Errorf("field %q is there twice", name)
		}
		seen[name] = true
		switch name {
		case "id":
			e.id, err = text(raw)
		case "description":
			e.description, err = text(raw)
		case "created":
			e.created, err = integer(raw)
		case "enable":
			var on bool
			on, err = truth(raw)
			e.disabled = !on
		case "entry":
			err = entry(raw)
		default:
			return fmt.Errorf("PVE does not know the field %s", clipped(name, 15))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
	for _, name := range [...]string{"id", "created", "entry"} {
		if err == nil && !seen[name] {
			err = fmt.Errorf("the field %q is missing", name)
		}
	}
	return e, err
}

// parseTOTP reads an item of the list totp. Its entry is a URI, or one with the
// last step once a code was used.
func parseTOTP(raw json.RawMessage) (tfaEntry, error) {
	var uri string
	var last *int64
	e, err := parseItem(raw, func(raw json.RawMessage) (err error) {
		if len(raw) > 0 && raw[0] == '"' {
			uri, err = text(raw)
			return err
		}
		given := 0
		err = object(raw, func(name string, raw json.RawMessage) (err error) {
			switch {
			case name == "totp" && given&1 == 0:
				given |= 1
				uri, err = text(raw)
			case name == "last-count" && given&2 == 0:
				given |= 2
				last = new(int64)
				*last, err = integer(raw)
			default:
				err = fmt.Errorf("PVE does not know the field %s there, or has it twice", clipped(name, 15))
			}
			return err
		})
		if err == nil && given&1 == 0 {
			err = errors.New("its URI is missing")
		}
		return err
	})
	if err != nil {
		return e, err
	}
	e.lastCount = last
	if e.uri, err = parsePVEURI(uri); err != nil {
		return e, fmt.Errorf("the otpauth URI: %w", err)
	}
	return e, nil
}

func (u *tfaUser) parseOther(name string, raw json.RawMessage) error {
	var o tfaOther
	err := list(raw, func(raw json.RawMessage) error {
		e, err := parseItem(raw, func(json.RawMessage) error { return nil })
		o.entries++
		if !e.disabled {
			o.enabled++
		}
		return err
	})
	var compact bytes.Buffer
	if err == nil {
		err = json.Compact(&compact, raw)
	}
	o.raw = compact.Bytes()
	for i, kind := range otherKinds {
		if kind == name && o.entries > 0 {
			u.other[i] = o
		}
	}
	return err
}

func parseRecovery(raw json.RawMessage) (*tfaRecovery, error) {
	if string(raw) == "null" {
		return nil, nil
	}
	r := &tfaRecovery{}
	seen := map[string]bool{}
	err := object(raw, func(name string, raw json.RawMessage) (err error) {
		if seen[name] {
			return fmt.Errorf("field %q is there twice", name)
		}
		seen[name] = true
		switch name {
		case "secret":
			r.secret, err = text(raw)
		case "created":
			r.created, err = integer(raw)
		case "entries":
			err = list(raw, func(raw json.RawMessage) error {
				entry := ""
				if string(raw) != "null" {
					if entry, err = text(raw); err == nil && entry == "" {
						err = errors.New("an entry is empty")
					}
				}
				r.entries = append(r.entries, entry)
				return err
			})
		}
		return err
	})
	for _, name := range [...]string{"secret", "entries", "created"} {
		if err == nil && !seen[name] {
			err = fmt.Errorf("the field %q is missing", name)
		}
	}
	return r, err
}

var errNoJSON = errors.New("it is not JSON as PVE writes it")

// object calls field with each field of an object, and wants nothing behind it.
// The errors of encoding/json are not passed on: they quote what they read.
func object(raw []byte, field func(name string, raw json.RawMessage) error) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.New("an object should be there")
	}
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return errNoJSON
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return errNoJSON
		}
		if err := field(name, value); err != nil {
			return err
		}
	}
	return ended(d)
}

// list calls item with each item of an array.
func list(raw []byte, item func(json.RawMessage) error) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return errors.New("a list should be there")
	}
	for n := 1; d.More(); n++ {
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return errNoJSON
		}
		if err := item(value); err != nil {
			return fmt.Errorf("item %d: %w", n, err)
		}
	}
	return ended(d)
}

func ended(d *json.Decoder) error {
	if _, err := d.Token(); err != nil {
		return errNoJSON
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows its end")
	}
	return nil
}

func text(raw json.RawMessage) (s string, err error) {
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return "", errors.New("a text should be there")
	}
	return s, nil
}

func integer(raw json.RawMessage) (int64, error) {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return 0, errors.New("a whole number should be there")
	}
	return n, nil
}

func truth(raw json.RawMessage) (bool, error) {
	switch string(raw) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, errors.New("true or false should be there")
}

// clipped quotes a name, but not one that is longer: it could be a key, or fill the
// screen.
func clipped(s string, most int) string {
	if len(s) > most {
		return "of " + strconv.Itoa(len(s)) + " bytes"
	}
	return strconv.Quote(s)
}
