package audit

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// at is a time in a zone east of UTC, which the line must not show.
func at() time.Time {
	return time.Date(2026, 3, 4, 12, 5, 6, 789_000_000, time.FixedZone("", 3600))
}

func TestLine(t *testing.T) {
	tests := []struct {
		name string
		e    Event
		want string
	}{
		{"a login", Event{
			Event: "login", User: "alice@office", Realm: "office", Service: "sshd", RHost: "192.0.2.7",
			TTY: "ssh", Verdict: "accepted", Credential: "a09896fe33f94490953602394a1bc59c", Kind: "totp", Offset: -30 * time.Second,
		}, `"event":"login","user":"alice@office","realm":"office","service":"sshd","rhost":"192.0.2.7","tty":"ssh",` +
			`"verdict":"accepted","credential":"a09896fe33f94490953602394a1bc59c","kind":"totp","offset_seconds":-30`},
		{"a change", Event{
			Event: "disable", User: "bob@pam", Realm: "pam", RequiredBy: "domains.cfg:7", By: "0", Login: "1000", Verdict: "done", Reason: "lock-out-anyway",
		}, `"event":"disable","user":"bob@pam","realm":"pam","required_by":"domains.cfg:7","by":"0","login":"1000",` +
			`"verdict":"done","reason":"lock-out-anyway"`},
		{"a warning", Event{Event: "login", Verdict: "accepted", Warning: "weak-key"}, `"event":"login","verdict":"accepted","warning":"weak-key"`},
		{"less than a second off is not off", Event{Event: "login", Offset: 999 * time.Millisecond}, `"event":"login"`},
		{
			"a name that forges a line",
			Event{Event: "login", User: "x\"}\n{\"user\":\"root@pam"},
			`"event":"login","user":"x\"}\u000a{\"user\":\"root@pam"`,
		},
		{
			"a host that moves the cursor",
			Event{Event: "login", RHost: "\x1b[2J\x7f\u009b\u202e\u2028"},
			`"event":"login","rhost":"\u001b[2J\u007f\u009b\u202e\u2028"`,
		},
		{
			"bytes that are no text",
			Event{Event: "login", User: "a\xff\xc3(", RHost: `c:\dir`},
			`"event":"login","user":"a\\xff\\xc3(","rhost":"c:\\dir"`,
		},
		{"letters of other languages stay", Event{Event: "login", User: "Žofie@büro"}, `"event":"login","user":"Žofie@büro"`},
		{"what is beyond 16 bits", Event{Event: "login", User: "😀\U000e0001"}, `"event":"login","user":"😀\udb40\udc01"`},
		{
			"a name without an end",
			Event{Event: "login", User: strings.Repeat("a", 5000)},
			`"event":"login","user":"` + strings.Repeat("a", maxField-3) + `…"`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.e.Time = at()
			want := `{"time":"2026-03-04T11:05:06.789Z",` + tt.want + "}\n"
			if got := string(Line(tt.e)); got != want {
				t.Errorf("got  %swant %s", got, want)
			}
		})
	}
}

// FuzzLine holds the promises for any text: one line of valid JSON, nothing in
// it that a terminal acts on, and the text itself where it was not cut.
func FuzzLine(f *testing.F) {
	for _, s := range []string{"", "alice@pam", "\x00\x1f\n\r\t", "\xff", `\u000a`, "é😀\u2028", strings.Repeat("\x01", 300)} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, user, rest string) {
		e := Event{
			Time: at(), Event: "login", User: user, Realm: rest, RequiredBy: rest, Service: rest, RHost: rest, TTY: rest, By: rest, Login: rest,
			Verdict: rest, Reason: rest, Credential: rest, Kind: rest, Offset: -1 << 63,
		}
		line := Line(e)
		if len(line) > MaxLine {
			t.Fatalf("the line has %d bytes", len(line))
		}
		body, ok := strings.CutSuffix(string(line), "\n")
		if !ok || !utf8.ValidString(body) || strings.ContainsFunc(body, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Fatalf("%q is not one printable line", line)
		}
		var got map[string]any
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if text, _ := got["user"].(string); utf8.ValidString(user) && text != user && !strings.HasSuffix(text, "…") {
			t.Fatalf("user %q is written as %q", user, text)
		}
	})
}
