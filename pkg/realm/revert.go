package realm

import "oathkit/pkg/section"

// RevertTFA takes back an edit that gave a realm the tfa value wrote: the realm
// gets the value before, or where that is "" none, and a section that the edit
// made (made) goes again when it holds nothing else. ok is false, and nothing
// changes, when the value that Proxmox VE reads is not wrote any more.
func RevertTFA(b []byte, id, wrote, before string, made bool) (out []byte, ok bool, err error) {
	r, _ := Parse(b).Lookup(id)
	if p, has := r.Property("tfa"); !has || p.Value != wrote {
		return b, false, nil
	}
	if before != "" {
		out, err = restoreTFA(b, id, before)
		return out, err == nil, err
	}
	out, err = Unset(b, id, "tfa")
	if err != nil { // something else asks as well, or a file full of faults
		out, _, err = DisableTFA(b, id)
	}
	if err == nil && made {
		out = withoutBare(out, id)
	}
	return out, err == nil, err
}

// restoreTFA writes a value that was read from the file before, and need not be
// one that Set writes.
func restoreTFA(b []byte, id, value string) ([]byte, error) {
	e, err := newEdit(b, id, "tfa")
	if err != nil {
		return nil, err
	}
	e.value = value
	out, err := e.set()
	if err != nil {
		return nil, err
	}
	return out, e.verify(out)
}

// withoutBare returns the bytes without the only section of a realm, if that is
// nothing but its header.
func withoutBare(b []byte, id string) []byte {
	d := Parse(b)
	secs := d.file.SectionsOf(id)
	if len(secs) != 1 {
		return b
	}
	s := secs[0]
	for l := range section.LinesOf(b, s.Body, s.End, 0) {
		if section.KindOf(b[l.Start:l.End]) != section.Blank {
			return b
		}
	}
	return cut(b, []span{{s.Start, s.End}})
}
