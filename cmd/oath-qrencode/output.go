package main

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/oath"
	"oathkit/pkg/qr"
)

// module is the pixels on the side of a module.
const module = 4

// A target is what to write, and where to.
type target struct {
	form     string
	file     string // empty for standard output
	terminal bool   // standard output, and it is a terminal
}

// isText says whether the form is a picture for a terminal.
func (t target) isText() bool { return t.form == "utf8" || t.form == "ansi" || t.form == "ascii" }

func (o *options) target() (target, error) {
	t := target{form: o.form, file: o.output}
	if o.flags.Given("output") && o.output == "" {
		return t, cli.Misused("option --output needs the name of a file")
	}
	if t.file == "-" {
		t.file = ""
	}
	t.terminal = t.file == "" && cli.IsTerminal(os.Stdout)
	switch ending := strings.ToLower(t.file); {
	case t.form != "":
	case t.terminal:
		t.form = "utf8"
	case strings.HasSuffix(ending, ".png"):
		t.form = "png"
	case strings.HasSuffix(ending, ".svg"):
		t.form = "svg"
	default:
		t.form = "uri"
	}
	for _, name := range [...]string{"invert", "level"} {
		if (t.form == "uri" || t.form == "json") && o.flags.Given(name) {
			return t, cli.Misused("option --%s is for a picture, and %s is none", name, t.form).Hint("say which picture: -t TYPE")
		}
	}
	if t.terminal && t.form == "png" {
		return t, cli.Misused("a PNG image is nothing for a terminal").Hint("write it to a file: -o FILE")
	}
	return t, nil
}

// draw makes the data.
func (o *options) draw(u oath.URI, t target) ([]byte, error) {
	text := u.Format()
	switch t.form {
	case "uri":
		return []byte(text + "\n"), nil
	case "json":
		return describe(u, text), nil
	}
	code, err := qr.Encode([]byte(text), o.level)
	if errors.Is(err, qr.ErrTooLong) {
		err := cli.Refused("the URI of %d bytes is too long for a QR code at level %v", len(text), o.level).
			Hint("a shorter issuer or account (-i, -a) makes a shorter URI")
		if o.level != qr.L {
			err.Hint("level L holds most")
		}
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	s := qr.Style{Quiet: qr.QuietZone, Module: module, Invert: o.invert}
	if t.terminal && t.isText() {
		if err := fits(code, s, t.form); err != nil {
			return nil, err
		}
	}
	switch t.form {
	case "ansi":
		return code.AppendANSI(nil, s), nil
	case "ascii":
		return code.AppendASCII(nil, s), nil
	case "png":
		return code.AppendPNG(nil, s), nil
	case "svg":
		return code.AppendSVG(nil, s), nil
	}
	return code.AppendHalfBlocks(nil, s), nil
}

// describe is the URI in parts, as JSON with the indent of Context.JSON. All
// names are always there; the period of hotp and the counter of totp are null.
// It is written by hand because linking encoding/json costs every start 3 %.
func describe(u oath.URI, text string) []byte {
	period, counter := strconv.Itoa(u.Period), "null"
	if u.Kind == oath.HOTP {
		period, counter = "null", strconv.FormatUint(u.Counter, 10)
	}
	b := []byte("{")
	for i, member := range [...][2]string{
		{"type", quoted(u.Kind.String())},
		{"issuer", quoted(u.Issuer)},
		{"account", quoted(u.Account)},
		{"secret", quoted(u.Key.Base32())},
		{"algorithm", quoted(u.Algorithm.String())},
		{"digits", strconv.Itoa(u.Digits)},
		{"period", period},
		{"counter", counter},
		{"uri", quoted(text)},
	} {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, "\n    "+quoted(member[0])+": "+member[1]...)
	}
	return append(b, "\n}\n"...)
}

// quoted is a JSON string. The parts of a checked URI are UTF-8 without control
// characters, so only two characters need an escape.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// fits refuses a picture that the terminal would wrap or scroll away; one row is
// for the prompt that follows.
func fits(code *qr.Code, s qr.Style, form string) error {
	size := code.WideSize
	if form == "utf8" {
		size = code.HalfBlockSize
	}
	needColumns, needRows := size(s)
	needRows++
	columns, rows, ok := cli.TerminalSize(os.Stdout)
	if !ok || needColumns <= columns && needRows <= rows {
		return nil
	}
	err := cli.Refused("the QR code needs %d columns and %d rows with the prompt; this terminal has %d and %d", needColumns, needRows, columns, rows).
		Hint("enlarge the terminal or take a smaller font, or write an image: -t png -o FILE")
	if form == "utf8" {
		return err.Hint("a shorter issuer or account (-i, -a) makes a smaller QR code")
	}
	if c, r := code.HalfBlockSize(s); c <= columns && r+1 <= rows {
		return err.Hint("-t utf8 would fit")
	}
	return err
}

// write hands out the data. The line of -g goes to standard output: above a
// picture that is text, or alone when the data goes to a file. It is left out
// where it would spoil an image on standard output or repeat what a URI says.
func (o *options) write(c *cli.Context, u oath.URI, t target, data []byte) error {
	if t.file != "" {
		if err := create(t.file, data); err != nil {
			return err
		}
	}
	if o.generate && (t.file != "" || t.isText()) {
		line := append([]byte("OATH key ID for user "+u.Account+": "), u.Key.Base32()...)
		if _, err := c.Stdout.Write(append(line, '\n')); err != nil {
			return cli.StdoutError(err)
		}
	}
	if t.file == "" {
		if _, err := c.Stdout.Write(data); err != nil {
			return cli.StdoutError(err)
		}
	}
	return nil
}

// create writes a new file that nobody else can read, or none.
func create(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return cli.Refused("%q exists already, and a file is never overwritten", name).
			Hint("remove it first, or give another name")
	}
	if err != nil {
		return cli.Unsure("cannot create the file: %w", err)
	}
	_, err = f.Write(data)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		_ = os.Remove(name)
		return cli.Unsure("cannot write the file, so it was removed: %w", err)
	}
	return nil
}
