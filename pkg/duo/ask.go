package duo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// What preauth says of a user. The words are Duo's.
const (
	Allow  = "allow"  // in, without a second factor
	Deny   = "deny"   // not in, whatever is presented
	Enroll = "enroll" // Duo does not know the user yet
	Auth   = "auth"   // a factor is to be presented
)

// Waiting is what a transaction says that is not over.
const Waiting = "waiting"

// The factors of Duo.
const (
	Passcode = "passcode"
	Push     = "push"
	Phone    = "phone"
	SMS      = "sms"  // new passcodes are sent, and the answer is no
	Auto     = "auto" // what Duo thinks best
)

// Ping says what time it is for Duo. It is not signed.
func (c *Client) Ping(ctx context.Context) (time.Time, error) {
	return c.time(ctx, "/auth/v2/ping", false)
}

// Check says whether host and keys are right, and what time it is for Duo.
func (c *Client) Check(ctx context.Context) (time.Time, error) {
	return c.time(ctx, "/auth/v2/check", true)
}

func (c *Client) time(ctx context.Context, path string, signed bool) (time.Time, error) {
	f, err := c.ask(ctx, http.MethodGet, path, nil, signed)
	if err != nil {
		return time.Time{}, err
	}
	n, err := f.number("time")
	if err != nil || n <= 0 {
		return time.Time{}, fmt.Errorf("%s at %s: the answer has no time", path, c.config.Host)
	}
	return time.Unix(n, 0), nil
}

// ask makes a call whose response is an object.
func (c *Client) ask(ctx context.Context, method, path string, params map[string]string, signed bool) (fields, error) {
	response, err := c.call(ctx, method, path, params, signed)
	if err != nil {
		return nil, err
	}
	f, err := object(response)
	if err != nil {
		return nil, c.invalid(path, err)
	}
	return f, nil
}

// ErrInvalid means that there was an answer from Duo that cannot be made sense of.
var ErrInvalid = errors.New("invalid answer")

func (c *Client) invalid(path string, err error) error {
	return fmt.Errorf("%w of %s at %s: %w", ErrInvalid, path, c.config.Host, err)
}

// A Device is one of a user's, as Preauth lists it. All texts are clean.
type Device struct {
	ID           string   // to name it by
	Type         string   // "phone" or "token"
	Name         string   // as the user calls it; may be empty
	Number       string   // its last digits; may be empty
	Capabilities []string // what it can do: auto, push, sms, phone, mobile_otp
}

// A Preauth is what Duo says before a factor was presented.
type Preauth struct {
	Result  string // Allow, Deny, Enroll or Auth
	Message string // for the user, clean
	Portal  string // with Enroll: where the user enrols, clean; may be empty
	Devices []Device
}

// Preauth asks what the user may do. The address is where the user is; empty
// means unknown.
func (c *Client) Preauth(ctx context.Context, user, address string) (Preauth, error) {
	const path = "/auth/v2/preauth"
	f, err := c.ask(ctx, http.MethodPost, path, params("username", user, "ipaddr", address), true)
	if err != nil {
		return Preauth{}, err
	}
	p, err := readPreauth(f, user)
	if err != nil {
		return Preauth{}, c.invalid(path, err)
	}
	return p, nil
}

func readPreauth(f fields, user string) (Preauth, error) {
	result, err := f.text("result")
	if err != nil {
		return Preauth{}, err
	}
	switch result {
	case Allow, Deny, Enroll, Auth:
	default:
		return Preauth{}, fmt.Errorf("the result is %q", Clean(result))
	}
	if err := f.about("username", user); err != nil {
		return Preauth{}, err
	}
	p := Preauth{Result: result}
	if p.Message, err = f.text("status_msg"); err != nil {
		return Preauth{}, err
	}
	if p.Portal, err = f.text("enroll_portal_url"); err != nil {
		return Preauth{}, err
	}
	p.Message, p.Portal = Clean(p.Message), Clean(p.Portal)
	p.Devices, err = readDevices(f["devices"])
	return p, err
}

// maxDevices is how many devices are listed: a person reads them.
const maxDevices = 50

func readDevices(raw json.RawMessage) ([]Device, error) {
	var list []json.RawMessage
	if len(raw) > 0 && json.Unmarshal(raw, &list) != nil {
		return nil, fmt.Errorf("%q in it is no list", "devices")
	}
	var devices []Device
	for _, item := range list[:min(len(list), maxDevices)] {
		f, err := object(item)
		if err != nil {
			return nil, fmt.Errorf("a device: %w", err)
		}
		var d Device
		for name, p := range map[string]*string{"device": &d.ID, "type": &d.Type, "name": &d.Name, "number": &d.Number} {
			s, err := f.text(name)
			if err != nil {
				return nil, fmt.Errorf("a device: %w", err)
			}
			*p = Clean(s)
		}
		var can []string
		if c := f["capabilities"]; len(c) > 0 && json.Unmarshal(c, &can) != nil {
			return nil, fmt.Errorf("a device: %q in it is no list of words", "capabilities")
		}
		for _, word := range can {
			d.Capabilities = append(d.Capabilities, Clean(word))
		}
		if !isToken(d.ID) {
			return nil, fmt.Errorf("a device has no name to call it by")
		}
		devices = append(devices, d)
	}
	return devices, nil
}

// isToken says whether s is an identifier of Duo's: letters and digits, and what
// goes with them.
func isToken(s string) bool {
	odd := func(r rune) bool { return r <= ' ' || r >= 0x7f }
	return s != "" && len(s) <= 128 && !strings.ContainsFunc(s, odd)
}

// params are pairs of a name and a value, without those that have none.
func params(pairs ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			m[pairs[i]] = pairs[i+1]
		}
	}
	return m
}
