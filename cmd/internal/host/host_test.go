package host

import "testing"

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
