package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

func synopsis(chain []*Command) string {
	words := make([]string, 0, 4)
	for _, cmd := range chain {
		words = append(words, cmd.Name)
	}
	last := chain[len(chain)-1]
	words = append(words, "[OPTION]...")
	if len(last.Commands) > 0 && last.Run == nil {
		words = append(words, "COMMAND")
	}
	if last.Args != "" {
		words = append(words, last.Args)
	}
	return strings.Join(words, " ")
}

func (f *Flags) usage(w io.Writer, chain []*Command) {
	last := chain[len(chain)-1]
	fmt.Fprintf(w, "usage: %s\n", synopsis(chain))
	if last.Summary != "" {
		fmt.Fprintf(w, "%s\n", last.Summary)
	}
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	if len(last.Commands) > 0 {
		fmt.Fprint(tw, "\ncommands:\n")
		for _, cmd := range last.Commands {
			fmt.Fprintf(tw, "  %s\t%s\n", strings.TrimSpace(cmd.Name+" "+cmd.Args), cmd.Summary)
		}
	}
	fmt.Fprint(tw, "\noptions:\n")
	for _, o := range f.options {
		fmt.Fprintf(tw, "  %s\t%s\n", o.spelling(), o.help)
	}
	tw.Flush()
	if last.Help != "" {
		fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(last.Help))
	}
}

func (o option) spelling() string {
	var names []string
	for name := range strings.SplitSeq(o.names, ",") {
		names = append(names, dashes(name))
	}
	s := strings.Join(names, ", ")
	if strings.HasPrefix(s, "--") {
		s = "    " + s
	}
	if o.arg != "" {
		s += " " + o.arg
	}
	return s
}
