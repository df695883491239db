package main

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"io"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/oath"
)

// batch is about how many bytes are written at once.
const batch = 256 << 10

// printKeys writes count keys of size bytes. Memory does not depend on count:
// randomness is read, and lines are written, a batch at a time, and while one
// batch is spelled the next is read. A write holds whole lines only, and after
// one that failed nothing more is written.
func printKeys(w *bufio.Writer, size, count int, hex bool) error {
	line := (size*8+4)/5 + 1
	if hex {
		line = 2*size + 1
	}
	per := min(batch/line, count)
	out := make([]byte, 0, per*line)
	raw, ahead := make([]byte, per*size), make([]byte, per*size)
	done := make(chan error, 1)
	read := func(b []byte) { done <- random(b) }

	file := stdoutFile()
	read(ahead)
	for n := per; n > 0; n = min(per, count) {
		if err := <-done; err != nil {
			return err
		}
		raw, ahead = ahead, raw
		if count -= n; count > 0 {
			go read(ahead[:min(per, count)*size])
		}
		var err error
		if out, err = appendKeys(out[:0], raw[:n*size], size, hex); err != nil {
			return err
		}
		if _, err = w.Write(out); err == nil {
			err = w.Flush()
		}
		if err != nil {
			file.dropPart(line, len(out))
			return cli.StdoutError(err)
		}
		file.end += int64(len(out))
	}
	return nil
}

// random fills b.
func random(b []byte) error {
	if _, err := io.ReadFull(rand.Reader, b); err != nil {
		return fmt.Errorf("cannot read randomness: %w", err)
	}
	return nil
}

// appendKeys appends a line for each key of size bytes in raw. One whose line
// would be read back as something else is drawn again, see oath.Ambiguous.
func appendKeys(dst, raw []byte, size int, hex bool) ([]byte, error) {
	for ; len(raw) > 0; raw = raw[size:] {
		if hex {
			dst = append(oath.AppendHex(dst, raw[:size]), '\n')
			continue
		}
		start := len(dst)
		for dst = oath.AppendBase32(dst, raw[:size]); oath.Ambiguous(dst[start:]); {
			if err := random(raw[:size]); err != nil {
				return nil, err
			}
			dst = oath.AppendBase32(dst[:start], raw[:size])
		}
		dst = append(dst, '\n')
	}
	return dst, nil
}
