package oathtable

import (
	"fmt"
	"strconv"
	"strings"
)

// A parser walks over a document once. Every key it meets is reported to set
// with its full path, also those inside inline tables.
type parser struct {
	name string
	text string
	pos  int

	header []string // the table that plain keys fall into
	table  Table
	seen   []string // "table", "table.key": what is defined already
	depth  int      // of arrays and inline tables
}

// maxDepth bounds nesting, which nothing in oathkit.toml needs.
const maxDepth = 16

// array and unsure stand for values that are not decoded.
type (
	array  struct{}
	unsure struct{ what string }
)

func (p *parser) fail(offset int, format string, args ...any) error {
	return At(p.name, p.text, offset, fmt.Sprintf(format, args...))
}

// peek is the next byte, or 0 at the end; a file has no 0 in it.
func (p *parser) peek() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

func (p *parser) has(prefix string) bool { return strings.HasPrefix(p.text[p.pos:], prefix) }

func (p *parser) blanks() {
	for c := p.peek(); c == ' ' || c == '\t'; c = p.peek() {
		p.pos++
	}
}

// space skips blanks, line endings and comments.
func (p *parser) space() {
	for {
		p.blanks()
		switch p.peek() {
		case '\n', '\r':
			p.pos++
		case '#':
			p.comment()
		default:
			return
		}
	}
}

func (p *parser) comment() {
	if i := strings.IndexByte(p.text[p.pos:], '\n'); i >= 0 {
		p.pos += i
		return
	}
	p.pos = len(p.text)
}

// lineEnd wants nothing more on the line but a comment.
func (p *parser) lineEnd() error {
	p.blanks()
	switch p.peek() {
	case '#':
		p.comment()
	case 0, '\n', '\r':
	default:
		return p.fail(p.pos, "expected the end of the line after a value or header")
	}
	return nil
}

func (p *parser) document() error {
	for {
		p.space()
		if p.peek() == 0 {
			return nil
		}
		item := p.keyValue
		if p.peek() == '[' {
			item = p.tableHeader
		}
		if err := item(); err != nil {
			return err
		}
		if err := p.lineEnd(); err != nil {
			return err
		}
	}
}

// tableHeader reads "[a.b]". An array of tables is nothing that oathkit.toml
// has, whatever its name.
func (p *parser) tableHeader() error {
	start := p.pos
	p.pos++
	if p.peek() == '[' {
		return p.fail(start, "arrays of tables, in double brackets, have no use here")
	}
	path, err := p.key()
	if err != nil {
		return err
	}
	if p.peek() != ']' {
		return p.fail(p.pos, "expected ']' at the end of the table's name")
	}
	p.pos++
	p.header = path
	if err := p.define(start, path); err != nil {
		return err
	}
	if !isTable(path) {
		return p.fail(start, "%s is a value, not a table", strings.Join(path, "."))
	}
	return nil
}

// isTable says whether a path that CheckName let pass is a table or a group, and
// not a key.
func isTable(path []string) bool {
	_, n, _ := TableOf(path)
	return len(path) <= n
}

// define notes that a table or key has been defined, which it may be once.
// CheckName has let the path pass, so it holds no zero byte, but perhaps a
// realm's name with dots in it.
func (p *parser) define(offset int, path []string) error {
	if err := CheckName(path); err != nil {
		return p.fail(offset, "%v", err)
	}
	full := strings.Join(path, "\x00")
	for _, s := range p.seen {
		if s == full || isTable(path) && !isGroup(full) && strings.HasPrefix(s, full+"\x00") {
			return p.fail(offset, "%s is defined a second time", strings.Join(path, "."))
		}
	}
	p.seen = append(p.seen, full)
	return nil
}

// key reads a dotted key and the blanks after it.
func (p *parser) key() ([]string, error) {
	var path []string
	for {
		p.blanks()
		piece, err := p.keyPiece()
		if err != nil {
			return nil, err
		}
		path = append(path, piece)
		p.blanks()
		if p.peek() != '.' {
			return path, nil
		}
		p.pos++
	}
}

func (p *parser) keyPiece() (string, error) {
	start := p.pos
	if c := p.peek(); c == '"' || c == '\'' {
		if p.has(`"""`) || p.has("'''") {
			return "", p.fail(start, "a key cannot be a multi-line string")
		}
		s, err := p.oneLineString()
		if err != nil {
			return "", err
		}
		return s, nil
	}
	for isBare(p.peek()) {
		p.pos++
	}
	if p.pos == start {
		return "", p.fail(start, "expected the name of a key or table")
	}
	return p.text[start:p.pos], nil
}

