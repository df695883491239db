package main

import (
	"crypto/rand"
	"errors"
	"strings"

	"oathkit/cmd/internal/caller"
	"oathkit/cmd/internal/cli"
	"oathkit/pkg/config"
	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
)

// An enrolment is one in the making. What it makes is kept nowhere but here
// until it is proved, so that one that is broken off, in whatever way, leaves
// nothing behind.
type enrolment struct {
	*session
	epoch [16]byte // of the user when it began: zero if there was no record

	options mfa.EnableOptions
	trial   mfa.User // a user who has the new credential, and nothing else
	made    mfa.Credential
	set     mfa.RecoverySet
	codes   []string
	file    string // where the codes were saved; may be empty
}

// runMake enrols.
func (o *options) runMake(c *cli.Context) error {
	kind, err := o.method(c.Args[0])
	if err != nil {
		return err
	}
	s, err := o.open(c)
	if err != nil {
		return err
	}
	u, err := s.view()
	switch {
	case err != nil:
		return err
	case len(u.Record.Credentials) >= mfa.MaxCredentials:
		return cli.Refused("%w, and you have as many", mfa.ErrTooMany).Hint("ask the administrator to remove one")
	}
	if s.Config.Factor(s.who.realm) != config.FactorOATH {
		return cli.Refused("nothing that could be set up here would be asked for: %s", s.FactorWhy(s.who.realm))
	}
	e := &enrolment{session: s, epoch: u.Record.Epoch}
	if e.options, err = s.parameters(kind, u); err != nil {
		return err
	}
	needed := map[string]answer{"save": o.save}
	if kind == mfa.TOTP {
		needed["scan"], needed["show-key"] = o.scan, o.showKey
	}
	if s.talk, err = o.openTalk(c, needed); err != nil {
		return err
	}
	defer s.close()
	if err := e.askPhone(); err != nil {
		return err
	}
	if err := s.allow(u, true); err != nil {
		return err
	}
	if err := e.prepare(); err != nil {
		return err
	}
	if err := e.run(); err != nil {
		s.endPage()
		s.dropCodes(e.file)
		return err
	}
	return nil
}

// method reads the operand of mk and judges the phone number that goes with it.
func (o *options) method(word string) (mfa.Kind, error) {
	kind := map[string]mfa.Kind{"AUTHENTICATOR": mfa.TOTP, "EMAIL": mfa.Email, "SMS": mfa.SMS}[strings.ToUpper(word)]
	o.phone = mfa.CleanPhone(o.phone)
	switch {
	case kind == "":
		return "", cli.Misused("the method is unknown, it must be AUTHENTICATOR, EMAIL or SMS")
	case kind != mfa.SMS && o.phone != "":
		return "", cli.Misused("option %q goes with SMS", "--phone")
	case kind.Sent() && (o.scan.given || o.showKey.given || o.adapt.given):
		return "", cli.Misused("options %q, %q and %q go with AUTHENTICATOR", "--scan", "--show-key", "--adapt")
	case kind == mfa.SMS && o.phone == "" && (o.batch || !caller.UnderSudo()):
		return "", cli.Misused("--phone is required when using SMS")
	case o.phone != "":
		if err := mfa.CheckPhone(o.phone); err != nil {
			return "", cli.Misused("%w", err)
		}
	}
	return kind, nil
}

// askPhone asks for the number that the line of sudoers leaves no room for: an
// argument there would have to be a wildcard.
func (e *enrolment) askPhone() error {
	if e.options.Kind != mfa.SMS || e.options.Address != "" {
		return nil
	}
	number, err := e.ask("Phone number to receive SMS: ")
	if err != nil {
		return err
	}
	e.options.Address = mfa.CleanPhone(number)
	if err := mfa.CheckPhone(e.options.Address); err != nil {
		return cli.Refused("%w", err)
	}
	return nil
}

