package realm

import (
	"bytes"
	"fmt"
	"testing"
)

// manyRealms is a file of n realms, each of five lines.
func manyRealms(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "ldap: realm%06d\n\tcomment Realm number %d\n\tserver1 10.0.0.1\n\tbase_dn dc=example,dc=com\n\tuser_attr uid\n\ttfa type=oath\n\n", i, i)
	}
	return b.Bytes()
}

func benchEdit(b *testing.B, fn func([]byte) error) {
	file := manyRealms(100_000)
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		if err := fn(file); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	benchEdit(b, func(f []byte) error { Parse(f); return nil })
}

func BenchmarkSet(b *testing.B) {
	benchEdit(b, func(f []byte) error { _, err := Set(f, "realm050000", "comment", "x"); return err })
}

func BenchmarkEnableTFA(b *testing.B) {
	benchEdit(b, func(f []byte) error {
		_, err := EnableTFA(f, "realm050000", TFA{Type: "oath", Digits: 8})
		return err
	})
}

func BenchmarkDisableTFA(b *testing.B) {
	benchEdit(b, func(f []byte) error { _, _, err := DisableTFA(f, "realm050000"); return err })
}

func BenchmarkDisableAllTFA(b *testing.B) {
	benchEdit(b, func(f []byte) error { DisableAllTFA(f); return nil })
}

func BenchmarkRequired(b *testing.B) {
	benchEdit(b, func(f []byte) error { Parse(f).Required("nobody"); return nil })
}

func BenchmarkRealms(b *testing.B) {
	benchEdit(b, func(f []byte) error { Parse(f).Realms(); return nil })
}

func BenchmarkProblems(b *testing.B) {
	benchEdit(b, func(f []byte) error { Parse(f).Problems(); return nil })
}
