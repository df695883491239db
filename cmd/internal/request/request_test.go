package request

import (
	"fmt"
	"strings"
	"testing"
)

func TestOpenVPN(t *testing.T) {
	for in, want := range map[string]Request{
		"alice\n123456\n":                   {User: "alice", Secret: "123456"},
		"alice\n\n":                         {User: "alice"},
		"\n\n":                              {},
		"al ice\npw 123456\n":               {User: "al ice", Secret: "pw 123456"},
		"alice\nSCRV1:cHc=:MTIzNDU2\n":      {User: "alice", Apart: true, Password: "pw", Code: "123456"},
		"alice\nSCRV1::\n":                  {User: "alice", Apart: true},
		"alice\nSCRV1::MTIzNDU2\n":          {User: "alice", Apart: true, Code: "123456"},
		"alice\nSCRV1:cHc:MTIzNDU2\n":       {User: "alice", Secret: "SCRV1:cHc:MTIzNDU2"},  // no padding
		"alice\nSCRV1:cHd=:MTIzNDU2\n":      {User: "alice", Secret: "SCRV1:cHd=:MTIzNDU2"}, // bits that mean nothing
		"alice\nSCRV1:cHc=:MTIz\rNDU2\n":    {User: "alice", Secret: "SCRV1:cHc=:MTIz\rNDU2"},
		"alice\nSCRV1:cHc=:MTIz:NDU2\n":     {User: "alice", Secret: "SCRV1:cHc=:MTIz:NDU2"},
		"alice\nSCRV1:cHc=\n":               {User: "alice", Secret: "SCRV1:cHc="},
		"alice\nscrv1:cHc=:MTIzNDU2\n":      {User: "alice", Secret: "scrv1:cHc=:MTIzNDU2"},
		"alice\nCRV1::c3RhdGU=::123456\n":   {User: "alice", Secret: "CRV1::c3RhdGU=::123456"},
		"SCRV1:cHc=:MTIzNDU2\nSCRV1:::\n":   {User: "SCRV1:cHc=:MTIzNDU2", Secret: "SCRV1:::"},
		"alice@ldap\nSCRV1:w6k=:MTIzNDU2\n": {User: "alice@ldap", Apart: true, Password: "é", Code: "123456"},
	} {
		if got, err := ParseOpenVPN([]byte(in)); err != nil || got != want {
			t.Errorf("%q: got %#v, %v", in, show(got), err)
		}
	}
	for _, in := range []string{"", "alice", "alice\n", "alice\n123456", "alice\n123456\nmore", "alice\n123456\n\n", strings.Repeat("x", MaxOpenVPN-1) + "\n\n"} {
		if got, err := ParseOpenVPN([]byte(in)); err == nil {
			t.Errorf("%.20q is taken: %#v", in, show(got))
		}
	}
}

func TestPipe(t *testing.T) {
	for in, want := range map[string]Request{
		"alice\n123456\n":    {User: "alice", Secret: "123456"},
		"alice\n123456":      {User: "alice", Secret: "123456"},
		"alice\n\n":          {User: "alice"},
		"alice\n":            {User: "alice"},
		"\npw\n":             {Secret: "pw"},
		"a b\n p w\t\r\n":    {User: "a b", Secret: " p w\t\r"},
		"alice\nSCRV1:a:b\n": {User: "alice", Secret: "SCRV1:a:b"},
	} {
		if got, err := ParsePipe([]byte(in)); err != nil || got != want {
			t.Errorf("%q: got %#v, %v", in, show(got), err)
		}
	}
	for _, in := range []string{"", "alice", "alice\n1\n2\n", "alice\n1\n2", "alice\n1\n\n", "alice\n" + strings.Repeat("1", MaxPipe)} {
		if got, err := ParsePipe([]byte(in)); err == nil {
			t.Errorf("%.20q is taken: %#v", in, show(got))
		}
	}
}