// parameters is what the new credential is like: what the realm's tfa line
// says, else the configuration.
func (s *session) parameters(kind mfa.Kind, u mfa.User) (mfa.EnableOptions, error) {
	o := mfa.EnableOptions{Kind: kind, Random: rand.Reader, Now: s.now}
	var err error
	if o.Issuer, err = s.issuer(); err != nil {
		return o, err
	}
	if kind.Sent() {
		if err := s.CanSend(kind); err != nil {
			return o, err
		}
		o.Address = s.phone
		if kind == mfa.Email {
			o.Address, err = s.address(u)
		}
		return o, err
	}
	c := s.Config.OATH
	o.Bits, o.Digits, o.Period = c.Bits, c.Digits, c.Period
	if tfa := s.Realms.TFA(s.who.realm); tfa != nil {
		if tfa.Digits != 0 {
			o.Digits = tfa.Digits
		}
		if tfa.Step != 0 {
			o.Period = tfa.Step
		}
	}
	if o.Algorithm, err = oath.ParseAlgorithm(c.Algorithm); err != nil {
		return o, cli.Unsure("%w", err)
	}
	return o, nil
}

// issuer is the name of this site in people's apps and mails.
func (s *session) issuer() (string, error) {
	issuer, err := s.Issuer()
	if err != nil {
		return "", err
	}
	if err := mfa.CheckLabel(issuer); err != nil {
		return "", cli.Unsure("issuer: %w", err)
	}
	return issuer, nil
}

// prepare makes the key and the recovery codes.
func (e *enrolment) prepare() error {
	var err error
	if e.trial, e.made, err = mfa.Enable(mfa.User{ID: e.who.id}, e.options); err != nil {
		return cli.Unsure("%w", err)
	}
	codes, with, err := mfa.NewRecoveryCodes(e.trial, codeCount, rand.Reader)
	if err != nil {
		return cli.Unsure("%w", err)
	}
	// The trial has no recovery codes: none of them proves anything.
	e.codes, e.set = codes, with.Record.Recovery
	return nil
}

// run is the enrolment from what is shown to the proof.
func (e *enrolment) run() error {
	shownKey := false
	if e.options.Kind == mfa.TOTP {
		var err error
		if shownKey, err = e.showQR(); err != nil {
			return err
		}
	}
	if err := e.showSecrets(shownKey); err != nil {
		return err
	}
	var err error
	if e.file, err = e.offerToSave(e.options.Issuer, e.codes); err != nil {
		return err
	}
	if e.options.Kind.Sent() {
		if err := e.send(); err != nil {
			return err
		}
	}
	if err := e.prove(); err != nil {
		return err
	}
	return e.keep()
}

// keep makes what was proved the user's, in one transaction.
func (e *enrolment) keep() error {
	var kept mfa.Credential
	err := e.update(func(u mfa.User) (after mfa.User, err error) {
		if u.Record.Epoch != e.epoch || u.Activated() && !e.proved {
			return u, changedMeanwhile()
		}
		if after, kept, err = e.adopt(u); err != nil {
			return u, cli.Refused("%w", err)
		}
		return after, nil
	})
	if err != nil {
		return err
	}
	e.file = "" // its codes are good now
	unrecorded := e.done("enrol", kept.ID, string(kept.Kind), "")
	return errors.Join(e.say("TOTP has been enabled"), unrecorded)
}

// adopt gives the user the credential, activated and with the code used up that
// proved it, and the new recovery codes. An older address for codes of that
// kind gives way.
func (e *enrolment) adopt(u mfa.User) (mfa.User, mfa.Credential, error) {
	o := e.options
	o.Key, o.Algorithm, o.Digits, o.Now = e.made.Key, e.made.Algorithm, e.made.Digits, e.now
	after, made, err := mfa.Add(u, o)
	if err != nil {
		return u, made, err
	}
	after.Record.Credentials[after.Record.Find(made.ID)].Activated = true
	used, _ := e.trial.State.Counter(e.made.ID)
	counter, _ := after.State.Counter(made.ID)
	counter.Next, counter.Lost = used.Next, false
	after.State = after.State.WithCounter(counter)
	for _, old := range u.Record.Credentials {
		if made.Kind.Sent() && old.Kind == made.Kind {
			if after, err = mfa.Remove(after, old.ID); err != nil {
				return u, made, err
			}
		}
	}
	after.Record.Recovery = e.set
	after.State = after.State.For(after.Record)
	return after, made, nil
}
