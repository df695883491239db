package config

import (
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/config/oathtable"

	"github.com/BurntSushi/toml"
)

func TestParse(t *testing.T) {
	const file = `# everything changed
oath.bits = 256
[paths]
domains = "/etc/pve/domains.cfg"
users = "/etc/pve/user.cfg"
store = "/srv/oathkit/"
audit = '/var/log/oath.jsonl'
[verify]
window = 2
keys = "user.cfg"
[lockout]
free = 3
delay = "10s"
max_delay = "10m"
lock_at = 10
[enroll]
recovery_codes = 8
grace = "72h"
[seal]
key_file = "/etc/oathkit/seal.keys"
[login]
password = ["/usr/bin/checkpassword-pam", "-s", "oathkit", "--"]
[realm.pve]
factor = "duo"
[realm."ad.example"]
factor = "yubikey"
[realm.pam]
factor = "oath"
[duo]
host = "api-12345678.duosecurity.com:443"
ikey = "DIXXXXXXXXXXXXXXXXXX"
skey_file = "/etc/oathkit/duo.skey"
user_agent = "ours/1 (all of us)"
username_format = "EXAMPLE\\%s"
push_info = "from=mail&site=here"
failmode = "safe"
timeout = "30s"
prompts = 1
autopush = true
ca_file = "/etc/oathkit/duo-ca.pem"
proxy = "http://proxy.example.org:3128/"
[deliver.email]
command = [
	"/usr/sbin/sendmail", # the MTA's
	"-t", '-i',
]
from = "oathkit@example.org"
timeout = "10s"
[deliver.sms]
command = ["/usr/local/bin/sms"]
timeout = "1m"
[audit]
required = true
`
	got, err := Parse("oathkit.toml", []byte(file))
	want := Config{
		OATH:    OATH{Algorithm: "SHA1", Digits: 6, Period: 30, Bits: 256},
		Paths:   Paths{"/etc/pve/domains.cfg", "/etc/pve/user.cfg", "/srv/oathkit", "/var/log/oath.jsonl"},
		Verify:  Verify{2, KeysInUserFile},
		Lockout: Lockout{3, 10 * time.Second, 10 * time.Minute, 10},
		Enroll:  Enroll{8, 72 * time.Hour},
		Seal:    Seal{"/etc/oathkit/seal.keys"},
		Login:   Login{[]string{"/usr/bin/checkpassword-pam", "-s", "oathkit", "--"}},
		Realms:  map[string]Realm{"pve": {"duo"}, "ad.example": {"yubikey"}},
		Duo: Duo{
			"api-12345678.duosecurity.com:443", "DIXXXXXXXXXXXXXXXXXX", "/etc/oathkit/duo.skey", "ours/1 (all of us)",
			`EXAMPLE\%s`, "from=mail&site=here", FailSafe, 30 * time.Second, 1, true, "/etc/oathkit/duo-ca.pem", "http://proxy.example.org:3128",
		},
		Deliver: Deliver{
			Email{[]string{"/usr/sbin/sendmail", "-t", "-i"}, "oathkit@example.org", 10 * time.Second},
			SMS{[]string{"/usr/local/bin/sms"}, time.Minute},
		},
		Audit: Audit{true},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
}

// The annotated file that is installed says the defaults, and names every key.
func TestAnnotatedFileIsDefault(t *testing.T) {
	b, err := os.ReadFile("../../configs/oathkit.toml")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Parse("oathkit.toml", b); err != nil || !reflect.DeepEqual(got, Default()) {
		t.Errorf("as it is: got %+v, %v", got, err)
	}
	// With the comment sign of each setting removed, it must still be so.
	var all strings.Builder
	keys := map[string]bool{}
	table := ""
	for line := range strings.Lines(string(b)) {
		set := strings.TrimPrefix(line, "#")
		name, value, isSetting := strings.Cut(set, " = ")
		switch {
		case strings.HasPrefix(set, "["):
			table, line = strings.Trim(set, "[]\n"), set
		case isSetting && !strings.Contains(name, " "):
			keys[table+"."+name] = true
			if value != "\"\"\n" && value != "[]\n" { // an empty path or command is one that is not given
				line = set
			}
		}
		all.WriteString(line)
	}
	if got, err := Parse("oathkit.toml", []byte(all.String())); err != nil || !reflect.DeepEqual(got, Default()) {
		t.Errorf("with every setting on: got %+v, %v", got, err)
	}
	for _, table := range oathtable.Tables() {
		for _, key := range oathtable.Keys(table) {
			if !keys[table+"."+key] {
				t.Errorf("configs/oathkit.toml does not show %s.%s", table, key)
			}
		}
	}
}

// Every key that a file may have must reach the Config.
func TestEveryKeyIsTaken(t *testing.T) {
	for _, table := range oathtable.Tables() {
		for _, key := range oathtable.Keys(table) {
			taken := false
			for _, value := range []any{"/some/path", int64(7), int64(136), "17s", "SHA512", true, []any{"/bin/true"}, "a@b", "user.cfg", "duo", "a%s", "safe", "http://a:1"} {
				c := Default()
				name := toml.Key(append(strings.Split(table, "."), key))
				values := map[string]any{key: value}
				for i := len(name) - 2; i >= 0; i-- {
					values = map[string]any{name[i]: values}
				}
				if c.take(name, values) == nil && !reflect.DeepEqual(c, Default()) {
					taken = true
				}
			}
			if !taken {
				t.Errorf("no value of %s.%s changes anything", table, key)
			}
		}
	}
	tables := map[string]bool{}
	for _, table := range oathtable.Tables() {
		name, _, _ := strings.Cut(table, ".")
		tables[name] = true
	}
	if n := reflect.TypeFor[Config]().NumField(); n != len(tables) {
		t.Errorf("Config has %d tables, oathtable.Tables %d", n, len(tables))
	}
}

func TestParseErrors(t *testing.T) {
	for _, tt := range []struct{ name, file, want string }{
		{"misspelt key", "[oath]\n\tdigit = 6 # six\n", "" +
			"f:2: unknown key \"digit\" in [oath]: did you mean \"digits\"?\n" +
			"    \tdigit = 6 # six\n" +
			"    \t        ^"},
		{"key of another table", "[oath]\nwindow = 1\n", "" +
			"f:2: unknown key \"window\" in [oath]: it belongs below [verify]\n" +
			"    window = 1\n" +
			"             ^"},
		{"nothing like it", "[oath]\nzzzzzz = 1\n", "" +
			"f:2: unknown key \"zzzzzz\" in [oath]: its keys are issuer, algorithm, digits, period, bits\n" +
			"    zzzzzz = 1\n" +
			"             ^"},
		{"key without its table", "\ndigits = 6\n", "" +
			"f:2: unknown table \"digits\": the key \"digits\" belongs below [oath]\n" +
			"    digits = 6\n" +
			"             ^"},
		{"misspelt table", "[oath]\n\n[lokout]\nfree = 1\n", "" +
			"f:3: unknown table \"lokout\": did you mean \"lockout\"?\n" +
			"    [lokout]\n" +
			"    ^"},
		{"case matters", "[OATH]\nbits = 160\n", "" +
			"f:1: unknown table \"OATH\": did you mean \"oath\"?\n" +
			"    [OATH]\n" +
			"    ^"},
		{"table never written by itself", "oaht.bits = 160\n", "" +
			"f:1: unknown table \"oaht\": did you mean \"oath\"?\n" +
			"    oaht.bits = 160\n" +
			"                ^"},
		{"key below a value", "[oath]\nbits.x = 160\n", "" +
			"f:2: oath.bits is a value and has no keys of its own\n" +
			"    bits.x = 160\n" +
			"             ^"},
		{"array of tables", "[[oath]]\nbits = 160\n", "" +
			"f:1: oath must be a table, written once as [oath], not an array\n" +
			"    [[oath]]\n" +
			"    ^"},
		{"table as a value", "oath = 3\n", "" +
			"f:1: oath must be a table, written once as [oath], not 3\n" +
			"    oath = 3\n" +
			"           ^"},
		{"inline table", "oath = { bits = 100 }\n", "" +
			"f:1: oath.bits must be from 128 to 1024, not 100\n" +
			"    oath = { bits = 100 }\n" +
			"             ^"},
		{"range", "[oath]\ndigits = 5\n", "" +
			"f:2: oath.digits must be from 6 to 10, not 5\n" +
			"    digits = 5\n" +
			"             ^"},
		{"multiple of 8", "[oath]\nbits = 161\n", "" +
			"f:2: oath.bits must be a multiple of 8, not 161\n" +
			"    bits = 161\n" +
			"           ^"},
		{"wrong type", "[oath]\ndigits = \"6\"\n", "" +
			"f:2: oath.digits must be a whole number from 6 to 10, not \"6\"\n" +
			"    digits = \"6\"\n" +
			"              ^"},
		{"algorithm", "[oath]\nalgorithm = \"MD5\"\n", "" +
			"f:2: oath.algorithm must be \"SHA1\", \"SHA256\" or \"SHA512\", not \"MD5\"\n" +
			"    algorithm = \"MD5\"\n" +
			"                 ^"},
		{"relative path", "[paths]\nstore = \"lib\"\n", "" +
			"f:2: paths.store must be an absolute path, not \"lib\"\n" +
			"    store = \"lib\"\n" +
			"             ^"},
		{"duration without unit", "[lockout]\ndelay = \"30\"\n", "" +
			"f:2: lockout.delay must be a time such as \"30s\", \"10m\" or \"1h\", not \"30\"\n" +
			"    delay = \"30\"\n" +
			"             ^"},
		{"duration as a number", "[lockout]\ndelay = 30\n", "" +
			"f:2: lockout.delay must be a time in quotes, such as \"30s\", \"10m\" or \"1h\", not 30\n" +
			"    delay = 30\n" +
			"            ^"},
		{"quarrel", "[lockout]\nfree = 30\n", "" +
			"f:2: lockout.lock_at (20) must not be below lockout.free (30)\n" +
			"    free = 30\n" +
			"           ^"},
		{"quarrel of delays", "[lockout]\ndelay = \"10m\"\nmax_delay = \"1m\"\n", "" +
			"f:3: lockout.max_delay (1m0s) must not be below lockout.delay (10m0s)\n" +
			"    max_delay = \"1m\"\n" +
			"                 ^"},
		{"boolean", "[audit]\nrequired = \"yes\"\n", "" +
			"f:2: audit.required must be true or false, not \"yes\"\n" +
			"    required = \"yes\"\n" +
			"                ^"},
		{"nested table", "[deliver.mail]\ncommand = [\"/x\"]\n", "" +
			"f:1: unknown table \"deliver.mail\": did you mean \"deliver.email\"?\n" +
			"    [deliver.mail]\n" +
			"    ^"},
		{"key of a nested table", "[deliver.sms]\nfrom = \"a@b\"\n", "" +
			"f:2: unknown key \"from\" in [deliver.sms]: it belongs below [deliver.email]\n" +
			"    from = \"a@b\"\n" +
			"            ^"},
		{"key beside the nested tables", "[deliver]\ncommand = [\"/x\"]\n", "" +
			"f:2: unknown table \"deliver.command\": the key \"command\" belongs below [deliver.email]\n" +
			"    command = [\"/x\"]\n" +
			"               ^"},
		{"name of a nested table in quotes", "[\"deliver.sms\"]\n", "" +
			"f:1: unknown table \"deliver.sms\": write [deliver.sms], without quotes\n" +
			"    [\"deliver.sms\"]\n" +
			"    ^"},
		{"nested table as a value", "deliver.sms = \"/bin/sms\"\n", "" +
			"f:1: deliver.sms must be a table, written once as [deliver.sms], not \"/bin/sms\"\n" +
			"    deliver.sms = \"/bin/sms\"\n" +
			"                   ^"},
		{"nested table as an array", "[[deliver.sms]]\n", "" +
			"f:1: deliver.sms must be a table, written once as [deliver.sms], not an array\n" +
			"    [[deliver.sms]]\n" +
			"    ^"},
		{"key below a key of a nested table", "[deliver.sms.command]\nx = 1\n", "" +
			"f:1: deliver.sms.command must be an array of strings, a program and its arguments, such as [\"/usr/sbin/sendmail\", \"-t\", \"-i\"], not a table\n" +
			"    [deliver.sms.command]\n" +
			"    ^"},
		{"command for a shell", "[deliver.sms]\ncommand = \"/bin/sms -x\"\n", "" +
			"f:2: deliver.sms.command must be an array of strings, a program and its arguments, such as [\"/usr/sbin/sendmail\", \"-t\", \"-i\"], not \"/bin/sms -x\"\n" +
			"    command = \"/bin/sms -x\"\n" +
			"               ^"},
		{"no command", "[login]\npassword = []\n", "" +
			"f:2: login.password must have a program and at most 63 arguments, not 0 words\n" +
			"    password = []\n" +
			"                ^"},
		{"relative command", "[login]\npassword = [\"checkpassword\"]\n", "" +
			"f:2: login.password must begin with the absolute path of a program, not \"checkpassword\"\n" +
			"    password = [\"checkpassword\"]\n" +
			"                ^"},
		{"command with a number", "[login]\npassword = [\"/x\", 1]\n", "" +
			"f:2: login.password must be an array of strings, and word 2 of it is 1\n" +
			"    password = [\"/x\", 1]\n" +
			"                ^"},
		{"command of two lines", "[login]\npassword = [\"/x\", \"a\\nb\"]\n", "" +
			"f:2: login.password must not contain control characters, as word 2 does\n" +
			"    password = [\"/x\", \"a\\nb\"]\n" +
			"                ^"},
		{"relative key file", "[seal]\nkey_file = \"seal.keys\"\n", "" +
			"f:2: seal.key_file must be an absolute path, not \"seal.keys\"\n" +
			"    key_file = \"seal.keys\"\n" +
			"                ^"},
		{"key instead of its file", "[seal]\nkey_file = \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"\n", "" +
			"f:2: seal.key_file must be an absolute path, not \"[secret]\"\n" +
			"    key_file = \"[secret]\"\n" +
			"                ^"},
		{"key under a name of its own", "[seal]\nkey = \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"\n", "" +
			"f:2: unknown key \"key\" in [seal]: its keys are key_file\n" +
			"    key = \"[secret]\"\n" +
			"           ^"},
		{"sender with a name", "[deliver.email]\ncommand = [\"/x\"]\nfrom = \"Us <a@b.org>\"\n", "" +
			"f:3: deliver.email.from must be an e-mail address alone, such as \"oathkit@example.org\", not \"Us <a@b.org>\"\n" +
			"    from = \"Us <a@b.org>\"\n" +
			"            ^"},
		{"sender of nothing", "[deliver.email]\nfrom = \"a@b.org\"\n", "" +
			"f:2: deliver.email.from does nothing without deliver.email.command\n" +
			"    from = \"a@b.org\"\n" +
			"            ^"},
		{"patience", "[deliver.email]\ntimeout = \"1h\"\n", "" +
			"f:2: deliver.email.timeout must be from 1s to 5m0s, not 1h0m0s\n" +
			"    timeout = \"1h\"\n" +
			"               ^"},
		{"factor of another kind", "[realm.pve]\nfactor = \"Duo\"\n", "" +
			"f:2: realm.pve.factor must be \"oath\" or \"duo\", not \"Duo\"\n" +
			"    factor = \"Duo\"\n" +
			"              ^"},
		{"no realm", "[realm.\"a b\"]\n", "" +
			"f:1: \"a b\" is no realm: a letter, then at least one of letters, digits, \".\", \"-\" and \"_\"\n" +
			"    [realm.\"a b\"]\n" +
			"    ^"},
		{"factor of no realm", "[realm]\nfactor = \"duo\"\n", "" +
			"f:2: realm.factor must be a table, written once as [realm.factor], not \"duo\"\n" +
			"    factor = \"duo\"\n" +
			"              ^"},
		{"key of a realm", "[realm.pve]\nfaktor = \"duo\"\n", "" +
			"f:2: unknown key \"faktor\" in [realm.NAME]: did you mean \"factor\"?\n" +
			"    faktor = \"duo\"\n" +
			"              ^"},
		{"half of Duo", "[duo]\nhost = \"api.example.org\"\n", "" +
			"f:1: duo.host, duo.ikey and duo.skey_file go together, and one is missing\n" +
			"    [duo]\n" +
			"    ^"},
		{"address instead of a host", "[duo]\nhost = \"https://api.example.org\"\n", "" +
			"f:2: duo.host must be the name of a host, such as \"api-XXXXXXXX.duosecurity.com\", not \"https://api.example.org\"\n" +
			"    host = \"https://api.example.org\"\n" +
			"            ^"},
		{"name nowhere", "[duo]\nusername_format = \"EXAMPLE\"\n", "" +
			"f:2: duo.username_format must have \"%s\" in it once, for the user's name, and no other \"%\", not \"EXAMPLE\"\n" +
			"    username_format = \"EXAMPLE\"\n" +
			"                       ^"},
		{"name twice", "[duo]\nusername_format = \"%s%s\"\n", "" +
			"f:2: duo.username_format must have \"%s\" in it once, for the user's name, and no other \"%\", not \"%s%s\"\n" +
			"    username_format = \"%s%s\"\n" +
			"                       ^"},
		{"failmode", "[duo]\nfailmode = \"open\"\n", "" +
			"f:2: duo.failmode must be \"secure\" or \"safe\", not \"open\"\n" +
			"    failmode = \"open\"\n" +
			"                ^"},
		{"proxy with a password", "[duo]\nproxy = \"http://a:b@proxy:1\"\n", "" +
			"f:2: duo.proxy must be the address of a proxy without name and password, such as \"http://proxy.example.org:3128\"\n" +
			"    proxy = \"http://a:b@proxy:1\"\n" +
			"             ^"},
		{"integration key of two words", "[duo]\nikey = \"DI XX\"\n", "" +
			"f:2: duo.ikey must be printable ASCII without blanks\n" +
			"    ikey = \"DI XX\"\n" +
			"            ^"},
		{"secret key in the file", "[duo]\nskey = \"Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep\"\n", "" +
			"f:2: unknown key \"skey\" in [duo]: did you mean \"ikey\"?\n" +
			"    skey = \"[secret]\"\n" +
			"            ^"},
		{"secret key instead of its file", "[duo]\nskey_file = \"Zh5eGmUq9zpfQnyUIu5OL9iWoMMv5ZNmk3zLJ4Ep\"\n", "" +
			"f:2: duo.skey_file must be an absolute path, not \"[secret]\"\n" +
			"    skey_file = \"[secret]\"\n" +
			"                 ^"},
		{"given twice", "[oath]\nbits = 160\nbits = 160\n", "" +
			"f:3: key 'oath.bits' has already been defined\n" +
			"    bits = 160\n" +
			"    ^"},
		{"no quotes", "[oath]\nissuer = Example\n", "" +
			"f:2: expected value but found \"Example\" instead\n" +
			"    issuer = Example\n" +
			"             ^"},
		{"not UTF-8", "[oath]\nissuer = \"Caf\xe9\"\n", "" +
			"f:2: byte 0xe9 is not UTF-8; save the file as UTF-8\n" +
			"    issuer = \"Caf?\"\n" +
			"                 ^"},
	} {
		_, err := Parse("f", []byte(tt.file))
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s:\n%s\ngot:\n%v\nwant:\n%s", tt.name, tt.file, err, tt.want)
		}
		if e := new(Error); err != nil && !errors.As(err, &e) {
			t.Errorf("%s: %T is no *Error", tt.name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Parse("f", b)
		if err != nil {
			if e := new(Error); !errors.As(err, &e) || e.Line < 1 || e.Col < 1 {
				t.Fatalf("error without a place: %#v", err)
			}
			return
		}
		if again, err := Parse("f", b); err != nil || !reflect.DeepEqual(again, c) {
			t.Fatalf("read again: %+v, %v", again, err)
		}
	})
}

// FuzzOathtable holds the small reader against the whole one: what it accepts,
// the whole one reads the same, or refuses for something outside [oath].
func FuzzOathtable(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		table, err := oathtable.Parse("f", b)
		if err != nil {
			if e := new(Error); !errors.As(err, &e) || e.Line < 1 || e.Col < 1 {
				t.Fatalf("error without a place: %#v", err)
			}
			return
		}
		c, err := Parse("f", b)
		switch {
		case err == nil && c.OATH != table:
			t.Fatalf("oathtable reads %+v, config %+v", table, c.OATH)
		case err != nil && blamesOath(err):
			t.Fatalf("oathtable reads %+v, config says: %v", table, err)
		}
	})
}

