package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"oathkit/pkg/oath"
)

// start: what a program costs before it does anything.
func (b *bench) start() error {
	base := job{args: []string{b.baseline}}
	for _, row := range []struct {
		prog  string
		limit float64
		exit  int
	}{{"oathkeygen", 1.15, 0}, {"oath-qrencode", 1.15, 0}, {"oathverify", 1.3, 1}, {"realmctl", 0, 0}, {"mfactl", 0, 0}} {
		path, ok := b.prog(row.prog)
		if !ok {
			continue
		}
		c, err := same(b.runs, job{args: []string{path, "--version"}, exit: row.exit}, base)
		if err != nil {
			return err
		}
		b.row(row.prog+" --version : baseline", c.ratio, row.limit, false, c.String())
	}
	return nil
}

const exampleKey = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

// codeAt is the code of a key at a time, 6 digits, 30 s, SHA-1.
func codeAt(key oath.Key, now time.Time) []byte {
	return oath.NewCoder(key, oath.SHA1, 6).AppendCode(nil, oath.StepAt(now, 30))
}

// check: one code against a key in a file, with no record of anything.
func (b *bench) check() error {
	path, ok := b.prog("oathverify")
	if !ok {
		return nil
	}
	file := filepath.Join(b.dir, "key")
	if err := os.WriteFile(file, []byte(exampleKey+"\n"), 0o600); err != nil {
		return err
	}
	key, err := oath.ParseKey(exampleKey)
	if err != nil {
		return err
	}
	ours := func() job {
		return job{args: []string{path, "-k", file}, stdin: append(codeAt(key, time.Now()), '\n')}
	}
	c, err := compare(b.runs, func(int) (job, job) { return ours(), job{args: []string{b.baseline}} })
	if err != nil {
		return err
	}
	b.row("oathverify -k FILE : baseline", c.ratio, 1.45, false, c.String())
	tool, ok := b.peer("oathtool")
	if !ok {
		return nil
	}
	c, err = compare(b.runs, func(int) (job, job) {
		return ours(), job{args: []string{tool, "--totp", "-b", "-w", "1", exampleKey, string(codeAt(key, time.Now()))}}
	})
	if err != nil {
		return err
	}
	b.row("oathverify -k FILE : oathtool", c.ratio, 0, false, c.String())
	return nil
}

// keys: a million keys, beside the pipe that an administrator would write.
func (b *bench) keys() error {
	path, ok := b.prog("oathkeygen")
	if !ok {
		return nil
	}
	if _, ok := b.peer("base32"); !ok {
		return nil
	}
	pipe := job{args: []string{"/bin/sh", "-c", "head -c 20000000 /dev/urandom | base32 -w32"}}
	c, err := same(5, job{args: []string{path, "-n", "1000000"}}, pipe)
	if err != nil {
		return err
	}
	b.row("oathkeygen -n 1000000 : head | base32", c.ratio, 0.8, false, c.String())
	return nil
}

// qr: the same URI as a picture.
func (b *bench) qr() error {
	path, ok := b.prog("oath-qrencode")
	if !ok {
		return nil
	}
	peer, ok := b.peer("qrencode")
	if !ok {
		return nil
	}
	uri := []byte("otpauth://totp/Example:alice%40example.com?secret=" + exampleKey + "&issuer=Example")
	for _, row := range []struct{ ours, theirs string }{{"utf8", "UTF8"}, {"svg", "SVG"}, {"png", "PNG"}} {
		c, err := same(b.runs,
			job{args: []string{path, "-t", row.ours}, stdin: append(bytes.Clone(uri), '\n')},
			job{args: []string{peer, "-t", row.theirs, "-m", "4", "-o", "-"}, stdin: uri})
		if err != nil {
			return err
		}
		b.row("oath-qrencode -t "+row.ours+" : qrencode", c.ratio, 1.2, false, c.String())
	}
	return nil
}

// realms is how many realms stand in the file that is edited.
const realms = 100000

// edit: one change in a large file, beside writing its bytes once.
func (b *bench) edit() error {
	path, ok := b.prog("realmctl")
	if !ok {
		return nil
	}
	var text bytes.Buffer
	for i := range realms {
		if i > 0 {
			text.WriteByte('\n')
		}
		fmt.Fprintf(&text, "ldap: realm%06d\n\tserver1 ldap%d.example.com\n\tbase_dn dc=example,dc=com\n\tuser_attr uid\n", i, i)
	}
	file := filepath.Join(b.dir, "domains.cfg")
	if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
		return err
	}
	turn := 0
	edit := func() job {
		turn++
		return job{args: []string{path, "-f", file, "set", fmt.Sprintf("realm%06d", realms/2), "comment", fmt.Sprintf("turn %d", turn)}}
	}
	dd, ok := b.peer("dd")
	if !ok {
		return nil
	}
	for _, row := range []struct {
		args  []string
		limit float64
	}{{nil, 3}, {[]string{"bs=1M"}, 0}} {
		copying := append([]string{dd, "if=" + file, "of=" + filepath.Join(b.dir, "copy"), "conv=fsync"}, row.args...)
		c, err := compare(15, func(int) (job, job) { return edit(), job{args: copying} })
		if err != nil {
			return err
		}
		b.row(strings.TrimSpace(fmt.Sprintf("realmctl set, %d realms : dd conv=fsync %s", realms, strings.Join(row.args, " "))),
			c.ratio, row.limit, false, c.String())
	}
	return nil
}