func TestCheckpassword(t *testing.T) {
	longest := "alice\x00" + strings.Repeat("x", MaxCheckpassword-8) + "\x00\x00"
	for in, want := range map[string]Checkpassword{
		"alice\x00123456\x00\x00":      {Request: Request{User: "alice", Secret: "123456"}},
		"alice\x00123456\x00Y2026\x00": {Request: Request{User: "alice", Secret: "123456"}, Timestamp: "Y2026"},
		"alice\x00\x00\x00":            {Request: Request{User: "alice"}},
		"\x00\x00\x00":                 {},
		"a\nb\x00c\nd\x00\x00e\x00f":   {Request: Request{User: "a\nb", Secret: "c\nd"}, More: "e\x00f"},
		longest:                        {Request: Request{User: "alice", Secret: strings.Repeat("x", MaxCheckpassword-8)}},
	} {
		if got, err := ParseCheckpassword([]byte(in)); err != nil || got != want {
			t.Errorf("%q: got %#v, %v", in, show(got.Request), err)
		}
	}
	for _, in := range []string{"", "alice", "alice\x00123456", "alice\x00123456\x00", "alice\x00123456\x00x", longest + "x"} {
		if got, err := ParseCheckpassword([]byte(in)); err == nil {
			t.Errorf("%q is taken: %#v", in, show(got.Request))
		}
	}
}

// What FreeRADIUS 3.2 makes of a name and a password with everything in them, as
// it was seen to arrive, in both spellings.
func TestRadius(t *testing.T) {
	plain := []string{
		"User-Name=al\"i ce\\x$y`z'é", "User-Password=p\tq\\\"1\nZ$(id)`é\x01\xff",
		"NAS-IP-Address=127.0.0.9", "Calling-Station-Id=02-00-00",
	}
	shell := []string{
		`USER_NAME="al\"i ce\\x$y` + "`z'é\"", `USER_PASSWORD="p\tq\\\"1\nZ$(id)` + "`é" + `\001\377"`,
		"NAS_IP_ADDRESS=127.0.0.9", `CALLING_STATION_ID="02-00-00"`,
	}
	want := Radius{Request{User: "al\"i ce\\x$y`z'é", Secret: "p\tq\\\"1\nZ$(id)`é\x01\xff"}, "02-00-00"}
	for name, environ := range map[string][]string{
		"plain": plain, "shell": shell, "both": append(shell, plain...),
		"twice": append(plain, "User-Name=bob", "User-Password=x"),
		"among": append([]string{"PATH=/bin", "User", "=", "user-name=bob"}, plain...),
	} {
		if got, err := ParseRadius(environ); err != nil || got != want {
			t.Errorf("%s: got %#v from %q, %v", name, show(got.Request), got.Station, err)
		}
	}
	for _, tt := range []struct {
		environ string // by commas
		want    Radius
	}{
		{"User-Name=a", Radius{Request: Request{User: "a"}}},
		{"User-Name=a,User-Password=1,EAP-Message=0x02", Radius{Request: Request{User: "a", Secret: "1"}}},
		{"User-Name=a=b,User-Password==", Radius{Request: Request{User: "a=b", Secret: "="}}},
		{`USER_NAME="",USER_PASSWORD="1"`, Radius{Request: Request{Secret: "1"}}},
		{"User-Name=a,NAS-IP-Address=192.0.2.1", Radius{Request{User: "a"}, "192.0.2.1"}},
		{`USER_NAME="a",NAS_IPV6_ADDRESS=2001:db8::1`, Radius{Request{User: "a"}, "2001:db8::1"}},
	} {
		if got, err := ParseRadius(strings.Split(tt.environ, ",")); err != nil || got != tt.want {
			t.Errorf("%s: got %#v from %q, %v", tt.environ, show(got.Request), got.Station, err)
		}
	}
	for environ, want := range map[string]string{
		"":                          "neither User-Name nor USER_NAME",
		"User-Password=1":           "neither User-Name nor USER_NAME",
		`User-Name=a,USER_NAME="b"`: "has both User-Name and USER_NAME, and they differ",
		`User-Name=a,User-Password=1,USER_PASSWORD="2"`:           "has both User-Password and USER_PASSWORD",
		`User-Name=a,CALLING_STATION_ID="1",Calling-Station-Id=2`: "Calling-Station-Id",
		"User-Name=a,CHAP-Password=0x01":                          "there is CHAP-Password and no User-Password",
		`USER_NAME="a",EAP_MESSAGE=0x0201`:                        "there is EAP-Message and no User-Password",
		"USER_NAME=a":                                             "USER_NAME in the environment: is not in quotes",
		"USER_NAME=":                                              "is not in quotes",
		`USER_NAME="`:                                             "is not in quotes",
		`USER_NAME="a`:                                            "is not in quotes",
		`USER_NAME="a"b"`:                                         "has a quote in it",
		`USER_NAME="a\"`:                                          "has a backslash that begins none of",
		`USER_NAME="a\x41"`:                                       "has a backslash",
		`USER_NAME="a\40"`:                                        "has a backslash",
		`USER_NAME="a\400"`:                                       "has a backslash",
		`USER_NAME="a\08x"`:                                       "has a backslash",
	} {
		if got, err := ParseRadius(strings.Split(environ, ",")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %#v, %v", environ, show(got.Request), err)
		}
	}
}

