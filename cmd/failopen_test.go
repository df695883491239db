package cmd

import (
	"strings"
	"testing"
)

// mistakes are domains files that seem to ask for a factor in realm pve, by what is
// wrong with them. oathkit-scenarios(7) has a row for each that makes Proxmox VE
// ask for none.
func mistakes() map[string]string {
	return map[string]string{
		"no mistake":                  "pve: pve\n\ttfa type=oath\n",
		"another type":                "pve: pve\n\ttfa type=totp\n",
		"a slip in the type":          "pve: pve\n\ttfa type=oauth\n",
		"capitals":                    "pve: pve\n\ttfa type=OATH\n",
		"a capital name":              "pve: pve\n\tTFA type=oath\n",
		"no key":                      "pve: pve\n\ttfa oath\n",
		"no value":                    "pve: pve\n\ttfa\n",
		"nine digits":                 "pve: pve\n\ttfa type=oath,digits=9\n",
		"signed digits":               "pve: pve\n\ttfa type=oath,digits=+6\n",
		"a short step":                "pve: pve\n\ttfa type=oath,step=5\n",
		"blanks in the value":         "pve: pve\n\ttfa type=oath, digits=6\n",
		"an unknown part":             "pve: pve\n\ttfa type=oath,issuer=x\n",
		"a part twice":                "pve: pve\n\ttfa type=oath,type=oath\n",
		"more than 128 characters":    "pve: pve\n\ttfa type=oath,id=" + strings.Repeat("x", 128) + "\n",
		"a trailing comment":          "pve: pve\n\ttfa type=oath # since May\n",
		"a colon behind the name":     "pve: pve\n\ttfa: type=oath\n",
		"an equals sign":              "pve: pve\n\ttfa=type=oath\n",
		"not indented":                "pve: pve\ntfa type=oath\n",
		"CRLF":                        "pam: pam\r\n\tcomment x\r\n\r\npve: pve\r\n\ttfa type=oath\r\n",
		"an empty line above":         "pve: pve\n\tcomment x\n\n\ttfa type=oath\n",
		"no empty line between":       "pam: pam\n\tcomment x\npve: pve\n\ttfa type=oath\n",
		"blanks between":              "pam: pam\n\tcomment x\n  \npve: pve\n\ttfa type=oath\n",
		"a later section of the name": "pve: pve\n\ttfa type=oath\n\npve: pve\n\tcomment later\n",
		"a byte order mark":           "\ufeffpve: pve\n\ttfa type=oath\n",
		"an indented header":          " pve: pve\n\ttfa type=oath\n",
		"a blank before the colon":    "pve : pve\n\ttfa type=oath\n",
		"text behind the id":          "pve: pve # ours\n\ttfa type=oath\n",
		"a required property missing": "ldap: pve\n\tserver1 a\n\ttfa type=oath\n",
		"an unknown type":             "krb: pve\n\ttfa type=oath\n",
		"a type of its own":           "a:pve: pve\n\ttfa type=oath\n",
		"yubico":                      "pve: pve\n\ttfa type=yubico,id=1,key=k\n",
		"no file of ours":             "",
		"junk":                        "\x00\x01\xff\n\xfe",
	}
}

// What Proxmox VE drops without a word, so that the password alone lets people
// in there, still asks for a factor here: nobody without one gets in.
func TestMistakes(t *testing.T) {
	l := newLab(t)
	l.write("domains.cfg", "pve: pve\n\ttfa type=oath\n\npam: pam\n\tcomment asks for none\n\n")
	l.must("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP\n", "mfactl", "add", "somebody@pve") // makes the store
	if r := l.run("\n", "oathverify", "nobody@pam"); r.code != 0 {
		t.Fatalf("a realm that asks for none: exit code %d: %s", r.code, r.err)
	}
	for name, text := range mistakes() {
		t.Run(name, func(t *testing.T) {
			l.write("domains.cfg", text)
			if r := l.run("\n", "oathverify", "--json", "nobody@pve"); r.code != 1 || !strings.Contains(r.out, `"verdict": "not-enrolled"`) {
				t.Errorf("exit code %d, want 1 and not-enrolled\n%s%s", r.code, r.out, r.err)
			}
			r := realmctl(t, l.path("domains.cfg"), "check")
			switch name {
			case "no mistake", "yubico", "no file of ours", "junk": // it asks, or does not seem to
			default:
				if r.code != 1 || !strings.Contains(r.out, "domains.cfg:") || !strings.Contains(r.out, ": error: ") {
					t.Errorf("check: exit code %d\n%s%s", r.code, r.out, r.err)
				}
			}
		})
	}
}
