package oath_test

import (
	"testing"
	"time"

	"oathkit/pkg/oath"
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
