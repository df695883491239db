package process

import (
	"strings"
	"unicode"
)

// maxShown is how much of what a program said is shown, in bytes.
const maxShown = 400

// clean makes of what a program said a text for a message or a log: one line, no
// control characters, no secrets, and of a long text the end.
func clean(said []byte, secrets []string) string {
	if len(said) > maxSaid {
		said = said[len(said)-maxSaid:]
	}
	text := string(said)
	for _, secret := range secrets {
		text = hide(text, secret)
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r):
			return ' '
		case r == unicode.ReplacementChar, !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxShown {
		text = "..." + strings.ToValidUTF8(text[len(text)-maxShown:], "")
	}
	return text
}

// hide replaces a secret in a text: as it is, in the other case, and with
// anything but letters and digits between its own, as in "123 456" or where a
// line was broken. The beginning of what was kept may be the end of a secret.
func hide(text, secret string) string {
	const instead = "[secret]"
	if secret == "" || text == "" {
		return text
	}
	text = strings.ReplaceAll(text, secret, instead)
	core := strings.ToLower(strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII || !isAlnum(byte(r)) {
			return -1
		}
		return r
	}, secret))
	if len(core) < 4 {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		if n := match(text[i:], core); n > 0 {
			b.WriteString(instead)
			i += n
			continue
		}
		b.WriteByte(text[i])
		i++
	}
	return b.String()
}

// match returns how long the spelling of core is with which text begins, 0 if it
// begins with none.
func match(text, core string) int {
	k := 0
	for i := range len(text) {
		c := text[i]
		switch {
		case isAlnum(c) && lower(c) == core[k]:
			if k++; k == len(core) {
				return i + 1
			}
		case isAlnum(c), k == 0:
			return 0
		}
	}
	return 0
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