func isBare(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

// keyValue reads "key = value" below the current header.
func (p *parser) keyValue() error { return p.pair(p.header) }

func (p *parser) pair(parent []string) error {
	start := p.pos
	key, err := p.key()
	if err != nil {
		return err
	}
	if p.peek() != '=' {
		return p.fail(p.pos, "expected '=' after the key")
	}
	p.pos++
	p.blanks()
	// A fresh slice: parent is the header of the lines to come.
	path := append(append(make([]string, 0, len(parent)+len(key)), parent...), key...)
	if len(parent) == 0 && len(key) > 1 && p.closed(key[0]) {
		return p.fail(start, "%s is defined a second time", key[0])
	}
	if err := p.define(start, path); err != nil {
		return err
	}
	at := p.pos
	value, err := p.value(path)
	if err != nil {
		return err
	}
	_, inline := value.(map[string]any)
	switch {
	case isTable(path) && !inline:
		return p.fail(at, "%s must be a table, not %s", strings.Join(path, "."), Show(value))
	case path[0] == "oath" && len(path) == 2:
		if err := p.table.Set(path[1], value); err != nil {
			return p.fail(at, "%s.%s %v", path[0], path[1], err)
		}
	}
	return nil
}

// closed says whether a table was defined whole, by a header or inline, so
// that no dotted key may add to it.
func (p *parser) closed(table string) bool {
	for _, s := range p.seen {
		if s == table {
			return true
		}
	}
	return false
}

// value reads a value. Those that are not decoded come back as array, unsure or
// an empty map; the keys of an inline table are reported as they are met.
func (p *parser) value(path []string) (any, error) {
	start := p.pos
	switch c := p.peek(); {
	case p.has(`"""`) || p.has("'''"):
		return unsure{"a string over several lines"}, p.multiLineString()
	case c == '"' || c == '\'':
		return p.oneLineString()
	case c == '[':
		return array{}, p.array(path)
	case c == '{':
		return map[string]any{}, p.inlineTable(path)
	}
	for isBare(p.peek()) || strings.IndexByte("+.:", p.peek()) >= 0 && p.peek() != 0 {
		p.pos++
	}
	return p.bareValue(start, p.text[start:p.pos])
}

// bareValue decodes what is written without quotes: true, false and plain
// decimal numbers. Every other form that TOML may have for a number is refused.
func (p *parser) bareValue(start int, word string) (any, error) {
	switch word {
	case "":
		return nil, p.fail(start, "expected a value")
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	n, err := strconv.ParseInt(word, 10, 64)
	if err != nil || word != strconv.FormatInt(n, 10) {
		return nil, p.fail(start, "expected a string in quotes, true, false or a whole number in plain digits, not %q", word)
	}
	return n, nil
}

// array skips an array: values, commas, line endings and comments.
func (p *parser) array(path []string) error {
	start := p.pos
	if p.depth++; p.depth > maxDepth {
		return p.fail(start, "arrays and tables are nested too deeply")
	}
	defer func() { p.depth-- }()
	p.pos++
	for {
		p.space()
		if p.peek() == ']' {
			p.pos++
			return nil
		}
		if p.peek() == '{' {
			return p.fail(p.pos, "tables in an array have no use here")
		}
		if _, err := p.value(path); err != nil {
			return err
		}
		p.space()
		switch p.peek() {
		case ',':
			p.pos++
		case ']':
		default:
			return p.fail(p.pos, "expected ',' or ']' in the array that begins here: line %d", At(p.name, p.text, start, "").Line)
		}
	}
}

// inlineTable reads "{ a = 1, b = 2 }" on one line, as TOML 1.0 wants it.
func (p *parser) inlineTable(path []string) error {
	start := p.pos
	if p.depth++; p.depth > maxDepth {
		return p.fail(start, "arrays and tables are nested too deeply")
	}
	defer func() { p.depth-- }()
	p.pos++
	p.blanks()
	if p.peek() == '}' {
		p.pos++
		return nil
	}
	for {
		p.blanks()
		if err := p.pair(path); err != nil {
			return err
		}
		p.blanks()
		switch p.peek() {
		case ',':
			p.pos++
		case '}':
			p.pos++
			return nil
		default:
			return p.fail(p.pos, "expected ',' or '}' in the inline table, which must be on one line")
		}
	}
}
