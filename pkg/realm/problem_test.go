package realm

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

type problemCase struct{ in, want string }

// problemCases are little files and what is wrong with them: line, severity and
// code. Proxmox VE lets somebody in, or keeps everybody out, in each that has an
// error.
func problemCases() []problemCase {
	long := strings.Repeat("u", 128)
	return []problemCase{
		{"", ""},
		{"pam: pam\n\tcomment x\n\ttfa type=oath\n\npve: pve\n\tdefault 1\n", ""},
		{"# all\npam: pam\n# of\n\t# it\n\ttfa type=oath,digits=8,step=60\n", ""},
		// the value of tfa
		{"pam: pam\n\ttfa type=totp\n", "2 error tfa-type"},
		{"pam: pam\n\ttfa type=oauth\n", "2 error tfa-type"},
		{"pam: pam\n\ttfa type=OATH\n", "2 error tfa-type"},
		{"pam: pam\n\ttfa type=oath x\n", "2 error tfa-type"},
		{"pam: pam\n\ttfa type=oath\x00\n", "2 warning nul-byte, 2 error tfa-type"},
		{"pam: pam\n\ttfa oath\n", "2 error tfa-bare"},
		{"pam: pam\n\ttfa type=\n", "2 error tfa-bare"},
		{"pam: pam\n\ttfa\n", "2 error tfa-empty"},
		{"pam: pam\n\ttfa digits=6\n", "2 error tfa-no-type"},
		{"pam: pam\n\ttfa type=oath,digits=9\n", "2 error tfa-digits"},
		{"pam: pam\n\ttfa type=oath,digits=6.0\n", "2 error tfa-digits"},
		{"pam: pam\n\ttfa type=oath,step=9\n", "2 error tfa-step"},
		{"pam: pam\n\ttfa type=oath,step=30s\n", "2 error tfa-step"},
		{"pam: pam\n\ttfa type=oath,algorithm=SHA256\n", "2 error tfa-unknown-key"},
		{"pam: pam\n\ttfa type=oath, digits=6\n", "2 error tfa-key-spelling"},
		{"pam: pam\n\ttfa type=oath,DIGITS=6\n", "2 error tfa-key-spelling"},
		{"pam: pam\n\ttfa type=oath,type=oath\n", "2 error tfa-duplicate-key"},
		{"pam: pam\n\ttfa type=oath # on\n", "2 error tfa-comment"},
		{"pam: pam\n\ttfa type=oath,digits=8 # on\n", "2 error tfa-comment"},
		{"pam: pam\n\ttfa type=yubico,url=" + long + "\n", "2 error tfa-too-long"},
		{"pam: pam\n\ttfa type=oath,digits=+6\n", "2 error tfa-signed-digits"},
		{"pam: pam\n\ttfa type=oath,step=99999999999999999999\n", "2 error tfa-step-huge"},
		{"pam: pam\n\ttfa type=oath,step=600\n", "2 warning tfa-step-long"},
		{"openid: sso\n\tissuer-url x\n\tclient-id y\n\ttfa type=oath\n", "4 error tfa-openid"},
		// where tfa stands, and how it is spelled
		{"pam: pam\n\tTFA type=oath\n", "2 error tfa-spelling"},
		{"pam: pam\n\ttfa: type=oath\n", "2 error tfa-spelling"},
		{"pam: pam\n\ttfa,type=oath\n", "2 error tfa-spelling"},
		{"pam: pam\n\ttfa=oath\n", "2 error tfa-spelling"},
		{"pam: pam\ntfa type=oath\n", "2 error tfa-not-indented"},
		{"tfa type=oath\n", "1 error tfa-not-indented"},
		{"tfa: oath\n", "1 error tfa-not-indented"},
		{"\ttfa type=oath\npam: pam\n", "1 error orphan-tfa"},
		{"pam: pam\n\tcomment x\n\n\ttfa type=oath\n", "4 error orphan-tfa"},
		{"pam: pam\n0\n\ttfa type=oath\n", "2 warning zero-line, 3 error orphan-tfa"},
		{"pam: pam\n\u00a0tfa type=oath\n", "2 error invisible-character"},
		{"pam: pam\n\t\u200btfa type=oath\n", "2 error invisible-character"},
		{"pam: pam\n\t\x01tfa type=oath\n", "2 error invisible-character"},
		{"pam: pam\n\xa0tfa type=oath\n", "2 warning invalid-utf-8, 2 error invisible-character"},
		{"pam: pam\n\tcomment a\r\ttfa type=oath\n", "2 warning bad-value, 2 error lone-cr"},
		{"pam: pam\n\ttfa type=oath\rx\n", "2 error lone-cr"},
		{"pam: pam\n\ttfa type=oath\n\npam: pam\n\tcomment x\n", "2 error tfa-not-read, 4 error duplicate-realm"},
		{"pam: pam\n\ttfa type=oath\n\ttfa type=oath,digits=8\n", "3 error duplicate-property"},
		{"pam: pam\n\ttfa type=oath\n\ttfa type=oath\n", "3 warning duplicate-property"},
		// sections that run on
		{"pam: pam\npve: pve\n\ttfa type=oath\n", "2 error missing-empty-line, 3 error tfa-elsewhere"},
		{"pam: pam\n \npve: pve\n\tcomment x\n", "2 error blank-separator"},
		{"pam: pam\r\n\r\npve: pve\r\n\ttfa type=oath\r\n", "1 warning crlf, 2 error crlf-separator, 4 error tfa-elsewhere"},
		{"pam: pam\n\n\npve: pve\n", "3 warning old-pve-stops"},
		{"\npam: pam\n", "1 warning old-pve-stops"},
		// headers
		{"pam : pam\n\ttfa type=oath\n", "1 error header-blank-before-colon, 2 error orphan-tfa"},
		{" pam: pam\n\tcomment x\n", "1 error header-indented"},
		{"pve: pve\n pam: pam\n", "2 error header-indented"},
		{"pam: pam # x\n", "1 error header-comment"},
		{"pam: pam x\n", "1 error header-trailing-text"},
		{"\xef\xbb\xbfpam: pam\n", "1 error byte-order-mark"},
		{"\xef\xbb\xbfpam: pam x\n", "1 error byte-order-mark"},
		{"pam:\u00a0pam\n", "1 error invisible-character"},
		{"\xff\xfep\x00", "1 error utf-16"},
		{"a:pam: pam\n", "1 error unknown-type"},
		{"foo: corp\n\ttfa type=oath\n", "1 error unknown-type"},
		{"pam: x\n", "1 error bad-realm-id"},
		{"pam: PAM\n", "1 error look-alike-realm"},
		{"pam: corp\n\npam: Corp\n", "3 warning look-alike-realm"},
		{"pam: " + long + "\n", "1 warning long-realm-id"},
		{"ldap: pam\n\tserver1 a\n\tbase_dn b\n\tuser_attr uid\n", "1 error forced-type"},
		{"ldap: pam\n\ttfa type=oath\n", "1 error forced-type, 1 error missing-property"},
		{"ldap: corp\n\tserver1 a\n", "1 error missing-property"},
		{"ldap: corp\n\tserver1 a b\n\tbase_dn b\n\tuser_attr uid\n", "1 error missing-property, 2 error bad-value"},
		{"pam: pam\n\tcomment x\n\npam: pam\n\tcomment y\n", "4 warning duplicate-realm"},
		{"pam: pam\n\npve: pve\n\tdefault 1\n\npam: pam\n\tdefault 1\n", "6 error duplicate-realm, 7 warning several-defaults"},
		// other properties
		{"pam: pam\n\tfoo bar\n", "2 warning unknown-property"},
		{"pam: pam\n\tserver1 a\n", "2 error property-of-other-type"},
		{"pam: pam\n\tdefault yes\n", "2 warning bad-value"},
		{"\tserver1 a\n\tcomment x\n\tfoo\n", "1 error orphan-property, 2 warning orphan-property, 3 warning orphan-property"},
		{"pam: pam\nhello\n\nhello\n", "2 warning stray-line, 4 warning stray-line"},
		{"pam: pam\n\tcomment a\rb\n", "2 warning bad-value, 2 warning lone-cr"},
		{"pam: pam\n\tcomment \xff\n", "2 warning invalid-utf-8"},
	}
}

