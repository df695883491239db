package duo

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"oathkit/pkg/duo/duotest"
)

// The example of Duo's documentation, signed with SHA-512.
func TestAuthorization(t *testing.T) {
	const (
		ikey = "DIWJ8X6AEYOR5OMC6TQ1"
		date = "Tue, 21 Aug 2012 17:29:18 -0000"
		path = "/accounts/v1/account/list"
		want = "1bffb8924348f7db7da9e7d7d749ded93aafd02d8e904960da7b96c57510220185a64a2827ee8f24ac5d30802a9ee97e59de44b304b18242f0d596d15a8122af"
	)
	skey, err := ReadSecret([]byte("Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep\n"))
	if err != nil {
		t.Fatal(err)
	}
	params := encode(map[string]string{"username": "root", "realname": "First Last"})
	got := skey.authorization(ikey, date, "post", "API-XXXXXXXX.duosecurity.com", path, params)
	b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(got, "Basic "))
	if err != nil || string(b) != ikey+":"+want {
		t.Errorf("got %s", b)
	}
}

// What is signed and sent is what the other side's rules make of it.
func FuzzEncode(f *testing.F) {
	f.Add("username", "root", "realname", "First Last")
	f.Add("a", "~-._ +*/&=%", "B", "\x00\xff\u20ac")
	f.Fuzz(func(t *testing.T, name1, value1, name2, value2 string) {
		params := map[string]string{name1: value1, name2: value2}
		encoded := encode(params)
		back, err := url.ParseQuery(encoded)
		if err != nil || len(back) != len(params) {
			t.Fatalf("%q: %v, %v", encoded, back, err)
		}
		for name, value := range params {
			if back.Get(name) != value {
				t.Fatalf("%q became %q", value, back.Get(name))
			}
		}
		// Duo sorts by names; ours are words, of which none begins another and
		// goes on with a byte below "=".
		if plain(name1) && plain(name2) && duotest.Canonical("d", "GET", "h", "/p", back) != "d\nGET\nh\n/p\n"+encoded {
			t.Fatalf("%q is not canonical", encoded)
		}
	})
}

func plain(name string) bool {
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") == ""
}

func TestSecrets(t *testing.T) {
	skey, err := ReadSecret([]byte("  " + duotest.SKey + "\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{
		skey, &skey,
		Config{SKey: skey},
		Factor{Passcode: "123456"},
		&Factor{Passcode: "123456"},
		Enrollment{Code: "123456"},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			s := fmt.Sprintf(verb, v)
			if strings.Contains(s, duotest.SKey) || strings.Contains(s, "123456") || strings.Contains(s, fmt.Sprintf("%x", duotest.SKey)) {
				t.Errorf("%T with %s: %s", v, verb, s)
			}
		}
	}
	for text, want := range map[string]string{
		" \n":                         "there is no secret key in it",
		"short":                       "holds no secret key: it must be one word of 20 to 128 characters, alone in the file",
		duotest.SKey + "\nsecond":     "holds no secret key: it must be one word of 20 to 128 characters, alone in the file",
		"skey = \"" + duotest.SKey:    "holds no secret key: it must be one word of 20 to 128 characters, alone in the file",
		strings.Repeat("x", 129):      "holds no secret key: it must be one word of 20 to 128 characters, alone in the file",
		"\u00e9" + duotest.SKey[1:20]: "holds no secret key: it must be one word of 20 to 128 characters, alone in the file",
	} {
		if _, err := ReadSecret([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}
