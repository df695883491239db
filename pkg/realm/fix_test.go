package realm

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

type fixCase struct{ name, in, out, codes string }

// fixCases are little files with faults, what becomes of them, and the codes of
// what was mended. Where nothing can be mended without a guess they stay.
func fixCases() []fixCase {
	const sound = "pam: pam\n\tcomment a\n\npve: pve\n\ttfa type=oath\n"
	return []fixCase{
		{"sound", sound, sound, ""},
		{"empty", "", "", ""},
		{"a missing empty line", "pam: pam\n\tcomment a\npve: pve\n\ttfa type=oath\n", sound, "missing-empty-line"},
		{"a line of blanks", "pam: pam\n\tcomment a\n \t\npve: pve\n\ttfa type=oath\n", sound, "blank-separator"},
		{"blanks and comments above", "pam: pam\n \n# pve\npve: pve\n", "pam: pam\n\n# pve\npve: pve\n", "blank-separator"},
		{"CRLF", strings.ReplaceAll(sound, "\n", "\r\n"), sound, "crlf"},
		{"CRLF and an empty line in a section", "pam: pam\r\n\tcomment a\r\n\r\n\ttfa type=oath\r\n", "pam: pam\n\tcomment a\n\ttfa type=oath\n", "crlf, orphan-tfa"},
		{"a byte order mark", "\ufeff" + sound, sound, "byte-order-mark"},
		{"a comment behind tfa", "pam: pam\n\ttfa type=oath,digits=8 # since May\n", "pam: pam\n\t# since May\n\ttfa type=oath,digits=8\n", "tfa-comment"},
		{"a comment behind a header", "pam: pam # ours\n\ttfa type=oath\n", "pam: pam\n\t# ours\n\ttfa type=oath\n", "header-comment"},
		{"totp", "pam: pam\n\ttfa type=totp\n", "pam: pam\n\ttfa type=oath\n", "tfa-type"},
		{"capitals", "pam: pam\n\ttfa type=OATH,step=60\n", "pam: pam\n\ttfa type=oath,step=60\n", "tfa-type"},
		{"bare", "pam: pam\n    tfa totp\n", "pam: pam\n    tfa type=oath\n", "tfa-bare"},
		{"spelled otherwise", "pam: pam\n\tTFA: type=oath\n\npve: pve\n\ttfa=oath\n", "pam: pam\n\ttfa type=oath\n\npve: pve\n\ttfa type=oath\n", "tfa-spelling, tfa-spelling"},
		{"blanks in the value", "pam: pam\n\ttfa type=oath, Digits=8\n", "pam: pam\n\ttfa type=oath,digits=8\n", "tfa-key-spelling"},
		{"a key twice", "pam: pam\n\ttfa type=oath,type=oath\n", "pam: pam\n\ttfa type=oath\n", "tfa-duplicate-key"},
		{"signed digits", "pam: pam\n\ttfa type=oath,digits=+6\n", "pam: pam\n\ttfa type=oath,digits=6\n", "tfa-signed-digits"},
		{"not indented", "pam: pam\ntfa type=oath\n", "pam: pam\n\ttfa type=oath\n", "tfa-not-indented"},
		{"not indented, and a header to Proxmox VE", "pam: pam\n\ntfa: oath\n\tcomment a\n", "pam: pam\n\ttfa type=oath\n\tcomment a\n", "tfa-not-indented, orphan-tfa, tfa-spelling"},
		{"an empty line above tfa", "pam: pam\n\tcomment a\n\n\n\ttfa type=oath\n", "pam: pam\n\tcomment a\n\ttfa type=oath\n", "orphan-tfa"},
		{"an empty line above another property", "ldap: corp\n\tserver1 a\n\n\tbase_dn b\n\tuser_attr uid\n", "ldap: corp\n\tserver1 a\n\tbase_dn b\n\tuser_attr uid\n", "orphan-property"},
		{"an indented header", "pve: pve\n  pam: pam\n\ttfa type=oath\n", "pve: pve\n\npam: pam\n\ttfa type=oath\n", "header-indented, missing-empty-line"},
		{"a blank before the colon", "pam : pam\n\ttfa type=oath\n", "pam: pam\n\ttfa type=oath\n", "header-blank-before-colon"},
		{"two sections", "pam: pam\n\t# why\n\ttfa type=oath\n\npve: pve\n\npam: pam\n\tcomment a\n", "pve: pve\n\npam: pam\n\tcomment a\n\t# why\n\ttfa type=oath\n", "duplicate-realm"},
		{"three sections, one of them without an ending", "pam: pam\n\tdefault 1\n\npam: pam\n\ttfa type=oath\n\npam: pam\n\ttfa type=oath", "pam: pam\n\ttfa type=oath\n\tdefault 1\n", "duplicate-realm, duplicate-realm"},
		{"a property twice", "pam: pam\n\tcomment a\n\ttfa type=oath\n\tcomment a\n", "pam: pam\n\tcomment a\n\ttfa type=oath\n", "duplicate-property"},
		{"too many empty lines", "\npam: pam\n\n\n\npve: pve\n", "pam: pam\n\npve: pve\n", "old-pve-stops, old-pve-stops, old-pve-stops"},
		{
			"all at once", "\ufeffpam : pam # a\r\n TFA = totp # b\r\npve: pve\r\n\ttfa type=oath,digits=+8\r\n", "pam: pam\n\t# a\n # b\n tfa type=oath\n\npve: pve\n\ttfa type=oath,digits=8\n",
			"byte-order-mark, crlf, header-comment, tfa-spelling, missing-empty-line, tfa-signed-digits",
		},
	}
}

