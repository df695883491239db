package durable

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The shape of a file of slots.
const (
	SlotSize    = 512                   // bytes of a slot
	SlotPayload = 464                   // most bytes of payload
	slotStride  = 4096                  // from one slot to the other
	SlotsSize   = slotStride + SlotSize // bytes of the file
	slotHead    = 24                    // bytes before the payload
	slotMagic   = 0x6f61746873746c31    // "oathstl1": the format number is its end
	slotSum     = SlotSize - 8          // where the checksum is
)

// ErrNoSlot means that neither slot of a file is whole.
var ErrNoSlot = errors.New("neither slot is whole")

// Slots is what a file of slots holds: two slots of 512 bytes, at offsets 0 and
// 4096, so that no page and no sector of a disk holds both. A slot is
//
//	offset  bytes
//	0       8    the characters "oathstl1"
//	8       8    generation
//	16      2    length of the payload, 0 to 464
//	18      6    zero
//	24      464  payload, then zeros
//	488     16   zero
//	504     8    checksum: FNV-1a, 64 bits, of all before
//
// with numbers in big-endian order. The slot with the higher generation counts.
// The next one is written over the other, in place, so that a write that tears
// leaves the slot before it; the writer does not answer before fdatasync has.
//
// The checksum has to tell a torn or decayed slot from a whole one, not to stop
// a forger, who could write the file anyway. FNV-1a needs no table (a table
// would be built at every start) and no import; it finds every change within
// one byte, and any other with odds of 1 in 2^64.
type Slots struct {
	Generation uint64 // of Payload; 0 when there is none
	Payload    []byte // of the newer whole slot
	newer      int    // its number, 0 or 1
}

// ParseSlots reads a file of slots from its first [SlotsSize] bytes. Fewer bytes
// are a file that was cut off. The error is [ErrNoSlot].
func ParseSlots(b []byte) (Slots, error) {
	var s Slots
	for i := range 2 {
		from := i * slotStride
		if len(b) < from+SlotSize {
			break
		}
		generation, payload, ok := parseSlot(b[from : from+SlotSize])
		if ok && generation > s.Generation {
			s = Slots{Generation: generation, Payload: payload, newer: i}
		}
	}
	if s.Generation == 0 {
		return s, ErrNoSlot
	}
	return s, nil
}

func parseSlot(b []byte) (generation uint64, payload []byte, ok bool) {
	n := int(binary.BigEndian.Uint16(b[16:]))
	if binary.BigEndian.Uint64(b) != slotMagic || n > SlotPayload || binary.BigEndian.Uint64(b[slotSum:]) != checksum(b[:slotSum]) {
		return 0, nil, false
	}
	return binary.BigEndian.Uint64(b[8:]), b[slotHead : slotHead+n : slotHead+n], true
}

// appendSlot appends a slot of 512 bytes.
func appendSlot(dst []byte, generation uint64, payload []byte) []byte {
	from := len(dst)
	dst = append(dst, make([]byte, SlotSize)...)
	b := dst[from:]
	binary.BigEndian.PutUint64(b, slotMagic)
	binary.BigEndian.PutUint64(b[8:], generation)
	binary.BigEndian.PutUint16(b[16:], uint16(len(payload)))
	copy(b[slotHead:], payload)
	binary.BigEndian.PutUint64(b[slotSum:], checksum(b[:slotSum]))
	return dst
}

// checksum is FNV-1a with 64 bits (the Fowler, Noll and Vo hash, RFC 9923).
func checksum(b []byte) uint64 {
	h := uint64(0xcbf29ce484222325)
	for _, c := range b {
		h = (h ^ uint64(c)) * 0x100000001b3
	}
	return h
}

// ReadSlots reads a file of slots with one pread. The error is [ErrNoSlot] for a
// file that can be read and makes no sense.
func (f *File) ReadSlots() (Slots, error) {
	var b [SlotsSize]byte
	n, err := f.ReadAt(b[:], 0)
	if err != nil {
		return Slots{}, err
	}
	s, err := ParseSlots(b[:n])
	if err != nil {
		return s, fmt.Errorf("cannot read %q: %w", f.Path(), err)
	}
	return s, nil
}

// WriteSlot writes the next generation over the older slot: one pwrite of 512
// bytes and one fdatasync. s is what was read under the lock that is still held.
func (f *File) WriteSlot(s Slots, payload []byte) error {
	if err := checkPayload(payload); err != nil {
		return err
	}
	var b [SlotSize]byte
	if err := f.WriteAt(appendSlot(b[:0], s.Generation+1, payload), int64(1-s.newer)*slotStride); err != nil {
		return err
	}
	return f.Datasync()
}

// WriteSlots writes both slots anew: for a new file, or where what was there is
// to be gone. s is what was read before, or zero. Slots that hold something are
// written one after the other, each with its flush, so that a crash leaves one.
func (f *File) WriteSlots(s Slots, payload []byte) error {
	if err := checkPayload(payload); err != nil {
		return err
	}
	if s.Generation > 0 {
		if err := f.WriteSlot(s, payload); err != nil {
			return err
		}
		return f.WriteSlot(Slots{Generation: s.Generation + 1, newer: 1 - s.newer}, payload)
	}
	b := make([]byte, 0, SlotsSize)
	b = appendSlot(b, 1, payload)
	b = append(b, make([]byte, slotStride-SlotSize)...)
	b = appendSlot(b, 2, payload)
	if err := f.WriteAt(b, 0); err != nil {
		return err
	}
	return f.Sync()
}

func checkPayload(payload []byte) error {
	if len(payload) > SlotPayload {
		return fmt.Errorf("a slot holds %d bytes, not %d", SlotPayload, len(payload))
	}
	return nil
}
