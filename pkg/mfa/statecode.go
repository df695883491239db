package mfa

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// StateSize is the length of an encoded state in bytes: what a 512-byte slot
// of a store holds beside its generation and checksum.
const StateSize = 464

// stateVersion is the first byte of an encoded state.
const stateVersion = 1

// The kinds of a counter as a byte; lostBit marks one whose value is not known.
const (
	freeByte = 0
	totpByte = 1
	hotpByte = 2
	mailByte = 3
	smsByte  = 4
	duoByte  = 5
	lostBit  = 0x80
)

// usedBit is added to a sent code's purpose when the code was accepted.
const usedBit = 0x80

// EncodeState writes a state: always StateSize bytes, numbers big-endian, in
// the order of the fields below, zeros behind them. One state has one encoding.
func EncodeState(s State) []byte {
	b := make([]byte, 0, StateSize)
	b = append(b, stateVersion)
	b = append(b, s.Epoch[:]...)
	for _, c := range s.Counters {
		b = appendCounter(b, c)
	}
	b = binary.BigEndian.AppendUint16(b, s.Failures)
	b = binary.BigEndian.AppendUint64(b, uint64(s.LastFailure))
	b = append(b, boolByte(s.FullDelay))
	b = binary.BigEndian.AppendUint32(b, uint32(s.Month.Day))
	for _, n := range s.Month.Counts {
		b = binary.BigEndian.AppendUint16(b, n)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(s.Judged))
	b = append(b, s.Noted.ID[:]...)
	b = binary.BigEndian.AppendUint64(b, s.Noted.Time)
	b = append(b, s.RecoverySet[:]...)
	b = binary.BigEndian.AppendUint64(b, s.RecoveryUsed)
	b = s.appendSent(b)
	b = binary.BigEndian.AppendUint64(b, uint64(s.Removal.At))
	b = append(b, s.Removal.Tries)
	b = append(b, s.Removal.Hash[:]...)
	return b[:StateSize]
}

// appendSent writes the sent code. Its credential is written as the place of
// the counter that it has; without one the code could not be accepted.
func (s State) appendSent(b []byte) []byte {
	c := s.Sent
	place := s.place(c.ID)
	if c.ID == [16]byte{} || place < 0 {
		c, place = c.Revoked(), 0
	}
	purpose := byte(c.Purpose)
	if c.Used {
		purpose |= usedBit
	}
	b = binary.BigEndian.AppendUint64(b, uint64(c.At))
	b = append(b, purpose, byte(place), c.Tries)
	return append(b, c.Hash[:]...)
}

func appendCounter(b []byte, c Counter) []byte {
	kind := byte(freeByte)
	switch {
	case c.ID == [16]byte{}:
	case c.Kind == TOTP:
		kind = totpByte
	case c.Kind == HOTP:
		kind = hotpByte
	case c.Kind == Email:
		kind = mailByte
	case c.Kind == SMS:
		kind = smsByte
	case c.Kind == Duo:
		kind = duoByte
	}
	if kind == freeByte { // a counter of no kind is lost, which is what a missing one is
		c = Counter{}
	}
	if c.Lost {
		kind |= lostBit
	}
	b = append(b, c.ID[:]...)
	b = append(b, kind)
	b = binary.BigEndian.AppendUint64(b, c.Next)
	return binary.BigEndian.AppendUint64(b, c.Candidate)
}

