package cmd

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"oathkit/pkg/oath"
)

// scenarios are what can go wrong around a login and has no test elsewhere. Each
// has its row in oathkit-scenarios(7).
func scenarios() map[string]func(l *lab) {
	return map[string]func(l *lab){
		"unreadable realm file":            unreadableRealmFile,
		"realm removed":                    realmRemoved,
		"realm in another case":            realmInAnotherCase,
		"same name in another realm":       sameNameInAnotherRealm,
		"name in another case":             nameInAnotherCase,
		"default realm changed":            defaultRealmChanged,
		"strange names":                    strangeNames,
		"realm switched on during a login": realmSwitchedOnDuringALogin,
		"record deleted during a login":    recordDeletedDuringALogin,
		"record of somebody else":          recordOfSomebodyElse,
		"clock set back":                   clockSetBack,
		"store restored":                   storeRestored,
		"backup of the realm file":         backupOfTheRealmFile,
		"enabled twice":                    enabledTwice,
		"locked by somebody else":          lockedBySomebodyElse,
		"leftovers beside the realm file":  leftoversBesideTheRealmFile,
		"signed digits":                    signedDigits,
		"broken user file":                 brokenUserFile,
		"guard without its configuration":  guardWithoutItsConfiguration,
		"tfa set by hand":                  tfaSetByHand,
	}
}

func TestScenario(t *testing.T) {
	for name, run := range scenarios() {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			l.write("user.cfg", "")
			l.enrol("known@pve", newToken(t, 99), oath.HOTP) // makes the store
			run(l)
		})
	}
}

// says wants an exit code and the verdict of a login.
func (l *lab) says(user, answer string, code int, verdict string) {
	l.t.Helper()
	r := l.run(answer+"\n", "oathverify", "--json", user)
	if r.code != code || !strings.Contains(r.out, fmt.Sprintf("%q: %q", "verdict", verdict)) {
		l.t.Errorf("%s: exit code %d, want %d and %s\n%s%s", user, r.code, code, verdict, r.out, r.err)
	}
}

// refused wants a program to fail with this code and message, and the realm file
// to stay as it is.
func (l *lab) refused(code int, want, prog string, args ...string) {
	l.t.Helper()
	before := l.read("domains.cfg")
	if r := l.run("", prog, args...); r.code != code || !strings.Contains(r.err, want) {
		l.t.Errorf("%s %v: exit code %d, want %d and %q\n%s", prog, args, r.code, code, want, r.err)
	}
	if got := l.read("domains.cfg"); got != before {
		l.t.Errorf("%s %v changed the file to %q", prog, args, got)
	}
}

// What lies in the place of the realm file and is none asks everybody for a
// factor, and hangs nobody.
func unreadableRealmFile(l *lab) {
	l.says("nobody@pam", "", 0, "not-required")
	path := l.path("domains.cfg")
	for what, put := range map[string]func() error{
		"nothing":        func() error { return nil },
		"a folder":       func() error { return os.Mkdir(path, 0o755) },
		"a pipe":         func() error { return syscall.Mkfifo(path, 0o600) },
		"a link to self": func() error { return os.Symlink("domains.cfg", path) },
		"a giant": func() error {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				return err
			}
			return os.Truncate(path, 1<<33)
		},
	} {
		if err := os.RemoveAll(path); err != nil {
			l.t.Fatal(err)
		}
		if err := put(); err != nil {
			l.t.Fatal(err)
		}
		if r := l.run("\n", "oathverify", "nobody@pam"); r.code != 1 {
			l.t.Errorf("%s: exit code %d: %s", what, r.code, r.err)
		}
	}
}

func realmRemoved(l *lab) {
	l.says("nobody@pve", "", 1, "not-enrolled")
	l.write("domains.cfg", "pam: pam\n\tcomment no factor asked\n")
	for _, user := range []string{"nobody@pve", "nobody@gone"} {
		l.says(user, "", 1, "not-enrolled")
	}
}

// A realm id that differs in case is another realm, which is not in the file.
func realmInAnotherCase(l *lab) {
	l.says("nobody@pam", "", 0, "not-required")
	for _, user := range []string{"nobody@PAM", "nobody@Pam"} {
		l.says(user, "", 1, "not-enrolled")
	}
}