// doubts are faults that could mean two things, or ask for what there is not.
func doubts() []string {
	return []string{
		"pam: pam\n\ttfa type=oauth\n",
		"pam: pam\n\ttfa type=hotp\n",
		"pam: pam\n\ttfa no\n",
		"pam: pam\n\ttfa\n",
		"pam: pam\n\tTFA: off\n",
		"pam: pam\n\ttfa digits=6\n",
		"pam: pam\n\ttfa type=oath,digits=9\n",
		"pam: pam\n\ttfa type=oath,step=5\n",
		"pam: pam\n\ttfa type=oath,digits=6,digits=8\n",
		"pam: pam\n\ttfa type=oath,issuer=x\n",
		"pam: pam\n\ttfa type=oath or none\n",
		"\ttfa type=oath\n\npam: pam\n",
		"tfa type=oath\npam: pam\n",
		"pam: pam\n\ttfa type=oath\n\ttfa type=oath,digits=8\n",
		"pam: pam\n\tcomment a\n\npam: pam\n\tcomment b\n",
		"pam: pam\n\ttfa type=oath\n\npve: pam\n",
		"pam: pam\n\tcomment a\nnote: hello\n\ttfa type=oath\n",
		"pam: pam for all\n\ttfa type=oath\n",
		"krb: pve\n\ttfa type=oath\n",
		"pam: PAM\n\ttfa type=oath\n",
		"openid: sso\n\tissuer-url x\n\tclient-id y\n\ttfa type=oath\n",
		"openid: sso\n\tissuer-url x\n\tclient-id y\n\ttfa type=totp\n",
		"pam: pam\n\u00a0tfa type=oath\n",
		"pam: pam\n\tcomment a\r\ttfa type=oath\n",
		"pam: pam\n0\n\ttfa type=oath\n",
		"\xff\xfep\x00a\x00m\x00:\x00 \x00",
		"pam: pam\n\tcomment a\n\n\tcomment b\n",
	}
}

