package main

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/realm/realmfile"
)

// A hand is a clock that the test moves. Its processes that end a trial are none.
type hand struct {
	*world
	wall  time.Time
	ran   time.Duration
	clock *clock
}

// onTrial begins a trial of realm pve, 10 minutes long.
func onTrial(t *testing.T, domains string) *hand {
	t.Helper()
	h := &hand{world: newWorld(t), wall: time.Unix(1_700_000_000, 0), ran: time.Hour}
	h.write("domains.cfg", domains)
	h.clock = &clock{
		now: func() time.Time { return h.wall }, running: func() (time.Duration, error) { return h.ran, nil },
		boot: "first", machine: "here",
	}
	h.tool.now, h.tool.time = h.clock.now, h.clock
	h.tool.watcher = func(string) error { return nil }
	h.tool.lockOut, h.tool.trial = true, 10*time.Minute
	if code := h.run(h.tool.enable, "pve"); code != 0 {
		t.Fatalf("exit code %d: %s", code, h.talk.String())
	}
	h.tool.trial = 0
	if !strings.Contains(h.read("domains.cfg"), "\ttfa type=oath") || !strings.Contains(h.talk.String(), "in 10m0s it is off again") {
		t.Fatalf("%s%s", h.read("domains.cfg"), h.talk.String())
	}
	return h
}

// ends runs a command and wants the exit code, a text in what it says, whether
// the note is still there, and the file.
func (h *hand) ends(run func(*cli.Context) error, code int, says string, running bool, file string, args ...string) {
	h.Helper()
	if got := h.run(run, args...); got != code || !strings.Contains(h.talk.String(), says) {
		h.Errorf("exit code %d, want %d and %q:\n%s", got, code, says, h.talk.String())
	}
	if _, err := os.Stat(h.path("domains.cfg.trial")); (err == nil) != running {
		h.Errorf("the trial is running: %v, want %v", err == nil, running)
	}
	if got := h.read("domains.cfg"); got != file {
		h.Errorf("the file is\n%s, want\n%s", got, file)
	}
}

const (
	off = "# ours\n\npve: pve\n\tcomment x\n"
	on  = off + "\ttfa type=oath\n"
)

func TestTrialEndsByItself(t *testing.T) {
	h := onTrial(t, off)
	h.ran += 10*time.Minute - time.Second
	h.ends(h.tool.expire, 1, "goes on for 1s", true, on)
	h.ran += time.Second
	h.ends(h.tool.expire, 0, "its second factor is off again", false, off)
	h.ends(h.tool.expire, 0, "no trial is running", false, off)
	h.ends(h.tool.confirm, 1, "was over after 10m0s, and its second factor is off again", false, off)
}

func TestTrialIsConfirmed(t *testing.T) {
	h := onTrial(t, off)
	h.ran += 9 * time.Minute
	h.ends(h.tool.confirm, 0, "for good", false, on)
	h.ran += time.Hour
	h.ends(h.tool.expire, 0, "no trial is running", false, on)
	h.ends(h.tool.confirm, 1, "is confirmed already", false, on)
}

func TestTrialIsConfirmedTooLate(t *testing.T) {
	h := onTrial(t, off)
	h.ran += 11 * time.Minute
	h.ends(h.tool.confirm, 1, "was over after 10m0s", false, off)
}

// The clock on the wall may jump as it likes; another start of the machine ends
// the trial, and so does time on another machine of the cluster.
func TestTrialAndClocks(t *testing.T) {
	h := onTrial(t, off)
	h.wall = h.wall.Add(100 * 24 * time.Hour)
	h.ends(h.tool.expire, 1, "goes on for 10m0s", true, on)
	h.wall = h.wall.Add(-500 * 24 * time.Hour)
	h.ends(h.tool.expire, 1, "goes on for 10m0s", true, on)
	h.clock.machine, h.clock.boot = "there", "another"
	h.ran = time.Second
	h.ends(h.tool.expire, 1, "goes on for", true, on)
	h.wall = time.Unix(1_700_000_000, 0).Add(10*time.Minute + 59*time.Second)
	h.ends(h.tool.expire, 1, "goes on for 1s", true, on)
	h.wall = h.wall.Add(time.Second)
	h.ends(h.tool.expire, 0, "off again", false, off)

	h = onTrial(t, off)
	h.clock.boot, h.ran = "second", time.Second
	h.ends(h.tool.expire, 0, "off again", false, off)

	h = onTrial(t, off)
	h.clock.boot, h.clock.machine = "", "" // no /proc and no /etc: a rescue shell
	h.ends(h.tool.expire, 0, "off again", false, off)

	h = onTrial(t, off)
	h.ends(h.tool.confirm, 0, "for good", false, on)
	h.tool.trial = time.Minute
	h.clock.boot = ""
	h.write("domains.cfg", off)
	h.ends(h.tool.enable, 111, "cannot be timed", false, off, "pve")
}

