package mfa

// StateSize is the length of an encoded state in bytes: what a 512-byte slot
// of a store holds beside its generation and checksum.
const StateSize = 464

// EncodeState writes a state.
func EncodeState(s State) []byte { panic("TODO") }

// DecodeState reads what EncodeState wrote.
func DecodeState(b []byte) (State, error) { panic("TODO") }
