package main

import (
	"os"
	"testing"
)

// A process chooses its own name.
func TestParseStat(t *testing.T) {
	const rest = " S 41 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1000 2000 18446744073709551615"
	for _, name := range []string{"sshd", "a b", ") S 1 1", "(((", "x) S 7 (y", "\n)"} {
		parent, start, err := parseStat("1234 (" + name + ")" + rest + "\n")
		if parent != 41 || start != "987654" || err != nil {
			t.Errorf("%q: parent %d, start %q, %v", name, parent, start, err)
		}
	}
	for _, line := range []string{"", "1 (x) S 41", "1 (x)", "1 (x) S y" + rest[5:]} {
		if parent, start, err := parseStat(line); err == nil {
			t.Errorf("%q: parent %d, start %q", line, parent, start)
		}
	}
	parent, start, err := readStat(os.Getpid())
	if parent != os.Getppid() || start == "" || err != nil {
		t.Errorf("of itself: parent %d, start %q, %v", parent, start, err)
	}
}

// A connection is remembered by everything that tells it from others.
func TestConnectionNames(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range []connection{{1, 2, "3"}, {1, 2, "4"}, {1, 3, "3"}, {2, 2, "3"}, {12, 2, "3"}, {1, 22, "3"}} {
		if seen[c.name()] {
			t.Errorf("%+v has the name of another", c)
		}
		seen[c.name()] = true
	}
	a, err := connection{}.ticket([16]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := (connection{}).ticket([16]byte{2}); a == b {
		t.Error("two records have one ticket")
	}
}

// This process is below no sshd of a user that does not exist.
func TestConnectionOfNobody(t *testing.T) {
	if c, ok := connectionOf(4294967294); ok {
		t.Errorf("found %+v", c)
	}
}
