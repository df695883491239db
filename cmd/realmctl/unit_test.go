package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestEscapePath(t *testing.T) {
	for path, want := range map[string]string{
		"/etc/oathkit/domains.cfg": "etc-oathkit-domains.cfg",
		"/etc/pve/domains.cfg":     "etc-pve-domains.cfg",
		"/":                        "-",
		"/.a/.b//c-d/":             `\x2ea-.b-c\x2dd`,
		"/srv/a b/dömains $x.cfg":  `srv-a\x20b-d\xc3\xb6mains\x20\x24x.cfg`,
	} {
		if got := escapePath(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
		if escape, err := exec.LookPath("systemd-escape"); err == nil {
			if out, err := exec.Command(escape, "--path", path).Output(); err != nil || strings.TrimSpace(string(out)) != want {
				t.Errorf("%s: systemd-escape says %s, %v", path, out, err)
			}
		}
	}
}

// A trial says that nothing would end it after a crash, and how to have it ended.
func TestTrialNamesItsUnit(t *testing.T) {
	h := onTrial(t, off)
	const says = "after a crash of this machine"
	if strings.Contains(h.talk.String(), says) {
		t.Errorf("without systemd: %s", h.talk.String())
	}
	h.ends(h.tool.disable, 0, "", false, off, "pve")
	h.tool.systemd, h.tool.trial = [2]string{t.TempDir(), t.TempDir()}, time.Minute
	file, err := filepath.EvalSymlinks(h.path("domains.cfg"))
	if err != nil {
		t.Fatal(err)
	}
	unit := "oathkit-trial@" + escapePath(file) + ".path"
	h.ends(h.tool.enable, 0, "until: systemctl enable --now "+unit, true, on, "pve")
	h.tool.trial = 0
	h.ends(h.tool.disable, 0, "", false, off, "pve")

	wants := filepath.Join(h.tool.systemd[1], "multi-user.target.wants")
	if err := os.Mkdir(wants, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/usr/lib/systemd/system/oathkit-trial@.path", filepath.Join(wants, unit)); err != nil {
		t.Fatal(err)
	}
	h.tool.trial = time.Minute
	h.ends(h.tool.enable, 0, "this is a trial", true, on, "pve")
	if strings.Contains(h.talk.String(), says) {
		t.Errorf("it is enabled: %s", h.talk.String())
	}
}

// In a file of ours a realm that the reader does not see asks everybody, before a
// trial and after it.
func TestTrialThatChangesNothing(t *testing.T) {
	const says = `warning: oathverify asked everybody before, too, for realm "pve" is not in the file`
	h := onTrial(t, "# ours\n")
	if !strings.Contains(h.talk.String(), says) {
		t.Errorf("not in the file: %s", h.talk.String())
	}
	if h := onTrial(t, off); strings.Contains(h.talk.String(), says) {
		t.Errorf("in the file: %s", h.talk.String())
	}
}

// Somebody appends a second section of the realm, which counts from now on. To
// oathverify the first one still asks, so the trial takes its line back.
func TestTrialOfADuplicatedSection(t *testing.T) {
	const second = "\npve: pve\n\tcomment z\n"
	h := onTrial(t, off)
	h.write("domains.cfg", on+second)
	h.ends(h.tool.expire, 1, "goes on", true, on+second)
	h.ran += 11 * time.Minute
	h.ends(h.tool.expire, 0, "off again", false, off+second)
}

// What will be undone is not called done.
func TestSetOfWhatIsOnTrial(t *testing.T) {
	h := onTrial(t, off)
	h.ends(h.tool.set, 1, "on trial, for 10m0s more", true, on, "pve", "tfa", "type=oath")
	h.ends(h.tool.confirm, 0, "for good", false, on)
	h.ends(h.tool.set, 0, "nothing to change", false, on, "pve", "tfa", "type=oath")
}