// The trial is taken back only where its line still is the one that counts.
func TestTrialOvertaken(t *testing.T) {
	over := 20 * time.Minute
	t.Run("the line was edited by hand", func(t *testing.T) {
		h := onTrial(t, off)
		edited := strings.Replace(on, "type=oath", "type=oath,digits=8", 1)
		h.write("domains.cfg", edited)
		h.ran += over
		h.ends(h.tool.expire, 0, "stays as it is", false, edited)
		h.ends(h.tool.confirm, 1, "changed by something else", false, edited)
	})
	t.Run("the line is gone when it is confirmed", func(t *testing.T) {
		h := onTrial(t, off)
		h.write("domains.cfg", off)
		h.ends(h.tool.confirm, 1, "changed by something else", false, off)
	})
	t.Run("other lines were edited", func(t *testing.T) {
		h := onTrial(t, off)
		h.write("domains.cfg", "ldap: new\n\n"+on)
		h.ran += over
		h.ends(h.tool.expire, 0, "off again", false, "ldap: new\n\n"+off)
	})
	t.Run("other lines were edited with realmctl", func(t *testing.T) {
		h := onTrial(t, off)
		h.ends(h.tool.set, 0, "is set", true, strings.Replace(on, "comment x", "comment y", 1), "pve", "comment", "y")
		h.ran += over
		h.ends(h.tool.expire, 0, "off again", false, strings.Replace(off, "comment x", "comment y", 1))
	})
	t.Run("disable ends it", func(t *testing.T) {
		h := onTrial(t, off)
		h.ends(h.tool.disable, 0, "the trial of realm \"pve\" is over", false, off, "pve")
	})
	t.Run("undo ends it", func(t *testing.T) {
		h := onTrial(t, off)
		h.ends(h.tool.undo, 0, "the trial of realm \"pve\" is over", false, off)
	})
	t.Run("another value ends it", func(t *testing.T) {
		h := onTrial(t, off)
		h.ends(h.tool.set, 0, "the trial of realm \"pve\" is over", false, strings.Replace(on, "oath", "oath,digits=8", 1), "pve", "tfa", "type=oath,digits=8")
	})
}

// What was there before comes back: another value, a line that only seemed to
// ask, a realm that was not in the file at all.
func TestTrialBringsBackWhatWas(t *testing.T) {
	for _, tt := range []struct{ name, before, changed, back string }{
		{"another value", "pve: pve\n\ttfa type=oath,step=60,digits=8\n", "", ""},
		{"a value that no edit writes", "pve: pve\n\ttfa type=oath,step=7000\n", "", ""},
		{"another value, and other edits", "pve: pve\n\ttfa type=oath,step=7000\n", "pve: pve\n\tcomment y\n\ttfa type=oath,step=60\n", "pve: pve\n\tcomment y\n\ttfa type=oath,step=7000\n"},
		{"a line that was not read", "pve: pve\n\ttfa type=totp # x\n", "", ""},
		{"a line that was not read, and other edits", "pve: pve\n\ttfa type=totp # x\n", "pve: pve\n\tcomment y\n\ttfa type=oath,step=60\n", "pve: pve\n\tcomment y\n\ttfa type=totp # x\n"},
		{"another line that asks, and other edits", "pve: pve\n\n\ttfa type=oath\n", "pve: pve\n\tcomment y\n\ttfa type=oath,step=60\n\n\ttfa type=oath\n", "pve: pve\n\tcomment y\n\n\ttfa type=oath\n"},
		{"two lines by now, and all go", "pve: pve\n", "pve: pve\n\ttfa type=oath,step=60\n\ttfa type=oath,step=60\n", "pve: pve\n"},
		{"no section", "pam: pam\n", "", ""},
		{"no section, and other edits", "pam: pam\n", "pam: pam\n\tcomment z\n\npve: pve\n\ttfa type=oath,step=60\n", "pam: pam\n\tcomment z\n\n"},
		{"no section, and others have filled it", "pam: pam\n", "pam: pam\n\npve: pve\n\tcomment z\n\ttfa type=oath,step=60\n", "pam: pam\n\npve: pve\n\tcomment z\n"},
		{"no empty line at the end", "pve: pve", "", ""},
		{"CRLF", "pve: pve\r\n\tcomment x\r\n", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &hand{world: newWorld(t), wall: time.Unix(1_700_000_000, 0)}
			h.write("domains.cfg", tt.before)
			h.clock = &clock{now: func() time.Time { return h.wall }, running: func() (time.Duration, error) { return h.ran, nil }, boot: "b"}
			h.tool.time, h.tool.watcher = h.clock, func(string) error { return nil }
			h.tool.lockOut, h.tool.trial, h.tool.step = true, time.Minute, 60
			if code := h.run(h.tool.enable, "pve"); code != 0 || h.read("domains.cfg") == tt.before {
				t.Fatalf("exit code %d: %s", code, h.talk.String())
			}
			want := tt.before
			if tt.changed != "" {
				digits := ""
				if strings.Contains(h.read("domains.cfg"), "digits=8,") {
					digits = "digits=8,"
				}
				h.write("domains.cfg", strings.Replace(tt.changed, "type=oath,", "type=oath,"+digits, 1))
				want = tt.back
			}
			h.ran += time.Minute
			h.ends(h.tool.expire, 0, "off again", false, want)
		})
	}
}

