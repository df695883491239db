package main

import (
	"strings"
	"testing"
)

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
