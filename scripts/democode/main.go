// Democode prints the code of a key, as an authenticator app would: for the
// demonstration and for trying things out. No program of the toolkit prints
// codes.
//
//	democode [-steps N] <KEYFILE
//
// The file holds a key in any spelling, or an otpauth URI.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"oathkit/pkg/oath"
)

func main() {
	steps := flag.Int("steps", 0, "the code `N` steps from now")
	flag.Parse()
	code, err := code(os.Stdin, time.Now(), *steps)
	if err != nil {
		fmt.Fprintln(os.Stderr, "democode:", err)
		os.Exit(1)
	}
	fmt.Println(code)
}

func code(r io.Reader, now time.Time, steps int) (string, error) {
	b, err := io.ReadAll(io.LimitReader(r, 4096))
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(string(b))
	u := oath.URI{Kind: oath.TOTP, Digits: 6, Period: 30}
	if strings.HasPrefix(strings.ToLower(text), "otpauth:") {
		u, err = oath.ParseURI(text)
	} else {
		u.Key, err = oath.ParseKey(text)
	}
	if err != nil {
		return "", err
	}
	if u.Kind != oath.TOTP {
		return "", errors.New("only for codes that go by time")
	}
	step := int64(oath.StepAt(now, u.Period)) + int64(steps)
	return string(oath.NewCoder(u.Key, u.Algorithm, u.Digits).AppendCode(nil, uint64(step))), nil
}
