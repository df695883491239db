package oath

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"strings"
)

// A Coder makes the codes of one key. It keeps the HMAC between codes, so a
// loop over counters allocates nothing; it is not for concurrent use. Like a
// Key it prints as [secret].
type Coder struct {
	mac    hash.Hash
	digits int
	msg    [8]byte
	sum    [sha512.Size]byte
	code   [MaxDigits]byte
}

// NewCoder makes the coder of a key. It panics where Params.Check has an error,
// and at the zero Key.
func NewCoder(k Key, a Algorithm, digits int) *Coder {
	if k.IsZero() {
		panic("oath: coder without a key")
	}
	if err := (Params{Kind: HOTP, Algorithm: a, Digits: digits}).Check(); err != nil {
		panic("oath: " + err.Error())
	}
	newHash := sha1.New
	switch a {
	case SHA256:
		newHash = sha256.New
	case SHA512:
		newHash = sha512.New
	}
	return &Coder{mac: hmac.New(newHash, k.raw()), digits: digits}
}

// AppendCode appends the code of this counter, or of this step, to dst: RFC
// 4226 section 5.3.
func (c *Coder) AppendCode(dst []byte, counter uint64) []byte {
	binary.BigEndian.PutUint64(c.msg[:], counter)
	c.mac.Reset()
	c.mac.Write(c.msg[:])
	sum := c.mac.Sum(c.sum[:0])
	offset := sum[len(sum)-1] & 15
	v := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff

	var code [MaxDigits]byte
	for i := c.digits - 1; i >= 0; i-- {
		code[i] = '0' + byte(v%10)
		v /= 10
	}
	return append(dst, code[:c.digits]...)
}

// Match returns the highest counter from from to to, both included, whose code
// this is. Every code of the range is computed and compared in constant time,
// so the time tells neither whether nor where one matched. A text that is not
// exactly the digits of a code, see IsCode, matches none and computes none.
func (c *Coder) Match(code string, from, to uint64) (counter uint64, ok bool) {
	if from > to || !IsCode(code, c.digits) {
		return 0, false
	}
	var want [MaxDigits]byte
	copy(want[:], code)
	found := 0
	for n := from; ; n++ {
		same := subtle.ConstantTimeCompare(c.AppendCode(c.code[:0], n), want[:c.digits])
		mask := -uint64(same)
		counter = counter&^mask | n&mask
		found |= same
		if n == to { // not n <= to, which is always true at the largest counter
			return counter, found == 1
		}
	}
}

// Format prints [secret], whatever the verb.
func (c Coder) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// NormalizeCode drops the blanks and dashes with which people and apps group
// a code. Nothing else changes: what is left is judged by IsCode.
func NormalizeCode(s string) string {
	return strings.Map(func(r rune) rune {
		if blank(r) || dash(r) {
			return -1
		}
		return r
	}, s)
}

// IsCode says whether s is exactly this many ASCII digits.
func IsCode(s string, digits int) bool {
	if len(s) != digits {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