// blamesOath says that the error is about [oath], by the words that it begins
// with; a value of the file, which comes later, may say anything.
func blamesOath(err error) bool {
	e := new(Error)
	if !errors.As(err, &e) {
		return true
	}
	for _, start := range []string{"oath.", "oath ", "key 'oath"} {
		if strings.HasPrefix(e.What, start) {
			return true
		}
	}
	// unknown key "x" in [oath]: the name is quoted, so no key forges the rest.
	before, rest, _ := strings.Cut(e.What, `" in [`)
	return strings.HasPrefix(before, "unknown key ") && strings.HasPrefix(rest, "oath]")
}

var seeds = []string{
	"", "\xef\xbb\xbf[oath]\nbits = 160\n", "[oath]\r\nbits = 160\r\n",
	"[oath]\nissuer = \"A \\u00e9 \\\"b\\\"\" # c\nalgorithm='SHA256'\ndigits=8\nperiod=60\nbits=256\n",
	"oath.bits = 160\n\"oath\".digits = 7\n'oath' . \"period\" = 60\n",
	"oath = { bits = 160, digits = 8 }\n", "[ \"oath\" ]\nbits = 1_60\n",
	"[oath]\nbits = 0xa0\n", "[oath]\nbits = +160\n", "[oath]\nbits = 160.0\n", "[oath]\ndigits = 1979-05-27\n",
	"[paths]\nstore = \"\"\"\n[oath]\nbits = 256\n\"\"\"\n", "[paths]\nstore = '''x\n[oath]\nbits = 256'''\n[oath]\nbits = 128\n",
	"[paths]\nstore = [\n# ]\n\"[oath]\", 1,\n]\n[oath]\nbits=128\n", "[paths]\nstore = \"a\\\\\"\n[oath]\nbits=128\n",
	"[oath]\nbits=160\n[oath]\nbits=256\n", "[oath]\nbits=160\nbits=160\n", "oath.bits=1\n[oath]\n", "[[oath]]\nbits=160\n",
	"[OATH]\nbits=160\n", "[oath.bits]\nx=1\n", "[verify]\noath.bits = 256\n", "[verify]\nwindow = 1\n[lockout]\ndelay = \"30s\"\n",
	"[paths]\nstore = \"\"\"a\\\"\"\"\"\n[oath]\nbits=256\n", "[audit]\nrequired = true\n[oath]\nbits = 128 x\n", "[oath]bits=160\n",
	"[deliver.email]\ncommand = [\"/usr/sbin/sendmail\", \"-t\"] # x\nfrom = \"a@b\"\n[oath]\nbits = 256\n[deliver.sms]\ncommand = ['/x']\n",
	"deliver.sms.command = [\"/x\"]\n[deliver.email]\ntimeout = \"1s\"\n[deliver]\n[oath]\nbits = 256\n", "deliver = { sms = { timeout = \"1s\" } }\noath.bits = 256\n",
	"[deliver.oath]\nbits = 256\n", "[\"deliver.sms\"]\ntimeout = \"1s\"\n", "[deliver]\nsms.timeout = \"1s\"\n[deliver.sms]\n[oath]\nbits = 256\n",
	"[realm.pve]\nfactor = \"duo\"\n[realm.\"a.b\"]\nfactor = \"x\"\n[realm.a]\n[oath]\nbits = 256\n", "realm.a.factor = \"x\"\n[realm.\"a.factor\"]\n[oath]\nbits = 256\n",
	"[realm]\na.factor = \"x\"\n[realm.a]\n", "[duo]\nhost = \"h\"\nikey = \"i\"\nskey_file = \"/s\"\n[oath]\nbits = 256\n", "[realm.\"a b\"]\n",
	"[login]\npassword = [\"/x\",\n  # [oath]\n  \"y\", ]\n[seal]\nkey_file = \"/k\"\n[oath]\nbits = 256\n",
}
