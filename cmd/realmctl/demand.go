package main

import (
	"oathkit/pkg/realm"
	"oathkit/pkg/realm/realmfile"
)

// A demand is which realms of a file ask everybody for a factor: in a file of
// Proxmox VE as that reads it; in ours in either reading, and wherever the reader
// sees no such realm, for then oathverify asks as well.
type demand struct {
	realms []realm.Realm // the effective view
	asks   map[string]bool
	read   map[string]bool // taken over from the file
	pve    bool
}

func demands(doc *realmfile.File, b []byte) demand {
	domains := realm.Parse(b)
	d := demand{domains.Realms(), make(map[string]bool), make(map[string]bool), doc.PVE()}
	for _, r := range d.realms {
		d.read[r.ID] = r.InFile && r.Missing == ""
		d.asks[r.ID] = r.TFA != nil
	}
	if d.pve {
		return d
	}
	for _, w := range domains.Wishes() {
		for _, id := range w.Realms {
			d.asks[id] = true
		}
	}
	return d
}

func (d demand) of(id string) bool { return d.asks[id] || !d.pve && !d.read[id] }

// turned are the realms that ask for a factor after an edit and did not before, and
// those that asked and do not any more.
func turned(doc *realmfile.File, old, edited []byte) (begin, stop []realm.Realm) {
	was, is := demands(doc, old), demands(doc, edited)
	look := func(r realm.Realm) {
		switch before, now := was.of(r.ID), is.of(r.ID); {
		case now && !before:
			begin = append(begin, r)
		case before && !now:
			stop = append(stop, r)
		}
	}
	for _, r := range is.realms {
		look(r)
	}
	if is.pve {
		return begin, stop // whom a realm that is gone lets not in needs no factor
	}
	for _, r := range was.realms {
		if _, still := is.read[r.ID]; !still {
			look(r)
		}
	}
	return begin, stop
}
