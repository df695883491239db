package converse

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
)

// actor is a person who has his answers ready. The answer "-" is none.
type actor struct {
	answers []string
	heard   []string
}

func (a *actor) Tell(s string) error { a.heard = append(a.heard, "tell "+s); return nil }
func (a *actor) Warn(s string) error { a.heard = append(a.heard, "warn "+s); return nil }

func (a *actor) Ask(s string) (string, error)      { return a.answer("ask " + s) }
func (a *actor) AskShown(s string) (string, error) { return a.answer("ask-shown " + s) }

func (a *actor) answer(question string) (string, error) {
	a.heard = append(a.heard, question)
	if len(a.answers) == 0 || a.answers[0] == "-" {
		return "", errors.New("no")
	}
	next := a.answers[0]
	a.answers = a.answers[1:]
	return next, nil
}

// talk runs both sides against each other.
func talk(t *testing.T, head Head, p Person, judge func(*Judge, Head)) (Verdict, error) {
	t.Helper()
	toJudge, fromHost := io.Pipe()
	toHost, fromJudge := io.Pipe()
	done := make(chan bool)
	go func() {
		defer close(done)
		defer fromJudge.Close()
		j, h, err := NewJudge(toJudge, fromJudge)
		if err != nil {
			t.Error(err)
			return
		}
		judge(j, h)
	}()
	v, err := Carry(toHost, fromHost, head, p)
	fromHost.Close()
	toHost.Close()
	<-done
	return v, err
}

func TestTalk(t *testing.T) {
	head := Head{User: "alice@pam", Service: "sshd", RHost: "2001:db8::1", TTY: "ssh"}
	p := &actor{answers: []string{"123456", "", "  1 ", "-"}}
	v, err := talk(t, head, p, func(j *Judge, h Head) {
		if h != head {
			t.Errorf("head %+v", h)
		}
		_ = j.Tell("one\n\n two \n")
		for _, want := range []string{"123456", "", "  1 "} {
			if got, err := j.Ask("Code: "); err != nil || got != want {
				t.Errorf("answer %q, %v, want %q", got, err, want)
			}
		}
		if _, err := j.AskShown(""); !errors.Is(err, ErrCancelled) {
			t.Errorf("cancelled: %v", err)
		}
		_ = j.Warn("wrong")
		_ = j.Say(Refused)
	})
	if err != nil || v != Refused {
		t.Errorf("verdict %q, %v", v, err)
	}
	want := []string{"tell one", "tell ", "tell  two ", "ask Code: ", "ask Code: ", "ask Code: ", "ask-shown ", "warn wrong"}
	if !reflect.DeepEqual(p.heard, want) {
		t.Errorf("heard %q", p.heard)
	}
}

// What a host may believe.
func TestVerdict(t *testing.T) {
	long := strings.Repeat("x", MaxLine)
	for said, want := range map[string]Verdict{
		"verdict accepted\n":                           Accepted,
		"verdict ignored\n":                            Ignored,
		"tell x\nverdict refused\n":                    Refused,
		"verdict unsure\n":                             Unsure,
		"":                                             Unsure,
		"verdict accepted":                             Unsure,
		"verdict accepted\n\n":                         Unsure,
		"verdict accepted\nverdict refused\n":          Unsure,
		"verdict accepted \n":                          Unsure,
		"verdict  accepted\n":                          Unsure,
		"verdict Accepted\n":                           Unsure,
		"Verdict accepted\n":                           Unsure,
		"verdict\n":                                    Unsure,
		"accepted\n":                                   Unsure,
		"\nverdict accepted\n":                         Unsure,
		"shout x\nverdict accepted\n":                  Unsure,
		"tell a\x00b\nverdict accepted\n":              Unsure,
		"verdict accepted\r\n":                         Unsure,
		"tell " + long + "\nverdict accepted\n":        Unsure,
		"tell " + long[:4090] + "\nverdict accepted\n": Accepted,
	} {
		v, err := Carry(strings.NewReader(said), io.Discard, Head{User: "a"}, &actor{})
		if v != want || err == nil && v == Unsure && said != "verdict unsure\n" {
			t.Errorf("%.40q: %q, %v, want %q", said, v, err, want)
		}
	}
}

func TestBadHead(t *testing.T) {
	for _, said := range []string{
		"", "user a\n", "user a", "user\n\n", "user \n\n", "user a\nuser a\n\n", "user a\nshell x\n\n", "user a\tb\n\n", "User a\n\n",
		"user " + strings.Repeat("x", MaxLine) + "\n\n",
	} {
		if _, h, err := NewJudge(strings.NewReader(said), io.Discard); err == nil {
			t.Errorf("%.40q is taken as %+v", said, h)
		}
	}
	if _, err := (Head{User: "a\nservice x"}).Lines(); err == nil {
		t.Error("a newline in a name goes through")
	}
}

// What is not an answer ends the talk.
func TestNoAnswer(t *testing.T) {
	for said, want := range map[string]error{"": ErrCancelled, "cancel\n": ErrCancelled, "answer": errLine, "answer\n": errLine, "answer 1": errLine, "x\n": errLine, "answer \x1b\n": errLine} {
		j, _, err := NewJudge(strings.NewReader("user a\n\n"+said), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := j.Ask("?"); !errors.Is(err, want) {
			t.Errorf("%q: answer %q, %v, want %v", said, got, err, want)
		}
	}
	// An answer that does not fit in a line is none.
	var out bytes.Buffer
	for _, answer := range []string{strings.Repeat("x", MaxLine), "a\nverdict", "a\x00"} {
		out.Reset()
		_, _ = Carry(strings.NewReader("ask ?\n"), &out, Head{}, &actor{answers: []string{answer}})
		if out.String() != "\ncancel\n" {
			t.Errorf("%.20q is answered with %.40q", answer, out.String())
		}
	}
}

// What is read as a head is what was said.
func FuzzHead(f *testing.F) {
	f.Add("user a\nservice sshd\nrhost ::1\ntty /dev/pts/0\n\n")
	f.Add("tty x\nuser a b \n\n")
	f.Add("user \n\n")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := readHead(bufio.NewReaderSize(strings.NewReader(text), MaxLine))
		if err != nil {
			return
		}
		b, err := h.Lines()
		if err != nil {
			t.Fatalf("%+v was read, and cannot be said: %v", h, err)
		}
		again, err := readHead(bufio.NewReaderSize(bytes.NewReader(b), MaxLine))
		if err != nil || again != h {
			t.Fatalf("%+v was said as %q and read as %+v, %v", h, b, again, err)
		}
		if n := strings.Count(string(b), "\n"); n != fields(h)+1 {
			t.Fatalf("%d lines for %+v", n, h)
		}
	})
}

func fields(h Head) (n int) {
	for _, f := range h.fields() {
		if *f.value != "" {
			n++
		}
	}
	return n
}

// No judge, however it talks, gets a verdict out of a host but by saying it last.
func FuzzCarry(f *testing.F) {
	f.Add("tell x\nask y\nverdict accepted\n")
	f.Add("verdict accepted\nverdict refused\n")
	f.Fuzz(func(t *testing.T, said string) {
		v, err := Carry(strings.NewReader(said), io.Discard, Head{User: "a"}, &actor{answers: []string{"1"}})
		if err == nil && !strings.HasSuffix("\n"+said, fmt.Sprintf("\nverdict %s\n", v)) {
			t.Fatalf("%q gave %q", said, v)
		}
		if err != nil && v != Unsure {
			t.Fatalf("%q gave %q beside an error", said, v)
		}
	})
}
