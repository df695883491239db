package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/mfa"
	"oathkit/pkg/qr"
	"oathkit/pkg/verify"
)

// showQR shows the key as a QR code to whoever can scan one, and asks whether
// it should be shown as text, too. The QR code stays until that is answered.
func (e *enrolment) showQR() (showKey bool, err error) {
	scan, err := e.yes("Do you have a phone to scan a QR Code to generate TOTP codes?", e.scan)
	if err != nil {
		return false, err
	}
	if scan {
		if err := e.drawQR(); err != nil {
			return false, err
		}
	}
	showKey, err = e.yes("Do you like to display the security key?", e.showKey)
	e.endPage()
	return showKey, err
}

func (e *enrolment) drawQR() error {
	uri, err := e.made.URI(e.who.id)
	if err != nil {
		return cli.Unsure("%w", err)
	}
	if err := e.explain("Please, scan the QR code with any authenticator App",
		"(DUO, Google Authenticator, Authy, etc) or password manager."); err != nil {
		return err
	}
	if e.d == nil {
		return e.show(uri.Format())
	}
	code, err := qr.Encode([]byte(uri.Format()), qr.L)
	if err != nil {
		return cli.Unsure("no QR code: %w", err)
	}
	style := qr.Style{Quiet: qr.QuietZone}
	needed, high := code.HalfBlockSize(style)
	if columns, rows, ok := e.d.Size(); ok && (needed > columns || high >= rows) { // the last row is the question's
		return e.say(fmt.Sprintf("The QR code needs %d columns and %d rows, and this terminal has %d and %d:\n"+
			"have the key displayed, or begin again in a larger one.", needed, high+1, columns, rows))
	}
	if err := e.page(0); err != nil {
		return err
	}
	if err := e.d.Write(code.AppendHalfBlocks(nil, style)); err != nil {
		return unsure(err)
	}
	return e.pause(e.showKey)
}

// showSecrets shows the recovery codes, and before them the key to whoever
// wants it, on a page that leaves nothing behind.
func (e *enrolment) showSecrets(key bool) error {
	rows := len(e.codes) + 3
	if key {
		rows += 2
	}
	if err := e.page(rows); err != nil {
		return err
	}
	if key {
		if err := e.explain("Use the following key if you are unable to scan the QR Code:"); err != nil {
			return err
		}
		if err := e.show(e.made.Key.Base32()); err != nil {
			return err
		}
	}
	return e.printCodes(e.codes)
}

// send sends the code that proves an address. The code is kept here, like all
// of the enrolment; a user who is known already has the time of it noted, so
// that he cannot have one sent every second.
func (e *enrolment) send() error {
	err := e.update(e.throttle)
	if err != nil {
		return err
	}
	code, trial, err := mfa.Send(e.trial, e.made.ID, mfa.ForEnrol, e.now, rand.Reader)
	if err != nil {
		return sendRefusal(err)
	}
	e.trial = trial
	// The command may take long, and a file of codes that are not good yet is
	// there: an interrupt must not leave it.
	_, err = cli.UnlessStopped(func() (struct{}, error) { return struct{}{}, e.SendCode(e.made, code, e.now) })
	if err != nil {
		if errors.Is(err, cli.ErrStopped) {
			err = cli.Unsure("%w", err)
		}
		e.trial = mfa.RevokeSent(e.trial, code)
		if rerr := e.refused("send", string(e.made.Kind), "not-delivered: "+err.Error()); rerr != nil {
			return rerr
		}
		return err
	}
	if err := e.done("send", "", string(e.made.Kind), mfa.ForEnrol.String()); err != nil {
		return err
	}
	return e.say("Verification code requested")
}

// throttle notes that a code is sent, and refuses it too soon after another.
func (e *enrolment) throttle(u mfa.User) (mfa.User, error) {
	if !u.Enrolled() {
		return u, nil
	}
	with, made, err := mfa.Add(u, e.options)
	if err != nil {
		return u, cli.Refused("%w", err)
	}
	if _, with, err = mfa.Send(with, made.ID, mfa.ForEnrol, e.now, rand.Reader); err != nil {
		return u, sendRefusal(err)
	}
	u.State = u.State.For(u.Record)
	u.State.Sent = with.State.Sent.Revoked()
	return u, nil
}

// prove asks for a code and holds it against the new credential alone.
func (e *enrolment) prove() error {
	code, err := e.ask(fmt.Sprintf("Enter the %d-digit Code to verify enrolment was successful: ", e.made.Digits))
	if err != nil {
		return err
	}
	now := time.Now()
	reason := e.accepts(code, now)
	if reason != "" && !e.made.Kind.Sent() {
		adapted, err := e.adaptTo(code, now)
		if err != nil {
			return err
		}
		if adapted {
			reason = e.accepts(code, now)
		}
	}
	if reason == "" {
		return nil
	}
	e.now = now
	if err := e.refused("enrol", string(e.made.Kind), reason); err != nil {
		return err
	}
	wrong := cli.Refused("wrong code: the enrolment was not verified, and nothing has been activated")
	if e.made.Kind.Sent() {
		return wrong.Hint("begin again; the code that was sent and the recovery codes shown now are void")
	}
	return wrong.Hint("is the clock of the device right? begin again; what was scanned now and the recovery codes shown now are void")
}

// accepts judges the code. The reason is empty if it is right.
func (e *enrolment) accepts(code string, now time.Time) (reason string) {
	r, after := verify.Decide(e.trial, code, now, e.policy(mfa.ForEnrol))
	if r.OK && r.Activated && r.Credential == e.made.ID {
		e.trial = after
		return ""
	}
	return r.Reason
}

// adaptTo finds out whether the app took no notice of the algorithm or of the
// digits, and offers to keep what it does.
func (e *enrolment) adaptTo(code string, now time.Time) (bool, error) {
	digits, algorithm, ok := verify.AppIgnored(e.made, code, now, e.Config.Verify.Window)
	if !ok {
		return false, nil
	}
	asked := fmt.Sprintf("%s with %d digits", e.made.Algorithm, e.made.Digits)
	does := fmt.Sprintf("%s with %d digits", algorithm, digits)
	if err := e.say("The code is right, but for " + does + ": the app ignored that the key is for " + asked + "."); err != nil {
		return false, err
	}
	yes, err := e.yes("Would you like to use what the app does?", e.adapt)
	if err != nil || !yes {
		return false, err
	}
	trial, err := mfa.SetParameters(e.trial, e.made.ID, algorithm, digits)
	if err != nil {
		return false, cli.Unsure("%w", err)
	}
	e.trial = trial
	e.made = trial.Record.Credentials[0]
	return true, nil
}
