package main

import (
	"strings"
	"testing"
)

func TestQualify(t *testing.T) {
	const hosts = `127.0.0.1	localhost
# 10.0.0.9 pve.commented.example.org pve
127.0.1.1  mail.example.org mail	# the old pve
10.0.0.5   pve pve.example.org www.example.org
10.0.0.6   web.example.net. web
10.0.0.7   alias.example.com db
10.0.0.8   lonely
10.0.0.9
`
	for _, tt := range []struct{ name, want string }{
		{"pve", "pve.example.org"},
		{"PVE", "pve.example.org"},
		{"web", "web.example.net"},
		{"db", "alias.example.com"},
		{"lonely", "lonely"},
		{"localhost", "localhost"},
		{"unknown", "unknown"},
		{"pv", "pv"},
	} {
		if got := qualify(tt.name, []byte(hosts)); got != tt.want {
			t.Errorf("qualify(%q) = %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestOneLine(t *testing.T) {
	for _, tt := range []struct{ text, line, err string }{
		{"JBSWY3DPEHPK3PXP", "JBSWY3DPEHPK3PXP", ""},
		{"JBSWY3DPEHPK3PXP\r\n\r\n  \n", "JBSWY3DPEHPK3PXP", ""},
		{"  jbsw y3dp ehpk 3pxp \n", "jbsw y3dp ehpk 3pxp", ""},
		{"", "", "keys: there is no key"},
		{"\n \r\n", "", "keys: there is no key"},
		{"\nJBSWY3DPEHPK3PXP\n", "", "keys: the first line is empty"},
		{"JBSWY3DPEHPK3PXP\n\nJBSWY3DPEHPK3PXP\n", "", "keys:3: a second key or URI"},
		{strings.Repeat("A", maxInput+1), "", "keys is longer than 65536 bytes, so it is no key"},
	} {
		line, err := oneLine([]byte(tt.text), "keys")
		if line != tt.line || (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err {
			t.Errorf("oneLine(%.40q) = %q, %v; want %q, %s", tt.text, line, err, tt.line, tt.err)
		}
	}
}
