package qr

import (
	"encoding/binary"
	"math/bits"
)

// AppendPNG draws the symbol as a PNG image (ISO/IEC 15948) of one bit a pixel,
// Style.Module pixels to the module, 1 at least.
//
// The image is so regular that a compressor of its own is small: a line of
// pixels repeats the one above or the byte before. That keeps the tables of
// compress/flate, which cost more than the whole drawing, out of a program that
// runs for a millisecond.
func (c *Code) AppendPNG(dst []byte, s Style) []byte {
	scale := max(s.Module, 1)
	side := s.side(c) * scale
	header := binary.BigEndian.AppendUint32(make([]byte, 0, 13), uint32(side))
	header = binary.BigEndian.AppendUint32(header, uint32(side))
	header = append(header, 1, 0, 0, 0, 0) // 1 bit, grey; the only methods; not interlaced

	stride := 1 + (side+7)/8 // with the byte that names the line's filter: none
	lines := c.pixels(s, scale, stride)

	dst = append(dst, "\x89PNG\r\n\x1a\n"...)
	dst = appendChunk(dst, "IHDR", header)
	dst = appendChunk(dst, "IDAT", deflate(lines, stride))
	return appendChunk(dst, "IEND", nil)
}

// pixels is the image before compression. Light is 1.
func (c *Code) pixels(s Style, scale, stride int) []byte {
	n := s.side(c)
	lines := make([]byte, 0, n*scale*stride)
	line := make([]byte, stride)
	for y := range n {
		clear(line)
		for x := range n {
			if s.dark(c, x, y) {
				continue
			}
			for p := x * scale; p < (x+1)*scale; p++ {
				line[1+p/8] |= 0x80 >> (p % 8)
			}
		}
		for range scale {
			lines = append(lines, line...)
		}
	}
	return lines
}

func appendChunk(dst []byte, name string, data []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(data)))
	from := len(dst)
	dst = append(dst, name...)
	dst = append(dst, data...)
	return binary.BigEndian.AppendUint32(dst, crc(dst[from:]))
}

// crc is the check of a chunk: CRC-32 with the reflected polynomial edb88320,
// by halves of bytes, since hash/crc32 builds its tables at start.
func crc(data []byte) uint32 {
	var table [16]uint32
	for i := range table {
		v := uint32(i)
		for range 4 {
			v = v>>1 ^ v&1*0xedb88320
		}
		table[i] = v
	}
	sum := ^uint32(0)
	for _, b := range data {
		sum ^= uint32(b)
		sum = sum>>4 ^ table[sum&15]
		sum = sum>>4 ^ table[sum&15]
	}
	return ^sum
}

// adler is the check of a zlib stream (RFC 1950, 8.2).
func adler(data []byte) uint32 {
	const modulus = 65521
	a, b := uint32(1), uint32(0)
	for len(data) > 0 {
		part := data[:min(len(data), 5552)] // as far as b cannot overflow
		data = data[len(part):]
		for _, v := range part {
			a += uint32(v)
			b += a
		}
		a %= modulus
		b %= modulus
	}
	return b<<16 | a
}

// deflate compresses data into a zlib stream (RFC 1950) of one block with the
// fixed codes of RFC 1951, 3.2.6. It looks for repetitions of the byte before
// and of the bytes one line up, and takes the longer.
func deflate(data []byte, stride int) []byte {
	w := bitWriter{out: append(make([]byte, 0, 64+len(data)/4), 0x78, 0x01)}
	w.bits(1, 1) // the last block
	w.bits(1, 2) // fixed codes
	for i := 0; i < len(data); {
		n, distance := repeats(data, i, 1), 1
		if up := repeats(data, i, stride); up > n {
			n, distance = up, stride
		}
		if n < 3 {
			w.symbol(int(data[i]))
			i++
			continue
		}
		w.match(n, distance)
		i += n
	}
	w.symbol(256)
	w.bits(0, 7) // the last bits of the block come out as a whole byte
	return binary.BigEndian.AppendUint32(w.out, adler(data))
}

// repeats is how many bytes from data[i] on are those a distance before, 258 at
// most.
func repeats(data []byte, i, distance int) int {
	if i < distance {
		return 0
	}
	n := 0
	for n < 258 && i+n < len(data) && data[i+n] == data[i+n-distance] {
		n++
	}
	return n
}

// A bitWriter packs bits into bytes, lowest first.
type bitWriter struct {
	out  []byte
	hold uint32
	n    int
}

func (w *bitWriter) bits(v uint32, n int) {
	w.hold |= v << w.n
	for w.n += n; w.n >= 8; w.n -= 8 {
		w.out = append(w.out, byte(w.hold))
		w.hold >>= 8
	}
}

// code writes a Huffman code, whose first bit is its highest.
func (w *bitWriter) code(v uint32, n int) {
	w.bits(bits.Reverse32(v)>>(32-n), n)
}

// symbol writes a literal byte, the end of the block (256) or a length code.
func (w *bitWriter) symbol(s int) {
	switch v := uint32(s); {
	case s < 144:
		w.code(0x30+v, 8)
	case s < 256:
		w.code(0x190+v-144, 9)
	case s < 280:
		w.code(v-256, 7)
	default:
		w.code(0xc0+v-280, 8)
	}
}

// match writes a repetition of 3..258 bytes from 1..32768 bytes before.
func (w *bitWriter) match(n, distance int) {
	if n == 258 {
		w.symbol(285) // the one length that does not follow the rule
	} else {
		base, extra, nbit := group(n-3, 4)
		w.symbol(257 + base)
		w.bits(extra, nbit)
	}
	base, extra, nbit := group(distance-1, 2)
	w.code(uint32(base), 5)
	w.bits(extra, nbit)
}

// group finds the code of a length or distance in the tables of RFC 1951, 3.2.5:
// the first 2*per codes stand for one value each, and every per codes after
// them for twice as many values each as those before.
func group(v, per int) (code int, extra uint32, nbit int) {
	low := v
	for low >= 2*per {
		low >>= 1
		nbit++
	}
	return nbit*per + low, uint32(v) & (1<<nbit - 1), nbit
}
