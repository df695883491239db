package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/realm"
	"oathkit/pkg/realm/realmfile"
)

// The notes beside FILE: the trial that runs, and the last one that ended.
const (
	trialNote = ".trial"
	endedNote = ".trial~"
)

// A trial is a second factor that was turned on for a time: it goes off again by
// itself unless somebody confirms it. It is what the note FILE.trial says.
type trial struct {
	Format int    `json:"format"` // 1
	Realm  string `json:"realm"`
	Value  string `json:"value"`  // of tfa, as the trial wrote it
	Before string `json:"before"` // its line until then, in base64; "" for none
	Made   bool   `json:"made"`   // the trial made the section of the realm
	Old    string `json:"old"`    // SHA-256 of the file until then, and of the
	New    string `json:"new"`    // file as the trial wrote it

	Seconds  int       `json:"seconds"`  // how long it lasts
	Until    time.Time `json:"until"`    // by the clock on the wall
	Deadline int64     `json:"deadline"` // in nanoseconds since the start of the machine
	Boot     string    `json:"boot"`     // which start of the machine that is
	Machine  string    `json:"machine"`  // "" where it has no id

	Ended string `json:"ended,omitempty"` // how, in the note of the last one
}

// How a trial ends.
const (
	endConfirmed = "confirmed"
	endReverted  = "reverted"
	endChanged   = "changed" // the tfa line is another one
)

// A clock is what tells when a trial is over. The clock on the wall can be set,
// so that it would end too early or never: the time since the start of the
// machine counts, which goes on while the machine sleeps.
type clock struct {
	now     func() time.Time
	running func() (time.Duration, error) // since the start of the machine
	boot    string                        // which start, "" where it is not known
	machine string
}

// left is how long the trial goes on; at 0 and below it is over. After another
// start of the machine it is: whoever was logged in is not any more, and cannot
// confirm. On another machine, of a cluster that shares the file, only the clock
// on the wall is left, with a minute in which the first machine ends it.
func (tr trial) left(c clock) time.Duration {
	ran, err := c.running()
	switch {
	case tr.Boot == c.boot && err == nil:
		return time.Duration(tr.Deadline) - ran
	case tr.Machine == c.machine || tr.Machine == "" || c.machine == "":
		return 0
	}
	return tr.Until.Add(time.Minute).Sub(c.now())
}

