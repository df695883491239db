package cmd

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// update makes TestCompletions write the files instead of comparing them.
var update = flag.Bool("update", false, "write the completions that the programs' usage asks for")

// The completions are made from the programs' own usage, so the options in them
// are the options that there are.
func TestCompletions(t *testing.T) {
	for _, prog := range programs() {
		u := readUsage(t, prog)
		for name, text := range map[string]string{
			"bash/" + prog:           bashCompletion(u),
			"zsh/_" + prog:           zshCompletion(u),
			"fish/" + prog + ".fish": fishCompletion(u),
		} {
			path := filepath.Join("..", "scripts", "completion", name)
			if *update {
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			have, err := os.ReadFile(path)
			if err != nil || string(have) != text {
				t.Errorf("%s is not what %s --help asks for (%v); run: make completion", path, prog, err)
			}
		}
	}
}

func TestCompletionSyntax(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		t.Run(shell, func(t *testing.T) {
			need(t, shell)
			files, _ := filepath.Glob("../scripts/completion/" + shell + "/*")
			if len(files) != len(programs()) {
				t.Errorf("%d files for %d programs", len(files), len(programs()))
			}
			for _, file := range files {
				if out, err := exec.Command(shell, "-n", file).CombinedOutput(); err != nil || len(out) > 0 {
					t.Errorf("%s: %v\n%s", file, err, out)
				}
			}
		})
	}
}

// In bash and fish the completions are asked what they offer.
func TestCompletionsOffer(t *testing.T) {
	for _, tt := range []struct {
		line       string
		want, deny string
	}{
		{"realmctl ", "tfa", "enable"},
		{"realmctl tfa ", "enable", "list"},
		{"realmctl -f somewhere tfa en", "enable", "disable"},
		{"realmctl tfa enable --lock", "--lock-out-anyway", "--json"},
		{"mfactl li", "list", "enable"},
		{"oathkeygen --b", "--bits", "--version"},
	} {
		words := strings.Split(tt.line, " ")
		t.Run("bash "+tt.line, func(t *testing.T) {
			need(t, "bash")
			script := fmt.Sprintf("source ../scripts/completion/bash/%[1]s; COMP_WORDS=(%[2]s); COMP_CWORD=%[3]d; _%[4]s; printf '%%s\\n' \"${COMPREPLY[@]}\"",
				words[0], "'"+strings.Join(words, "' '")+"'", len(words)-1, identifier(words[:1]))
			checkOffer(t, tt.want, tt.deny, "bash", "-c", script)
		})
		t.Run("fish "+tt.line, func(t *testing.T) {
			need(t, "fish")
			t.Setenv("HOME", t.TempDir())
			script := fmt.Sprintf("source ../scripts/completion/fish/%s.fish; complete -C '%s'", words[0], tt.line)
			checkOffer(t, tt.want, tt.deny, "fish", "-c", script)
		})
	}
}

