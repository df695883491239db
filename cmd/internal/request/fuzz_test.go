package request

import (
	"bytes"
	"testing"
)

func FuzzOpenVPN(f *testing.F) {
	for _, s := range []string{"alice\n123456\n", "alice\nSCRV1:cHc=:MTIzNDU2\n", "a\nSCRV1::\n", "\n\n", "a\nSCRV1:\r:\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := ParseOpenVPN(b); err == nil && !bytes.Equal(formatOpenVPN(r), b) {
			t.Errorf("%q comes back as %q", b, formatOpenVPN(r))
		}
	})
}

func FuzzPipe(f *testing.F) {
	for _, s := range []string{"alice\n123456\n", "alice\n", "\n\n", "a\n\r\n", "a\nb"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParsePipe(b)
		if err != nil {
			return
		}
		// The last line break may be missing.
		if got := formatPipe(r); !bytes.Equal(got, b) && !bytes.Equal(bytes.TrimSuffix(got, []byte("\n")), b) {
			t.Errorf("%q comes back as %q", b, got)
		}
	})
}

func FuzzCheckpassword(f *testing.F) {
	for _, s := range []string{"alice\x00123456\x00\x00", "\x00\x00\x00\x00", "a\x00b\x00c\x00d"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := ParseCheckpassword(b); err == nil && !bytes.Equal(formatCheckpassword(r), b) {
			t.Errorf("%q comes back as %q", b, formatCheckpassword(r))
		}
	})
}

// Whatever a name is, both spellings of the environment give it back, and no
// text gets out of the quotes of a reply.
func FuzzRadius(f *testing.F) {
	for _, s := range []string{"alice", `a"b\c`, "\x00\xff\n", `\377`, `"`, "%{User-Name}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, environ := range [][]string{{"User-Name=" + s}, {"USER_NAME=" + quote(s)}, {"USER_NAME=" + quote(s), "User-Name=" + s}} {
			if r, err := ParseRadius(environ); err != nil || r.User != s {
				t.Errorf("%q: got %q, %v", environ, r.User, err)
			}
		}
		// What is in quotes already is the same once it was read and written.
		if text, err := unquote(s); err == nil {
			if again, err := unquote(quote(text)); err != nil || again != text {
				t.Errorf("%q: %q comes back as %q, %v", s, text, again, err)
			}
		}
	})
}

func FuzzSquid(f *testing.F) {
	for _, s := range []string{"alice 123456", "1 alice 123456 192.0.2.7", "2 %20 %00%ff", "3 a ", "4 a b -"} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, line string, channels bool) {
		r, err := ParseSquid(line, channels)
		if err != nil {
			return
		}
		again, err := ParseSquid(formatSquid(r), channels)
		if err != nil || again != r {
			t.Errorf("%q comes back as %q, %v", line, formatSquid(r), err)
		}
	})
}

// An answer is one line, of which the text is in the quotes.
func FuzzSquidAnswer(f *testing.F) {
	f.Add("wrong code")
	f.Add("\"\n1 OK")
	f.Add(`\`)
	f.Fuzz(func(t *testing.T, text string) {
		const before, after = `7 ERR message="`, "\"\n"
		got := []byte(SquidAnswer("7", SquidNo, "x"+text))
		if !bytes.HasPrefix(got, []byte(before)) || !bytes.HasSuffix(got, []byte(after)) {
			t.Fatalf("%q gives %q", text, got)
		}
		inside := got[len(before) : len(got)-len(after)]
		for i := 0; i < len(inside); i++ {
			switch c := inside[i]; {
			case c == '\\':
				i++
			case c == '"' || c < ' ':
				t.Fatalf("%q gives %q", text, got)
			}
		}
	})
}
