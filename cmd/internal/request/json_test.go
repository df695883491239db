package request

import (
	"fmt"
	"strings"
	"testing"
)

func TestParseJSON(t *testing.T) {
	none := "the body is no JSON object"
	for text, want := range map[string]string{
		`{ "password": "test", "passcode": "111111" }`: "{true test 111111 }",
		`{"password":"test","method":"push"}`:          "{true test  push}",
		`{"password":""}`:                              "{true   }",
		`{}`:                                           "{false   }",
		" {\"passcode\":\"1 2\"}\n":                    "{false  1 2 }",
		`{"passcode":"1","method":"passcode"}`:         "{false  1 passcode}",
		`{"passcode":"1","method":"push"}`:             "a passcode and the method push do not go together",
		`{"method":"auto"}`:                            "the method of the body is none of passcode, push, phone, sms and email",
		`{"password":"a\nb"}`:                          "a secret of the body has more than one line",
		`{"password":"a\u0000b"}`:                      "a secret of the body has more than one line",
		``:                                             none,
		`[]`:                                           none,
		`"password"`:                                   none,
		`{"password":"test"`:                           none,
		`{"password":"test"}{}`:                        none,
		`{"password":"test"} x`:                        none,
		`{"password":1}`:                               none,
		`{"password":null}`:                            none,
		`{"password":["test"]}`:                        none,
		`{"Password":"test"}`:                          none,
		`{"password":"a","password":"b"}`:              none,
		`{"passcode":"1","passcode":"1"}`:              none,
		`{"password":"test","ok":"true"}`:              none,
		"{\"password\":\"\xff\"}":                      none,
		`{"password":"` + strings.Repeat("x", MaxJSON) + `"}`: "the body is longer than",
	} {
		type plain Body
		body, err := ParseJSON([]byte(text))
		got := fmt.Sprint(plain(body))
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, want) || err != nil && strings.Contains(err.Error(), "test") {
			t.Errorf("%.60s: got %s, want %s", text, got, want)
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(verb, Body{Password: "secret"}); s != "[secret]" {
			t.Errorf("%s: %s", verb, s)
		}
	}
}

func FuzzParseJSON(f *testing.F) {
	f.Add([]byte(`{"password":"test","passcode":"111111"}`))
	f.Add([]byte(`{"password":"test","method":"push","method":"sms"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		body, err := ParseJSON(b)
		if err != nil && strings.ContainsAny(err.Error(), "\n\x00") {
			t.Fatalf("%q", err)
		}
		if err == nil && (body.Passcode != "" && body.Method != "" && body.Method != "passcode") {
			t.Fatalf("%q has a passcode and the method %q", b, body.Method)
		}
	})
}
