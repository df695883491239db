package realm

import (
	"strings"

	"oathkit/pkg/section"
)

func oneOf(s string, words ...string) bool {
	for _, w := range words {
		if s == w {
			return true
		}
	}
	return false
}

func hasSpace(s string) bool {
	for i := 0; i < len(s); i++ {
		if section.IsSpace(s[i]) {
			return true
		}
	}
	return false
}

func isAttribute(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isAlnum(s[i]) {
			return false
		}
	}
	return s != ""
}

func isClaim(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; !isAlnum(c) && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return s != ""
}

func isURIText(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c == 0x7f || strings.IndexByte(`<>#"`, c) >= 0 {
			return false
		}
	}
	return true
}

// isAttributeList splits as Proxmox VE splits a list: at NUL bytes when there
// is one, else at white space, commas and semicolons.
func isAttributeList(s string) bool {
	split := func(r rune) bool { return r == ',' || r == ';' || r < 0x80 && section.IsSpace(byte(r)) }
	fields := strings.FieldsFunc(s, split)
	if strings.Contains(s, "\x00") {
		if s = strings.TrimRight(s, "\x00"); s == "" {
			return true
		}
		fields = strings.Split(s, "\x00")
	}
	for _, f := range fields {
		if !isAttribute(f) {
			return false
		}
	}
	return true
}

func isAttributeMap(s string) bool {
	for i, part := range strings.Split(s, ",") {
		if i > 0 {
			part = strings.TrimLeft(part, " \t\n\v\f\r")
		}
		name, value, ok := strings.Cut(part, "=")
		if !ok || value == "" || !isAttribute(strings.ReplaceAll(name, "_", "x")) {
			return false
		}
	}
	return true
}

func isSyncOptions(s string) bool {
	seen := ""
	err := eachPart(s, func(key, value string) error {
		ok := false
		switch key {
		case "scope":
			ok = oneOf(value, "users", "groups", "both")
		case "remove-vanished":
			// the reader's pattern binds to either end only, not to both
			ok = strings.HasPrefix(value, "acl") || strings.HasPrefix(value, "properties") ||
				strings.HasPrefix(value, "entry") || strings.HasSuffix(value, "none")
		case "full", "enable-new", "purge":
			ok = oneOf(strings.ToLower(value), "1", "on", "yes", "true", "0", "off", "no", "false")
		}
		if !ok || strings.Contains(seen, ","+key+",") {
			return errNoValue
		}
		seen += "," + key + ","
		return nil
	})
	return err == nil
}

func isDNSName(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || !isAlnum(label[0]) || !isAlnum(label[len(label)-1]) {
			return false
		}
		for i := 0; i < len(label); i++ {
			if !isAlnum(label[i]) && label[i] != '-' {
				return false
			}
		}
	}
	return true
}

// isIPv6 takes the forms of RFC 4291 section 2.2, without a zone. Addresses of
// IPv4 need no test of their own: each is a DNS name as well.
func isIPv6(s string) bool {
	head, tail, short := strings.Cut(s, "::")
	if strings.Contains(tail, "::") {
		return false
	}
	n, ok := groups(head, !short)
	m, okTail := groups(tail, true)
	switch {
	case !ok || !okTail:
		return false
	case short:
		return n+m <= 7
	}
	return n == 8
}

// groups counts the 16-bit groups of a part of an IPv6 address; an IPv4 address
// at its end, where that may stand, is two of them.
func groups(s string, last bool) (int, bool) {
	if s == "" {
		return 0, true
	}
	n := 0
	fields := strings.Split(s, ":")
	for i, f := range fields {
		switch {
		case last && i == len(fields)-1 && strings.Contains(f, "."):
			if !isIPv4(f) {
				return 0, false
			}
			n += 2
		case len(f) < 1 || len(f) > 4 || strings.Trim(f, "0123456789abcdefABCDEF") != "":
			return 0, false
		default:
			n++
		}
	}
	return n, true
}

func isIPv4(s string) bool {
	fields := strings.Split(s, ".")
	for _, f := range fields {
		n, ok := perlInteger(f)
		if !ok || n > 255 || !isDigit(f[0]) || len(f) > 1 && f[0] == '0' {
			return false
		}
	}
	return len(fields) == 4
}
