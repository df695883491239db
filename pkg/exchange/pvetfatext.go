package exchange

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// Text writes the file as Proxmox VE writes it: JSON without blanks, fields in a
// fixed order, what is at its default left out. Users are sorted by id. Of a file
// of old lines the factors of U2F and YubiKey OTP are not in it.
func (t TFA) Text() []byte {
	users := slices.Clone(t.users)
	slices.SortFunc(users, func(a, b tfaUser) int { return strings.Compare(a.id, b.id) })
	b := []byte("{")
	for i := range users {
		if i == 0 {
			b = append(b, `"users":{`...)
		} else {
			b = append(b, ',')
		}
		b = append(appendJSON(b, users[i].id), ':')
		b = users[i].append(b)
	}
	if len(users) > 0 {
		b = append(b, '}')
	}
	return append(b, '}')
}

func (u *tfaUser) append(b []byte) []byte {
	start := len(b)
	field := func(name string) {
		if len(b) > start+1 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), name...), `":`...)
	}
	b = append(b, '{')
	if len(u.totp) > 0 {
		field("totp")
		b = append(b, '[')
		for i := range u.totp {
			if i > 0 {
				b = append(b, ',')
			}
			b = u.totp[i].append(b)
		}
		b = append(b, ']')
	}
	other := func(i int) {
		if len(u.other[i].raw) > 0 { // else it was in an old line
			field(otherKinds[i])
			b = append(b, u.other[i].raw...)
		}
	}
	other(0)
	other(1)
	if u.recovery != nil {
		field("recovery")
		b = u.recovery.append(b)
	}
	other(2)
	if u.locked {
		field("totp-locked")
		b = append(b, "true"...)
	}
	if u.lockedUntil != nil {
		field("tfa-locked-until")
		b = strconv.AppendInt(b, *u.lockedUntil, 10)
	}
	return append(b, '}')
}

func (e *tfaEntry) append(b []byte) []byte {
	b = appendJSON(append(b, `{"id":`...), e.id)
	if e.description != "" {
		b = appendJSON(append(b, `,"description":`...), e.description)
	}
	b = strconv.AppendInt(append(b, `,"created":`...), e.created, 10)
	if e.disabled {
		b = append(b, `,"enable":false`...)
	}
	b = append(b, `,"entry":`...)
	if e.lastCount == nil {
		return append(appendJSON(b, e.uri.text()), '}')
	}
	b = appendJSON(append(b, `{"totp":`...), e.uri.text())
	b = strconv.AppendInt(append(b, `,"last-count":`...), *e.lastCount, 10)
	return append(b, "}}"...)
}

func (r *tfaRecovery) append(b []byte) []byte {
	b = appendJSON(append(b, `{"secret":`...), r.secret)
	b = append(b, `,"entries":[`...)
	for i, e := range r.entries {
		if i > 0 {
			b = append(b, ',')
		}
		if e == "" {
			b = append(b, "null"...)
		} else {
			b = appendJSON(b, e)
		}
	}
	b = strconv.AppendInt(append(b, `],"created":`...), r.created, 10)
	return append(b, '}')
}

// appendJSON writes a text with nothing escaped that need not be.
func appendJSON(b []byte, s string) []byte {
	var w bytes.Buffer
	e := json.NewEncoder(&w)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string and a buffer cannot fail
	return append(b, bytes.TrimSuffix(w.Bytes(), []byte("\n"))...)
}