// A factor is one of a user in a realm: it opens nothing for somebody of the same
// name elsewhere, and takes nothing from him.
func sameNameInAnotherRealm(l *lab) {
	l.write("domains.cfg", labRealms+"pve: other\n\ttfa type=oath\n")
	key := newToken(l.t, 1)
	l.enrol("ann@pve", key, oath.HOTP)
	l.says("ann@other", key.at(1), 1, "not-enrolled")
	if r := l.run(key.at(1)+"\n", "oathverify", "--realm", "other", "ann@pve"); r.code != 1 {
		l.t.Errorf("a name that ends in another realm than the host's: exit code %d", r.code)
	}
	l.says("ann@pve", key.at(1), 0, "accepted")
}

// Where a directory takes both cases, no spelling is a way around the factor, nor
// a second use of a code. Where the case counts, another spelling is nobody.
func nameInAnotherCase(l *lab) {
	const corp = "ldap: corp\n\tserver1 a.example\n\tbase_dn dc=example\n\tuser_attr uid\n"
	l.write("domains.cfg", labRealms+corp)
	key := newToken(l.t, 1)
	l.enrol("Ann@corp", key, oath.HOTP)
	l.says("nobody@corp", "", 0, "not-required")
	for _, name := range []string{"ann@corp", "ANN@corp", "aNN@corp"} {
		l.says(name, "", 1, "rejected")
		l.says(name, key.at(0), 1, "replayed")
	}
	l.says("ANN@corp", key.at(1), 0, "accepted")
	l.says("ann@corp", key.at(1), 1, "replayed")
	l.says("KNOWN@pve", "", 1, "not-enrolled")
}

// The realm that a bare name is in changes: nobody gets in by the factor of
// somebody else, nor without one where one is asked for.
func defaultRealmChanged(l *lab) {
	realms := func(one, two string) {
		l.write("domains.cfg", "pve: one\n\tdefault "+one+"\n\ttfa type=oath\n\npve: two\n\tdefault "+two+"\n\ttfa type=oath\n")
	}
	realms("1", "0")
	key := newToken(l.t, 1)
	l.enrol("ann@one", key, oath.HOTP)
	l.says("ann", key.at(1), 0, "accepted")
	realms("0", "1")
	l.says("ann", key.at(2), 1, "not-enrolled")
	l.says("ann@one", key.at(2), 0, "accepted")
	// Two realms that are both the default leave it open which one is meant.
	realms("1", "1")
	if r := l.run("", "realmctl", "check"); !strings.Contains(r.out, "default") {
		l.t.Errorf("two defaults: %s", r.out)
	}
}

func strangeNames(l *lab) {
	key := newToken(l.t, 1)
	l.enrol("ann@pam", key, oath.HOTP)
	for _, name := range []string{"ann @pam", " ann@pam", "ann\t@pam", "ann\n@pam", "ann@pam ", "@pam", strings.Repeat("a", 70) + "@pam", "ann\x7f@pam", "an\xffn@pam"} {
		if r := l.run("\n", "oathverify", name); r.code != 1 {
			l.t.Errorf("%q: exit code %d: %s", name, r.code, r.err)
		}
	}
	l.says("ann@pam", key.at(1), 0, "accepted")
}

// A login waits at its prompt while the realm is made to ask for a factor, or the
// file goes: the empty answer that would have been enough is no longer.
func realmSwitchedOnDuringALogin(l *lab) {
	for _, text := range []string{"pam: pam\n\ttfa type=oath\n", "pam: pam\n\ttfa type=totp\n", ""} {
		l.write("domains.cfg", labRealms)
		cmd := l.command("oathverify", "nobody@pam")
		in, err := cmd.StdinPipe()
		if err != nil {
			l.t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			l.t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond) // it is at its prompt; if it is not yet, all the better
		l.write("domains.cfg", text)
		_, _ = in.Write([]byte("\n"))
		in.Close()
		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 1 {
			l.t.Errorf("%q: exit code %d", text, code)
		}
	}
}

