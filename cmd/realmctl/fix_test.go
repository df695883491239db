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

	// A mend that takes a factor away, though only Proxmox VE saw it, has to be asked for.
	const swallowed = "pam: pam\n\tcomment x\npve: pve\n\ttfa type=oath\n"
	w.write("pve/domains.cfg", swallowed)
	if code := w.run(w.tool.fix); code != 1 || !strings.Contains(w.talk.String(), `ask nobody of realm "pam"`) || w.read("pve/domains.cfg") != swallowed {
		t.Errorf("exit code %d: %s", code, w.talk.String())
	}
	w.tool.letIn = true
	if code := w.run(w.tool.fix); code != 0 || !strings.Contains(w.talk.String(), `realm "pam" asks nobody for a second factor any more`) {
		t.Errorf("exit code %d: %s", code, w.talk.String())
	}
}

// In a file of ours a realm that the reader does not see asks everybody. A mend that
// only makes it be seen would let people in.
func TestFixLetsNobodyIn(t *testing.T) {
	const good = "\tserver1 a\n\tbase_dn dc=x\n\tuser_attr uid\n"
	tests := []struct{ name, file, stops string }{
		{"an indented header", " ldap: corp\n" + good, "corp"},
		{"a comment behind a header", "ldap: corp # ours\n" + good, "corp"},
		{"a missing empty line", "pam: pam\n\tcomment x\nldap: corp\n" + good, "corp"},
		{"a section in two parts", "ldap: corp\n\n" + good, "corp"},
		{"a second section that lacks something", "ldap: corp\n" + good + "\nldap: corp\n\tcomment x\n", "corp"},
		{"a factor of the next realm", "pam: pam\n\tcomment x\npve: pve\n\ttfa type=oath\n", "pam"},
		{"a factor of its own", "ldap: corp # ours\n" + good + "\ttfa type=oath\n", ""},
		{"nothing of the kind", "pam: pam\r\n\ttfa type=oath\r\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.write("domains.cfg", tt.file)
			code := w.run(w.tool.fix)
			if tt.stops == "" {
				if code != 0 || w.read("domains.cfg") == tt.file {
					t.Errorf("exit code %d: %s", code, w.talk.String())
				}
				return
			}
			if code != 1 || !strings.Contains(w.talk.String(), `ask nobody of realm "`+tt.stops+`"`) || w.read("domains.cfg") != tt.file {
				t.Errorf("exit code %d: %s", code, w.talk.String())
			}
			w.tool.letIn = true
			if code := w.run(w.tool.fix); code != 0 || !strings.Contains(w.talk.String(), `realm "`+tt.stops+`" asks nobody for a second factor any more`) {
				t.Errorf("forced: exit code %d: %s", code, w.talk.String())
			}
		})
	}
}
