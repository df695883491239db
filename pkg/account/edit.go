package account

import (
	"bytes"
	"slices"
)

// keysField is the place of KEYS among the fields of a user line, the word user
// being the first.
const keysField = 8

// SetKeys returns the file with the KEYS fields of these lines replaced, counted
// from 1. Blanks around the field, all other fields, their number where there are
// enough, and the end of the line stay as they are, and so does every other line.
// A line that begins with another word than user is left alone.
func SetKeys(file []byte, fields map[int]Keys) []byte {
	if len(fields) == 0 {
		return file
	}
	out := make([]byte, 0, len(file)+64*len(fields))
	n := 0
	for line := range bytes.Lines(file) {
		n++
		if k, ok := fields[n]; ok {
			line = setKeys(line, k)
		}
		out = append(out, line...)
	}
	return out
}

func setKeys(line []byte, k Keys) []byte {
	body := bytes.TrimRight(line, blanks)
	end := line[len(body):]
	f := bytes.Split(body, []byte{':'})
	if string(bytes.Trim(f[0], blanks)) != "user" {
		return line
	}
	short := len(f) <= keysField
	for len(f) <= keysField {
		f = append(f, nil)
	}
	old := f[keysField]
	left := old[:len(old)-len(bytes.TrimLeft(old, blanks))]
	right := old[len(bytes.TrimRight(old, blanks)):]
	if len(left) == len(old) {
		right = nil // all blanks: they were counted already
	}
	f[keysField] = slices.Concat(left, []byte(k.text), right)
	if short {
		f = append(f, nil) // as PVE writes it, with a colon at the end
	}
	return append(bytes.Join(f, []byte{':'}), end...)
}
