package request

import (
	"encoding/base64"
	"strings"
)

// formatOpenVPN is the file in which OpenVPN would ask.
func formatOpenVPN(r Request) []byte {
	secret := r.Secret
	if r.Apart {
		encode := base64.StdEncoding.EncodeToString
		secret = challenged + encode([]byte(r.Password)) + ":" + encode([]byte(r.Code))
	}
	return []byte(r.User + "\n" + secret + "\n")
}

// formatPipe is the two lines.
func formatPipe(r Request) []byte { return []byte(r.User + "\n" + r.Secret + "\n") }

// formatCheckpassword is what would come on descriptor 3.
func formatCheckpassword(r Checkpassword) []byte {
	return []byte(r.User + "\x00" + r.Secret + "\x00" + r.Timestamp + "\x00" + r.More)
}

// formatSquid is the line in which squid would ask, without its line break.
func formatSquid(r Squid) string {
	line := escape(r.User) + " " + escape(r.Secret)
	if r.Channel != "" {
		line = r.Channel + " " + line
	}
	if r.RHost != "" {
		line += " " + escape(r.RHost)
	}
	return line
}

// escape leaves alone what squid never escapes, and little else.
func escape(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-_.:/@", c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}
