// Command oathkeygen prints fresh keys for one-time passwords, one a line.
package main

import (
	"fmt"
	"os"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/oathconf"
	"oathkit/pkg/oath"
)

func main() { os.Exit(cli.Main(command())) }

const (
	minNewBits = oath.WeakBits // an existing key may be shorter, a new one not
	maxCount   = 1_000_000_000
)

// options is what the command line says.
type options struct {
	config string
	bits   int
	count  int
	format string
}

func command() *cli.Command {
	o := options{config: oathconf.DefaultPath, count: 1, format: "base32"}
	var flags *cli.Flags
	return &cli.Command{
		Name:    "oathkeygen",
		Summary: "print fresh keys for one-time passwords, one a line",
		Help: `BITS is a multiple of 8 from 128 to 1024; where it is not given, it is what the
configuration says, else 160. A base32 key has no padding. The format pve is 80
bits in 16 base32 characters, which is all that the field "Key IDs" of Proxmox
VE takes of base32; hex with 160 bits it takes too.`,
		Flags: func(f *cli.Flags) {
			flags = f
			f.Int(&o.bits, "b,bits", "BITS", "length of a key, 128 to 1024 (default 160)")
			f.Int(&o.count, "n,count", "COUNT", "number of keys, 1 to 1000000000 (default 1)")
			f.Func("f,format", "FORMAT", "base32, hex or pve (default base32)", o.setFormat)
			f.String(&o.config, "c,config", "FILE", "configuration (default "+oathconf.DefaultPath+")")
		},
		Run: func(c *cli.Context) error { return run(c, o, flags) },
	}
}

func (o *options) setFormat(s string) error {
	switch s {
	case "base32", "hex", "pve":
		o.format = s
		return nil
	}
	return fmt.Errorf("must be base32, hex or pve")
}

func run(c *cli.Context, o options, flags *cli.Flags) error {
	pve, given := o.format == "pve", flags.Given("bits")
	switch {
	case pve && given:
		return cli.Misused("option --bits does not go with --format pve, whose keys have %d bits", oath.MinBits).
			Hint("for a longer key that Proxmox VE takes: --format hex")
	case given && (o.bits < minNewBits || o.bits > oath.MaxBits || o.bits%8 != 0):
		return cli.Misused("bits must be a multiple of 8 from %d to %d, not %d", minNewBits, oath.MaxBits, o.bits)
	case o.count < 1 || o.count > maxCount:
		return cli.Misused("count must be from 1 to %d, not %d", maxCount, o.count)
	}
	// The file is not asked for what the command line has decided, so that one
	// that cannot be read is no obstacle; but one that was named must be good.
	if named := flags.Given("config"); named || !pve && !given {
		v, err := oathconf.Load(o.config, named)
		if err != nil {
			return err
		}
		if !given {
			o.bits = v.Bits
		}
	}
	if pve {
		o.bits = oath.MinBits
	}
	return printKeys(c.Stdout, o.bits/8, o.count, o.format == "hex")
}
