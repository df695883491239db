package realm

import (
	"errors"
	"strings"
	"testing"
)

var oath = TFA{Type: "oath"}

const pve = "pve: pve\n\tcomment Proxmox VE authentication server\n\n"

func TestEnableTFA(t *testing.T) {
	for _, tt := range []struct {
		name, in, id string
		tfa          TFA
		want         string
	}{
		{"the plain case", "pam: pam\n\tcomment x\n\n" + pve, "pam", oath, "pam: pam\n\tcomment x\n\ttfa type=oath\n\n" + pve},
		{"a section without properties", "pam: pam\n\n" + pve, "pam", oath, "pam: pam\n\ttfa type=oath\n\n" + pve},
		{"digits and step", "pam: pam\n", "pam", TFA{"oath", 8, 60}, "pam: pam\n\ttfa type=oath,digits=8,step=60\n"},
		{"defaults are left out", "pam: pam\n", "pam", TFA{"oath", 6, 30}, "pam: pam\n\ttfa type=oath\n"},
		{"eight blanks like its neighbours", "pam: pam\n        comment x\n", "pam", oath, "pam: pam\n        comment x\n        tfa type=oath\n"},
		{"no line feed at the end", "pam: pam\n\tcomment x", "pam", oath, "pam: pam\n\tcomment x\n\ttfa type=oath\n"},
		{"CRLF like its neighbours", "pam: pam\r\n\tcomment x\r\n", "pam", oath, "pam: pam\r\n\tcomment x\r\n\ttfa type=oath\r\n"},
		{"CRLF header alone", "pam: pam\r\n", "pam", oath, "pam: pam\r\n\ttfa type=oath\r\n"},
		{"below the last property, above comments", "pam: pam\n\tcomment x\n# end\n\n", "pam", oath, "pam: pam\n\tcomment x\n\ttfa type=oath\n# end\n\n"},
		{"another value in its place", "pam: pam\n\ttfa\ttype=yubico,id=1,key=k  \n\tcomment x\n", "pam", oath, "pam: pam\n\ttfa\ttype=oath  \n\tcomment x\n"},
		{"already so", "pam: pam\n\ttfa type=oath\n", "pam", oath, "pam: pam\n\ttfa type=oath\n"},
		{"the one that counts is replaced", "pam: pam\n\ttfa type=totp\n\ttfa type=oath,digits=8\n", "pam", oath, "pam: pam\n\ttfa type=totp\n\ttfa type=oath\n"},
		{"one that seems to count is replaced", "pam: pam\n\ttfa type=totp\n\tcomment x\n", "pam", oath, "pam: pam\n\ttfa type=oath\n\tcomment x\n"},
		{"in whatever spelling", "pam: pam\r\n\tTFA:  totp\r\n", "pam", oath, "pam: pam\r\n\ttfa  type=oath\r\n"},
		{"the last section counts", "pam: pam\n\tcomment a\n\npam: pam\n\tcomment b\n\n", "pam", oath, "pam: pam\n\tcomment a\n\npam: pam\n\tcomment b\n\ttfa type=oath\n\n"},
		{"no file", "", "pam", oath, "pam: pam\n\ttfa type=oath\n"},
		{"built in, not in the file", "pam: pam\n\tcomment x\n", "pve", oath, "pam: pam\n\tcomment x\n\npve: pve\n\ttfa type=oath\n"},
		{"an empty line is there already", "pam: pam\n\tcomment x\n\n", "pve", oath, "pam: pam\n\tcomment x\n\npve: pve\n\ttfa type=oath\n"},
		{"a truly empty line, whatever the file uses", "pam: pam\r\n\r\n", "pve", oath, "pam: pam\r\n\r\n\npve: pve\n\ttfa type=oath\n"},
		{"not below a header that is not read", "pam: pam\n\tcomment A\npve: pve\n\tcomment B\n", "pam", oath, "pam: pam\n\tcomment A\n\ttfa type=oath\npve: pve\n\tcomment B\n"},
		{"a forced type", "ldap: pam\n\tserver1 a\n\tbase_dn b\n\tuser_attr uid\n", "pam", oath, "ldap: pam\n\tserver1 a\n\tbase_dn b\n\tuser_attr uid\n\ttfa type=oath\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := EnableTFA([]byte(tt.in), tt.id, tt.tfa)
			if err != nil || string(got) != tt.want {
				t.Fatalf("%v\ngot  %q\nwant %q", err, got, tt.want)
			}
			r, _ := Parse(got).Lookup(tt.id)
			if r.TFA == nil || r.TFA.Value() != tt.tfa.Value() {
				t.Errorf("reads %+v", r.TFA)
			}
		})
	}
}

