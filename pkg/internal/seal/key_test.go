package seal

import (
	"bytes"
	"strings"
	"testing"
)

func TestParseKeys(t *testing.T) {
	file := "# of the second of March\r\n\n  " + keyB + "\t\r\n# the one before\n" + keyA
	keys, err := ParseKeys([]byte(file))
	if err != nil || len(keys) != 2 || keys[0].ID() != sealer(t, keyB).KeyID() || keys[1].ID() != sealer(t, keyA).KeyID() {
		t.Fatalf("%v, %v", keys, err)
	}
	// The id of a key is part of every record that is sealed with it.
	if id := sealer(t, keyA).KeyID(); id != "72b30f67" {
		t.Errorf("the id of the key has become %s", id)
	}
}

func TestParseKeysErrors(t *testing.T) {
	const none = "this is no key: it must be 32 bytes in base64, 44 characters with one = at the end"
	for _, c := range []struct{ file, want string }{
		{"", "there is no key: `openssl rand -base64 32` makes one"},
		{"# nothing\n\n", "there is no key: `openssl rand -base64 32` makes one"},
		{keyA + "\n" + keyA, "line 2: key 72b30f67 is there twice"},
		{keyA[:43], "line 1: " + none},
		{"#\n" + keyA + "=", "line 2: " + none},
		{keyA[:42] + "9=", "line 1: " + none},                      // bits that no byte has
		{strings.TrimSuffix(keyA, "8=") + "==", "line 1: " + none}, // 31 bytes
		{strings.TrimSuffix(keyA, "=") + "A", "line 1: " + none},   // 33 bytes
		{strings.Replace(keyA, "A", "-", 1), "line 1: " + none},    // base64url
		{keyA[:20] + "\n" + keyA[20:], "line 1: " + none},          // a key in two lines
		{keyA + " " + keyB, "line 1: " + none},                     // two on a line
		{strings.Repeat("00", 32), "line 1: " + none},              // hex
		{strings.Repeat("A", 43) + "=", "line 1: this key is one byte again and again"},
	} {
		keys, err := ParseKeys([]byte(c.file))
		if err == nil || keys != nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q: %v, want %s", c.file, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "AwQFBgcI") {
			t.Errorf("%q: the error quotes the key: %v", c.file, err)
		}
	}
}

func TestAddKey(t *testing.T) {
	random := dice()
	b, err := AddKey(nil, random)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ParseKeys(b)
	if err != nil || len(keys) != 1 || !strings.HasPrefix(string(b), "# key "+keys[0].ID()+"\n") {
		t.Fatalf("%q: %v", b, err)
	}
	for _, old := range []string{keyA, keyA + "\n", "# mine\n\n" + keyA + "\n#\n" + keyB + "\n"} {
		b, err := AddKey([]byte(old), random)
		if err != nil {
			t.Fatal(err)
		}
		before, _ := ParseKeys([]byte(old))
		after, err := ParseKeys(b)
		if err != nil || len(after) != len(before)+1 || after[1].ID() != before[0].ID() {
			t.Errorf("%q became %q: %v", old, b, err)
		}
		// Two lines are new, the rest is as it was.
		i := bytes.Index(b, []byte("# key "+after[0].ID()))
		if rest := string(b[:i]) + string(b[i+len("# key 12345678\n")+45:]); rest != old {
			t.Errorf("%q lost what was around it: %q", old, rest)
		}
	}
	// Each key that was added keeps its own comment, below what somebody wrote.
	b = []byte("# mine\n")
	b = append(b, keyA+"\n"...)
	for range 3 {
		if b, err = AddKey(b, random); err != nil {
			t.Fatal(err)
		}
	}
	lines := strings.Split(string(b), "\n")
	keys, err = ParseKeys(b)
	if err != nil || len(keys) != 4 || lines[0] != "# mine" {
		t.Fatalf("%q: %v", b, err)
	}
	for i, k := range keys[:3] {
		if lines[1+2*i] != "# key "+k.ID() {
			t.Errorf("line %d is %q, its key is %s", 2+2*i, lines[1+2*i], k.ID())
		}
	}
	for _, bad := range []string{"nonsense\n", "# no key\n"} {
		if b, err := AddKey([]byte(bad), random); err == nil {
			t.Errorf("%q became %q", bad, b)
		}
	}
	full := []byte(keyA + "\n")
	for range MaxKeys - 1 {
		if full, err = AddKey(full, random); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := AddKey(full, random); err == nil {
		t.Error("one key more than a file may have")
	}
	if _, err := AddKey(nil, bytes.NewReader(make([]byte, 32))); err == nil {
		t.Error("a key of zeros")
	}
}

func FuzzParseKeys(f *testing.F) {
	f.Add([]byte(keyA + "\n# x\n" + keyB))
	f.Fuzz(func(t *testing.T, b []byte) {
		keys, err := ParseKeys(b)
		if err != nil {
			return
		}
		more, err := AddKey(b, dice())
		if err != nil {
			if len(keys) < MaxKeys {
				t.Fatal(err)
			}
			return
		}
		after, err := ParseKeys(more)
		if err != nil || len(after) != len(keys)+1 {
			t.Fatalf("%q: %v", more, err)
		}
		for i := range keys {
			if after[i+1].ID() != keys[i].ID() {
				t.Fatalf("%q: key %d is another", more, i+1)
			}
		}
	})
}
