package realm

import (
	"fmt"
	"strconv"
)

// Required says whether a login in a realm needs a second factor. It does when
// either reading of the file asks for one (the effective view, or a Wish of the
// realm), when the realm is not in the file, pam and pve included, and when its
// section is one that Proxmox VE does not take over. line is the line that asks,
// or that is to be mended, 0 where there is none; why says so in a sentence.
func (d *Domains) Required(id string) (line int, why string, required bool) {
	r, _ := d.Lookup(id)
	if r.TFA != nil {
		return r.TFALine, "realm " + strconv.Quote(id) + " asks for a second factor of type " + r.TFA.Type, true
	}
	if own := d.wishesOf(id); len(own) > 0 {
		return own[0].Line, fmt.Sprintf("the line seems to ask for a second factor in realm %q, though Proxmox VE does not read it so", id), true
	}
	switch {
	case r.Missing != "":
		return r.Line, fmt.Sprintf("the section of realm %q lacks %s, so Proxmox VE does not take it over", id, r.Missing), true
	case !r.InFile:
		line, _ := d.seen(id)
		return line, fmt.Sprintf("realm %q is not in the file", id), true
	}
	return 0, "", false
}