func TestEditsRefused(t *testing.T) {
	ldap := "ldap: corp\n\tserver1 a\n\tbase_dn b\n\tuser_attr uid\n"
	enable := func(b, id string) ([]byte, error) { return EnableTFA([]byte(b), id, oath) }
	set := func(b, id, key, value string) ([]byte, error) { return Set([]byte(b), id, key, value) }
	unset := func(b, id, key string) ([]byte, error) { return Unset([]byte(b), id, key) }
	for _, tt := range []struct {
		name string
		fn   func() ([]byte, error)
		line int
		says string
	}{
		{"no such realm", func() ([]byte, error) { return enable(ldap, "ldap") }, 0, `no realm "ldap"`},
		{"no realm id", func() ([]byte, error) { return enable(ldap, "a b") }, 0, `"a b" is no realm`},
		{"a header that is not read", func() ([]byte, error) { return enable("#\n\npam : pam\n\tcomment x\n", "pam") }, 3, "seems to begin"},
		{"a swallowed header", func() ([]byte, error) { return enable("pam: pam\npve: pve\n", "pve") }, 2, "seems to begin"},
		{"the tfa line below a swallowed header", func() ([]byte, error) {
			return enable("pam: pam\npve: pve\n\ttfa type=oath,digits=8\n", "pam")
		}, 2, `part of realm "pam"`},
		{"openid", func() ([]byte, error) { return enable("openid: sso\n\tissuer-url x\n\tclient-id y\n", "sso") }, 0, "no property"},
		{"a void section", func() ([]byte, error) { return enable("\nldap: corp\n\tserver1 a\n", "corp") }, 2, "lacks base_dn"},
		{"digits", func() ([]byte, error) { return EnableTFA(nil, "pam", TFA{"oath", 9, 30}) }, 0, "digits=9: must be 6..8"},
		{"step", func() ([]byte, error) { return EnableTFA(nil, "pam", TFA{"oath", 6, 9}) }, 0, "step=9: must be 10 or more"},
		{"a step of a day", func() ([]byte, error) { return EnableTFA(nil, "pam", TFA{"oath", 6, 86400}) }, 0, "at most 3600"},
		{"type", func() ([]byte, error) { return EnableTFA(nil, "pam", TFA{Type: "totp"}) }, 0, "must be oath or yubico"},
		{"tfa through set", func() ([]byte, error) { return set(ldap, "corp", "tfa", "type=oath # on") }, 0, "comment"},
		{"digits with a sign", func() ([]byte, error) { return set(ldap, "corp", "tfa", "type=oath,digits=+6") }, 0, "nobody can log in"},
		{"an unknown property", func() ([]byte, error) { return set(ldap, "corp", "colour", "red") }, 0, "no realm has"},
		{"a property of another type", func() ([]byte, error) { return set(pve, "pve", "server1", "a") }, 0, "type pve"},
		{"two lines", func() ([]byte, error) { return set(ldap, "corp", "base_dn", "x\n\ttfa type=oath") }, 0, "one line"},
		{"a bad value", func() ([]byte, error) { return set(ldap, "corp", "port", "0") }, 0, "1..65535"},
		{"blanks", func() ([]byte, error) { return set(ldap, "corp", "base_dn", " x") }, 0, "blanks"},
		{"nothing", func() ([]byte, error) { return set(ldap, "corp", "comment", "") }, 0, "empty"},
		{"a second default", func() ([]byte, error) {
			return set(ldap+"\ndefault\n\npam: pam\n\tdefault 1\n", "corp", "default", "1")
		}, 9, `"pam" is the default`},
		{"what is required", func() ([]byte, error) { return unset(ldap, "corp", "base_dn") }, 0, "needs base_dn"},
		{"a line that may show as two", func() ([]byte, error) { return set("pam: pam\n\tcomment \rtfa\n", "pam", "comment", "x") }, 2, "may show as two"},
		{"the same to unset", func() ([]byte, error) { return unset("pam: pam\n\tcomment a\r\ttfa type=oath\n", "pam", "comment") }, 2, "may show as two"},
		{"unset the unknown", func() ([]byte, error) { return unset(ldap, "corp", "colour") }, 0, "no realm has"},
		{"unset tfa with another wish", func() ([]byte, error) { return unset("pam: pam\n\ttfa type=oath\n\tTFA yes\n", "pam", "tfa") }, 3, "still ask"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := tt.fn()
			var e *EditError
			if !errors.As(err, &e) || out != nil {
				t.Fatalf("%q, %v", out, err)
			}
			if e.Line != tt.line || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("line %d: %v, want line %d: %s", e.Line, err, tt.line, tt.says)
			}
		})
	}
}

