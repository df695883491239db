package oathtable

import "testing"

func TestParse(t *testing.T) {
	want := Table{Issuer: `Exämple "Inc"`, Algorithm: "SHA256", Digits: 8, Period: 60, Bits: 256}
	for _, file := range []string{
		"[oath]\nissuer = \"Ex\\u00e4mple \\\"Inc\\\"\"\nalgorithm = 'SHA256'\ndigits = 8\nperiod = 60\nbits = 256\n",
		"# c\n\n[ \"oath\" ] # c\r\n\tissuer='Exämple \"Inc\"'#c\r\nalgorithm=\"SHA256\"\r\n\"digits\"=8\r\nperiod = 60\r\nbits = 256",
		"oath.issuer = 'Exämple \"Inc\"'\noath . algorithm = 'SHA256'\n'oath'.digits = 8\noath.period = 60\noath.bits = 256\n",
		"oath = { issuer = 'Exämple \"Inc\"', algorithm = 'SHA256', digits = 8, period = 60, bits = 256 } # c\n",
		"\xef\xbb\xbf[paths]\nstore = \"\"\"\n[oath]\nbits = 512 \\\"\"\" # \"\"\"\ndomains = [ # ]\n \"[oath]\", '#', 7,\n]\n" +
			"[oath]\nissuer = 'Exämple \"Inc\"'\nalgorithm = 'SHA256'\ndigits = 8\nperiod = 60\nbits = 256\n[audit]\nrequired = true",
	} {
		if got, err := Parse("f", []byte(file)); err != nil || got != want {
			t.Errorf("%s\ngot %+v, %v", file, got, err)
		}
	}
	// The tables beside it may be nested, and their values arrays.
	const nested = "[deliver]\n[deliver.email]\ncommand = [\"/usr/sbin/sendmail\", # [oath]\n  '-t']\n[oath]\nbits = 256\n" +
		"[deliver.sms]\ntimeout = '1s'\n[login]\npassword = ['/x', \"]\"]\n"
	if got, err := Parse("f", []byte(nested)); err != nil || got.Bits != 256 {
		t.Errorf("nested tables: got %+v, %v", got, err)
	}
	if got, err := Parse("f", nil); err != nil || got != Default() {
		t.Errorf("an empty file: got %+v, %v", got, err)
	}
}

func TestParseErrors(t *testing.T) {
	for _, tt := range []struct{ file, want string }{
		{"[oath]\nbits = 1_60\n", "f:2: expected a string in quotes, true, false or a whole number in plain digits, not \"1_60\"\n    bits = 1_60\n           ^"},
		{"[oath]\nissuer = \"\"\"x\"\"\"\n", "f:2: oath.issuer must be a string in quotes, not a string over several lines\n    issuer = \"\"\"x\"\"\"\n             ^"},
		{"[oath]\nbits = [160]\n", "f:2: oath.bits must be a whole number from 128 to 1024, not an array\n    bits = [160]\n           ^"},
		{"[oath]\nbit = 160\n", "f:2: unknown key \"bit\" in [oath]: did you mean \"bits\"?\n    bit = 160\n    ^"},
		{"[oaht]\n", "f:1: unknown table \"oaht\": did you mean \"oath\"?\n    [oaht]\n    ^"},
		{"[lockout]\nfre = 1\n", "f:2: unknown key \"fre\" in [lockout]: did you mean \"free\"?\n    fre = 1\n    ^"},
		{"[oath]\nbits = 160\nbits = 160\n", "f:3: oath.bits is defined a second time\n    bits = 160\n    ^"},
		{"[oath]\n[oath]\n", "f:2: oath is defined a second time\n    [oath]\n    ^"},
		{"oath.bits = 160\n[oath]\n", "f:2: oath is defined a second time\n    [oath]\n    ^"},
		{"oath = {}\noath.bits = 160\n", "f:2: oath is defined a second time\n    oath.bits = 160\n    ^"},
		{"[[oath]]\n", "f:1: arrays of tables, in double brackets, have no use here\n    [[oath]]\n    ^"},
		{"[oath.bits]\n", "f:1: oath.bits is a value, not a table\n    [oath.bits]\n    ^"},
		{"oath = 3\n", "f:1: oath must be a table, not 3\n    oath = 3\n           ^"},
		{"[oath] bits = 160\n", "f:1: expected the end of the line after a value or header\n    [oath] bits = 160\n           ^"},
		{"[oath]\nbits 160\n", "f:2: expected '=' after the key\n    bits 160\n         ^"},
		{"[oath]\nissuer = \"x\n", "f:2: the string does not end on its line\n    issuer = \"x\n             ^"},
		{"[oath]\nissuer = \"C:\\windows\"\n", "f:2: unknown escape in a string; write a backslash as two\n    issuer = \"C:\\windows\"\n                ^"},
		{"[oath]\nissuer = \"\\ud800\"\n", "f:2: expected 4 hexadecimal digits of a Unicode character\n    issuer = \"\\ud800\"\n              ^"},
		{"[oath]\nissuer = \"\x00\"\n", "f:2: control character 0x00 is not allowed\n    issuer = \"?\"\n              ^"},
		{"[deliver.mail]\n", "f:1: unknown table \"deliver.mail\": did you mean \"deliver.email\"?\n    [deliver.mail]\n    ^"},
		{"[deliver.sms.command]\n", "f:1: deliver.sms.command is a value, not a table\n    [deliver.sms.command]\n    ^"},
		{"deliver.sms = 3\n", "f:1: deliver.sms must be a table, not 3\n    deliver.sms = 3\n                  ^"},
		{"deliver = 3\n", "f:1: deliver must be a table, not 3\n    deliver = 3\n              ^"},
		{"deliver.sms.timeout = \"1s\"\n[deliver.sms]\n", "f:2: deliver.sms is defined a second time\n    [deliver.sms]\n    ^"},
		{"[paths]\nstore = '''\n", "f:2: the string never ends\n    store = '''\n            ^"},
		{"[paths]\nstore = [[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]\n", "f:2: arrays and tables are nested too deeply\n    store = [[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]\n                            ^"},
	} {
		if _, err := Parse("f", []byte(tt.file)); err == nil || err.Error() != tt.want {
			t.Errorf("%q:\ngot:\n%v\nwant:\n%s", tt.file, err, tt.want)
		}
	}
}