// A login waits at its prompt while its user is removed, or gets another key: the
// right code of before is no longer one.
func recordDeletedDuringALogin(l *lab) {
	for _, change := range [][]string{{"disable", "--lock-out-anyway"}, {"reset"}} {
		key := newToken(l.t, 1)
		l.enrol("ann@pve", key, oath.HOTP)
		cmd := l.command("oathverify", "ann@pve")
		in, err := cmd.StdinPipe()
		if err != nil {
			l.t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			l.t.Fatal(err)
		}
		time.Sleep(200 * time.Millisecond) // it is at its prompt; if it is not yet, all the better
		l.must("", "mfactl", append(change, "ann@pve")...)
		_, _ = in.Write([]byte(key.at(1) + "\n"))
		in.Close()
		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 1 {
			l.t.Errorf("%v: exit code %d", change, code)
		}
		l.run("", "mfactl", "disable", "--lock-out-anyway", "ann@pve")
	}
}

// The files of one user under the name of another are no record of his.
func recordOfSomebodyElse(l *lab) {
	key := newToken(l.t, 1)
	l.enrol("ann@pve", key, oath.HOTP)
	l.enrol("bob@pve", newToken(l.t, 2), oath.HOTP)
	files := map[string]string{}
	_ = filepath.Walk(l.path("store"), func(path string, _ os.FileInfo, _ error) error {
		for _, name := range []string{"ann@pve.json", "bob@pve.json"} {
			if filepath.Base(path) == name {
				files[name] = path
			}
		}
		return nil
	})
	text, err := os.ReadFile(files["ann@pve.json"])
	if err == nil {
		err = os.WriteFile(files["bob@pve.json"], text, 0o600)
	}
	if err != nil {
		l.t.Fatalf("%v: %v", files, err)
	}
	l.says("bob@pve", key.at(1), 111, "error")
	l.says("ann@pve", key.at(1), 0, "accepted")
}

// The clock is set back by a step: the code that was used is not good again, and
// the user waits no longer than the clock needs to come there.
func clockSetBack(l *lab) {
	key := newToken(l.t, 1)
	l.enrol("ann@pve", key, oath.TOTP)
	ahead := key.totp(1) // what was right when the clock was ahead
	l.says("ann@pve", ahead, 0, "accepted")
	l.says("ann@pve", ahead, 1, "replayed")
	l.says("ann@pve", key.totp(-1), 1, "replayed")
}

// A backup of the store is put back: what was used since then is good again for
// nobody, once it was said that a backup was put back.
func storeRestored(l *lab) {
	key := newToken(l.t, 1)
	l.enrol("ann@pve", key, oath.TOTP)
	if out, err := exec.Command("cp", "-a", l.path("store"), l.path("backup")).CombinedOutput(); err != nil {
		l.t.Fatalf("%v %s", err, out)
	}
	used := key.totp(0)
	l.says("ann@pve", used, 0, "accepted")
	if err := os.RemoveAll(l.path("store")); err != nil {
		l.t.Fatal(err)
	}
	if err := os.Rename(l.path("backup"), l.path("store")); err != nil {
		l.t.Fatal(err)
	}
	l.must("", "mfactl", "restored")
	l.says("ann@pve", used, 1, "replayed")
}

// An old realm file that is put back by undo says who is locked out by it, and one
// that others could have written is not put back.
func backupOfTheRealmFile(l *lab) {
	l.write("user.cfg", "user:eve@pve:1:0::::::\n")
	l.must("", "realmctl", "tfa", "disable", "pve")
	l.says("nobody@pve", "", 0, "not-required")
	if err := os.Chmod(l.path("domains.cfg~"), 0o666); err != nil {
		l.t.Fatal(err)
	}
	l.refused(111, "could have written it", "realmctl", "undo")
	if err := os.Chmod(l.path("domains.cfg~"), 0o600); err != nil {
		l.t.Fatal(err)
	}
	r := l.run("", "realmctl", "undo")
	if r.code != 0 || !strings.Contains(r.err, "locked out: eve@pve") || l.read("domains.cfg") != labRealms {
		l.t.Errorf("exit code %d: %s", r.code, r.err)
	}
	l.says("nobody@pve", "", 1, "not-enrolled")
}

// Whoever is enabled already keeps the key in his phone.
func enabledTwice(l *lab) {
	key := newToken(l.t, 1)
	l.enrol("ann@pve", key, oath.HOTP)
	if r := l.run("", "mfactl", "enable", "ann@pve"); r.code != 1 {
		l.t.Errorf("exit code %d: %s", r.code, r.err)
	}
	l.says("ann@pve", key.at(1), 0, "accepted")
}

