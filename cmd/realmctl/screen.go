package main

import (
	"bytes"
	"strings"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/realm"
)

// diff is the change as patch takes it. On a terminal, which acts on what a file can
// hold, and where somebody may look on, it is what can be shown.
func (t *tool) diff(name string, old, edited []byte) []byte {
	diff := unifiedDiff(name, old, edited)
	if !t.screen {
		return diff
	}
	var out bytes.Buffer
	for line := range bytes.Lines(diff) {
		out.WriteString(shownLine(strings.TrimSuffix(string(line), "\n")) + "\n")
	}
	return out.Bytes()
}

// shownLine is a line of a diff without what a terminal would act on, and without
// secrets.
func shownLine(line string) string {
	if line != "" && strings.Contains(" -+", line[:1]) {
		text := strings.TrimLeft(line[1:], " \t")
		key, value, _ := strings.Cut(strings.ReplaceAll(text, "\t", " "), " ")
		value = strings.TrimSpace(value)
		if shown := (realm.Property{Key: strings.ToLower(key), Value: value}).Shown(); shown != value {
			line = line[:len(line)-len(text)] + key + " " + shown
		}
	}
	parts := strings.Split(line, "\t")
	for i, part := range parts {
		parts[i] = cli.Printable(part)
	}
	return strings.Join(parts, "\t")
}
