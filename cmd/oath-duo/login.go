package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"oathkit/pkg/config"
	"oathkit/pkg/duo"
	"oathkit/pkg/duo/pipe"
)

// A login is one request on its way.
type login struct {
	client  *duo.Client
	config  *config.Duo
	request pipe.Request
	tell    func(message string) error
}

// What a person is told where Duo itself has nothing to say.
const (
	noPreauth  = "Could not call Duo preauth"
	noLookup   = "Could not look up Duo user information"
	badPreauth = "Invalid Duo preauth response"
	noAuth     = "Could not call Duo auth"
	noUser     = "Could not authenticate Duo user"
)

// run does the login. There is a verdict with every error.
func (l *login) run(ctx context.Context) (pipe.Verdict, error) {
	user := strings.Replace(l.config.UsernameFormat, "%s", l.request.User, 1)
	if l.request.Ask != pipe.Auth {
		v, err := l.preauth(ctx, user)
		if err != nil || v.Result != pipe.Choose || l.request.Ask == pipe.Devices {
			return v, err
		}
	}
	return l.auth(ctx, user)
}

// preauth asks what the user may do.
func (l *login) preauth(ctx context.Context, user string) (pipe.Verdict, error) {
	v := pipe.Verdict{User: l.request.User, Stage: pipe.AtPreauth}
	p, err := l.client.Preauth(ctx, user, address(l.request.Address))
	if err != nil {
		return l.fail(v, err, noPreauth, noLookup, badPreauth)
	}
	v.Message = p.Message
	switch p.Result {
	case duo.Allow:
		v.Result, v.OK = pipe.Allow, true
	case duo.Deny:
		v.Result = pipe.Deny
	case duo.Enroll:
		v.Result = pipe.Enroll
		if p.Portal != "" {
			v.Message = fmt.Sprintf("%s (%s)", p.Message, p.Portal)
		}
	default:
		v.Result = pipe.Choose
		for _, d := range p.Devices {
			v.Devices = append(v.Devices, pipe.Device{ID: d.ID, Type: d.Type, Name: d.Name, Number: d.Number, Can: d.Capabilities})
		}
	}
	return v, nil
}

// address is what hosts say of where the person is, if that is an address: Duo
// refuses a login with anything else.
func address(s string) string {
	a, err := netip.ParseAddr(s)
	if err != nil {
		return ""
	}
	return a.Unmap().WithZone("").String()
}

// auth presents the factor. A passcode, or the wish for new ones, is answered at
// once; with anything else the person is told how it goes on.
func (l *login) auth(ctx context.Context, user string) (pipe.Verdict, error) {
	v := pipe.Verdict{User: l.request.User, Stage: pipe.AtAuth}
	a, err := l.present(ctx, user, duo.Factor{
		Method: l.request.Method, Passcode: l.request.Passcode, Device: l.request.Device,
		Info: l.config.PushInfo, Address: address(l.request.Address),
	})
	if err == nil {
		// An answer that comes while time runs out is too late.
		if late := ctx.Err(); late != nil {
			err = fmt.Errorf("%w: its answer came too late", duo.ErrUnreachable)
		}
	}
	if err != nil {
		return l.fail(v, err, noAuth, noUser, noAuth)
	}
	v.Result, v.Status, v.Message = pipe.Deny, a.Status, a.Message
	if a.Result == duo.Allow {
		v.Result, v.OK = pipe.Allow, true
	}
	return v, nil
}

func (l *login) present(ctx context.Context, user string, f duo.Factor) (duo.Answer, error) {
	if f.Method == duo.Passcode || f.Method == duo.SMS {
		return l.client.Auth(ctx, user, f)
	}
	t, err := l.client.Begin(ctx, user, f)
	if err != nil {
		return duo.Answer{}, err
	}
	var gone error // whoever listened
	a, err := t.Wait(ctx, func(message string) {
		if gone == nil && message != "" {
			gone = l.tell(message)
		}
	})
	return a, errors.Join(err, gone)
}

// fail is the verdict where there is none of Duo's. The sentences are for a call
// that failed, one that Duo refused, and an answer that makes no sense.
func (l *login) fail(v pipe.Verdict, err error, called, refused, invalid string) (pipe.Verdict, error) {
	v.Result, v.Message, v.Detail = pipe.Error, called, duo.Clean(err.Error())
	var e *duo.Error
	switch {
	case errors.As(err, &e):
		v.Message = refused
	case errors.Is(err, duo.ErrInvalid):
		v.Message = invalid
	case errors.Is(err, duo.ErrUnreachable):
		v.Result = pipe.Unreachable
	}
	return v, err
}
