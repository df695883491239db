package realm

import (
	"fmt"
	"strings"
	"testing"
)

// TestValues holds what Proxmox VE's own checks take (run side by side on a
// million drawn files; here are the corners).
func TestValues(t *testing.T) {
	for _, tt := range []struct{ typ, key, good, bad string }{
		{"ldap", "server1", "a 10.0.0.1 010.0.0.1 a-b.c ::1 fe80::1 ::ffff:1.2.3.4 1:2:3:4:5:6:7:8", "0 a_b -a a. a..b 1:2 1::2::3 ::1.2.3 fe80::1%eth0 1:2:3:4:5:6:7:8:9 12345::"},
		{"ldap", "port", "1 65535 00636 +636", "0 65536 -1 6.0 x"},
		{"ldap", "default", "0 1", "yes 2 01 true"},
		{"ldap", "user_attr", "uid x=y", "u"},
		{"ldap", "mode", "ldap ldaps ldap+starttls", "LDAP tls"},
		{"ldap", "sslversion", "tlsv1 tlsv1_3", "tlsv1_4 ssl"},
		{"ldap", "sync_attributes", "a=b a_1=b,c=d,e==", "a= =b a=b,, a-b=c"},
		{"ldap", "user_classes", "a;b,c ,", "a-b"},
		{"ldap", "group_name_attr", "cn", "c-n"},
		{"ldap", "sync-defaults-options", "scope=users scope=both,enable-new=YES,purge=0 remove-vanished=acl;entry remove-vanished=none", "scope scope=all foo=1 purge=2 scope=users,scope=users"},
		{"ad", "domain", "a-b_c", ""},
		{"openid", "groups-claim", "a.b-c_d", "a:b"},
		{"openid", "acr-values", "urn:x", "a<b a#b"},
		{"pve", "tfa", "type=oath step=10,type=yubico,key=a=b", "oath"},
		{"pve", "server1", "", "a"},
		{"openid", "tfa", "", "type=oath"},
	} {
		for _, v := range strings.Fields(tt.good) {
			if _, err := checkValue(tt.typ, tt.key, v, true); err != nil {
				t.Errorf("%s %s %s: %v", tt.typ, tt.key, v, err)
			}
		}
		for _, v := range strings.Fields(tt.bad) {
			if _, err := checkValue(tt.typ, tt.key, v, true); err == nil {
				t.Errorf("%s %s %s is taken", tt.typ, tt.key, v)
			}
		}
	}
	if v, err := checkValue("ldap", "port", "+00636", true); v != "636" || err != nil {
		t.Errorf("port: %s, %v", v, err)
	}
	if _, err := checkValue("pve", "comment", strings.Repeat("x", 4097), true); err == nil {
		t.Error("a long comment is taken")
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	b := "ldap: corp\n\tserver1 a\n\tbase_dn b\n\tuser_attr u\n\tpassword hush\rhush\n\ttfa type=yubico,key=hush\n\ttfa type=yubico,key=hush,digits=9\n\tpassword hush\n\nopenid: sso\n\tissuer-url x\n\tclient-id y\n\tclient-key hush\n\tclient-key hush2\n"
	d := Parse([]byte(b))
	for _, r := range d.Realms() {
		for _, p := range r.Properties {
			for _, s := range []string{p.Shown(), fmt.Sprintf("%v", p), fmt.Sprintf("%+v", p), fmt.Sprintf("%s", p), fmt.Sprintf("%#v", p), fmt.Sprintf("%v", r), fmt.Sprintf("%+v", r)} {
				if strings.Contains(s, "hush") {
					t.Errorf("shown: %s", s)
				}
			}
		}
	}
	for _, p := range d.Problems() {
		if strings.Contains(p.Message, "hush") {
			t.Errorf("told: %s", p.Message)
		}
	}
	// neither where the line is spelled wrong
	for _, line := range []string{
		"tfa type=yubico;key=hush", "tfa type=yubico, key=hush", "tfa KEY=hush", "tfa type=oath,digits=6;key=hush", "tfa keykey=hush",
		"tfa:type=yubico,key=hush", "tfa=type=yubico,key=hush", "tfa,key=hush", "password=hush", "password:hush", "client-key=hush",
		"tfa \u0130\u0130\u0130\u0130\u0130\u0130key=hush", "tfa type=yubico,key=hush,digits=+6",
	} {
		for _, b := range []string{"pam: pam\n\t" + line + "\n", "\t" + line + "\n\npam: pam\n", "pam: pam\n" + line + "\n"} {
			for _, p := range Parse([]byte(b)).Problems() {
				if strings.Contains(p.Message, "hush") {
					t.Errorf("%q: told: %s", b, p.Message)
				}
			}
		}
		if _, value, ok := strings.Cut(line, "tfa "); ok {
			if _, err := Set([]byte("pam: pam\n"), "pam", "tfa", value); err == nil || strings.Contains(err.Error(), "hush") {
				t.Errorf("%q: %v", value, err)
			}
		}
	}
}