func checkOffer(t *testing.T, want, deny string, command ...string) {
	t.Helper()
	out, err := exec.Command(command[0], command[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var offered []string
	for line := range strings.Lines(string(out)) {
		word, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
		offered = append(offered, word)
	}
	if !slices.Contains(offered, want) || slices.Contains(offered, deny) {
		t.Errorf("offered are %q; %q should be there, %q not", offered, want, deny)
	}
}

const completionNote = "Written by 'make completion' from the program's own usage."

// identifier is a function's name for a program and its commands.
func identifier(words []string) string {
	return strings.ReplaceAll(strings.Join(words, "_"), "-", "_")
}

// choices are the words of a value that is one of a few: those of "L|M|Q|H", or
// where the value is called a format, type, level or algorithm, those that the
// help begins with: "base32, hex or pve".
func choices(o usageOption) []string {
	if strings.Contains(o.arg, "|") {
		return strings.Split(o.arg, "|")
	}
	switch o.arg {
	case "FORMAT", "TYPE", "LEVEL", "ALG", "ALGORITHM":
		list := regexp.MustCompile(`(?:^|: )((?:[\w-]+, )*[\w-]+) or ([\w-]+)`).FindStringSubmatch(o.help)
		if list != nil {
			return append(strings.Split(list[1], ", "), list[2])
		}
	}
	return nil
}

func isFile(arg string) bool {
	return strings.Contains(arg, "FILE") || strings.Contains(arg, "DIR") || strings.Contains(arg, "PATH")
}

func bashCompletion(u usage) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# bash completion for %s\n# %s\n\n", u.name(), completionNote)
	fmt.Fprintf(&b, "_%s() {\n", identifier(u.words))
	b.WriteString("    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command='' offer=''\n")
	if len(u.commands) > 0 {
		b.WriteString("    local i\n    for ((i = 1; i < COMP_CWORD; i++)); do\n        case \"$command ${COMP_WORDS[i]}\" in\n")
		u.walk(func(c usage) {
			if len(c.words) > 1 {
				before := strings.Join(c.words[1:len(c.words)-1], " ")
				fmt.Fprintf(&b, "            '%s %s') command='%s' ;;\n", before, c.name(), c.path())
			}
		})
		b.WriteString("        esac\n    done\n")
	}
	b.WriteString("    case \"$command $prev\" in\n")
	u.walk(func(c usage) {
		for _, o := range c.options {
			if o.arg == "" {
				continue
			}
			var patterns []string
			for _, n := range o.names {
				patterns = append(patterns, fmt.Sprintf("'%s %s'", c.path(), n))
			}
			action := "return" // a value that only its giver knows
			switch {
			case choices(o) != nil:
				action = fmt.Sprintf("mapfile -t COMPREPLY < <(compgen -W '%s' -- \"$cur\"); return", strings.Join(choices(o), " "))
			case isFile(o.arg):
				action = "mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); return"
			}
			fmt.Fprintf(&b, "        %s) %s ;;\n", strings.Join(patterns, " | "), action)
		}
	})
	b.WriteString("    esac\n    case $command in\n")
	u.walk(func(c usage) {
		var words []string
		for _, sub := range c.commands {
			words = append(words, sub.name())
		}
		for _, o := range c.options {
			words = append(words, o.names...)
		}
		fmt.Fprintf(&b, "        '%s') offer='%s' ;;\n", c.path(), strings.Join(words, " "))
	})
	b.WriteString("    esac\n    mapfile -t COMPREPLY < <(compgen -W \"$offer\" -- \"$cur\")\n}\n")
	fmt.Fprintf(&b, "complete -o bashdefault -o default -F _%s %s\n", identifier(u.words), u.name())
	return b.String()
}

func zshCompletion(u usage) string {
	var b strings.Builder
	fmt.Fprintf(&b, "#compdef %s\n# %s\n", u.name(), completionNote)
	u.walk(func(c usage) {
		fmt.Fprintf(&b, "\n_%s() {\n", identifier(c.words))
		if len(c.commands) > 0 {
			b.WriteString("    local curcontext=$curcontext state line\n    typeset -A opt_args\n")
		}
		b.WriteString("    _arguments -s -S -C")
		for _, o := range c.options {
			fmt.Fprintf(&b, " \\\n        %s", zshOption(o))
		}
		if len(c.commands) == 0 {
			action := " "
			if isFile(c.args) {
				action = "_files"
			}
			if c.args != "" {
				fmt.Fprintf(&b, " \\\n        '*:%s:%s'", zshText(strings.ToLower(c.args)), action)
			}
			b.WriteString("\n}\n")
			return
		}
		b.WriteString(" \\\n        '1:command:((")
		for i, sub := range c.commands {
			if i > 0 {
				b.WriteByte(' ')
			}
			fmt.Fprintf(&b, `%s\:"%s"`, sub.name(), zshText(sub.summary))
		}
		b.WriteString("))' \\\n        '*::argument:->rest'\n    [[ $state == rest ]] || return\n    case $line[1] in\n")
		for _, sub := range c.commands {
			fmt.Fprintf(&b, "        %s) _%s ;;\n", sub.name(), identifier(sub.words))
		}
		b.WriteString("    esac\n}\n")
	})
	fmt.Fprintf(&b, "\n_%s \"$@\"\n", identifier(u.words))
	return b.String()
}

func zshOption(o usageOption) string {
	value := ""
	switch {
	case choices(o) != nil:
		value = ":value:(" + strings.Join(choices(o), " ") + ")"
	case isFile(o.arg):
		value = ":file:_files"
	case o.arg != "":
		value = ":" + zshText(strings.ToLower(o.arg)) + ": "
	}
	text := "'[" + zshText(o.help) + "]" + value + "'"
	if len(o.names) == 1 {
		return "'" + o.names[0] + text[1:]
	}
	return "'(" + strings.Join(o.names, " ") + ")'{" + strings.Join(o.names, ",") + "}" + text
}

// zshText is text inside a description in single quotes.
func zshText(s string) string {
	return strings.NewReplacer("'", `'\''`, "[", `\[`, "]", `\]`, ":", `\:`, `"`, "", "`", "").Replace(s)
}

func fishCompletion(u usage) string {
	var b strings.Builder
	at := "__" + identifier(u.words) + "_at"
	fmt.Fprintf(&b, "# fish completion for %s\n# %s\n\n", u.name(), completionNote)
	fmt.Fprintf(&b, "# Whether the commands on the line so far are exactly these.\nfunction %s\n", at)
	b.WriteString("    set -l commands\n    set -l skip 0\n    for word in (commandline -opc)[2..]\n")
	b.WriteString("        if test $skip = 1\n            set skip 0\n            continue\n        end\n        switch $word\n")
	valued := map[string]bool{}
	known := map[string]bool{}
	u.walk(func(c usage) {
		for _, o := range c.options {
			for _, n := range o.names {
				valued[n] = valued[n] || o.arg != ""
			}
		}
		if len(c.words) > 1 {
			known[c.name()] = true
		}
	})
	var values []string
	for n, v := range valued {
		if v {
			values = append(values, n)
		}
	}
	slices.Sort(values)
	if len(values) > 0 {
		fmt.Fprintf(&b, "            case %s\n                set skip 1\n", strings.Join(values, " "))
	}
	if len(known) > 0 {
		fmt.Fprintf(&b, "            case %s\n                set -a commands $word\n", strings.Join(sortedKeys(known), " "))
	}
	b.WriteString("        end\n    end\n    test \"$commands\" = \"$argv\"\nend\n\n")
	u.walk(func(c usage) {
		files := isFile(c.args)
		condition := fmt.Sprintf("complete -c %s -n '%s'", u.name(), strings.TrimSpace(at+" "+c.path()))
		if !files {
			fmt.Fprintf(&b, "%s -f\n", condition)
		}
		for _, sub := range c.commands {
			fmt.Fprintf(&b, "%s -a %s -d %s\n", condition, sub.name(), fishText(sub.summary))
		}
		for _, o := range c.options {
			b.WriteString(condition)
			for _, n := range o.names {
				switch long, ok := strings.CutPrefix(n, "--"); {
				case ok:
					b.WriteString(" -l " + long)
				default:
					b.WriteString(" -s " + n[1:])
				}
			}
			switch {
			case choices(o) != nil:
				fmt.Fprintf(&b, " -x -a '%s'", strings.Join(choices(o), " "))
			case isFile(o.arg):
				b.WriteString(" -r -F")
			case o.arg != "":
				b.WriteString(" -x")
			}
			fmt.Fprintf(&b, " -d %s\n", fishText(o.help))
		}
	})
	return b.String()
}

func sortedKeys(m map[string]bool) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// fishText is text in single quotes.
func fishText(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}
