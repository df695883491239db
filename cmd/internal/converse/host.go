package converse

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A Person is whom the host has before it. An error of a question is an answer
// that was not given.
type Person interface {
	Tell(text string) error
	Warn(text string) error
	Ask(prompt string) (string, error)
	AskShown(prompt string) (string, error)
}

// Carry is the host's side: it says who the person is, carries what the judge
// says to him and his answers back, and returns the verdict, which is Unsure with
// every error.
func Carry(in io.Reader, out io.Writer, head Head, p Person) (Verdict, error) {
	b, err := head.Lines()
	if err != nil {
		return Unsure, err
	}
	if _, err := out.Write(b); err != nil {
		return Unsure, fmt.Errorf("cannot talk to the judge: %w", err)
	}
	r := bufio.NewReaderSize(in, MaxLine)
	for {
		line, err := readLine(r)
		if err == io.EOF {
			return Unsure, errors.New("the judge gave no verdict")
		}
		if err != nil {
			return Unsure, fmt.Errorf("the judge cannot be understood: %w", err)
		}
		word, text, ok := strings.Cut(line, " ")
		if ok && word == "verdict" {
			return last(r, Verdict(text))
		}
		if !ok {
			return Unsure, fmt.Errorf("the judge cannot be understood: %w", errLine)
		}
		if err := hear(out, p, word, text); err != nil {
			return Unsure, err
		}
	}
}

// last believes a verdict that nothing follows.
func last(r *bufio.Reader, v Verdict) (Verdict, error) {
	if _, err := r.ReadByte(); err != io.EOF {
		return Unsure, errors.New("the judge went on after the verdict")
	}
	switch v {
	case Accepted, Ignored, Refused, Unsure:
		return v, nil
	}
	return Unsure, errors.New("the judge's verdict is none")
}

// hear does what one line asks for.
func hear(out io.Writer, p Person, word, text string) error {
	var answer string
	var err error
	switch word {
	case "tell":
		return p.Tell(text)
	case "warn":
		return p.Warn(text)
	case "ask":
		answer, err = p.Ask(text)
	case "ask-shown":
		answer, err = p.AskShown(text)
	default:
		return fmt.Errorf("the judge cannot be understood: %w", errLine)
	}
	reply := []byte("cancel\n")
	if err == nil {
		if b, err := appendLine(nil, "answer", answer); err == nil {
			reply = b
		}
	}
	_, err = out.Write(reply)
	clear(reply)
	if err != nil {
		return fmt.Errorf("cannot talk to the judge: %w", err)
	}
	return nil
}
