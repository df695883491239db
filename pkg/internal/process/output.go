package process

import (
	"bytes"
	"errors"
	"io"
	"os"
	"time"
)

// An output is where a program's standard output goes. The zero value is for one
// whose output nobody wants.
type output struct {
	keep   int
	lines  lines
	theirs *os.File // for the program
	ours   *os.File
	got    chan []byte
}

// errOutput means that the program wrote more than was asked for.
var errOutput = errors.New("its output is too long")

func (c Command) output() (*output, error) {
	o := &output{keep: c.Keep, lines: lines{tell: c.Line}}
	if c.Keep == 0 {
		return o, nil
	}
	var err error
	o.ours, o.theirs, err = os.Pipe()
	return o, err
}

// started is called once the program has its end, or could not be started: only
// then does reading end with it.
func (o *output) started() {
	if o.theirs == nil {
		return
	}
	o.theirs.Close()
	o.got = make(chan []byte, 1)
	go func() {
		b, _ := io.ReadAll(io.TeeReader(io.LimitReader(o.ours, int64(o.keep)+1), &o.lines))
		// The rest is read, too, so that the program can end.
		_, _ = io.Copy(io.Discard, o.ours)
		o.got <- b
	}()
}

// end is what the program wrote. Something that it started and that holds
// standard output open is not waited for.
func (o *output) end() (string, error) {
	if o.got == nil {
		return "", nil
	}
	enough := time.AfterFunc(linger, func() { o.ours.Close() })
	b := <-o.got
	enough.Stop()
	o.ours.Close()
	if len(b) > o.keep {
		return "", errOutput
	}
	return string(b), nil
}

// lines tells what is written to it line by line.
type lines struct {
	tell func(string)
	part []byte
}

func (l *lines) Write(p []byte) (int, error) {
	if l.tell == nil {
		return len(p), nil
	}
	l.part = append(l.part, p...)
	for {
		i := bytes.IndexByte(l.part, '\n')
		if i < 0 {
			return len(p), nil
		}
		l.tell(string(l.part[:i]))
		l.part = l.part[i+1:]
	}
}
