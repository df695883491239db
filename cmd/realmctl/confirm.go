package main

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"syscall"
	"time"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/realm/realmfile"
)

// confirm keeps what is on trial.
func (t *tool) confirm(c *cli.Context) error {
	doc, err := t.openDomains()
	if err != nil {
		return err
	}
	hold, err := doc.Hold(context.Background(), lockWait)
	if err != nil {
		return writeError(doc, err)
	}
	defer hold.Release()
	tr, found, err := readNote(doc, trialNote)
	if err != nil {
		return err
	}
	if !found {
		return t.tooLate(doc)
	}
	b, err := doc.Read()
	if err != nil {
		return readError(err)
	}
	if !tr.inForce(b) {
		if err := t.closeTrial(doc, hold, tr, endChanged); err != nil {
			return err
		}
		return t.tooLate(doc)
	}
	if tr.left(t.clock()) <= 0 {
		if _, err := t.endTrial(doc, hold, tr); err != nil {
			return err
		}
		return t.tooLate(doc)
	}
	if err := t.closeTrial(doc, hold, tr, endConfirmed); err != nil {
		return err
	}
	c.Say("realm %q asks everybody for a second factor (tfa %s), for good", tr.Realm, shownTFA(tr.Value))
	return nil
}

// tooLate says what became of the last trial.
func (t *tool) tooLate(doc *realmfile.File) error {
	tr, found, err := readNote(doc, endedNote)
	f := cli.Refused("%s: there is no trial to confirm", doc.Path())
	if err != nil || !found {
		return f
	}
	lasted := time.Duration(tr.Seconds) * time.Second
	switch tr.Ended {
	case endConfirmed:
		f.Err = fmt.Errorf("%w: the last one, of realm %q, is confirmed already", f.Err, tr.Realm)
	case endReverted:
		f.Err = fmt.Errorf("%w: the last one, of realm %q, was over after %v, and its second factor is off again", f.Err, tr.Realm, lasted)
		f.Hint("once more: realmctl tfa enable %s --trial %v", tr.Realm, lasted)
	default:
		f.Err = fmt.Errorf("%w: the tfa line of the last one, of realm %q, was changed by something else", f.Err, tr.Realm)
		f.Hint("realmctl list shows who asks for a second factor now")
	}
	return f
}

// expire ends a trial whose time is over. It is what the process does that "tfa
// enable --trial" leaves behind, and what systemd does after a crash.
func (t *tool) expire(c *cli.Context) error {
	if t.wait {
		signal.Ignore(syscall.SIGHUP) // the terminal may go
	}
	doc, err := t.openDomains()
	if err != nil {
		return err
	}
	for first := true; ; first = false {
		tr, found, err := readNote(doc, trialNote)
		if err == nil && !found {
			if first {
				c.Say("no trial is running")
			}
			return nil
		}
		left := tr.left(t.clock())
		if err == nil && left <= 0 {
			err = t.expireNow(c, doc)
		}
		switch {
		case !t.wait && err == nil && left > 0:
			return cli.Refused("%s: the trial of realm %q goes on for %v", doc.Path(), tr.Realm, left.Round(time.Second)).
				Hint("realmctl confirm keeps it, realmctl tfa disable %s takes it back now", tr.Realm)
		case !t.wait:
			return err
		case err != nil && first:
			return err
		case first:
			// Whoever started this reads the line, and only then begins.
			fmt.Fprintf(c.Stdout, "waiting for the end of the trial of realm %s\n", tr.Realm)
			if err := c.Stdout.Flush(); err != nil {
				return cli.StdoutError(err)
			}
		}
		pause := time.Second
		if err != nil {
			pause = 5 * time.Second // no room, no majority, no lock: it may come back
		}
		if left > 0 {
			pause = min(pause, left)
		}
		time.Sleep(pause)
	}
}

// expireNow ends the trial, if it still is over once the lock is held.
func (t *tool) expireNow(c *cli.Context, doc *realmfile.File) error {
	hold, err := doc.Hold(context.Background(), lockWait)
	if err != nil {
		return writeError(doc, err)
	}
	defer hold.Release()
	tr, found, err := readNote(doc, trialNote)
	if err != nil || !found || tr.left(t.clock()) > 0 {
		return err
	}
	how, err := t.endTrial(doc, hold, tr)
	switch {
	case err != nil:
		return err
	case how == endReverted:
		c.Say("the trial of realm %q is over: its second factor is off again", tr.Realm)
	default:
		c.Say("the trial of realm %q is over: its tfa line was changed since, and stays as it is", tr.Realm)
	}
	return nil
}

// openDomains opens FILE to be edited.
func (t *tool) openDomains() (*realmfile.File, error) {
	path, err := t.domainsPath()
	if err != nil {
		return nil, err
	}
	doc, err := realmfile.Open(path, t.pve)
	if err != nil {
		return nil, t.openError(path, err)
	}
	return doc, nil
}

// lasting is the value of --trial.
func lasting(p *time.Duration) func(string) error {
	return func(s string) error {
		d, err := time.ParseDuration(s)
		if err != nil || d < time.Second || d > 7*24*time.Hour {
			return errors.New("a time from 1s to 168h is wanted, such as 10m")
		}
		*p = d.Truncate(time.Second)
		return nil
	}
}
