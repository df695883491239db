package cmd

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A trial on the cluster file system, which refuses much: it begins, list shows it,
// it ends by itself, and without a majority it waits for one.
func TestPVETrial(t *testing.T) {
	l := newPVELab(t)
	l.write("pve/domains.cfg", pveRealms)
	l.write("pve/user.cfg", "")
	asking := strings.Replace(pveRealms, "server\n", "server\n\ttfa type=oath\n", 1)
	over := func() {
		t.Helper()
		for end := time.Now().Add(60 * time.Second); ; time.Sleep(100 * time.Millisecond) {
			if _, err := os.Stat(l.path("pve/domains.cfg.trial")); err != nil && len(watchers(t, "/etc/pve/domains.cfg")) == 0 {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("the trial goes on:\n%s", l.read("pve/domains.cfg"))
			}
		}
	}
	if r := l.realmctl("tfa", "enable", "pve", "--lock-out-anyway", "--trial", "2s"); r.code != 0 || l.read("pve/domains.cfg") != asking {
		t.Fatalf("exit code %d: %s", r.code, r.err)
	}
	if r := l.realmctl("list"); r.code != 0 || !strings.Contains(r.out, "TRIAL") {
		t.Errorf("exit code %d: %s%s", r.code, r.out, r.err)
	}
	over()
	if got := l.read("pve/domains.cfg"); got != pveRealms {
		t.Errorf("the file is\n%s", got)
	}

	if r := l.realmctl("tfa", "enable", "pve", "--lock-out-anyway", "--trial", "2s"); r.code != 0 {
		t.Fatalf("exit code %d: %s", r.code, r.err)
	}
	l.setQuorum(false)
	time.Sleep(3 * time.Second)
	if got := l.read("pve/domains.cfg"); got != asking {
		t.Errorf("without a majority the file has become\n%s", got)
	}
	if r := l.realmctl("list"); !strings.Contains(r.out, "overdue") {
		t.Errorf("exit code %d: %s%s", r.code, r.out, r.err)
	}
	l.setQuorum(true)
	over()
	if got := l.read("pve/domains.cfg"); got != pveRealms {
		t.Errorf("the file is\n%s", got)
	}
}

// systemd takes the units, for both files.
func TestTrialUnits(t *testing.T) {
	need(t, "systemd-analyze")
	dir := t.TempDir()
	for _, name := range []string{"oathkit-trial@.service", "oathkit-trial@.path"} {
		unit := strings.ReplaceAll(read(t, "configs/systemd/"+name), "/usr/local/sbin/realmctl", filepath.Join(bin, "realmctl"))
		if err := os.WriteFile(filepath.Join(dir, name), []byte(unit), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, instance := range []string{"etc-oathkit-domains.cfg", "etc-pve-domains.cfg"} {
			if err := os.Symlink(name, filepath.Join(dir, strings.Replace(name, "@", "@"+instance, 1))); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, instance := range []string{"etc-oathkit-domains.cfg", "etc-pve-domains.cfg"} {
		cmd := exec.Command("systemd-analyze", "verify", "--man=no", "./oathkit-trial@"+instance+".service", "./oathkit-trial@"+instance+".path")
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil || strings.Contains(string(out), "oathkit-trial@") {
			t.Errorf("%s: %v\n%s", instance, err, out)
		}
		for _, page := range []string{manual(t, "realmctl"), read(t, "configs/systemd/oathkit-trial@.service")} {
			if !strings.Contains(page, "systemctl enable --now oathkit-trial@"+instance+".path") {
				t.Errorf("nothing says how to enable the unit for %s", instance)
			}
		}
	}
}
