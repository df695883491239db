// Package audit writes down what happened: one event is one line of JSON
// (RFC 8259) in a file that is only ever appended to, or, where that file cannot
// be written, one datagram to the local syslog (RFC 3164 as /dev/log takes it)
// with the facility AUTHPRIV.
//
// Promised: an event is one line of at most 4096 bytes and one write; a line
// holds no control character and is valid UTF-8, whatever a host put into a
// name; a line that a full disk tore in two does not swallow the next event; the
// file is created with mode 0600, and a symbolic link, a file with a second name
// or one that a stranger owns or may write is refused.
//
// Left out: rotation (logrotate's; the file is opened anew for each event),
// flushing to the disk (the store's flush is the one that a login waits for), and
// secrets: no field is meant for a key, a code or an answer.
package audit

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// MaxLine is the greatest length of a line in bytes, its newline included.
const MaxLine = 4096

// maxField is the greatest length in bytes of a field's text as it is written,
// escapes included. Names and hosts are shorter; what a network peer chose may
// not be.
const maxField = 240

// An Event is something that an administrator may want to know later. Empty
// fields are not written.
type Event struct {
	Time  time.Time // when; written in UTC to the millisecond
	Event string    // what: "login", "enable", "disable", "add", "remove", "unlock"

	User       string // name@realm
	Realm      string // the realm that was judged
	RequiredBy string // which line asks for the factor, or why one is asked for

	Service string // the program that asked, as it calls itself: "sshd", "openvpn"
	RHost   string // where the person is, as the service says
	TTY     string // the terminal, as the service says
	By      string // who made a change: the numeric user id of the process
	Login   string // the numeric user id that the session of that process logged in as

	Password   string        // of a login that has one: "held", "wrong" or "not checked"
	Verdict    string        // "accepted", "rejected", …; for a change "done"
	Reason     string        // why, in a few stable words
	Credential string        // the credential's id
	Kind       string        // the credential's kind: "totp", "hotp", "recovery"
	Offset     time.Duration // how far the person's clock is off; written in whole seconds
	Warning    string        // what should be mended although the verdict stands, in a stable word
}

// Line is the event as one line of JSON with its newline. It is never longer
// than MaxLine: text that is too long is cut and ends in "…".
func Line(e Event) []byte { return AppendLine(make([]byte, 0, 512), e) }

// AppendLine appends the event to dst as Line gives it.
func AppendLine(dst []byte, e Event) []byte {
	dst = append(dst, `{"time":"`...)
	dst = e.Time.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
	dst = append(dst, '"')
	dst = field(dst, "event", e.Event)
	dst = field(dst, "user", e.User)
	dst = field(dst, "realm", e.Realm)
	dst = field(dst, "required_by", e.RequiredBy)
	dst = field(dst, "service", e.Service)
	dst = field(dst, "rhost", e.RHost)
	dst = field(dst, "tty", e.TTY)
	dst = field(dst, "by", e.By)
	dst = field(dst, "login", e.Login)
	dst = field(dst, "password", e.Password)
	dst = field(dst, "verdict", e.Verdict)
	dst = field(dst, "reason", e.Reason)
	dst = field(dst, "credential", e.Credential)
	dst = field(dst, "kind", e.Kind)
	if seconds := int64(e.Offset / time.Second); seconds != 0 {
		dst = append(dst, `,"offset_seconds":`...)
		dst = strconv.AppendInt(dst, seconds, 10)
	}
	dst = field(dst, "warning", e.Warning)
	return append(dst, '}', '\n')
}

func field(dst []byte, name, text string) []byte {
	if text == "" {
		return dst
	}
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	dst = append(dst, '"', ':', '"')
	dst = appendText(dst, text)
	return append(dst, '"')
}

// appendText appends the text as the inside of a JSON string. What a terminal
// would act on or hide (control, format and other unprintable characters) is
// escaped; a byte that is no UTF-8 is shown as \xNN, with a backslash that the
// reader of the JSON sees.
func appendText(dst []byte, text string) []byte {
	const more = "…"
	start := len(dst)
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		before := len(dst)
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(dst, `\\x`...)
			dst = append(dst, hex(text[i]>>4), hex(text[i]))
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case strconv.IsPrint(r):
			dst = utf8.AppendRune(dst, r)
		case r > 0xffff: // a surrogate pair, RFC 8259 section 7
			dst = unit(dst, 0xd800+(r-0x10000)>>10)
			dst = unit(dst, 0xdc00+(r-0x10000)&0x3ff)
		default:
			dst = unit(dst, r)
		}
		if len(dst)-start > maxField-len(more) {
			return append(dst[:before], more...)
		}
		i += size
	}
	return dst
}

// unit appends one 16-bit unit as \uNNNN.
func unit(dst []byte, r rune) []byte {
	return append(dst, '\\', 'u', hex(byte(r>>12)), hex(byte(r>>8)), hex(byte(r>>4)), hex(byte(r)))
}

func hex(b byte) byte { return "0123456789abcdef"[b&15] }
