package pipe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"oathkit/pkg/internal/process"
)

// A Progress is what a person should know meanwhile.
type Progress struct {
	Progress string `json:"progress"`
}

// maxOutput bounds what oath-duo says, in bytes.
const maxOutput = 256 << 10

// Grace is how much longer than the login itself oath-duo may take.
const Grace = 10 * time.Second

// Ask runs the program of argv, an absolute path and arguments, for one login,
// and returns its verdict. What the person should know meanwhile is told, from
// another goroutine and before Ask returns. The program is killed after the
// timeout and Grace. The error, with which there is no verdict, says why nothing
// was found out; it never holds a passcode.
func Ask(ctx context.Context, argv []string, timeout time.Duration, r Request, tell func(message string)) (Verdict, error) {
	if err := r.Check(); err != nil {
		return Verdict{}, err
	}
	type plain Request // which prints what it holds
	input, err := json.Marshal(plain(r))
	if err != nil {
		return Verdict{}, errors.New("the request cannot be written")
	}
	e, err := process.Command{
		Argv: argv, Input: append(input, '\n'), Timeout: timeout + Grace, Secrets: []string{r.Passcode}, Keep: maxOutput,
		Line: func(line string) {
			var p Progress
			if decode([]byte(line), &p) == nil && p.Progress != "" && !strings.ContainsFunc(p.Progress, unicode.IsControl) {
				tell(p.Progress)
			}
		},
	}.Run(ctx)
	if err != nil {
		return Verdict{}, err
	}
	v, err := read(e, r)
	if err != nil {
		err = fmt.Errorf("%q: %w", argv[0], err)
		if e.Said != "" {
			err = fmt.Errorf("%w; it said: %s", err, e.Said)
		}
		return Verdict{}, err
	}
	return v, nil
}

// read is the verdict on the last line of what a program wrote.
func read(e process.Exit, r Request) (Verdict, error) {
	if e.Signal != 0 {
		return Verdict{}, fmt.Errorf("it was killed by signal %d (%v)", int(e.Signal), e.Signal)
	}
	text, whole := strings.CutSuffix(e.Output, "\n")
	if !whole {
		return Verdict{}, fmt.Errorf("it gave no verdict (exit code %d)", e.Code)
	}
	var v Verdict
	if err := decode([]byte(text[strings.LastIndexByte(text, '\n')+1:]), &v); err != nil {
		return Verdict{}, fmt.Errorf("its last line is no verdict (exit code %d)", e.Code)
	}
	return v, v.check(r, e.Code)
}