func TestSetAndUnset(t *testing.T) {
	for _, tt := range []struct{ name, in, key, value, want string }{
		{"a comment is encoded", pve, "comment", "100%: café ", "pve: pve\n\tcomment 100%25%3A caf%C3%A9%20\n\n"},
		{"a comment is removed", pve, "comment", "", "pve: pve\n\n"},
		{"all of a key are removed", "pve: pve\n\tfoo 1\n\tcomment a\n\tcomment b\n", "comment", "", "pve: pve\n\tfoo 1\n"},
		{"what nobody reads is removed", "pve: pve\n\tfoo 1\n", "foo", "", "pve: pve\n"},
		{"nothing to remove", "pve: pve\n", "comment", "", "pve: pve\n"},
		{"not in the file", "", "comment", "", ""},
		{"default", "pve: pve\n\tdefault\n", "default", "1", "pve: pve\n\tdefault\n"},
		{"no default", "pve: pve\n\tdefault\n", "default", "0", "pve: pve\n\tdefault 0\n"},
		{"tfa", "pve: pve\n", "tfa", "type=yubico,id=1,key=a=b", "pve: pve\n\ttfa type=yubico,id=1,key=a=b\n"},
		{"no tfa", "pve: pve\n\ttfa type=oath", "tfa", "", "pve: pve\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Set([]byte(tt.in), "pve", tt.key, tt.value)
			if tt.value == "" {
				got, err = Unset([]byte(tt.in), "pve", tt.key)
			}
			if err != nil || string(got) != tt.want {
				t.Errorf("%v\ngot  %q\nwant %q", err, got, tt.want)
			}
		})
	}
	r, _ := Parse([]byte("pve: pve\n\tcomment 100%25%3A caf%C3%A9%20\n\n")).Lookup("pve")
	if r.Comment != "100%: café " {
		t.Errorf("comment %q", r.Comment)
	}
	t.Run("a void section is mended step by step", func(t *testing.T) {
		b, err := Set([]byte("ldap: corp\n\tserver1 a\n"), "corp", "base_dn", "dc=x")
		if err != nil {
			t.Fatal(err)
		}
		b, err = Set(b, "corp", "user_attr", "uid")
		if err != nil || string(b) != "ldap: corp\n\tserver1 a\n\tbase_dn dc=x\n\tuser_attr uid\n" {
			t.Fatalf("%v %q", err, b)
		}
	})
}