// DecodeState reads what EncodeState wrote; anything that is not as it writes
// it is an error.
func DecodeState(b []byte) (State, error) {
	if len(b) == 0 || b[0] == 0 {
		return State{}, errors.New("the state is empty")
	}
	if b[0] != stateVersion {
		return State{}, fmt.Errorf("the state has version %d, this program reads version %d", b[0], stateVersion)
	}
	if len(b) != StateSize {
		return State{}, fmt.Errorf("the state has %d bytes instead of %d", len(b), StateSize)
	}
	r := reader{b: b[1:]}
	var s State
	copy(s.Epoch[:], r.take(16))
	for i := range s.Counters {
		s.Counters[i] = r.counter()
	}
	s.Failures = r.uint16()
	s.LastFailure = r.milliseconds()
	s.FullDelay = r.bool()
	s.Month.Day = int32(r.uint32())
	for i := range s.Month.Counts {
		s.Month.Counts[i] = r.uint16()
	}
	s.Judged = r.milliseconds()
	copy(s.Noted.ID[:], r.take(16))
	s.Noted.Time = r.counterValue()
	copy(s.RecoverySet[:], r.take(8))
	s.RecoveryUsed = r.uint64()
	s.Sent = r.sent(&s.Counters)
	s.Removal = r.removal()
	for _, spare := range r.b {
		r.bad = r.bad || spare != 0
	}
	if r.bad || s.doubleCounter() {
		return State{}, errors.New("the state holds values that no state has")
	}
	return s, nil
}

func (s State) doubleCounter() bool {
	for i := range s.Counters {
		for j := range i {
			if s.Counters[i].ID == s.Counters[j].ID && s.Counters[i].ID != [16]byte{} {
				return true
			}
		}
	}
	return false
}

// reader takes an encoded state apart; the caller has checked the length.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) uint16() uint16 { return binary.BigEndian.Uint16(r.take(2)) }
func (r *reader) uint32() uint32 { return binary.BigEndian.Uint32(r.take(4)) }
func (r *reader) uint64() uint64 { return binary.BigEndian.Uint64(r.take(8)) }

func (r *reader) milliseconds() int64 {
	v := int64(r.uint64())
	r.bad = r.bad || v < minSeconds*1000 || v > maxSeconds*1000+999
	return v
}

func (r *reader) counterValue() uint64 {
	v := r.uint64()
	r.bad = r.bad || v > MaxCounter
	return v
}

func (r *reader) bool() bool {
	v := r.take(1)[0]
	r.bad = r.bad || v > 1
	return v == 1
}

func (r *reader) counter() Counter {
	var c Counter
	copy(c.ID[:], r.take(16))
	kind := r.take(1)[0]
	c.Next = r.counterValue()
	c.Candidate = r.counterValue()
	c.Lost = kind&lostBit != 0
	switch kind &^ lostBit {
	case totpByte:
		c.Kind = TOTP
	case hotpByte:
		c.Kind = HOTP
	case mailByte:
		c.Kind = Email
	case smsByte:
		c.Kind = SMS
	case duoByte:
		c.Kind = Duo
	case freeByte:
		r.bad = r.bad || c != (Counter{})
	default:
		r.bad = true
	}
	r.bad = r.bad || (c.Kind != "" && c.ID == [16]byte{}) || (c.Kind.Sent() && c.Lost)
	return c
}

func (r *reader) sent(counters *[MaxCredentials]Counter) Sent {
	c := Sent{At: r.milliseconds()}
	purpose, place := r.take(1)[0], r.take(1)[0]
	c.Purpose, c.Used = Purpose(purpose&^usedBit), purpose&usedBit != 0
	c.Tries = r.take(1)[0]
	copy(c.Hash[:], r.take(len(c.Hash)))
	switch {
	case c.Purpose == 0:
		r.bad = r.bad || place != 0 || c != c.Revoked()
	case c.Purpose > ForChange, place >= MaxCredentials, !counters[min(place, MaxCredentials-1)].Kind.Sent():
		r.bad = true
	default:
		c.ID = counters[place].ID
	}
	return c
}

func (r *reader) removal() Removal {
	c := Removal{At: r.milliseconds(), Tries: r.take(1)[0]}
	copy(c.Hash[:], r.take(len(c.Hash)))
	r.bad = r.bad || c.Hash == [16]byte{} && c.Tries != 0
	return c
}

func boolByte(b bool) byte {
	if b {
		return 1
	}
	return 0
}