func TestProblems(t *testing.T) {
	for _, tt := range problemCases() {
		t.Run(fmt.Sprintf("%q", tt.in), func(t *testing.T) {
			var got []string
			for _, p := range Parse([]byte(tt.in)).Problems() {
				got = append(got, fmt.Sprintf("%d %s %s", p.Line, p.Severity, p.Code))
			}
			if s := strings.Join(got, ", "); s != tt.want {
				t.Errorf("got  %s\nwant %s", s, tt.want)
			}
		})
	}
}

// TestExampleHasNoProblems reads what we tell people to copy.
func TestExampleHasNoProblems(t *testing.T) {
	b, err := os.ReadFile("../../configs/domains.cfg.example")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range Parse(b).Problems() {
		t.Errorf("%+v", p)
	}
	for _, r := range Parse(b).Realms() {
		if !r.InFile || r.TFA != nil {
			t.Errorf("%+v", r)
		}
	}
}

func TestProblemOfSize(t *testing.T) {
	if _, ok := SizeProblem(MaxPVE); ok {
		t.Error("1 MiB is not too big")
	}
	if p, ok := SizeProblem(MaxPVE + 1); !ok || p.Code != "too-big" || p.Severity != Error {
		t.Errorf("%+v", p)
	}
}

// TestManualListsTheCodes compares the codes in the table above with the ones in
// domains.cfg(5).
func TestManualListsTheCodes(t *testing.T) {
	manual, err := os.ReadFile("../../man/man5/domains.cfg.5")
	if err != nil {
		t.Fatal(err)
	}
	listed := make(map[string]bool)
	starred := regexp.MustCompile(`(?m)^\.It Sy ([a-z0-9-]+)\n(?:[^.*\n][^*\n]*\n|\.[A-HJ-RT-Z][^*\n]*\n)*[^*\n]*\*$`)
	warnings := make(map[string]bool)
	for _, m := range starred.FindAllStringSubmatch(string(manual), -1) {
		warnings[m[1]] = true
	}
	for _, m := range regexp.MustCompile(`(?m)^\.It Sy ([a-z0-9-]+)$`).FindAllStringSubmatch(string(manual), -1) {
		listed[m[1]] = true
	}
	met := map[string]bool{"too-big": true}
	serious := map[string]bool{"too-big": true}
	for _, tt := range problemCases() {
		for _, p := range Parse([]byte(tt.in)).Problems() {
			met[p.Code] = true
			serious[p.Code] = serious[p.Code] || p.Severity == Error
		}
	}
	for code := range met {
		if serious[code] == warnings[code] {
			t.Errorf("domains.cfg(5) marks %s as a warning: %v, and it is an error: %v", code, warnings[code], serious[code])
		}
	}
	for code := range met {
		if !listed[code] {
			t.Errorf("domains.cfg(5) does not list %s", code)
		}
	}
	for code := range listed {
		if !met[code] {
			t.Errorf("domains.cfg(5) lists %s, which no case here shows", code)
		}
	}
}

