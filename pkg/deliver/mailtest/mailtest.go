// Package mailtest is a small SMTP server (RFC 5321) on loopback for tests: it
// keeps what it is sent. It speaks EHLO, MAIL, RCPT, DATA, RSET, NOOP and QUIT.
package mailtest

import (
	"bufio"
	"fmt"
	"net"
	"net/mail"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"
)

// A Mail is what came in one transaction.
type Mail struct {
	From string   // the reverse-path, without its brackets
	To   []string // the forward-paths
	Data string   // header and body, with \r\n, dots unstuffed
}

// Parse reads the mail's header and body.
func (m Mail) Parse(t testing.TB) (*mail.Message, string) {
	t.Helper()
	msg, err := mail.ReadMessage(strings.NewReader(m.Data))
	if err != nil {
		t.Fatalf("%v in the mail\n%s", err, m.Data)
	}
	var body strings.Builder
	if _, err := bufio.NewReader(msg.Body).WriteTo(&body); err != nil {
		t.Fatal(err)
	}
	return msg, strings.ReplaceAll(body.String(), "\r\n", "\n")
}

// A Server runs until its test ends.
type Server struct {
	Host, Port string
	mails      chan Mail
	mu         sync.Mutex
	reject     string
}

// Serve starts a server.
func Serve(t testing.TB) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s := &Server{mails: make(chan Mail, 1000)}
	if s.Host, s.Port, err = net.SplitHostPort(l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.talk(c)
		}
	}()
	return s
}

// Reject makes the server answer every recipient with this text, which begins
// with a code such as 550. The empty text takes everybody again.
func (s *Server) Reject(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reject = text
}

// Next waits for the next mail that nobody has seen.
func (s *Server) Next(t testing.TB) Mail {
	t.Helper()
	select {
	case m := <-s.mails:
		return m
	case <-time.After(time.Minute):
		t.Fatal("no mail came")
		return Mail{}
	}
}

// Empty reports whether there is no mail that nobody has seen.
func (s *Server) Empty() bool { return len(s.mails) == 0 }

func (s *Server) talk(conn net.Conn) {
	c := textproto.NewConn(conn)
	defer c.Close()
	say := func(line string) { _ = c.PrintfLine("%s", line) }
	say("220 loopback ESMTP")
	var m Mail
	for {
		line, err := c.ReadLine()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(line, " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			say("250-loopback")
			say("250 8BITMIME")
		case "HELO", "NOOP":
			say("250 loopback")
		case "RSET":
			m = Mail{}
			say("250 forgotten")
		case "MAIL":
			m = Mail{From: path(rest)}
			say("250 sender taken")
		case "RCPT":
			s.mu.Lock()
			answer := s.reject
			s.mu.Unlock()
			if answer == "" {
				m.To = append(m.To, path(rest))
				answer = "250 recipient taken"
			}
			say(answer)
		case "DATA":
			say("354 go on")
			lines, err := c.ReadDotLines()
			if err != nil {
				return
			}
			m.Data = strings.Join(lines, "\r\n") + "\r\n"
			s.mails <- m
			m = Mail{}
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say(fmt.Sprintf("502 %q is not known here", verb))
		}
	}
}

// path is what stands between the brackets.
func path(s string) string {
	_, s, _ = strings.Cut(s, "<")
	s, _, _ = strings.Cut(s, ">")
	return s
}
