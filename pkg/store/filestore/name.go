package filestore

import "strings"

// The names of a user's two files end in these.
const (
	recordEnd = ".json"
	stateEnd  = ".state"
)

// A place is where a user's files are.
type place struct {
	shard  string // the folder in the store: two hex digits
	record string // the record's name in it
	state  string // the state's name in it
	hash   uint64 // of the id
}

// placeOf says where the user with that id is kept. The shard is a hash, so that
// no folder gets long: with 100,000 users each of the 256 has some 800 names.
func placeOf(id string) place {
	h := uint64(0xcbf29ce484222325) // FNV-1a, 64 bits
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 0x100000001b3
	}
	// FNV's upper bits depend on every byte, its lowest hardly do.
	b := byte(h>>56) ^ byte(h>>24)
	name := escape(id)
	return place{
		shard:  string([]byte{hexDigits[b>>4|0x10], hexDigits[b&15|0x10]}),
		record: name + recordEnd,
		state:  name + stateEnd,
		hash:   h,
	}
}

// Files returns where a store keeps the files of the user with that id, relative
// to its folder: for messages, backups and benchmarks. Who writes them goes
// through a [Store].
func Files(id string) (record, state string) {
	at := placeOf(id)
	return at.shard + "/" + at.record, at.shard + "/" + at.state
}

// temp is the name of the temporary of a file. Ids never begin with a dot in
// escaped form, so that it is nobody's file.
func temp(name string) string { return "." + name + ".new" }

const hexDigits = "0123456789ABCDEF0123456789abcdef"

// escape writes an id as one file name: letters, digits and @ . _ + - are kept
// as they are, every other byte, and a dot or dash at the beginning, is % and
// two upper-case hex digits. An id of 64 bytes needs at most 192; with ".", the
// longest ending and ".new" that is under the 255 which a file name may have.
func escape(id string) string {
	plain := true
	for i := range len(id) {
		plain = plain && kept(id, i)
	}
	if plain {
		return id
	}
	var b strings.Builder
	for i := range len(id) {
		if kept(id, i) {
			b.WriteByte(id[i])
		} else {
			b.Write([]byte{'%', hexDigits[id[i]>>4], hexDigits[id[i]&15]})
		}
	}
	return b.String()
}

func kept(id string, i int) bool {
	switch c := id[i]; {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '@', c == '_', c == '+':
		return true
	case c == '.', c == '-':
		return i > 0
	}
	return false
}

// unescape reads a name that escape wrote; any other is not ok.
func unescape(name string) (id string, ok bool) {
	if strings.IndexByte(name, '%') < 0 {
		return name, escape(name) == name
	}
	b := make([]byte, 0, len(name))
	for i := 0; i < len(name); i++ {
		c := name[i]
		if c == '%' {
			if i+2 >= len(name) {
				return "", false
			}
			high, low := strings.IndexByte(hexDigits[:16], name[i+1]), strings.IndexByte(hexDigits[:16], name[i+2])
			if high < 0 || low < 0 {
				return "", false
			}
			c = byte(high<<4 | low)
			i += 2
		}
		b = append(b, c)
	}
	return string(b), escape(string(b)) == name
}