func TestDisableTFA(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		ids      string // "" for all
		want     string
		changed  string
	}{
		{"the plain case", "pam: pam\n\ttfa type=oath\n\n" + pve, "pam", "pam: pam\n\n" + pve, "pam"},
		{"not the others", "pam: pam\n\ttfa type=oath\n\npve: pve\n\ttfa type=oath\n", "pve", "pam: pam\n\ttfa type=oath\n\npve: pve\n", "pve"},
		{"several", "pam: pam\n\ttfa type=oath\n\npve: pve\n\ttfa type=oath\n", "pam pve", "pam: pam\n\npve: pve\n", "pam pve"},
		{"all", "tfa\npam: pam\n\ttfa type=oath\n\npve: pve\n\ttfa type=oath\nfoo\n\tTFA=1\n", "", "pam: pam\n\npve: pve\nfoo\n", "pam pve"},
		{"what PVE does not read", "pam: pam\n\ttfa type=totp\n\tTFA: yes\ntfa\n\tcomment x\n", "pam", "pam: pam\n\tcomment x\n", ""},
		{"both of a swallowed header", "pam: pam\n\tcomment A\npve: pve\n\ttfa type=oath\n", "pve", "pam: pam\n\tcomment A\npve: pve\n", "pam"},
		{"in the other reading", "pam: pam\n\tcomment A\npve: pve\n\ttfa type=oath\n", "pam", "pam: pam\n\tcomment A\npve: pve\n", "pam"},
		{"a second one that would count", "pam: pam\npve: pve\n\ttfa type=oath\n\ttfa type=yubico\n", "pam", "pam: pam\npve: pve\n", "pam"},
		{"CRLF", "pam: pam\r\n\ttfa type=oath\r\n\tcomment x\r\n", "pam", "pam: pam\r\n\tcomment x\r\n", "pam"},
		{"no line feed at the end", "pam: pam\n\ttfa type=oath", "pam", "pam: pam\n", "pam"},
		{"a line within a line", "pam: pam\n\tcomment a\r\ttfa type=oath\n\tdefault 1\n", "pam", "pam: pam\n\tcomment a\r\n\tdefault 1\n", "pam"},
		{"a line of such lines leaves no empty one", "pam: pam\n\ttfa x\r\ttfa y\r\n\tdefault 1\n", "pam", "pam: pam\n\tdefault 1\n", ""},
		{"a comment stays", "pam: pam\n\t# tfa type=oath\n", "pam", "pam: pam\n\t# tfa type=oath\n", ""},
		{"nothing to do", "pam: pam\n", "pam", "pam: pam\n", ""},
		{"built in, no file", "", "pam", "", ""},
		{"a header that is not read", "pam : pam\n\ttfa type=oath\n", "pam", "pam : pam\n", ""},
		{"no-break space", "pam: pam\n\u00a0tfa type=oath\n", "pam", "pam: pam\n", ""},
		{"a wish that is a header to PVE", "tfa: xx\npam: pam\n\tcomment x\n", "", "pam: pam\n\tcomment x\n", "pam"},
		{"all sections of the realm", "pam: pam\n\ttfa type=oath\n\npam: pam\n\ttfa type=oath\n", "pam", "pam: pam\n\npam: pam\n", "pam"},
		{"in doubt whose it is", "pam: pam\n\tnote: that\n\ttfa totp\n", "pam", "pam: pam\n\tnote: that\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out []byte
			var changed []string
			var err error
			if tt.ids == "" {
				out, changed = DisableAllTFA([]byte(tt.in))
			} else {
				out, changed, err = DisableTFA([]byte(tt.in), strings.Fields(tt.ids)...)
			}
			if err != nil || string(out) != tt.want || strings.Join(changed, " ") != tt.changed {
				t.Errorf("%v\ngot  %q %v\nwant %q %v", err, out, changed, tt.want, tt.changed)
			}
		})
	}
	if _, _, err := DisableTFA([]byte(pve), "pve", "corp", "foo"); err == nil || err.Error() != `no realm "corp", "foo" in the file` {
		t.Errorf("unknown realms: %v", err)
	}
}
