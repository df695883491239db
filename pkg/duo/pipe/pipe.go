// Package pipe is how a program has oath-duo do one login at Duo: a request as
// one line of JSON on its standard input, lines of JSON back on its standard
// output. Each but the last is something that the person should know meanwhile,
//
//	{"progress":"Pushed a login request to your device..."}
//
// and the last is the verdict. Programs that use this package link no network
// and need no secret: both are oath-duo's.
//
// What is promised: a verdict is believed when it is whole, about the user who
// was asked about, with nothing after it, and with the exit code that belongs to
// it; whatever else comes is an error. Passcodes go through the pipe alone. A
// Request is printed as [secret].
package pipe

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// What is asked for.
const (
	Login   = "login"   // the whole of it: what preauth says, and if it says so, a factor
	Devices = "devices" // what preauth says alone
	Auth    = "auth"    // a factor alone, after preauth said so
)

// How a person is to be asked, or what he has given.
const (
	Passcode = "passcode"
	Push     = "push"
	Phone    = "phone"
	SMS      = "sms" // new passcodes are sent, and the answer is no
	Auto     = "auto"
)

// A Request is one login.
type Request struct {
	User     string `json:"user"` // without the realm
	Ask      string `json:"ask"`
	Method   string `json:"method,omitempty"`   // not with Devices
	Passcode string `json:"passcode,omitempty"` // with the method Passcode alone
	Device   string `json:"device,omitempty"`   // with the other methods; empty is the one that Duo thinks best
	Address  string `json:"address,omitempty"`  // where the person is; may be empty
}

const hidden = "[secret]"

// Format prints [secret], whatever the verb.
func (r Request) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// The longest texts of a request, in bytes.
const (
	maxUser = 256
	maxText = 128
)

// Check says what is wrong with a request, without repeating it.
func (r Request) Check() error {
	if err := plain("user", r.User, maxUser); err != nil || r.User == "" {
		return errors.Join(errors.New("the request names no user"), err)
	}
	for name, value := range map[string]string{"passcode": r.Passcode, "device": r.Device, "address": r.Address} {
		if err := plain(name, value, maxText); err != nil {
			return err
		}
	}
	switch r.Ask {
	case Devices:
		if r.Method+r.Passcode+r.Device != "" {
			return errors.New("a request for the devices has no method")
		}
		return nil
	case Login, Auth:
	default:
		return fmt.Errorf("the request asks for none of %q, %q and %q", Login, Devices, Auth)
	}
	switch r.Method {
	case Passcode:
		if r.Passcode == "" || r.Device != "" {
			return errors.New("the method passcode needs a passcode, and takes no device")
		}
		return nil
	case Push, Phone, SMS, Auto:
		if r.Passcode != "" {
			return fmt.Errorf("the method %s takes no passcode", r.Method)
		}
		return nil
	}
	return fmt.Errorf("the method of the request is none of %s, %s, %s, %s and %s", Passcode, Push, Phone, SMS, Auto)
}

// CanBePasscode says whether a text can be passed on as a passcode. One that
// cannot is nobody's.
func CanBePasscode(s string) bool { return s != "" && plain("passcode", s, maxText) == nil }

func plain(name, value string, limit int) error {
	if len(value) > limit {
		return fmt.Errorf("the %s of the request has more than %d bytes", name, limit)
	}
	if strings.ContainsFunc(value, unicode.IsControl) || strings.ToValidUTF8(value, "?") != value {
		return fmt.Errorf("the %s of the request has a control character in it", name)
	}
	return nil
}

// ReadRequest reads a request. The error does not repeat what was read.
func ReadRequest(line []byte) (Request, error) {
	var r Request
	if err := decode(line, &r); err != nil {
		return Request{}, errors.New("the request is no JSON object with user, ask, method, passcode, device and address, or some of them")
	}
	return r, r.Check()
}

// What a verdict says.
const (
	Allow       = "allow"       // in
	Deny        = "deny"        // not in
	Enroll      = "enroll"      // not in, for Duo does not know the user yet
	Choose      = "choose"      // to Devices: a factor is to be presented
	Unreachable = "unreachable" // Duo gave no answer
	Error       = "error"       // it could not be found out, for another reason
)

// Where a login came to its end.
const (
	AtPreauth = "preauth"
	AtAuth    = "auth"
)

// A Device is one of the user's.
type Device struct {
	ID     string   `json:"device"`
	Type   string   `json:"type"`
	Name   string   `json:"name"`
	Number string   `json:"number"`
	Can    []string `json:"capabilities"`
}

// A Verdict is the end of a login.
type Verdict struct {
	OK      bool     `json:"ok"` // the result is Allow
	Result  string   `json:"result"`
	Stage   string   `json:"stage"`
	User    string   `json:"user"`    // as in the request
	Message string   `json:"message"` // for the person
	Status  string   `json:"status"`  // Duo's word: deny, fraud, timeout, sent, …; may be empty
	Detail  string   `json:"detail"`  // for the administrator; may be empty
	Devices []Device `json:"devices"` // with Choose
}

// Code is the exit code that goes with a verdict.
func (v Verdict) Code() int {
	switch v.Result {
	case Allow, Choose:
		return 0
	case Deny, Enroll:
		return 1
	}
	return 111
}

// check says whether a verdict answers the request.
func (v Verdict) check(r Request, code int) error {
	switch v.Result {
	case Allow, Deny, Enroll, Choose, Unreachable, Error:
	default:
		return errors.New("the verdict has a result that there is not")
	}
	switch {
	case v.Stage != AtPreauth && v.Stage != AtAuth:
		return errors.New("the verdict has a stage that there is not")
	case v.Stage == AtPreauth && r.Ask == Auth, v.Stage == AtAuth && r.Ask == Devices:
		return errors.New("the verdict is of a stage that was not asked for")
	case v.OK != (v.Result == Allow):
		return errors.New("the verdict contradicts itself")
	case v.Result == Choose && r.Ask != Devices:
		return errors.New("the verdict has devices that were not asked for")
	case v.User != r.User:
		return errors.New("the verdict is about somebody else")
	case code != v.Code():
		return fmt.Errorf("the verdict is %s, and the exit code %d", v.Result, code)
	}
	texts := []string{v.Message, v.Status, v.Detail}
	for _, d := range v.Devices {
		texts = append(append(texts, d.ID, d.Type, d.Name, d.Number), d.Can...)
	}
	for _, s := range texts {
		if strings.ContainsFunc(s, unicode.IsControl) {
			return errors.New("the verdict has a control character in it")
		}
	}
	return nil
}

// decode reads one JSON object with known names alone, and nothing after it.
func decode(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something after it")
	}
	return nil
}
