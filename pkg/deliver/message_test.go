package deliver

import (
	"fmt"
	"mime"
	netmail "net/mail"
	"strings"
	"testing"
	"time"
)

func decoded(t testing.TB, header string) string {
	t.Helper()
	s, err := new(mime.WordDecoder).DecodeHeader(header)
	if err != nil {
		t.Fatalf("%q: %v", header, err)
	}
	return s
}

func TestMessageRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Mail)
		want   string
	}{
		{"no address", func(m *Mail) { m.To = "" }, `"" is no e-mail address like alice@example.org`},
		{"two addresses", func(m *Mail) { m.To = "a@b.org, c@d.org" }, "is no e-mail address"},
		{"header in the address", func(m *Mail) { m.To = "a@b.org\nBcc: c@d.org" }, `"a@b.org\nBcc: c@d.org" is no e-mail address`},
		{"header in the sender", func(m *Mail) { m.From = "a@b.org\r\nBcc: c@d.org" }, "is no e-mail address"},
		{"header in the subject", func(m *Mail) { m.Subject = "x\nBcc: c@d.org" }, "the subject has the character U+000A in it, which does not print"},
		{"return in the subject", func(m *Mail) { m.Subject = "x\rBcc: c@d.org" }, "U+000D"},
		{"line separator in the subject", func(m *Mail) { m.Subject = "x\u2028y" }, "U+2028"},
		{"turned around", func(m *Mail) { m.Subject = "x\u202ey" }, "U+202E"},
		{"subject not UTF-8", func(m *Mail) { m.Subject = "x\xff" }, "the subject is not UTF-8"},
		{"no subject", func(m *Mail) { m.Subject = " " }, "no subject"},
		{"long subject", func(m *Mail) { m.Subject = strings.Repeat("x", 201) }, "at most 200 bytes, not 201"},
		{"code in the subject", func(m *Mail) { m.Subject = "Code " + code }, "the code is in the subject"},
		{"no code", func(m *Mail) { m.Secret = "" }, "has no code"},
		{"another code", func(m *Mail) { m.Secret = "111111" }, "the code is not in the text"},
		{"return in the body", func(m *Mail) { m.Body += "\r\n" }, "the text of the message has the character U+000D"},
		{"zero byte", func(m *Mail) { m.Body += "\x00" }, "U+0000"},
		{"long line", func(m *Mail) { m.Body += strings.Repeat("x", 901) }, "longer than 900 bytes"},
		{"long body", func(m *Mail) { m.Body += strings.Repeat(strings.Repeat("x", 89)+"\n", 50) }, "at most 4096 can be sent"},
		{"no date", func(m *Mail) { m.Date = time.Time{} }, "has no date"},
	} {
		m := mail()
		c.change(&m)
		msg, err := m.Message()
		if err == nil || !strings.Contains(err.Error(), c.want) || msg != (Message{}) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), code) {
			t.Errorf("%s: the error holds the code: %v", c.name, err)
		}
	}
	for name, change := range map[string]func(*SMS){
		"number": func(s *SMS) { s.To = "030 1234" }, "text": func(s *SMS) { s.Body = "x" }, "no text": func(s *SMS) { s.Body, s.Secret = "", "" },
		"control character": func(s *SMS) { s.Body += "\x1b" }, "long": func(s *SMS) { s.Body += strings.Repeat("\nx", 500) },
	} {
		s := sms()
		change(&s)
		if msg, err := s.Message(); err == nil || msg != (Message{}) {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestCheckAddress(t *testing.T) {
	for _, s := range []string{
		"a@b", "alice@example.org", "alice.b+tag@mail-1.example.org", "o'neil@example.org", "A_b=c~d@EXAMPLE.ORG", "1@2.3",
		"x@xn--bcher-kva.example", strings.Repeat("l", 64) + "@" + strings.Repeat("d", 63) + ".org",
	} {
		if err := CheckAddress(s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
		if a, err := netmail.ParseAddress(s); err != nil || a.Address != s {
			t.Errorf("%q: the standard library reads it as %v, %v", s, a, err)
		}
	}
	for _, s := range []string{
		"", "@", "a", "a@", "@b", "a@b@c", ".a@b", "a.@b", "a..b@c", "a@.b", "a@b.", "a@b..c", "a b@c", "a@b c", " a@b", "a@b ", "a@b\n", "\ta@b",
		`"a b"@c`, `"a"@c`, "a@[127.0.0.1]", "a@b (c)", "Alice <a@b>", "<a@b>", "a@b,c@d", "a@b;c@d", "a:b@c;", `a\b@c`, "-a@b", "-oQ/tmp@b", "|prog@b", "/file@b",
		"a@-b", "a@b-", "a@b_c", "bücher@example.org", "a@bücher.example", "a\x00@b", "a@b\x7f", "a\u00a0@b",
		strings.Repeat("l", 65) + "@b", "a@" + strings.Repeat("d", 64), "a@" + strings.Repeat("d.", 130) + "d",
	} {
		if err := CheckAddress(s); err == nil {
			t.Errorf("%q is taken", s)
		}
	}
}

func TestCheckNumber(t *testing.T) {
	for _, s := range []string{"110", "+49301234567", "00493012345", "+12345678901234567890"} {
		if err := CheckNumber(s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, s := range []string{"", "+", "11", "+11", "++110", "110+", "030/123", "030 123", "-110", "123456789012345678901", "١٢٣٤", "110\n", "110;id", "$(id)"} {
		if err := CheckNumber(s); err == nil {
			t.Errorf("%q is taken", s)
		}
	}
}

func TestNothingPrinted(t *testing.T) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{mail(), sms(), message2(mail()), message2(sms())} {
			if got := fmt.Sprintf(verb, v); got != "[secret]" {
				t.Errorf("%s: %s", verb, got)
			}
		}
	}
}

func message2(m interface{ Message() (Message, error) }) Message {
	msg, _ := m.Message()
	return msg
}

// Whatever goes in, there are just the headers that there should be, and they say
// what was asked for.
func FuzzMail(f *testing.F) {
	f.Add("a@b.org", "alice@example.org", "Your code", "Your code is ")
	f.Add("", "alice@example.org", "Ihr Code für "+strings.Repeat("ß", 60), "\n.\nFrom x\n\n")
	f.Add("", "a@b", "=?utf-8?B?eA==?= \t x", "")
	f.Fuzz(func(t *testing.T, from, to, subject, body string) {
		msg, err := Mail{From: from, To: to, Subject: subject, Body: body + code, Date: noon, Secret: code}.Message()
		if err != nil {
			return
		}
		for line := range strings.SplitSeq(msg.text, "\n") {
			if len(line) > 998 || strings.ContainsAny(line, "\r\x00") {
				t.Fatalf("a line that no mail may have: %q", line)
			}
		}
		m, err := netmail.ReadMessage(strings.NewReader(msg.text))
		if err != nil {
			t.Fatalf("%v\n%s", err, msg.text)
		}
		want := 8
		if from == "" {
			want--
		}
		n := 0
		for _, values := range m.Header {
			n += len(values)
		}
		if n != want || m.Header.Get("To") != to || m.Header.Get("From") != from {
			t.Fatalf("headers: %q", m.Header)
		}
		if got := decoded(t, m.Header.Get("Subject")); strings.TrimSpace(got) != strings.TrimSpace(subject) {
			t.Fatalf("subject %q, want %q, in\n%s", got, subject, msg.text)
		}
		var b strings.Builder
		buf := make([]byte, 8192)
		for {
			n, err := m.Body.Read(buf)
			b.Write(buf[:n])
			if err != nil {
				break
			}
		}
		if got := b.String(); got != body+code+"\n" {
			t.Fatalf("body %q, want %q", got, body+code+"\n")
		}
	})
}
