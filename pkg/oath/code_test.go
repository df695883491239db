package oath_test

import (
	"encoding/base32"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/oath"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

// RFC 4226 appendix D.
func TestHOTPVectors(t *testing.T) {
	key := mustBytes(t, "12345678901234567890")
	codes := []string{
		"755224", "287082", "359152", "969429", "338314",
		"254676", "287922", "162583", "399871", "520489",
	}
	c := oath.NewCoder(key, oath.SHA1, 6)
	for i, want := range codes {
		if got := string(c.AppendCode(nil, uint64(i))); got != want {
			t.Errorf("counter %d: code %s, want %s", i, got, want)
		}
	}
}

// RFC 6238 appendix B. Its keys are as long as the hash, which the text of the
// RFC leaves out and its program shows.
func TestTOTPVectors(t *testing.T) {
	keys := map[oath.Algorithm]string{
		oath.SHA1:   "12345678901234567890",
		oath.SHA256: "12345678901234567890123456789012",
		oath.SHA512: "1234567890123456789012345678901234567890123456789012345678901234",
	}
	for _, v := range []struct {
		time                 int64
		sha1, sha256, sha512 string
	}{
		{59, "94287082", "46119246", "90693936"},
		{1111111109, "07081804", "68084774", "25091201"},
		{1111111111, "14050471", "67062674", "99943326"},
		{1234567890, "89005924", "91819424", "93441116"},
		{2000000000, "69279037", "90698825", "38618901"},
		{20000000000, "65353130", "77737706", "47863826"},
	} {
		step := oath.StepAt(time.Unix(v.time, 0), 30)
		for a, want := range map[oath.Algorithm]string{oath.SHA1: v.sha1, oath.SHA256: v.sha256, oath.SHA512: v.sha512} {
			c := oath.NewCoder(mustBytes(t, keys[a]), a, 8)
			if got := string(c.AppendCode(nil, step)); got != want {
				t.Errorf("%s at %d: code %s, want %s", a, v.time, got, want)
			}
			if n, ok := c.Match(want, step-1, step+1); !ok || n != step {
				t.Errorf("%s at %d: matched %d %t", a, v.time, n, ok)
			}
		}
	}
}

func mustBytes(t testing.TB, s string) oath.Key {
	t.Helper()
	k, err := oath.KeyFromBytes([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestAgainstPquerna holds our loop against another implementation.
func TestAgainstPquerna(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	algorithms := []otp.Algorithm{otp.AlgorithmSHA1, otp.AlgorithmSHA256, otp.AlgorithmSHA512}
	for range 5000 {
		raw := make([]byte, 10+r.IntN(119))
		for i := range raw {
			raw[i] = byte(r.Uint32())
		}
		k, err := oath.KeyFromBytes(raw)
		if err != nil {
			t.Fatal(err)
		}
		digits, a, counter := 6+r.IntN(5), r.IntN(3), r.Uint64()>>r.IntN(64)
		c := oath.NewCoder(k, oath.Algorithm(a), digits)
		want, err := hotp.GenerateCodeCustom(base32.StdEncoding.EncodeToString(raw), counter, hotp.ValidateOpts{Digits: otp.Digits(digits), Algorithm: algorithms[a]})
		if err != nil {
			t.Fatal(err)
		}
		if got := string(c.AppendCode(nil, counter)); got != want {
			t.Fatalf("%x, %v, %d digits, counter %d: %s, want %s", raw, oath.Algorithm(a), digits, counter, got, want)
		}
		if got := k.Base32(); got != base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw) {
			t.Fatalf("%x in base32: %s", raw, got)
		}
		if got := k.Hex(); got != hex.EncodeToString(raw) {
			t.Fatalf("%x in hex: %s", raw, got)
		}
	}
}

// TestAgainstOathtool compares thousands of codes with those of liboath.
func TestAgainstOathtool(t *testing.T) {
	path, err := exec.LookPath("oathtool")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("oathtool is not installed")
		}
		t.Skip("oathtool is not installed")
	}
	const run = 250
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 36 {
		raw := make([]byte, 10+r.IntN(55))
		for i := range raw {
			raw[i] = byte(r.Uint32())
		}
		k, err := oath.KeyFromBytes(raw)
		if err != nil {
			t.Fatal(err)
		}
		digits := 6 + r.IntN(3)
		args := []string{"-w", strconv.Itoa(run - 1), "-d", strconv.Itoa(digits)}
		var a oath.Algorithm
		var first uint64
		if i%4 == 0 {
			first = r.Uint64() >> (2 + r.IntN(62))
			args = append(args, "-c", strconv.FormatUint(first, 10))
		} else {
			a = oath.Algorithm(i % 3)
			period, at := 1+r.IntN(300), time.Unix(r.Int64N(1<<32), 0)
			first = oath.StepAt(at, period)
			args = append(args, "--totp="+a.String(), "-s", strconv.Itoa(period)+"s", "-N", at.UTC().Format("2006-01-02 15:04:05 UTC"))
		}
		if i%2 == 0 {
			args = append(args, k.Hex())
		} else {
			args = append(args, "-b", k.Base32())
		}
		out, err := exec.Command(path, args...).Output()
		if err != nil {
			t.Fatalf("oathtool %q: %v", args, err)
		}
		codes := strings.Fields(string(out))
		if len(codes) != run {
			t.Fatalf("oathtool %q printed %d codes", args, len(codes))
		}
		c := oath.NewCoder(k, a, digits)
		for n, want := range codes {
			if got := string(c.AppendCode(nil, first+uint64(n))); got != want {
				t.Fatalf("oathtool %q: code %d is %s, ours %s", args, n, want, got)
			}
		}
	}
}

func TestMatch(t *testing.T) {
	// With RFC 4226's key the code of counter 5 is 254676.
	c := oath.NewCoder(mustBytes(t, "12345678901234567890"), oath.SHA1, 6)
	for _, v := range []struct {
		code     string
		from, to uint64
		counter  uint64
		ok       bool
	}{
		{"254676", 5, 5, 5, true},
		{"254676", 0, 10, 5, true},
		{"254676", 5, 10, 5, true},
		{"254676", 0, 5, 5, true},
		{"254676", 6, 10, 0, false},
		{"254676", 0, 4, 0, false},
		{"254676", 5, 4, 0, false},
		{"755224", 0, 0, 0, true},
		{"000000", 0, 100, 0, false},
		{"", 0, 10, 0, false},
		{"25467", 0, 10, 0, false},
		{"2546760", 0, 10, 0, false},
		{"254 676", 0, 10, 0, false},
		{"+54676", 0, 10, 0, false},
		{"٢٥٤٦٧٦", 0, 10, 0, false},
	} {
		if n, ok := c.Match(v.code, v.from, v.to); n != v.counter || ok != v.ok {
			t.Errorf("Match(%q, %d, %d) = %d, %t", v.code, v.from, v.to, n, ok)
		}
	}
}

// TestMatchTakesTheHighest looks for two counters with one code.
func TestMatchTakesTheHighest(t *testing.T) {
	c := oath.NewCoder(mustBytes(t, "12345678901234567890"), oath.SHA1, 6)
	seen := map[string]uint64{}
	for n := uint64(0); ; n++ {
		code := string(c.AppendCode(nil, n))
		first, twice := seen[code]
		if !twice {
			seen[code] = n
			continue
		}
		if got, ok := c.Match(code, first, n); !ok || got != n {
			t.Errorf("counters %d and %d: matched %d, %t", first, n, got, ok)
		}
		if got, ok := c.Match(code, first, n-1); !ok || got != first {
			t.Errorf("counters %d and, out of range, %d: matched %d, %t", first, n, got, ok)
		}
		return
	}
}

// TestMatchAtTheEnds would not end if a counter ran over.
func TestMatchAtTheEnds(t *testing.T) {
	const last = math.MaxUint64
	c := oath.NewCoder(mustBytes(t, "12345678901234567890"), oath.SHA512, 10)
	for n := uint64(last - 3); ; n++ {
		code := string(c.AppendCode(nil, n))
		if got, ok := c.Match(code, last-3, last); !ok || got != n {
			t.Errorf("counter %d: matched %d, %t", n, got, ok)
		}
		if n == last {
			break
		}
	}
	if n, ok := c.Match(string(c.AppendCode(nil, 0)), 0, 0); !ok || n != 0 {
		t.Errorf("counter 0: matched %d, %t", n, ok)
	}
	if _, ok := c.Match(string(c.AppendCode(nil, 0)), last, last); ok {
		t.Error("the code of 0 is the code of the largest counter")
	}
}

func TestStepAt(t *testing.T) {
	for _, v := range []struct {
		at     int64
		period int
		want   uint64
	}{
		{0, 30, 0},
		{29, 30, 0},
		{30, 30, 1},
		{59, 30, 1},
		{59, 1, 59},
		{86399, 86400, 0},
		{-1, 30, 0},
		{math.MinInt64, 30, 0},
		{20000000000, 30, 666666666},
	} {
		if got := oath.StepAt(time.Unix(v.at, 999999999), v.period); got != v.want {
			t.Errorf("StepAt(%d, %d) = %d, want %d", v.at, v.period, got, v.want)
		}
	}
}

func TestNormalizeCode(t *testing.T) {
	for in, want := range map[string]string{
		"123456":                      "123456",
		" 123 456\r\n":                "123456",
		"123-456":                     "123456",
		"123\u00a0456\u2009\u2212":    "123456",
		"abcd-efgh ijkl":              "abcdefghijkl",
		"+12345":                      "+12345",
		"":                            "",
		"\u200b\ufeff12\u20113\u2003": "123",
	} {
		if got := oath.NormalizeCode(in); got != want {
			t.Errorf("NormalizeCode(%q) = %q, want %q", in, got, want)
		}
	}
	for _, s := range []string{"", "12345", "1234567", "12345a", "12345 ", "+12345", "１２３４５６", "12345\x00"} {
		if oath.IsCode(s, 6) {
			t.Errorf("IsCode(%q, 6)", s)
		}
	}
	if !oath.IsCode("012345", 6) || !oath.IsCode("0123456789", 10) {
		t.Error("IsCode refuses digits")
	}
}

func TestNewCoderPanics(t *testing.T) {
	k := mustBytes(t, "1234567890")
	for name, f := range map[string]func(){
		"no key":    func() { oath.NewCoder(oath.Key{}, oath.SHA1, 6) },
		"algorithm": func() { oath.NewCoder(k, 3, 6) },
		"5 digits":  func() { oath.NewCoder(k, oath.SHA1, 5) },
		"11 digits": func() { oath.NewCoder(k, oath.SHA1, 11) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

// TestNoAllocations: the loops that check or make many allocate nothing.
func TestNoAllocations(t *testing.T) {
	k := mustBytes(t, "12345678901234567890")
	buf := make([]byte, 0, 64)
	loops := map[string]func(){
		"AppendBase32": func() { buf = k.AppendBase32(buf[:0]) },
		"AppendHex":    func() { buf = oath.AppendHex(buf[:0], []byte("12345678901234567890")) },
		"Ambiguous":    func() { oath.Ambiguous(buf) },
	}
	for _, a := range []oath.Algorithm{oath.SHA1, oath.SHA256, oath.SHA512} {
		c := oath.NewCoder(k, a, 8)
		c.AppendCode(nil, 0) // the HMAC keeps its inner states from the first code on
		loops["AppendCode "+a.String()] = func() { buf = c.AppendCode(buf[:0], 7) }
		loops["Match "+a.String()] = func() { c.Match("12345678", 1, 21) }
	}
	for name, f := range loops {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	for _, a := range []oath.Algorithm{oath.SHA1, oath.SHA256, oath.SHA512} {
		b.Run(a.String(), func(b *testing.B) {
			c := oath.NewCoder(mustBytes(b, "12345678901234567890"), a, 6)
			b.ReportAllocs()
			for b.Loop() {
				c.Match("000000", 100, 102)
			}
		})
	}
}

func BenchmarkAppendBase32(b *testing.B) {
	k := mustBytes(b, "12345678901234567890")
	buf := make([]byte, 0, 64)
	b.SetBytes(20)
	b.ReportAllocs()
	for b.Loop() {
		buf = k.AppendBase32(buf[:0])
	}
}
