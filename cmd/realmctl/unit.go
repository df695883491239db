package main

import (
	"fmt"
	"path/filepath"
	"strings"
)

// missingUnit is the unit of systemd that would end a trial of the file after a crash,
// quoted for a shell, where systemd runs and nobody has enabled it; else "".
func (t *tool) missingUnit(path string) string {
	running, enabled := t.systemd[0], t.systemd[1]
	abs, err := filepath.Abs(resolved(path)) // beside which the trial is noted
	if running == "" || err != nil || !exists(running) {
		return ""
	}
	unit := "oathkit-trial@" + escapePath(abs) + ".path"
	if links, err := filepath.Glob(enabled + "/*.wants/oathkit-trial@*.path"); err == nil {
		for _, link := range links {
			if filepath.Base(link) == unit {
				return ""
			}
		}
	}
	if strings.Contains(unit, `\`) {
		return "'" + unit + "'"
	}
	return unit
}

// escapePath writes an absolute path as the instance of a unit, see systemd.unit(5),
// STRING ESCAPING FOR INCLUSION IN UNIT NAMES.
func escapePath(path string) string {
	var out strings.Builder
	for i, c := range []byte(strings.Trim(filepath.Clean(path), "/")) {
		switch {
		case c == '/':
			out.WriteByte('-')
		case isAlnum(c), c == ':', c == '_', c == '.' && i > 0:
			out.WriteByte(c)
		default:
			fmt.Fprintf(&out, `\x%02x`, c)
		}
	}
	if out.Len() == 0 {
		return "-"
	}
	return out.String()
}

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}
