// Package sshdconf reads what OpenSSH's sshd is configured to do (sshd_config(5))
// and judges by which ways somebody can log in without being asked for a code.
//
// Two sources go together: the settings in force as "sshd -T" prints them, which
// is the only reading that counts, and the text of the files, for the lines to
// name and for the Match blocks, which "sshd -T" leaves out. Every combination
// of the Match blocks that change how people log in is laid over the settings,
// as if there were a connection that all of them match.
//
// Left out: what Match criteria mean, so that a combination is judged, too, that
// no connection can have; authorized_keys; and what a forced command does.
package sshdconf

import (
	"bufio"
	"errors"
	"strings"
)

// Settings are the values of each keyword in lower case, in order.
type Settings map[string][]string

// ParseSettings reads what "sshd -T" prints.
func ParseSettings(text string) Settings {
	s := Settings{}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if key != "" {
			key = strings.ToLower(key)
			s[key] = append(s[key], strings.TrimSpace(value))
		}
	}
	return s
}

// get is the first value in lower case; empty where there is none.
func (s Settings) get(key string) string {
	v := s[key]
	if len(v) == 0 {
		return ""
	}
	switch value := strings.ToLower(v[0]); value {
	case "true":
		return "yes"
	case "false":
		return "no"
	default:
		return value
	}
}

func (s Settings) yes(key string) bool { return s.get(key) == "yes" }

// A Place is a line of a file, from 1; 0 where it is in no line.
type Place struct {
	File string
	Line int
}

// A Line is one setting of a file.
type Line struct {
	Place
	Keyword string // in lower case
	Args    string
	Block   int // the number in File.Blocks of the block that it is in; 0 outside
}

// A Block is a Match line with what it is for. Number 0 is what no Match is for.
type Block struct {
	Place
	Criteria string
	Outer    int // the block that its file is included in
}

// A File is sshd_config with what it includes.
type File struct {
	Path   string
	Files  []string // that were read, in order
	Lines  []Line
	Blocks []Block
}

// Bounds of what is followed: sshd's own for files that include each other, and
// ours for how many are read.
const (
	maxDepth = 16
	maxFiles = 1000
)

// ErrTooMany means that more files are included than are read.
var ErrTooMany = errors.New("too many files are included")

// A Source gives the files: ReadFile a file's bytes, Glob the names that match a
// pattern, sorted.
type Source interface {
	ReadFile(path string) ([]byte, error)
	Glob(pattern string) ([]string, error)
}

// Read reads sshd_config at path. Relative names are in /etc/ssh.
func Read(src Source, path string) (*File, error) {
	f := &File{Path: path, Blocks: []Block{{Place: Place{path, 0}}}}
	return f, f.read(src, path, 0, 0)
}

func (f *File) read(src Source, path string, block, depth int) error {
	b, err := src.ReadFile(path)
	if err != nil {
		return err
	}
	if f.Files = append(f.Files, path); len(f.Files) > maxFiles {
		return ErrTooMany
	}
	outer, n := block, 0
	lines := bufio.NewScanner(strings.NewReader(string(b)))
	lines.Buffer(nil, len(b)+1)
	for lines.Scan() {
		n++
		keyword, args := cut(lines.Text())
		at := Place{path, n}
		switch keyword {
		case "":
		case "match":
			f.Blocks = append(f.Blocks, Block{at, args, outer})
			block = len(f.Blocks) - 1
		case "include":
			if depth >= maxDepth {
				continue // sshd refuses such a file
			}
			if err := f.include(src, args, block, depth); err != nil {
				return err
			}
		default:
			f.Lines = append(f.Lines, Line{at, keyword, args, block})
		}
	}
	return lines.Err()
}

func (f *File) include(src Source, args string, block, depth int) error {
	for _, pattern := range words(args) {
		if !strings.HasPrefix(pattern, "/") {
			pattern = "/etc/ssh/" + pattern
		}
		paths, err := src.Glob(pattern)
		if err != nil {
			return err
		}
		for _, path := range paths {
			if err := f.read(src, path, block, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// cut splits a line into its keyword, in lower case, and the rest.
func cut(line string) (keyword, args string) {
	line = strings.Trim(line, " \t\r\f\n")
	if line == "" || line[0] == '#' {
		return "", ""
	}
	i := strings.IndexAny(line, " \t=\"")
	if i < 0 {
		return strings.ToLower(line), ""
	}
	keyword, args = strings.ToLower(line[:i]), strings.TrimLeft(line[i:], " \t")
	args = strings.TrimPrefix(args, "=")
	return keyword, strings.Join(words(args), " ")
}

// words splits at blanks, but not between quotes, and drops a comment.
func words(s string) []string {
	var list []string
	var b strings.Builder
	in, quote := false, byte(0)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			in, quote = true, c
		case quote == 0 && (c == ' ' || c == '\t'):
			if in {
				list = append(list, b.String())
				b.Reset()
				in = false
			}
		case quote == 0 && c == '#' && !in:
			return list
		default:
			in = true
			b.WriteByte(c)
		}
	}
	if in {
		list = append(list, b.String())
	}
	return list
}