func TestFix(t *testing.T) {
	for _, tt := range fixCases() {
		t.Run(tt.name, func(t *testing.T) {
			out, mends := Fix([]byte(tt.in))
			var codes []string
			for _, m := range mends {
				codes = append(codes, m.Code)
				if m.Line < 1 || m.Line > 1+strings.Count(tt.in, "\n") || m.What == "" {
					t.Errorf("%+v", m)
				}
			}
			if string(out) != tt.out || strings.Join(codes, ", ") != tt.codes {
				t.Errorf("%q: %s\nwant %q: %s", out, strings.Join(codes, ", "), tt.out, tt.codes)
			}
			for _, p := range Parse(out).Problems() {
				if p.Severity == Error {
					t.Errorf("still: %+v", p)
				}
			}
		})
	}
	for _, in := range doubts() {
		if out, mends := Fix([]byte(in)); string(out) != in || len(mends) > 0 {
			t.Errorf("%q became %q: %+v", in, out, mends)
		}
	}
}

// TestManualListsTheMends compares what Fix mends with domains.cfg(5).
func TestManualListsTheMends(t *testing.T) {
	manual, err := os.ReadFile("../../man/man5/domains.cfg.5")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(manual), "\n.Ss What realmctl fix mends\n")
	if !ok {
		t.Fatal("domains.cfg(5) does not say what is mended")
	}
	section, _, _ = strings.Cut(section, "\n.S")
	var listed []string
	for _, m := range regexp.MustCompile(`(?m)^\.It Sy ([a-z0-9-]+(?: , [a-z0-9-]+)*)$`).FindAllStringSubmatch(section, -1) {
		listed = append(listed, strings.Split(m[1], " , ")...)
	}
	var met []string
	for _, tt := range fixCases() {
		_, mends := Fix([]byte(tt.in))
		for _, m := range mends {
			met = append(met, m.Code)
		}
	}
	met = append(met, "crlf-separator") // where not every line ends so
	slices.Sort(listed)
	slices.Sort(met)
	if met = slices.Compact(met); !slices.Equal(listed, met) {
		t.Errorf("listed %v\nmended %v", listed, met)
	}
}

// A plain reader of the file, written from what Proxmox VE does with it and
// sharing nothing with this package: which realms have a factor.
func pveAsks(text string) map[string]bool {
	// Perl's \s has the vertical tab, Go's has not.
	perl := strings.NewReplacer(`\s`, `[\s\v]`, `\S`, `[^\s\v]`)
	head := regexp.MustCompile(perl.Replace(`^(\S+):\s*(\S+)\s*$`))
	prop := regexp.MustCompile(perl.Replace(`^\s+(\S+)(?:\s+(.*?))?\s*$`))
	value := regexp.MustCompile(`^(?:type=(?:oath|yubico)|digits=\+?0*[678]|step=\+?[0-9]*[1-9][0-9]|(?:id|key|url)=[^,]*|)$`)
	types := map[string]string{"pam": "", "pve": "", "ldap": "server1 base_dn user_attr", "ad": "server1 domain", "openid": "issuer-url client-id"}
	sections := map[string]map[string]string{}
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		m := head.FindStringSubmatch(lines[i])
		if m == nil || strings.HasPrefix(lines[i], "#") {
			continue
		}
		props := map[string]string{}
		for i++; i < len(lines) && lines[i] != "" && lines[i] != "0"; i++ {
			p := prop.FindStringSubmatch(lines[i])
			if p == nil || strings.HasPrefix(p[1], "#") {
				continue
			}
			if _, twice := props[p[1]]; !twice && (p[1] != "tfa" || tfaHolds(p[2], value)) && p[2] != "" {
				props[p[1]] = p[2]
			}
		}
		typ := strings.ToLower(m[1])
		if _, known := types[typ]; known && regexp.MustCompile(`^[A-Za-z][A-Za-z0-9.\-_]+$`).MatchString(m[2]) {
			props[""] = typ
			sections[m[2]] = props
		}
	}
	asks := map[string]bool{}
	for id, props := range sections {
		has := props["tfa"] != "" && props[""] != "openid"
		for _, need := range strings.Fields(types[props[""]]) {
			has = has && props[need] != ""
		}
		asks[id] = has
	}
	return asks
}

