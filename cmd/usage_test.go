package cmd

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// programs are all that the toolkit has.
func programs() []string {
	return []string{"oathkeygen", "oath-qrencode", "oathverify", "realmctl", "mfactl", "oathenroll", "oath-duo"}
}

// A usage is what a program, or one of its commands, says of itself with
// --help. Documentation and completions are held against this.
type usage struct {
	words    []string // the program and the commands that lead here
	args     string   // the operands
	summary  string
	options  []usageOption
	commands []usage
}

type usageOption struct {
	names []string // "-b", "--bits"
	arg   string   // "BITS"; empty for a switch
	help  string
}

// readUsage asks the built program, and all its commands, for their usage.
func readUsage(t *testing.T, words ...string) usage {
	t.Helper()
	args := append(append([]string{}, words[1:]...), "--help")
	out, err := exec.Command(filepath.Join(bin, words[0]), args...).Output()
	if err != nil {
		t.Fatalf("%s --help: %v", strings.Join(words, " "), err)
	}
	u := usage{words: words}
	lines := strings.Split(string(out), "\n")
	head, ok := strings.CutPrefix(lines[0], "usage: "+strings.Join(words, " ")+" ")
	if !ok {
		t.Fatalf("%s --help begins with %q", strings.Join(words, " "), lines[0])
	}
	u.args = strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(head, "[OPTION]..."), " COMMAND"))
	if len(lines) > 1 {
		u.summary = lines[1]
	}
	part := ""
	for _, line := range lines[1:] {
		switch {
		case line == "commands:" || line == "options:":
			part = line
		case !strings.HasPrefix(line, "  "):
			part = ""
		case part == "commands:":
			name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			u.commands = append(u.commands, readUsage(t, append(append([]string{}, words...), name)...))
		case part == "options:":
			u.options = append(u.options, readOption(line))
		}
	}
	return u
}

// readOption reads "  -b, --bits BITS  bits of a key".
func readOption(line string) usageOption {
	spelling, help, _ := strings.Cut(strings.TrimSpace(line), "  ")
	o := usageOption{help: strings.TrimSpace(help)}
	for word := range strings.FieldsSeq(spelling) {
		if strings.HasPrefix(word, "-") {
			o.names = append(o.names, strings.TrimSuffix(word, ","))
			continue
		}
		o.arg = strings.TrimSpace(o.arg + " " + word)
	}
	return o
}

// name is the last word: the command's own.
func (u usage) name() string { return u.words[len(u.words)-1] }

// path is the commands without the program.
func (u usage) path() string { return strings.Join(u.words[1:], " ") }

// walk calls fn for the program and for each of its commands.
func (u usage) walk(fn func(usage)) {
	fn(u)
	for _, c := range u.commands {
		c.walk(fn)
	}
}

// optionNames are the names of all options of the program and its commands.
func (u usage) optionNames() map[string]bool {
	names := map[string]bool{}
	u.walk(func(u usage) {
		for _, o := range u.options {
			for _, n := range o.names {
				names[n] = true
			}
		}
	})
	return names
}
