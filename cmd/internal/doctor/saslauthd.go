package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// saslauthd looks for a saslauthd(8) that asks PAM and keeps what was right: it
// asks for whatever service its clients name, this one perhaps.
func (x *exam) saslauthd() {
	if x.Service == sshd || x.Service == "login" || su(x.Service) {
		return
	}
	for _, pattern := range []string{"/etc/default/saslauthd*", "/etc/sysconfig/saslauthd"} { // of Debian, of Red Hat
		names, _ := x.glob(pattern)
		for _, name := range names {
			b, err := readFile(x.path(name))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				x.add(name, 0, Unsure, "cache", x.unrooted(err.Error()), "run it as root")
				continue
			}
			if line, caches := cachesPAM(string(b)); caches {
				x.add(name, line, Warning, "cache",
					fmt.Sprintf("saslauthd with -c keeps what was right: where it asks for %s, a used code is good again for hours", x.Service),
					"take -c out and restart saslauthd")
			}
		}
	}
}

// cachesPAM says whether these settings give saslauthd PAM and the option -c, and
// in which line.
func cachesPAM(text string) (line int, caches bool) {
	pam, n := false, 0
	for s := range strings.Lines(text) {
		n++
		name, value, _ := strings.Cut(strings.TrimSpace(s), "=")
		value = strings.Trim(value, `"'`)
		switch name {
		case "START":
			if value == "no" {
				return 0, false
			}
		case "MECHANISMS", "MECH":
			pam = value == "pam"
		case "OPTIONS", "FLAGS":
			line, caches = n, false
			for word := range strings.FieldsSeq(value) {
				caches = caches || word == "-c"
			}
		}
	}
	return line, pam && caches
}
