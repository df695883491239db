// Command oath-qrencode shows a key for one-time passwords as the QR code that
// authenticator apps scan, and reads otpauth URIs back.
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/oathconf"
	"oathkit/pkg/oath"
	"oathkit/pkg/qr"
)

func main() { os.Exit(cli.Main(command())) }

// options is what the command line says.
type options struct {
	flags *cli.Flags

	config    string
	generate  bool
	keyFile   string
	issuer    string
	account   string
	counter   uint64
	digits    int
	period    int
	algorithm oath.Algorithm
	form      string
	output    string
	invert    bool
	level     qr.Level
}

func command() *cli.Command {
	o := &options{config: oathconf.DefaultPath}
	return &cli.Command{
		Name:    "oath-qrencode",
		Summary: "show a key for one-time passwords as a QR code that authenticator apps scan",
		Help: `The key, in any spelling, or an otpauth URI is the first line of standard input
or of the key file. What is given by an option stands in the place of what the
URI says. TYPE is utf8 on a terminal, the image that the name of FILE ends in,
else uri.`,
		Flags: func(f *cli.Flags) {
			o.flags = f
			f.Bool(&o.generate, "g,generate", "make a fresh key, and print it above the QR code")
			f.String(&o.keyFile, "k,key-file", "FILE", "read the key or URI from FILE, - for standard input")
			f.String(&o.issuer, "i,issuer", "ISSUER", "who asks for the code (default: as configured, else this host's name)")
			f.String(&o.account, "a,account", "ACCOUNT", "whose key it is (default: $USER@HOST)")
			f.Counter(&o.counter, "hotp", "COUNTER", "codes by a counter that begins with COUNTER, instead of by time")
			f.Func("d,digits", "DIGITS", "digits of a code, 6 to 10 (default 6)", number(&o.digits, oath.MinDigits, oath.MaxDigits))
			f.Func("p,period", "PERIOD", "seconds that a code is good, 1 to 86400 (default 30)", number(&o.period, oath.MinPeriod, oath.MaxPeriod))
			f.Func("m,algorithm", "ALGORITHM", "SHA1, SHA256 or SHA512 (default SHA1)", o.setAlgorithm)
			f.Func("t,type", "TYPE", "utf8, ansi, ascii, png, svg, uri or json", o.setForm)
			f.String(&o.output, "o,output", "FILE", "write to a new FILE that only you can read, - for standard output")
			f.Bool(&o.invert, "invert", "swap dark and light, for a terminal with dark text on a light ground")
			f.Func("level", "LEVEL", "error correction: L, M, Q or H (default L)", o.setLevel)
			f.String(&o.config, "c,config", "FILE", "configuration (default "+oathconf.DefaultPath+")")
		},
		Run: o.run,
	}
}

// number reads a whole number in a range.
func number(p *int, low, high int) func(string) error {
	return func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil || n < low || n > high {
			return fmt.Errorf("must be a whole number from %d to %d", low, high)
		}
		*p = n
		return nil
	}
}

func (o *options) setAlgorithm(s string) (err error) {
	o.algorithm, err = oath.ParseAlgorithm(s)
	return err
}

func (o *options) setForm(s string) error {
	switch s = strings.ToLower(s); s {
	case "utf8", "ansi", "ascii", "png", "svg", "uri", "json":
		o.form = s
		return nil
	}
	return fmt.Errorf("must be utf8, ansi, ascii, png, svg, uri or json")
}

func (o *options) setLevel(s string) (err error) {
	o.level, err = qr.ParseLevel(s)
	return err
}

func (o *options) run(c *cli.Context) error {
	switch {
	case o.generate && o.flags.Given("key-file"):
		return cli.Misused("options --generate and --key-file do not go together: a key is made or read")
	case o.flags.Given("hotp") && o.flags.Given("period"):
		return cli.Misused("options --hotp and --period do not go together: a counter has no period")
	}
	t, err := o.target()
	if err != nil {
		return err
	}
	u, err := o.uri(c)
	if err != nil {
		return err
	}
	if err := u.Check(); err != nil {
		return cli.Misused("%w", err)
	}
	data, err := o.draw(u, t)
	if err != nil {
		return err
	}
	warn(c, u)
	return o.write(c, u, t, data)
}

// warn tells what is lawful, but may not work or not hold.
func warn(c *cli.Context, u oath.URI) {
	if u.Key.Weak() {
		c.Warn("the key has %d bits; at least %d are safe, and 160 are usual", u.Key.Bits(), oath.WeakBits)
	}
	var odd []string
	if u.Algorithm != oath.SHA1 {
		odd = append(odd, "algorithm "+u.Algorithm.String())
	}
	if u.Digits != oath.DefaultDigits {
		odd = append(odd, strconv.Itoa(u.Digits)+" digits")
	}
	if u.Kind == oath.TOTP && u.Period != oath.DefaultPeriod {
		odd = append(odd, "a period of "+strconv.Itoa(u.Period)+" seconds")
	}
	if len(odd) > 0 {
		c.Warn("some authenticator apps ignore what is unusual here (%s), and then their codes are wrong", strings.Join(odd, ", "))
	}
}