// TestRequired holds that no mistake opens anything: where Proxmox VE does not
// ask for a factor though the file seems to, we do.
func TestRequired(t *testing.T) {
	for _, tt := range []struct {
		in, id string
		line   int
		want   bool
	}{
		{"pam: pam\n", "pam", 0, false},
		{"pam: pam\n\n" + pve, "pve", 0, false},
		{"pam: pam\n\ttfa type=oath\n", "pam", 2, true},
		{"pam: pam\n\ttfa type=yubico\n", "pam", 2, true},
		{"pam: pam\n\t# tfa type=oath\n", "pam", 0, false},
		{"pam: pam\n\tcomment tfa type=oath\n", "pam", 0, false},
		{"pam: pam\n\ttfaa type=oath\n", "pam", 0, false},
		{"", "pam", 0, true},
		{pve, "pam", 0, true},
		{pve, "corp", 0, true},
		{"ldap: corp\n\tserver1 a\n", "corp", 1, true},
		{"ldap: pam\n\tserver1 a\n", "pam", 1, true},
		{"foo: corp\n", "corp", 1, true},
		{"pam: pam\n\tTfA=no\n", "pam", 2, true},
		{"pam: pam\n\tcomment a\r\ttfa x\n", "pam", 2, true},
		{"pam: pam\ntfa\n", "pam", 2, true},
		{"\xef\xbb\xbf  pam  :  pam  # x\n\xef\xbb\xbf TFA : no\n\npam: pam\n", "pam", 2, true},
		{"pam: pam\n\npve: pve\n\npam : pam\n\ttfa x\n", "pam", 6, true},
		{"pam: pam\n\npve: pve\n\npam : pam\n\ttfa x\n", "pve", 0, false},
		{"pam: pam\n\nfoo: bar\n\ttfa x\n", "pam", 0, false},
		{"pam: pam\n\tcomment: x\n\ttfa totp\n", "pam", 3, true},
		{"pam: pam\n\tnote: x\n\ttfa totp\n", "pam", 3, true},
		{"pam: pam\n\npve: pve\n\tpam: x\n\ttfa totp\n", "pam", 0, false},
		// signs behind the word, and behind the realm
		{"pam: pam\n\ttfa,type=oath\n", "pam", 2, true},
		{"pam: pam\n\ttfa;type=oath\n", "pam", 2, true},
		{"pam: pam\n\ttfa\xff type=oath\n", "pam", 2, true},
		{"pam: pam\n\ttfa2 type=oath\n", "pam", 0, false},
		{"pam: pam\n\npve: pve\n\npam: pam# ours\n\ttfa x\n", "pam", 6, true},
		{"pam: pam\n\npve: pve\n\npam: pam:\n\ttfa x\n", "pam", 6, true},
		// what is not UTF-8 is a blank or nothing in ISO 8859-1
		{"pam: pam\n\xa0tfa type=oath\n", "pam", 2, true},
		{"pam: pam\n\ttfa\xa0type=oath\n", "pam", 2, true},
		{"pam: pam\n\tt\xadfa type=oath\n", "pam", 2, true},
		// what has no shape
		{"pam: pam\n\x01tfa type=oath\n", "pam", 2, true},
		{"pam: pam\n\ttf\x7fa type=oath\n", "pam", 2, true},
		{"pam: pam\n\u3164tfa type=oath\n", "pam", 2, true},
		{"pam: pam\n\u2800tfa type=oath\n", "pam", 2, true},
		{"pam: pam\n\U000e0001tfa type=oath\n", "pam", 2, true},
		{"pam: pam\n\npve: pve\n\npam\x02: pam\n\ttfa x\n", "pam", 6, true},
	} {
		line, why, got := Parse([]byte(tt.in)).Required(tt.id)
		if got != tt.want || line != tt.line || (why != "") != tt.want {
			t.Errorf("%q, %s: line %d, %v (%s), want line %d, %v", tt.in, tt.id, line, got, why, tt.line, tt.want)
		}
	}
}

// TestRequiredWherePVEFailsOpen takes the whole logins of Proxmox VE's own code
// that went through without the factor that the file seems to ask for.
func TestRequiredWherePVEFailsOpen(t *testing.T) {
	eachCase(t, "login-flow", 17, func(t *testing.T, c caseOfPVE) {
		var in struct {
			File string `json:"domains_cfg"`
			User string `json:"user"`
		}
		if err := json.Unmarshal(c.Input, &in); err != nil {
			t.Fatal(err)
		}
		_, id, _ := strings.Cut(in.User, "@")
		if _, _, got := Parse([]byte(in.File)).Required(id); got != strings.Contains(in.File, "tfa") {
			t.Errorf("%q: realm %s: required %v", in.File, id, got)
		}
		if r, _ := Parse([]byte(in.File)).Lookup(id); (r.TFA == nil) != (strings.HasPrefix(c.Name, "FAIL OPEN") || !strings.Contains(in.File, "tfa")) {
			t.Errorf("%q: Proxmox VE asks for %+v", in.File, r.TFA)
		}
	})
}