// newTrial is the trial of an edit.
func (c clock) newTrial(id string, old, edited []byte, lasts time.Duration) (trial, error) {
	ran, err := c.running()
	if err == nil && c.boot == "" {
		err = errors.New("the kernel does not name this start of the machine (is /proc mounted?)")
	}
	if err != nil {
		return trial{}, cli.Unsure("a trial cannot be timed: %w; nothing was changed", err)
	}
	was, _ := realm.Parse(old).Lookup(id)
	is, _ := realm.Parse(edited).Lookup(id)
	value, _ := is.Property("tfa")
	return trial{
		Format: 1, Realm: id, Value: value.Value, Before: base64.StdEncoding.EncodeToString(realm.TFALine(old, id)), Made: !was.InFile,
		Old: sum(old), New: sum(edited),
		Seconds: int(lasts / time.Second), Until: c.now().Add(lasts).UTC().Truncate(time.Second),
		Deadline: int64(ran + lasts), Boot: c.boot, Machine: c.machine,
	}, nil
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// inForce says whether the line that the trial wrote still asks for a factor.
func (tr trial) inForce(b []byte) bool { return realm.AsksStill(b, tr.Realm, tr.Value) }

// readNote reads a trial; found is false where there is none.
func readNote(doc *realmfile.File, ending string) (tr trial, found bool, err error) {
	b, err := doc.Note(ending)
	if errors.Is(err, fs.ErrNotExist) {
		return trial{}, false, nil
	}
	if err == nil {
		tr, err = parseTrial(b)
		if err != nil {
			err = fmt.Errorf("%s%s: %w", doc.Path(), ending, err)
		}
	}
	if err != nil {
		return trial{}, false, cli.Unsure("%w", err).Hint("look at %s%s and at the tfa lines of %s, then remove it", doc.Path(), ending, doc.Path())
	}
	return tr, true, nil
}

func parseTrial(b []byte) (trial, error) {
	var tr trial
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if d.Decode(&tr) != nil { // whose error could quote a secret
		return trial{}, errors.New("is no trial: it is no JSON as realmctl writes it")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return trial{}, errors.New("is no trial: something follows its end")
	}
	if tr.Format != 1 {
		return trial{}, fmt.Errorf("is of format %d, and this realmctl knows 1", tr.Format)
	}
	_, err := realm.ParseTFA(tr.Value)
	line, lerr := base64.StdEncoding.DecodeString(tr.Before)
	if realm.CheckID(tr.Realm) != nil || err != nil || lerr != nil || bytes.ContainsRune(line, '\n') || tr.Seconds < 1 {
		return trial{}, errors.New("is no trial that realmctl has written")
	}
	return tr, nil
}

// writeOnTrial makes the edit as a trial. The note is written first, then the
// process started that ends the trial, and only then the file: whatever stops
// this in between, nobody is asked for a factor that nothing would turn off.
func (t *tool) writeOnTrial(c *cli.Context, doc *realmfile.File, make plan, old, edited []byte, said *[]string) error {
	hold, err := doc.Hold(context.Background(), lockWait)
	if err != nil {
		return writeError(doc, err)
	}
	defer hold.Release()
	if err := t.noTrial(c, doc, hold); err != nil {
		return err
	}
	now, err := doc.Read()
	if err != nil {
		return readError(err)
	}
	if !bytes.Equal(now, old) {
		old = now
		if edited, *said, err = make(doc, old); err != nil || bytes.Equal(old, edited) {
			return err
		}
	}
	tr, err := t.clock().newTrial(t.trialRealm, old, edited, t.trial)
	if err != nil {
		return err
	}
	note, err := json.MarshalIndent(tr, "", "    ")
	if err == nil {
		err = hold.WriteNote(trialNote, append(note, '\n'))
	}
	if err != nil {
		return writeError(doc, fmt.Errorf("cannot keep the trial: %w", err))
	}
	if err = t.watch(doc.Path()); err == nil {
		err = hold.Replace(old, edited, func([]byte) ([]byte, error) { return nil, errMeanwhile })
	}
	var kept *realmfile.BackupError
	switch {
	case errors.As(err, &kept):
		c.Warn("%v: the edit is made, but undo has no %s~ to put back", kept, doc.Path())
	case err != nil:
		if rerr := hold.RemoveNote(trialNote); rerr != nil {
			c.Warn("%v: it ends by itself in %v", rerr, t.trial)
		}
		if errors.Is(err, errMeanwhile) {
			return cli.Unsure("%s: %w; nothing was changed", doc.Path(), err).Hint("try again")
		}
		return writeError(doc, err)
	}
	if _, why, required := realm.Parse(old).Required(tr.Realm); required && !doc.PVE() {
		c.Warn("oathverify asked everybody before, too, for %s: the end of the trial does not change that", why)
	}
	*said = append(*said, fmt.Sprintf("this is a trial: in %v it is off again, unless this comes before: realmctl -f %s confirm", t.trial, doc.Path()),
		"log in from elsewhere first, and keep this session open")
	if unit := t.missingUnit(doc.Path()); unit != "" {
		*said = append(*said, "nothing would end it after a crash of this machine, until: systemctl enable --now "+unit)
	}
	return nil
}

var errMeanwhile = errors.New("another program changed it meanwhile")

// noTrial refuses a trial beside another one. One that is over, or whose line has
// gone, is ended first.
func (t *tool) noTrial(c *cli.Context, doc *realmfile.File, hold *realmfile.Hold) error {
	tr, found, err := readNote(doc, trialNote)
	if err != nil || !found {
		return err
	}
	b, err := doc.Read()
	if err != nil {
		return readError(err)
	}
	left := tr.left(t.clock())
	if left > 0 && tr.inForce(b) {
		return cli.Refused("%s: a trial of realm %q runs already, for %v more; nothing was changed", doc.Path(), tr.Realm, left.Round(time.Second)).
			Hint("end it first: realmctl confirm keeps it, realmctl tfa disable %s takes it back", tr.Realm)
	}
	how, err := t.endTrial(doc, hold, tr)
	if err == nil && how == endReverted {
		c.Warn("the trial of realm %q was over: its second factor is off again", tr.Realm)
	}
	return err
}

// endTrial takes a trial back: the file of before where nobody has edited it
// since, else the line alone, and nothing where that is not the trial's any more.
func (t *tool) endTrial(doc *realmfile.File, hold *realmfile.Hold, tr trial) (how string, err error) {
	old, err := doc.Read()
	if err != nil {
		return "", readError(err)
	}
	how = endChanged
	revert := func(now []byte) ([]byte, error) {
		edited, ok, err := tr.revert(doc, now)
		how = endChanged
		if ok {
			how = endReverted
		}
		return edited, err
	}
	edited, err := revert(old)
	if err != nil {
		return "", editError(doc, err)
	}
	var kept *realmfile.BackupError
	if err = hold.Replace(old, edited, revert); err != nil && !errors.As(err, &kept) {
		return "", writeError(doc, err)
	}
	return how, t.closeTrial(doc, hold, tr, how)
}

func (tr trial) revert(doc *realmfile.File, now []byte) (edited []byte, ok bool, err error) {
	if sum(now) == tr.New {
		if before, err := doc.Backup(); err == nil && sum(before) == tr.Old {
			return before, true, nil
		}
	}
	line, err := base64.StdEncoding.DecodeString(tr.Before)
	if err != nil {
		return nil, false, err
	}
	return realm.RevertTFA(now, tr.Realm, tr.Value, line, tr.Made)
}

// closeTrial notes how a trial has ended.
func (t *tool) closeTrial(doc *realmfile.File, hold *realmfile.Hold, tr trial, how string) error {
	tr.Ended = how
	if note, err := json.MarshalIndent(tr, "", "    "); err == nil {
		_ = hold.WriteNote(endedNote, append(note, '\n')) // for the words of confirm only
	}
	if err := hold.RemoveNote(trialNote); err != nil {
		return writeError(doc, err)
	}
	return nil
}

// overtaken ends a trial whose line an edit has replaced or removed.
func (t *tool) overtaken(c *cli.Context, doc *realmfile.File) {
	tr, found, err := readNote(doc, trialNote)
	if err == nil && found {
		err = t.overtake(c, doc, tr)
	}
	if err != nil {
		c.Warn("%v", err)
	}
}

func (t *tool) overtake(c *cli.Context, doc *realmfile.File, tr trial) error {
	hold, err := doc.Hold(context.Background(), lockWait)
	if err != nil {
		return err
	}
	defer hold.Release()
	now, found, err := readNote(doc, trialNote)
	if err != nil || !found || now != tr {
		return err
	}
	b, err := doc.Read()
	if err != nil || tr.inForce(b) {
		return err
	}
	if err := t.closeTrial(doc, hold, tr, endChanged); err != nil {
		return err
	}
	c.Say("the trial of realm %q is over", tr.Realm)
	return nil
}

// stillOnTrial refuses to call done what will be undone.
func (t *tool) stillOnTrial(doc *realmfile.File, b []byte, id string) error {
	tr, found, err := readNote(doc, trialNote)
	if err != nil || !found || tr.Realm != id || !tr.inForce(b) {
		return err
	}
	return cli.Refused("realm %q asks for a second factor on trial, for %v more; nothing was changed", id, max(0, tr.left(t.clock())).Round(time.Second)).
		Hint("to keep it: realmctl confirm")
}
