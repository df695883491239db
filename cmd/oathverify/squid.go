package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/login"
	"oathkit/cmd/internal/request"
)

func (o *options) squidHook() *cli.Command {
	var channels bool
	return o.hook(cli.Command{
		Name:    "squid",
		Summary: "judge logins of squid, a line each, until there are no more: auth_param basic",
		Help: `A line is a name and a secret, and with key_extras "%>a" the person's address. One
user's lines are judged in the order in which they come.`,
		Run: func(c *cli.Context) error { return o.squid(c, channels) },
	}, func(f *cli.Flags) {
		f.Bool(&channels, "c,concurrency", "each line begins with the number of a channel: concurrency= in squid.conf")
	})
}

const (
	squidAtOnce  = 16   // users who are judged at one time
	squidWaiting = 1024 // lines that were read and not answered yet
)

// A squid is the process that one squid keeps for all who log in to it.
type squid struct {
	o *options
	c *cli.Context

	out struct {
		sync.Mutex
		err error // of the first answer that could not be written
	}
	lines struct {
		sync.Mutex
		of map[string][]request.Squid // that wait, by queue; a queue without lines is being served
	}
	waiting, working chan struct{}
}

func (o *options) squid(c *cli.Context, channels bool) error {
	s := &squid{o: o, c: c, waiting: make(chan struct{}, squidWaiting), working: make(chan struct{}, squidAtOnce)}
	s.lines.of = map[string][]request.Squid{}
	in := bufio.NewReaderSize(c.Stdin, request.MaxSquid)
	var served sync.WaitGroup
	defer served.Wait()
	for {
		r, err := readSquid(in, channels)
		switch {
		case err == io.EOF:
			served.Wait()
			return cmp.Or(s.written(), cli.ErrNo) // the yes of one is in his line: 0 would be somebody else's
		case errors.Is(err, errLine):
			s.c.Warn("%v", err)
			s.answer(r, request.SquidUnsure, login.Fault)
		case err != nil:
			return cli.Unsure("cannot read standard input: %w", err)
		case !channels: // answers come in the order of the lines
			s.judge(r)
		default:
			s.enqueue(&served, r)
		}
		if err := s.written(); err != nil {
			return err
		}
	}
}

// errLine is a line that is not as squid writes it. The next one may be.
var errLine = errors.New("a line of squid makes no sense")

// readSquid reads one line. A request that comes with errLine has the channel,
// if that much of the line could be read.
func readSquid(in *bufio.Reader, channels bool) (request.Squid, error) {
	b, err := in.ReadSlice('\n')
	line := string(b)
	switch {
	case err == nil:
		r, err := request.ParseSquid(line[:len(line)-1], channels)
		if err != nil {
			err = fmt.Errorf("%w: %w", errLine, err)
		}
		return r, err
	case err == bufio.ErrBufferFull:
		for err == bufio.ErrBufferFull {
			_, err = in.ReadSlice('\n')
		}
		if err != nil && err != io.EOF {
			return request.Squid{}, err
		}
		number, _, _ := strings.Cut(line, " ")
		r, _ := request.ParseSquid(number+" ", channels)
		return r, fmt.Errorf("%w: it is longer than %d bytes", errLine, request.MaxSquid)
	case err == io.EOF && line != "":
		return request.Squid{}, io.EOF // what is cut off is nobody's secret
	}
	return request.Squid{}, err
}

// enqueue has a line judged after those of the same user, beside those of others.
func (s *squid) enqueue(served *sync.WaitGroup, r request.Squid) {
	s.waiting <- struct{}{}
	queue := queueOf(r.User)
	s.lines.Lock()
	defer s.lines.Unlock()
	before, busy := s.lines.of[queue]
	s.lines.of[queue] = append(before, r)
	if !busy {
		served.Go(func() { s.serve(queue) })
	}
}

// queueOf is the same for all names that may mean one user: in either case, with
// a realm or without. That others share it costs nothing but time.
func queueOf(name string) string {
	name, _, _ = strings.Cut(name, "@")
	return strings.ToLower(name)
}

func (s *squid) serve(queue string) {
	for {
		s.lines.Lock()
		list := s.lines.of[queue]
		if len(list) == 0 {
			delete(s.lines.of, queue)
			s.lines.Unlock()
			return
		}
		s.lines.of[queue] = list[1:]
		s.lines.Unlock()

		s.working <- struct{}{}
		s.judge(list[0])
		<-s.working
		<-s.waiting
	}
}

// judge answers one line. What would be the end of any other hook is the end of
// this answer alone.
func (s *squid) judge(r request.Squid) {
	word, text := request.SquidUnsure, login.Fault
	defer func() {
		if p := recover(); p != nil {
			s.c.Warn("internal fault (%T)", p) // the value may hold a secret
			word, text = request.SquidUnsure, login.Fault
		}
		s.answer(r, word, text)
	}()
	switch result, err := s.o.judgeWhole(s.c, s.o.attempt(r.User, "squid", r.RHost, ""), secretOf(r.Request)); {
	case err != nil:
		s.c.Warn("%v", err)
	case result.OK:
		word, text = request.SquidYes, ""
	default:
		word, text = request.SquidNo, login.Refusal
	}
}

// answer writes a line at once, for somebody waits for it.
func (s *squid) answer(r request.Squid, word, text string) {
	s.out.Lock()
	defer s.out.Unlock()
	if s.out.err != nil {
		return
	}
	_, err := s.c.Stdout.WriteString(request.SquidAnswer(r.Channel, word, text))
	if err == nil {
		err = s.c.Stdout.Flush()
	}
	s.out.err = err
}

// written says whether squid still hears the answers.
func (s *squid) written() error {
	s.out.Lock()
	defer s.out.Unlock()
	if s.out.err != nil {
		return cli.StdoutError(s.out.err)
	}
	return nil
}
