package oathtable

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// An Error is a fault in the file's text. Its message is "name:line: what",
// then the line and a caret under the place.
type Error struct {
	Name string // the file
	Line int    // from 1
	Col  int    // from 1, in characters of Text
	Text string // the line, without its ending
	What string // what is wrong, lower case, no full stop
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d: %s", e.Name, e.Line, e.What)
	// A line that is too long for a screen is left out: the number finds it.
	if len(e.Text) > 200 || strings.TrimSpace(e.Text) == "" {
		return b.String()
	}
	var line, pad strings.Builder
	col := 0
	for _, r := range e.Text {
		col++
		if r != '\t' && (r < 0x20 || r >= 0x7f && r < 0xa0 || r == utf8.RuneError) {
			r = '?'
		}
		line.WriteRune(r)
		switch {
		case col >= e.Col:
		case r == '\t':
			pad.WriteByte('\t')
		default:
			pad.WriteByte(' ')
		}
	}
	for ; col < e.Col-1; col++ {
		pad.WriteByte(' ')
	}
	fmt.Fprintf(&b, "\n    %s\n    %s^", line.String(), pad.String())
	return b.String()
}

// At is the error at a byte offset of the file's text.
func At(name, text string, offset int, what string) *Error {
	offset = max(0, min(offset, len(text)))
	start := strings.LastIndexByte(text[:offset], '\n') + 1
	line, _, _ := strings.Cut(text[start:], "\n")
	return &Error{
		Name: name,
		Line: strings.Count(text[:start], "\n") + 1,
		Col:  utf8.RuneCountInString(text[start:offset]) + 1,
		Text: hideWord(hideKey(strings.TrimSuffix(line, "\r"))),
		What: hideWord(hideKey(what)),
	}
}

// sealKey is the length of a key of [seal] key_file as that file has it: 32 bytes
// in base64, padding included.
const sealKey = 44

// hideKey takes out what could be such a key, which somebody put here instead of
// the file's name: this error is for logs.
func hideKey(s string) string {
	run := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '=' && run >= sealKey-1:
			return s[:i-run] + "[secret]" + hideKey(s[i+1:])
		case c|0x20 >= 'a' && c|0x20 <= 'z', c >= '0' && c <= '9', c == '+', c == '/':
			run++
		default:
			run = 0
		}
	}
	return s
}

// skey is the length of a secret key of Duo's: that many letters and digits.
const skey = 40

// hideWord takes out what could be such a key.
func hideWord(s string) string {
	run := 0
	for i := range len(s) + 1 {
		if i < len(s) && (s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z' || s[i] >= '0' && s[i] <= '9') {
			run++
			continue
		}
		if run == skey {
			return s[:i-run] + "[secret]" + hideWord(s[i:])
		}
		run = 0
	}
	return s
}

// Text is the file as text: without a byte order mark, and proven to be UTF-8
// with no control characters but tab and line endings, as TOML asks.
func Text(name string, b []byte) (string, error) {
	text := string(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")))
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD"):
			return "", At(name, text, i, fmt.Sprintf("byte 0x%02x is not UTF-8; save the file as UTF-8", text[i]))
		case r == '\t' || r == '\n':
		case r == '\r' && strings.HasPrefix(text[i:], "\r\n"):
		case r < 0x20 || r == 0x7f:
			return "", At(name, text, i, fmt.Sprintf("control character 0x%02x is not allowed", r))
		}
	}
	return text, nil
}
