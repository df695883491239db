package main

import (
	"context"
	"strings"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/mfa"
)

// forced is what the audit log says of a change that locked somebody out.
const forced = "lock-out-anyway"

func (o *options) runDisable(c *cli.Context) error {
	s, t, err := o.openFor(c, false)
	if err != nil {
		return err
	}
	reason := ""
	if t.asksRecord() {
		if !s.lockOut {
			switch u, err := s.view(t); {
			case err != nil && !u.Enrolled():
				return err
			case !u.Enrolled():
				return notEnabled(t)
			}
			return s.lockedOut(t, "disabling", "to change the key, add another one and remove this one")
		}
		reason = forced
	}
	// The record is not read, so that a damaged one can be got rid of.
	ctx, cancel := context.WithTimeout(context.Background(), storeWait)
	defer cancel()
	if err := s.Store.Delete(ctx, t.id); err != nil {
		return fault(t, err)
	}
	unrecorded := s.record(t, "disable", "", "", reason)
	c.Say("The MFA credentials have been successfully disabled for the user %s", c.Args[0])
	s.warnDisabled(t)
	return unrecorded
}

// warnDisabled says what a user meets who has no record any more.
func (s *session) warnDisabled(t target) {
	again, err := s.Judged(mfa.User{ID: t.id}, s.now)
	switch {
	case !t.byRecord():
		s.warnFactor(t)
	case err != nil:
		s.c.Warn("%v", err)
	case again.Enrolled():
		s.c.Warn("user %q still has a key in %s, which counts from his next login on, also for codes that he has used", t.id, s.UsersFile())
		s.c.Hint("remove it there, or give him a record of his own with 'mfactl enable %s'", t.id)
	case t.required:
		s.c.Warn("user %q cannot log in until 'mfactl enable %s': %s", t.id, t.id, t.why)
	}
}

func (o *options) runRemove(c *cli.Context) error {
	s, t, err := o.openFor(c, false)
	if err != nil {
		return err
	}
	var before, after mfa.User
	var gone mfa.Credential
	err = s.update(t, func(u mfa.User) (mfa.User, error) {
		if !u.Enrolled() {
			return u, mfa.ErrNotEnrolled
		}
		found, err := find(u, t, c.Args[1])
		if err != nil {
			return u, err
		}
		before, gone = u, found
		if after, err = mfa.Remove(u, found.ID); err != nil {
			return u, err
		}
		if t.asksRecord() && !s.lockOut && locksOut(before, after) {
			return u, s.lockedOut(t, "removing this credential", "add another one and let the user log in with it first")
		}
		return after, nil
	})
	if err != nil {
		return err
	}
	reason := ""
	if t.asksRecord() && locksOut(before, after) {
		reason = forced
	}
	unrecorded := s.record(t, "remove", gone.ID, string(gone.Kind), reason)
	switch {
	case !after.Enrolled() && t.required:
		s.warnDisabled(t)
	case before.Activated() && !after.Activated() && !t.required:
		c.Warn("user %q has no activated credential left, so the password alone lets him in", t.id)
	}
	c.Say("Credential %s has been removed for the user %s", gone.ID, c.Args[0])
	return unrecorded
}

// locksOut says whether a removal takes away the last credential, or the last
// one of which it is known that the user has it.
func locksOut(before, after mfa.User) bool {
	return !after.Enrolled() || before.Activated() && !after.Activated()
}

// minPrefix is how many digits of a credential's id are needed at least.
const minPrefix = 8

// find finds the credential by its id or the beginning of it.
func find(u mfa.User, t target, id string) (mfa.Credential, error) {
	if len(id) < minPrefix {
		return mfa.Credential{}, cli.Misused("the id of a credential has 32 hex digits, of which at least %d are needed", minPrefix).
			Hint("'mfactl show %s' shows them", t.id)
	}
	var found []mfa.Credential
	for _, cr := range u.Record.Credentials {
		if strings.HasPrefix(cr.ID, strings.ToLower(id)) {
			found = append(found, cr)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return mfa.Credential{}, cli.Refused("user %q has no credential with this id", t.id).Hint("'mfactl show %s' shows what there is", t.id)
	}
	return mfa.Credential{}, cli.Refused("user %q has %d credentials whose ids begin so", t.id, len(found)).Hint("give the whole id")
}
