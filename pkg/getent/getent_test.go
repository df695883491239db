package getent

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestRoot(t *testing.T) {
	for _, key := range []string{"root", "0"} {
		l, err := Lookup(context.Background(), key)
		if err != nil || l.Name != "root" || l.UID != 0 || l.GID != 0 || l.Home != "/root" || !strings.HasPrefix(l.Shell, "/") {
			t.Errorf("%q: %+v, %v", key, l, err)
		}
	}
	if groups, err := Groups(context.Background(), "root"); err != nil {
		t.Errorf("groups: %v, %v", groups, err)
	}
}

func TestUnknown(t *testing.T) {
	for _, key := range []string{"no-such-user", "4294967294", "", "--help", "root:x"} {
		if l, err := Lookup(context.Background(), key); !errors.Is(err, ErrUnknown) {
			t.Errorf("%q: %+v, %v", key, l, err)
		}
	}
}

func TestParse(t *testing.T) {
	for line, want := range map[string]string{
		"a:x:1:2:g:/h:/s\n":   "",
		"a:x:1:2:g:/h:":       "",
		"":                    "1 fields",
		"a:x:1:2:g:/h\n":      "6 fields",
		"a:x:1:2:g:/h:/s:/t":  "8 fields",
		"a:x:-1:2:g:/h:/s\n":  "invalid syntax",
		"a:x:1:y:g:/h:/s\n":   "invalid syntax",
		"a:x:4294967296:2:::": "out of range",
	} {
		_, err := parse("a", line)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", line, err, want)
		}
	}
}
