package durable

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// slotFile makes a file of slots in a new folder, with both slots written.
func slotFile(t *testing.T, payload string) *File {
	t.Helper()
	d, err := OpenDir(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	f, err := d.Open("slots", unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if err := f.WriteSlots(Slots{}, []byte(payload)); err != nil {
		t.Fatal(err)
	}
	return f
}

func readSlots(t *testing.T, f *File) Slots {
	t.Helper()
	s, err := f.ReadSlots()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSlotsAlternate(t *testing.T) {
	f := slotFile(t, "start")
	s := readSlots(t, f)
	if s.Generation != 2 || string(s.Payload) != "start" {
		t.Fatalf("new file: %+v", s)
	}
	newer := s.newer
	for i := range 10 {
		payload := bytes.Repeat([]byte{byte(i)}, i*50)
		if err := f.WriteSlot(s, payload); err != nil {
			t.Fatal(err)
		}
		s = readSlots(t, f)
		if s.Generation != uint64(i)+3 || !bytes.Equal(s.Payload, payload) {
			t.Fatalf("write %d: read %+v", i, s)
		}
		if s.newer == newer {
			t.Fatalf("write %d went over the newer slot", i)
		}
		newer = s.newer
	}
}

// A write that tears at any byte leaves the slot before it, or is whole.
func TestTornSlot(t *testing.T) {
	f := slotFile(t, "one")
	if err := f.WriteSlot(readSlots(t, f), []byte("two")); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(f.Path())
	if err != nil {
		t.Fatal(err)
	}
	s := readSlots(t, f)
	if err := f.WriteSlot(s, []byte("three")); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(f.Path())
	if err != nil {
		t.Fatal(err)
	}
	from := (1 - s.newer) * slotStride
	for n := range SlotSize + 1 {
		for _, tail := range []bool{false, true} { // the first n bytes came, or the last n
			torn := bytes.Clone(before)
			if tail {
				copy(torn[from+SlotSize-n:from+SlotSize], after[from+SlotSize-n:from+SlotSize])
			} else {
				copy(torn[from:from+n], after[from:from+n])
			}
			got, err := ParseSlots(torn)
			want := "two"
			if bytes.Equal(torn, after) {
				want = "three"
			}
			if err != nil || string(got.Payload) != want {
				t.Fatalf("%d bytes came (tail %v): %q, %v; want %q", n, tail, got.Payload, err, want)
			}
		}
	}
}

func TestSlotFilesThatMakeNoSense(t *testing.T) {
	f := slotFile(t, "whole")
	whole, err := os.ReadFile(f.Path())
	if err != nil {
		t.Fatal(err)
	}
	if len(whole) != SlotsSize {
		t.Fatalf("the file has %d bytes", len(whole))
	}
	flip := func(at ...int) []byte {
		b := bytes.Clone(whole)
		for _, i := range at {
			b[i] ^= 1
		}
		return b
	}
	for _, tt := range []struct {
		name string
		file []byte
		ok   bool
	}{
		{"empty", nil, false},
		{"one byte short of a slot", whole[:SlotSize-1], false},
		{"cut after the first slot", whole[:SlotSize], true},
		{"cut in the second slot", whole[:SlotsSize-1], true},
		{"zeros", make([]byte, SlotsSize), false},
		{"magic of both", flip(7, 4096+7), false},
		{"generation of both", flip(15, 4096+15), false},
		{"length of both", flip(17, 4096+17), false},
		{"padding of both", flip(300, 4096+300), false},
		{"checksum of both", flip(511, 4096+511), false},
		{"one flipped in the first", flip(30), true},
		{"one flipped in the second", flip(4096 + 30), true},
		{"the gap", flip(600), true},
	} {
		s, err := ParseSlots(tt.file)
		if tt.ok && (err != nil || string(s.Payload) != "whole") {
			t.Errorf("%s: %+v, %v", tt.name, s, err)
		}
		if !tt.ok && !errors.Is(err, ErrNoSlot) {
			t.Errorf("%s: %+v, %v; want ErrNoSlot", tt.name, s, err)
		}
	}
	if err := f.WriteSlot(Slots{}, make([]byte, SlotPayload+1)); err == nil {
		t.Error("a payload that is too long was written")
	}
	if now, _ := os.ReadFile(filepath.Clean(f.Path())); !bytes.Equal(now, whole) {
		t.Error("the refused payload changed the file")
	}
}

// What parses as a slot is a slot: written again it is the same bytes.
func FuzzParseSlots(f *testing.F) {
	f.Add(appendSlot(nil, 1, nil))
	f.Add(appendSlot(nil, 1<<63, []byte("payload")))
	f.Add(appendSlot(nil, 7, make([]byte, SlotPayload)))
	f.Fuzz(func(t *testing.T, b []byte) {
		// Fuzzing finds no checksums: it gets one for free.
		if len(b) >= SlotSize {
			b = bytes.Clone(b[:SlotSize])
			h := checksum(b[:slotSum])
			for i := range 8 {
				b[slotSum+i] = byte(h >> (56 - 8*i))
			}
		}
		s, err := ParseSlots(b)
		if err != nil {
			return
		}
		again, err := ParseSlots(appendSlot(nil, s.Generation, s.Payload))
		if err != nil || again.Generation != s.Generation || !bytes.Equal(again.Payload, s.Payload) {
			t.Fatalf("%+v, then %+v, %v", s, again, err)
		}
	})
}