func tfaHolds(v string, part *regexp.Regexp) bool {
	keys := map[string]bool{}
	for _, p := range strings.Split(v, ",") {
		key, _, _ := strings.Cut(p, "=")
		if !part.MatchString(p) || p != "" && keys[key] {
			return false
		}
		keys[key] = p != ""
	}
	return keys["type"] && len(v) <= 128 && !strings.Contains(v, "\r")
}

// faultyFile draws files of the mistakes that people make.
func faultyFile() *rapid.Generator[[]byte] {
	pieces := []string{
		"pam: pam", "pve: pve", " pve: pve", "pam : pam", "pve: pve # ours", "ldap: corp\n\tserver1 a\n\tbase_dn dc=x\n\tuser_attr uid", "openid: sso\n\tissuer-url x\n\tclient-id y",
		"", "", "", "", " ", "\ttfa type=oath", "\ttfa type=totp", "\ttfa type=oath # x", "\tTFA: oath", "tfa type=oath", "tfa: oath", "\ttfa type=oath,digits=+8", "\ttfa no", "\ttfa type=oath,digits=8",
		"\tcomment x", "\tcomment y", "\tdefault 1", "# c", "\t# d", "0", "note: x", "stray", "pam: PAM", "pam: pam x", "\u00a0tfa oath", "\tcomment a\r\ttfa oath", "\tpve: hm",
	}
	return rapid.Custom(func(t *rapid.T) []byte {
		ending := rapid.SampledFrom([]string{"\n", "\n", "\n", "\r\n"}).Draw(t, "ending")
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 14).Draw(t, "lines"), ending)
		text += rapid.SampledFrom([]string{"\n", "\n", "", "\r\n"}).Draw(t, "end")
		return []byte(rapid.SampledFrom([]string{"", "", "", "\ufeff"}).Draw(t, "mark") + text)
	})
}

// wished is which realms have a factor to a person.
func wished(b []byte) map[string]bool {
	all := map[string]bool{}
	for _, w := range Parse(b).Wishes() {
		for _, id := range w.Realms {
			all[id] = true
		}
	}
	return all
}

// After a fix a person reads what he read; Proxmox VE asks where it asked or where
// a person thought it would; and where no fault is left both agree.
func TestFixKeepsTheMeaning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkFix(t, faultyFile().Draw(t, "file")) })
}

func FuzzFix(f *testing.F) {
	for _, tt := range fixCases() {
		f.Add([]byte(tt.in))
	}
	for _, in := range doubts() {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, b []byte) { checkFix(t, b) })
}

func checkFix(t fataler, in []byte) {
	t.Helper()
	out, mends := Fix(in)
	if (len(mends) == 0) != (string(out) == string(in)) {
		t.Fatalf("%q became %q: %+v", in, out, mends)
	}
	if again, more := Fix(out); string(again) != string(out) {
		t.Fatalf("%q became %q, and then %q: %+v", in, out, again, more)
	}
	eye := wished(in)
	if after := wished(out); fmt.Sprint(after) != fmt.Sprint(eye) {
		t.Fatalf("%q became %q: a person saw factors in %v, and sees them in %v", in, out, eye, after)
	}
	was, is := pveAsks(string(in)), pveAsks(string(out))
	for id, asks := range is {
		if asks != was[id] && asks != eye[id] {
			t.Fatalf("%q became %q: Proxmox VE asked in %v, asks in %v; a person sees %v", in, out, was, is, eye)
		}
	}
	for id, asked := range was {
		if _, still := is[id]; !still && asked && eye[id] {
			t.Fatalf("%q became %q: realm %s is gone", in, out, id)
		}
	}
	for _, p := range Parse(out).Problems() {
		if p.Severity == Error {
			return
		}
	}
	for id, asks := range is {
		if asks != eye[id] {
			t.Fatalf("%q became %q without a fault: Proxmox VE asks in %v, a person sees %v", in, out, is, eye)
		}
	}
}