func TestReplyMessage(t *testing.T) {
	for in, want := range map[string]string{
		"wrong code, or too many tries": `Reply-Message := "wrong code, or too many tries"`,
		"a\"\nAuth-Type := \"Accept":    `Reply-Message := "a\"\012Auth-Type := \"Accept"`,
		`100% \ é`:                      `Reply-Message := "100%% \\ \303\251"`,
	} {
		if got := ReplyMessage(in); got != want+"\n" {
			t.Errorf("%q: got %s", in, got)
		}
	}
}

func TestSquid(t *testing.T) {
	for _, tt := range []struct {
		line     string
		channels bool
		want     Squid
	}{
		{"alice 123456", false, Squid{Request: Request{User: "alice", Secret: "123456"}}},
		{"alice 123456 192.0.2.7", false, Squid{"", Request{User: "alice", Secret: "123456"}, "192.0.2.7"}},
		{"alice 123456 -", false, Squid{Request: Request{User: "alice", Secret: "123456"}}},
		{"alice ", false, Squid{Request: Request{User: "alice"}}},
		{" ", false, Squid{}},
		{"0 alice 123456", true, Squid{"0", Request{User: "alice", Secret: "123456"}, ""}},
		{"17 a%20b%40c p%25%2f%2F%0A%e9é 2001:db8::1", true, Squid{"17", Request{User: "a b@c", Secret: "p%//\n\xe9é"}, "2001:db8::1"}},
		{"12 34", false, Squid{Request: Request{User: "12", Secret: "34"}}},
	} {
		if got, err := ParseSquid(tt.line, tt.channels); err != nil || got != tt.want {
			t.Errorf("%q: got %q %#v %q, %v", tt.line, got.Channel, show(got.Request), got.RHost, err)
		}
	}
	for _, tt := range []struct {
		line    string
		channel string
	}{
		{"", ""},
		{"7", ""},
		{"alice 123456", ""},
		{"-1 alice 123456", ""},
		{"+1 a b", ""},
		{" a b", ""},
		{"0x1 a b", ""},
		{strings.Repeat("1", 21) + " a b", ""},
		{"7 ", "7"},
		{"7 alice", "7"},
		{"7 alice 1 2 3", "7"},
		{"7 alice 12%", "7"},
		{"7 alice 12%4", "7"},
		{"7 alice %zz", "7"},
		{"7 ali\tce 1", "7"},
		{"7 alice 1\r", "7"},
		{"7 alice 1\x00", "7"},
		{"7 alice \x7f", "7"},
	} {
		if got, err := ParseSquid(tt.line, true); err == nil || got.Channel != tt.channel {
			t.Errorf("%q: got channel %q, %#v, %v", tt.line, got.Channel, show(got.Request), err)
		}
	}
}

func TestSquidAnswer(t *testing.T) {
	for _, tt := range []struct{ channel, word, text, want string }{
		{"", SquidYes, "", "OK\n"},
		{"12", SquidYes, "", "12 OK\n"},
		{"", SquidNo, "wrong code", "ERR message=\"wrong code\"\n"},
		{"3", SquidUnsure, "a\"b\\c\nd\x7f é", "3 BH message=\"a\\\"b\\\\c d  é\"\n"},
	} {
		if got := SquidAnswer(tt.channel, tt.word, tt.text); got != tt.want {
			t.Errorf("%+v: got %q", tt, got)
		}
	}
}

// A request that gets into a message says nothing.
func TestRequestIsSecret(t *testing.T) {
	r := Request{User: "alice", Secret: "geheim99", Password: "geheim99", Code: "geheim99"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		for _, in := range []any{r, &r, Squid{Request: r}, Checkpassword{Request: r}, Radius{Request: r}, []Request{r}} {
			if s := fmt.Sprintf(verb, in); strings.Contains(s, "geheim99") || strings.Contains(s, fmt.Sprintf("%x", "geheim99")) {
				t.Errorf("%s of %T: %s", verb, in, s)
			}
		}
	}
}

// show is a request as its fields.
func show(r Request) any {
	type fields Request
	return fields(r)
}
