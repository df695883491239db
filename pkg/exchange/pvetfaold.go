package exchange

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// The entry that Proxmox VE makes of a key of an old line.
const (
	oldID          = "v1-entry"
	oldDescription = "<old version 1 entry>"
)

// parseOldTFA reads the tfa.cfg of before Proxmox VE 7: a line USER:TYPE:DATA for
// each user, whose data is base64 of JSON.
func parseOldTFA(b []byte) (TFA, error) {
	var t TFA
	n := 0
	for line := range bytes.SplitSeq(b, []byte{'\n'}) {
		n++
		line = bytes.Trim(line, " \t\n\f\r")
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		u, err := parseOldLine(string(line))
		if err != nil {
			return TFA{}, fmt.Errorf("line %d: %w", n, err)
		}
		t.put(u)
	}
	return t, nil
}

func parseOldLine(line string) (tfaUser, error) {
	fields := strings.SplitN(line, ":", 3)
	if len(fields) < 3 {
		return tfaUser{}, errors.New("it is not USER:TYPE:DATA")
	}
	u := tfaUser{id: fields[0]}
	data, err := base64.StdEncoding.DecodeString(fields[2])
	if err != nil {
		return u, errors.New("its data is not base64")
	}
	switch kind := fields[1]; kind {
	case "oath":
		err = u.parseOldOATH(data)
	case "u2f":
		err = u.parseOldU2F(data)
	case "yubico":
		var keys string
		err = object(data, func(name string, raw json.RawMessage) (err error) {
			if name == "keys" {
				keys, err = text(raw)
			}
			return err
		})
		u.other[2].entries = len(oldKeys(keys))
		u.other[2].enabled = u.other[2].entries
	default:
		return u, fmt.Errorf("PVE does not know the type %s", clipped(kind, 15))
	}
	return u, err
}

// parseOldU2F counts the one registration there may be. One that was never
// finished is none.
func (u *tfaUser) parseOldU2F(data []byte) error {
	u.other[0] = tfaOther{entries: 1, enabled: 1}
	return object(data, func(name string, _ json.RawMessage) error {
		if name == "challenge" {
			u.other[0] = tfaOther{}
		}
		return nil
	})
}

func (u *tfaUser) parseOldOATH(data []byte) error {
	shape := pveURI{digits: 6, period: 30, account: u.id}
	var keys string
	err := object(data, func(name string, raw json.RawMessage) (err error) {
		switch name {
		case "keys":
			keys, err = text(raw)
		case "config":
			err = object(raw, func(name string, raw json.RawMessage) (err error) {
				switch name {
				case "digits":
					shape.digits, err = perlNumber(raw, 8)
				case "step":
					shape.period, err = perlNumber(raw, 64)
				default:
					err = fmt.Errorf("PVE does not know the setting %s", clipped(name, 15))
				}
				return err
			})
		}
		return err
	})
	if err != nil {
		return err
	}
	for i, key := range oldKeys(keys) {
		e := tfaEntry{id: oldID, description: oldDescription, uri: shape}
		if e.uri.secret, err = oldKey(key); err != nil {
			return fmt.Errorf("key %d %w", i+1, err)
		}
		u.totp = append(u.totp, e)
	}
	return nil
}

// perlNumber reads a number that Perl may have written as a text.
func perlNumber(raw json.RawMessage, bits int) (uint64, error) {
	return unsigned(strings.Trim(string(raw), `"`), bits)
}

func oldKeys(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(",; \t\n\f\r", r) })
}

// oldKey decodes a key as Proxmox VE does in these lines.
func oldKey(key string) ([]byte, error) {
	digits, isHex := strings.CutPrefix(key, "v2-0x")
	b32, isV2 := strings.CutPrefix(key, "v2-")
	switch {
	case isHex, !isV2 && len(key) == 40:
		b, err := hex.DecodeString(digits)
		if err != nil {
			return nil, errors.New("is not hexadecimal")
		}
		return b, nil
	case isV2, len(key) == 16:
		b, err := looseBase32(b32)
		if err != nil {
			return nil, errors.New("is not base32")
		}
		return b, nil
	}
	return nil, errors.New("is neither hexadecimal nor base32")
}