func TestTwoTrials(t *testing.T) {
	h := onTrial(t, off+"\npam: pam\n\tcomment y\n")
	two := h.read("domains.cfg")
	h.tool.trial = time.Minute
	h.ends(h.tool.enable, 1, "a trial of realm \"pve\" runs already, for 10m0s more", true, two, "pam")
	h.ends(h.tool.enable, 1, "on trial, for 10m0s more", true, two, "pve")
	h.tool.trial = 0
	h.ends(h.tool.enable, 1, "on trial, for 10m0s more", true, two, "pve")
	// Without a trial another realm is nobody's business.
	h.ends(h.tool.enable, 0, "asks everybody", true, two+"\ttfa type=oath\n", "pam")
	// One that is over and that nobody ended is ended by the next.
	h.write("domains.cfg", two)
	h.ran += time.Hour
	h.tool.trial = time.Minute
	h.ends(h.tool.enable, 0, "the trial of realm \"pve\" was over", true, off+"\npam: pam\n\tcomment y\n\ttfa type=oath\n", "pam")
	// One that was killed before it wrote the file is in nobody's way.
	h.write("domains.cfg", two)
	h.ends(h.tool.expire, 1, "goes on", true, two)
	h.write("domains.cfg", off)
	h.tool.trial = time.Minute
	h.ends(h.tool.enable, 0, "this is a trial", true, on, "pve")
}

// A trial that cannot be ended is not begun.
func TestTrialThatCannotBegin(t *testing.T) {
	h := onTrial(t, off)
	h.ends(h.tool.disable, 0, "", false, off, "pve")
	h.tool.trial = time.Minute
	h.tool.watcher = func(string) error { return errors.New("no process can be started") }
	h.ends(h.tool.enable, 111, "no process can be started; nothing was changed", false, off, "pve")
	h.tool.watcher = func(string) error { // a program that knows no lock
		h.write("domains.cfg", off+"\tdefault 1\n")
		return nil
	}
	h.ends(h.tool.enable, 111, "another program changed it meanwhile; nothing was changed", false, off+"\tdefault 1\n", "pve")
}

// What is no note of ours is not believed, and is in no edit's way.
func TestTrialNotBelieved(t *testing.T) {
	h := onTrial(t, off)
	note := h.read("domains.cfg.trial")
	for name, text := range map[string]string{
		"nonsense": "nonsense", "another format": strings.Replace(note, `"format": 1`, `"format": 2`, 1),
		"an unknown field": strings.Replace(note, `"realm"`, `"kingdom"`, 1), "two of them": note + note,
		"no realm": strings.Replace(note, `"pve"`, `"p v"`, 1), "no value": strings.Replace(note, `"type=oath"`, `"x"`, 1),
		"no line": strings.Replace(note, `"before": ""`, `"before": "*"`, 1), "two lines": strings.Replace(note, `"before": ""`, `"before": "Cgo="`, 1),
	} {
		h.write("domains.cfg.trial", text)
		h.ran += time.Hour
		h.ends(h.tool.expire, 111, "domains.cfg.trial", true, on)
		h.ends(h.tool.confirm, 111, "domains.cfg.trial", true, on)
		if t.Failed() {
			t.Fatal(name)
		}
	}
	h.write("domains.cfg.trial", note)
	if err := os.Chmod(h.path("domains.cfg.trial"), 0o666); err != nil {
		t.Fatal(err)
	}
	h.ends(h.tool.expire, 111, "others than root and the owner", true, on)
	h.ends(h.tool.disable, 0, "asks nobody", true, off, "pve")
}

// A domains file that is away for a moment, as while an editor writes it, does not
// end a trial, and neither does one that is back.
func TestTrialWhileTheFileIsAway(t *testing.T) {
	h := onTrial(t, off)
	if err := os.Rename(h.path("domains.cfg"), h.path("aside")); err != nil {
		t.Fatal(err)
	}
	h.ran += time.Hour
	if code := h.run(h.tool.expire); code != 111 {
		t.Errorf("exit code %d: %s", code, h.talk.String())
	}
	doc, err := realmfile.Open(h.path("aside"), h.tool.pve)
	if err != nil {
		t.Fatal(err)
	}
	if _, found, err := readNote(doc, trialNote); found || err != nil {
		t.Errorf("a trial of another file: %v, %v", found, err)
	}
	if err := os.Rename(h.path("aside"), h.path("domains.cfg")); err != nil {
		t.Fatal(err)
	}
	h.ends(h.tool.expire, 0, "off again", false, off)
}
