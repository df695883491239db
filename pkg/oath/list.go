package oath

import (
	"fmt"
	"strings"
)

// A ListError says which texts of a list are no keys, in the order of the list.
type ListError struct {
	Total int     // texts in the list
	Bad   []error // one for each that is no key; none holds a key
}

func (e *ListError) Error() string {
	var b strings.Builder
	for i, err := range e.Bad {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(err.Error())
	}
	return b.String()
}

// Unwrap returns Bad.
func (e *ListError) Unwrap() []error { return e.Bad }

// ParseKeys reads a list of keys as the last field of a user.cfg line has it.
// A comma or semicolon always separates. Blanks between two of them separate
// only where every piece is a whole key by itself; otherwise they are the
// blanks of one pasted key and are dropped. An empty list is ErrNoKey.
//
// The keys that could be read are returned even beside an error, which is then
// a *ListError that tells of the others.
func ParseKeys(s string) ([]Key, error) {
	var keys []Key
	var bad ListError
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ',' || r == ';' }) {
		pieces := strings.FieldsFunc(part, blank)
		if len(pieces) == 0 {
			continue
		}
		if whole := wholeKeys(pieces); whole != nil {
			keys = append(keys, whole...)
			bad.Total += len(whole)
			continue
		}
		bad.Total++
		k, err := ParseKey(strings.TrimFunc(part, blank))
		if err != nil {
			bad.Bad = append(bad.Bad, fmt.Errorf("key %d of the list: %w", bad.Total, err))
			continue
		}
		keys = append(keys, k)
	}
	switch {
	case bad.Total == 0:
		return nil, ErrNoKey
	case len(bad.Bad) > 0:
		return keys, &bad
	}
	return keys, nil
}

// wholeKeys reads each piece as a key; nil when one of them is none.
func wholeKeys(pieces []string) []Key {
	keys := make([]Key, 0, len(pieces))
	for _, p := range pieces {
		k, err := ParseKey(p)
		if err != nil {
			return nil
		}
		keys = append(keys, k)
	}
	return keys
}
