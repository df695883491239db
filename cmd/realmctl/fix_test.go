package main

import (
	"strings"
	"testing"
)

// A mend that makes Proxmox VE ask for a factor locks nobody out.
func TestFixAsksTheGuard(t *testing.T) {
	w := newWorld(t)
	const broken = "pve: pve\n\ttfa type=totp\n\npam: pam\n\tcomment x\npve: more\n\tcomment y\n"
	w.write("domains.cfg", broken)
	w.pveFiles("user:ann@pve:1:0::::::\n", "")
	if code := w.run(w.tool.fix); code != 1 || !strings.Contains(w.talk.String(), "ann@pve: no key") || w.read("pve/domains.cfg") != broken {
		t.Errorf("exit code %d: %s\n%s", code, w.talk.String(), w.read("pve/domains.cfg"))
	}
	w.write("pve/user.cfg", "user:ann@pve:1:0:::::"+key+":\n")
	if code := w.run(w.tool.fix); code != 0 || !strings.Contains(w.talk.String(), `realm "pve" asks everybody for a second factor now`) || !strings.Contains(w.out.String(), "+\ttfa type=oath\n") {
		t.Errorf("exit code %d: %s", code, w.talk.String())
	}
	if got, want := w.read("pve/domains.cfg"), "pve: pve\n\ttfa type=oath\n\npam: pam\n\tcomment x\n\npve: more\n\tcomment y\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}

	// Forced, nobody looks.
	w.write("pve/domains.cfg", broken)
	w.write("pve/user.cfg", "user:ann@pve:1:0::::::\n")
	w.tool.lockOut = true
	if code := w.run(w.tool.fix); code != 0 || !strings.Contains(w.talk.String(), "nobody looked") || w.read("pve/domains.cfg") == broken {
		t.Errorf("exit code %d: %s", code, w.talk.String())
	}

	// A mend that takes a factor away where only Proxmox VE saw it says so.
	w.write("pve/domains.cfg", "pam: pam\n\tcomment x\npve: pve\n\ttfa type=oath\n")
	if code := w.run(w.tool.fix); code != 0 || !strings.Contains(w.talk.String(), `realm "pam" asks nobody for a second factor any more`) {
		t.Errorf("exit code %d: %s", code, w.talk.String())
	}
}
