package mfa

// RecordFormat is the number of the record's format.
const RecordFormat = 1

// EncodeRecord writes a user's record as JSON. It fails only where DecodeRecord
// would refuse what it wrote.
func EncodeRecord(u User) ([]byte, error) { panic("TODO") }

// DecodeRecord reads the record of the user with that id.
func DecodeRecord(id string, b []byte) (Record, error) { panic("TODO") }
