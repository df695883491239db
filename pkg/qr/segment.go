package qr

import (
	"math"

	"rsc.io/qr/coding"
)

// The modes that a segment can be written in (ISO/IEC 18004, 7.3), from the
// densest to the one that takes every byte.
const (
	numeric      = iota // 0..9, 10 bits for 3
	alphanumeric        // 0..9 A..Z blank $ % * + - . / :, 11 bits for 2
	eightBit            // any byte, 8 bits
	modes
)

// A segment is a run of the text, up to the byte before end, in one mode.
type segment struct {
	mode uint8
	end  int
}

// unit is the fraction of a bit that costs are counted in: a digit is 3⅓ bits
// and a letter 5½, so sixths make them whole.
const unit = 6

// A segment's bits are its units rounded up to whole bits, which is right for
// the odd digits and letters at its end: 1 digit takes 4 bits, 2 take 7, a
// single letter 6.
func wholeBits(units int) int { return (units + unit - 1) / unit * unit }

// modesOf returns the set of modes that can write the byte, as bits.
func modesOf(b byte) uint8 {
	switch {
	case '0' <= b && b <= '9':
		return 1<<numeric | 1<<alphanumeric | 1<<eightBit
	case 'A' <= b && b <= 'Z', b == ' ', b == '$', b == '%', b == '*', b == '+', '-' <= b && b <= '/', b == ':':
		return 1<<alphanumeric | 1<<eightBit
	}
	return 1 << eightBit
}

// split cuts the text into the segments that take the fewest bits in symbols of
// the version's class, and returns how many bits that is. It goes through the
// text once and keeps, for each mode, the cheapest way to have the text up to
// here with the last byte in that mode; since costs only add up and rounding
// keeps their order, the cheapest of the whole is among them.
func split(text []byte, version coding.Version) ([]segment, int) {
	const never = math.MaxInt / 2
	perByte := [modes]int{20, 33, 48}
	var header [modes]int
	for mode, e := range [modes]coding.Encoding{coding.Num(""), coding.Alpha(""), coding.String("")} {
		header[mode] = e.Bits(version) * unit
	}
	cost := [modes]int{never, never, never}
	before := make([][modes]uint8, len(text)) // the mode of the byte before, for each mode of this one
	for i, b := range text {
		can := modesOf(b)
		next := [modes]int{never, never, never}
		for mode := range modes {
			if can>>mode&1 == 0 {
				continue
			}
			next[mode] = cost[mode]
			before[i][mode] = uint8(mode)
			for prev := range modes {
				begin := wholeBits(cost[prev]) + header[mode]
				if i == 0 {
					begin = header[mode]
				}
				if begin < next[mode] {
					next[mode] = begin
					// A segment that follows one of its own mode never pays.
					before[i][mode] = uint8(prev)
				}
			}
			next[mode] += perByte[mode]
		}
		cost = next
	}
	if len(text) == 0 {
		return nil, 0
	}
	mode := 0
	for m := range modes {
		if wholeBits(cost[m]) < wholeBits(cost[mode]) {
			mode = m
		}
	}
	return trace(before, uint8(mode)), wholeBits(cost[mode]) / unit
}

// trace goes back from the last byte's mode to the segments.
func trace(before [][modes]uint8, mode uint8) []segment {
	var parts []segment
	end := len(before)
	for i := len(before) - 1; i >= 0; i-- {
		prev := before[i][mode]
		if i == 0 || prev != mode {
			parts = append(parts, segment{mode, end})
			end = i
		}
		mode = prev
	}
	for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
		parts[i], parts[j] = parts[j], parts[i]
	}
	return parts
}

// encodings puts the segments into the types of package coding.
func encodings(text []byte, parts []segment) []coding.Encoding {
	list := make([]coding.Encoding, len(parts))
	begin := 0
	for i, p := range parts {
		run := string(text[begin:p.end])
		switch p.mode {
		case numeric:
			list[i] = coding.Num(run)
		case alphanumeric:
			list[i] = coding.Alpha(run)
		default:
			list[i] = coding.String(run)
		}
		begin = p.end
	}
	return list
}
