package mfa

import "oathkit/pkg/oath"

// PrintableKey reports whether every byte of a key is a printable ASCII
// character: such a key was typed or is a text, so it has fewer random bits
// than its length says. Of fresh keys of 80 bits one in 20,000 is printable, of
// those of 160 bits one in 400 million.
func PrintableKey(k oath.Key) bool {
	b := k.Bytes()
	for _, c := range b {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return len(b) > 0
}

// TestKey reports whether a key is one that is printed in public: those of the
// test values of RFC 4226 appendix D and RFC 6238 appendix B (the digits
// 1234567890 repeated), and the example of the otpauth URI's first description.
func TestKey(k oath.Key) bool {
	b := k.Bytes()
	if string(b) == "Hello!\xde\xad\xbe\xef" {
		return true
	}
	for i := range b {
		if b[i] != "1234567890"[i%10] {
			return false
		}
	}
	return len(b) > 0
}
