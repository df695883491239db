// Package converse is the talk between a host that has a person before it and
// the program that judges him, one line at a time, over a pipe or a socket. Both
// sides are here: the Judge asks, the Host carries the questions to the person.
// The PAM module speaks the host's side in C.
//
// The host begins with a head of lines, in any order, each at most once, and an
// empty line:
//
//	user NAME
//	service NAME
//	rhost HOST
//	tty NAME
//
// The judge says, as often as it likes,
//
//	tell TEXT       show this
//	warn TEXT       show this as an error
//	ask TEXT        ask this; the answer does not show
//	ask-shown TEXT  ask this; the answer may show
//
// and the host answers each question with
//
//	answer TEXT
//	cancel
//
// The last line is the verdict, and after it comes the end of the file:
//
//	verdict accepted
//	verdict ignored    no factor is asked for: whatever else the host asks decides
//	verdict refused
//	verdict unsure     it could not be found out
//
// A line is at most 4096 bytes long, its newline included, and holds no other
// control character; a text may be empty and keeps its blanks. A host believes
// only a verdict that is whole and that the end of the file follows: whatever
// else it hears, it could not be found out. The end of the file in place of an
// answer is cancel.
package converse

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// MaxLine is the length of the longest line in bytes, its newline included.
const MaxLine = 4096

// A Verdict is what the judge says last.
type Verdict string

// The verdicts.
const (
	Accepted Verdict = "accepted"
	Ignored  Verdict = "ignored"
	Refused  Verdict = "refused"
	Unsure   Verdict = "unsure"
)

// ErrCancelled means that the person, or the host for him, gave no answer.
var ErrCancelled = errors.New("the question was not answered")

// errLine is a line that the protocol does not have. It is not told, for it may
// hold an answer.
var errLine = errors.New("a line that is none of this talk")

// A Head is what the host knows of the person. An empty field is not said.
type Head struct{ User, Service, RHost, TTY string }

func (h *Head) fields() []struct {
	name  string
	value *string
} {
	return []struct {
		name  string
		value *string
	}{{"user", &h.User}, {"service", &h.Service}, {"rhost", &h.RHost}, {"tty", &h.TTY}}
}

// Lines is the head as it is sent. It is an error if a field does not fit in a
// line.
func (h Head) Lines() ([]byte, error) {
	var b []byte
	for _, f := range h.fields() {
		if *f.value == "" {
			continue
		}
		var err error
		if b, err = appendLine(b, f.name, *f.value); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return append(b, '\n'), nil
}

func readHead(r *bufio.Reader) (Head, error) {
	var h Head
	seen := map[string]bool{}
	for {
		line, err := readLine(r)
		if err != nil {
			return Head{}, err
		}
		if line == "" {
			return h, nil
		}
		name, value, _ := strings.Cut(line, " ")
		if seen[name] || !h.set(name, value) {
			return Head{}, errLine
		}
		seen[name] = true
	}
}

func (h *Head) set(name, value string) bool {
	for _, f := range h.fields() {
		if f.name == name && value != "" {
			*f.value = value
			return true
		}
	}
	return false
}

// appendLine appends a line to b.
func appendLine(b []byte, word, text string) ([]byte, error) {
	if len(word)+len(text)+2 > MaxLine {
		return b, errors.New("the text is too long")
	}
	if !plain(text) {
		return b, errors.New("a control character in the text")
	}
	b = append(append(b, word...), ' ')
	return append(append(b, text...), '\n'), nil
}

// readLine returns the next line without its newline.
func readLine(r *bufio.Reader) (string, error) {
	line, err := r.ReadSlice('\n')
	switch {
	case err == io.EOF && len(line) == 0:
		return "", io.EOF
	case err == io.EOF, err == bufio.ErrBufferFull:
		return "", errLine
	case err != nil:
		return "", err
	}
	text := string(line[:len(line)-1])
	clear(line)
	if !plain(text) {
		return "", errLine
	}
	return text, nil
}

func plain(text string) bool {
	for i := range len(text) {
		if text[i] < 0x20 || text[i] == 0x7f {
			return false
		}
	}
	return true
}