// A stranger who knows a name tries codes until the user is locked. A recovery code
// opens, and the next one of the phone then, too.
func lockedBySomebodyElse(l *lab) {
	key := newToken(l.t, 1)
	l.enrol("ann@pve", key, oath.HOTP)
	codes := strings.Fields(l.must("", "mfactl", "codes", "ann@pve"))
	for range 8 {
		l.run("000000\n", "oathverify", "ann@pve")
	}
	l.says("ann@pve", key.at(1), 1, "locked")
	l.says("ann@pve", codes[0], 0, "accepted")
	l.says("ann@pve", key.at(1), 0, "accepted")
}

// What a crash, an editor or an attacker left beside the file stops no edit, and
// no edit follows a link that was put there.
func leftoversBesideTheRealmFile(l *lab) {
	for _, name := range []string{"domains.cfg.realmctl.tmp", "domains.cfg.tmp.123", ".domains.cfg.swp", "domains.cfg.bak"} {
		l.write(name, "half")
	}
	l.write("victim", "untouched")
	if err := os.Symlink(l.path("victim"), l.path("domains.cfg~")); err != nil {
		l.t.Fatal(err)
	}
	l.must("", "realmctl", "tfa", "disable", "pve")
	l.says("nobody@pve", "", 0, "not-required")
	if got := l.read("victim"); got != "untouched" {
		l.t.Errorf("a link was followed: %q", got)
	}
}

// digits=+6 is taken by Proxmox VE, which then lets nobody in: check says so.
func signedDigits(l *lab) {
	l.write("domains.cfg", "pve: pve\n\ttfa type=oath,digits=+6\n")
	if r := l.run("", "realmctl", "check"); r.code != 1 || !strings.Contains(r.out, "domains.cfg:2: error: ") || !strings.Contains(r.out, "nobody") {
		l.t.Errorf("exit code %d: %s", r.code, r.out)
	}
	l.must("", "realmctl", "tfa", "enable", "--digits", "6", "--lock-out-anyway", "pve")
	if got := l.read("domains.cfg"); got != "pve: pve\n\ttfa type=oath\n" {
		l.t.Errorf("%q", got)
	}
}

// A user whose line Proxmox VE drops is no user there; the guard says that there
// are such lines.
func brokenUserFile(l *lab) {
	l.write("domains.cfg", "pve: pve\n\tcomment x\n")
	l.write("user.cfg", "user:known@pve:1:0::::::\nuser:ann@pve:1:tomorrow::::::\n")
	r := l.run("", "realmctl", "tfa", "enable", "pve")
	if !strings.Contains(r.err, "has lines that could change who is looked at") {
		l.t.Errorf("exit code %d: %s", r.code, r.err)
	}
	if r := l.run("", "realmctl", "check"); r.code != 1 || !strings.Contains(r.out, "user.cfg:2: error: ") {
		l.t.Errorf("exit code %d: %s", r.code, r.out)
	}
}

// With a configuration that cannot be read it is not known who has a factor, so
// no realm is switched on; to switch one off needs no configuration.
func guardWithoutItsConfiguration(l *lab) {
	l.write("domains.cfg", "pve: pve\n\tcomment x\n\npam: pam\n\ttfa type=oath\n")
	l.write("user.cfg", "user:known@pve:1:0::::::\n")
	l.write("oathkit.toml", l.read("oathkit.toml")+"[verify]\nwindov = 1\n")
	file := l.path("domains.cfg")
	l.refused(111, "oathkit.toml:", "realmctl", "tfa", "enable", "pve")
	l.refused(111, "nothing was changed", "realmctl", "-f", file, "tfa", "enable", "pve")
	l.must("", "realmctl", "-f", file, "tfa", "disable", "pam")
}

// Another edit that makes a dropped factor count runs the guard as well.
func tfaSetByHand(l *lab) {
	l.write("domains.cfg", "pve: pve\n\tcomment x\n")
	l.write("user.cfg", "user:known@pve:1:0::::::\nuser:ann@pve:1:0::::::\n")
	l.refused(1, "ann@pve: no second factor", "realmctl", "set", "pve", "tfa", "type=oath")
	l.must("", "realmctl", "set", "--lock-out-anyway", "pve", "tfa", "type=oath")
	l.says("ann@pve", "", 1, "not-enrolled")
}
