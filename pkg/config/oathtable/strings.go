package oathtable

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// oneLineString reads a string in single or double quotes.
func (p *parser) oneLineString() (string, error) {
	start, quote := p.pos, p.peek()
	p.pos++
	var b strings.Builder
	for {
		switch c := p.peek(); {
		case c == quote:
			p.pos++
			return b.String(), nil
		case c == 0 || c == '\n' || c == '\r':
			return "", p.fail(start, "the string does not end on its line")
		case c == '\\' && quote == '"':
			if err := p.escape(&b); err != nil {
				return "", err
			}
		default:
			b.WriteByte(c)
			p.pos++
		}
	}
}

// escape reads one of TOML 1.0's escape sequences.
func (p *parser) escape(b *strings.Builder) error {
	start := p.pos
	p.pos++
	c := p.peek()
	p.pos++
	digits := 0
	switch c {
	case 'b':
		b.WriteByte('\b')
	case 't':
		b.WriteByte('\t')
	case 'n':
		b.WriteByte('\n')
	case 'f':
		b.WriteByte('\f')
	case 'r':
		b.WriteByte('\r')
	case '"', '\\':
		b.WriteByte(c)
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	default:
		return p.fail(start, "unknown escape in a string; write a backslash as two")
	}
	if digits == 0 {
		return nil
	}
	end := p.pos + digits
	if end > len(p.text) {
		return p.fail(start, "expected %d hexadecimal digits", digits)
	}
	n, err := strconv.ParseUint(p.text[p.pos:end], 16, 32)
	if err != nil || n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
		return p.fail(start, "expected %d hexadecimal digits of a Unicode character", digits)
	}
	b.WriteRune(rune(n))
	p.pos = end
	return nil
}

// multiLineString skips a string in three quotes. TOML lets one or two quotes
// stand right before the closing three; that is refused, as nobody needs it.
func (p *parser) multiLineString() error {
	start, quotes := p.pos, p.text[p.pos:p.pos+3]
	p.pos += 3
	for p.pos < len(p.text) {
		switch {
		case p.has(quotes):
			p.pos += 3
			if p.peek() == quotes[0] {
				return p.fail(p.pos, "more than three quotes at the end of a string")
			}
			return nil
		case p.peek() == '\\' && quotes[0] == '"':
			p.pos += 2
		default:
			p.pos++
		}
	}
	p.pos = len(p.text)
	return p.fail(start, "the string never ends")
}
