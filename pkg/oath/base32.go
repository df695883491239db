package oath

import (
	"encoding/binary"
	"slices"
)

// AppendBase32 appends b in base32 (RFC 4648 section 6), upper case, without
// padding. It looks nothing up in a table, so the cache does not learn the key.
func AppendBase32(dst, b []byte) []byte {
	n := len(dst)
	dst = slices.Grow(dst, (len(b)*8+4)/5)[:n+(len(b)*8+4)/5]
	out := dst[n:]
	for len(b) >= 5 && len(out) >= 8 {
		v := uint64(binary.BigEndian.Uint32(b))<<8 | uint64(b[4])
		binary.BigEndian.PutUint64(out, letters(v))
		b, out = b[5:], out[8:]
	}
	if len(b) > 0 {
		var last [8]byte
		copy(last[3:], b)
		binary.BigEndian.PutUint64(last[:], letters(binary.BigEndian.Uint64(last[:])))
		copy(out, last[:])
	}
	return dst
}

// letters makes the 8 characters of 40 bits, the first in the highest byte.
func letters(v uint64) uint64 {
	const ones = 0x0101010101010101
	// Halve the bits three times, so that each byte holds five of them.
	v = v&0xfffff | v>>20<<32
	v = v&0x000003ff000003ff | v&0x000ffc00000ffc00<<6
	v = v&0x001f001f001f001f | v&0x03e003e003e003e0<<3
	// 0..25 are 'A'..'Z', 26..31 are '2'..'7': 41 less than letters would be.
	digit := (v + (0x80-26)*ones) >> 7 & ones
	return v + 'A'*ones - digit*41
}

// AppendHex appends b in lower-case hex digits.
func AppendHex(dst, b []byte) []byte {
	for _, c := range b {
		dst = append(dst, hexDigit(c>>4), hexDigit(c&15))
	}
	return dst
}

// hexDigit makes the digit of 0..15 without a table or a branch.
func hexDigit(n byte) byte {
	letter := (n + 0x80 - 10) >> 7 // 1 from 10 on
	return n + '0' + letter*('a'-'0'-10)
}

// decodeBase32 decodes characters that are all valid, without padding, and
// drops the bits behind the last whole byte.
func decodeBase32(s []byte) []byte {
	out := make([]byte, 0, len(s)*5/8)
	var bits uint32
	n := 0
	for _, c := range s {
		v, _ := base32Value(c)
		bits = bits<<5 | uint32(v)
		if n += 5; n >= 8 {
			n -= 8
			out = append(out, byte(bits>>n))
		}
	}
	return out
}

func base32Value(c byte) (byte, bool) {
	switch {
	case c >= 'A' && c <= 'Z':
		return c - 'A', true
	case c >= 'a' && c <= 'z':
		return c - 'a', true
	case c >= '2' && c <= '7':
		return c - '2' + 26, true
	}
	return 0, false
}

func hexValue(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
