package main

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/realm"
	"oathkit/pkg/realm/realmfile"
)

// A world is a scratch folder with a domains file, users and a passwd file; the
// folder pve in it stands for /etc/pve.
type world struct {
	*testing.T
	dir       string
	tool      *tool
	stdin     *os.File
	out, talk bytes.Buffer
}

func newWorld(t *testing.T, ready ...readiness) *world {
	t.Helper()
	w := &world{T: t, dir: t.TempDir()}
	w.tool = &tool{
		pve: w.path("pve"), passwd: w.path("passwd"), file: w.path("domains.cfg"),
		config: w.path("none.toml"),
		now:    func() time.Time { return time.Unix(1_700_000_000, 0) },
		ready: func(string, string) ([]readiness, error) {
			if ready == nil {
				return nil, errors.New("nobody may be asked")
			}
			return ready, nil
		},
	}
	w.write("none.toml", "")
	w.write("domains.cfg", "pam: pam\n\tcomment local\n\npve: pve\n\tcomment ours\n\nldap: corp\n\tserver1 a.example\n\tbase_dn dc=example\n\tuser_attr uid\n\n")
	return w
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

func (w *world) write(name, text string) {
	w.Helper()
	if err := os.MkdirAll(filepath.Dir(w.path(name)), 0o755); err != nil {
		w.Fatal(err)
	}
	if err := os.WriteFile(w.path(name), []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
}

func (w *world) read(name string) string {
	w.Helper()
	b, err := os.ReadFile(w.path(name))
	if err != nil {
		w.Fatal(err)
	}
	return string(b)
}

// pve makes the folder that stands for /etc/pve, with the domains file in it.
func (w *world) pveFiles(users, tfa string) {
	w.write("pve/domains.cfg", w.read("domains.cfg"))
	w.write("pve/user.cfg", users)
	if err := os.Symlink("nodes/here", w.path("pve/local")); err != nil && !errors.Is(err, fs.ErrExist) {
		w.Fatal(err)
	}
	if tfa != "" {
		w.write("pve/priv/tfa.cfg", tfa)
	}
	w.tool.file = w.path("pve/domains.cfg")
}

// run runs a command and returns its exit code.
func (w *world) run(run func(*cli.Context) error, args ...string) int {
	w.Helper()
	w.out.Reset()
	w.talk.Reset()
	c := &cli.Context{Name: "realmctl", Args: args, Stdin: w.stdin, Stdout: bufio.NewWriter(&w.out), Stderr: &w.talk}
	err := run(c)
	c.Stdout.Flush()
	code := cli.ExitOK
	var f *cli.Failure
	switch {
	case errors.Is(err, cli.ErrNo):
		code = cli.ExitNo
	case errors.As(err, &f):
		code = f.Code
		w.talk.WriteString(f.Error() + "\n" + strings.Join(f.Hints, "\n"))
	case err != nil:
		code = cli.ExitUnsure
		w.talk.WriteString(err.Error())
	}
	return code
}

// enables runs "tfa enable" and wants the exit code, and these in what it says.
func (w *world) enables(realm string, code int, says ...string) {
	w.Helper()
	before := map[string]string{w.tool.file: ""}
	b, err := os.ReadFile(w.tool.file)
	if err != nil {
		w.Fatal(err)
	}
	before[w.tool.file] = string(b)
	got := w.run(w.tool.enable, realm)
	text := w.talk.String()
	if got != code {
		w.Errorf("exit code %d, want %d: %s", got, code, text)
	}
	for _, s := range says {
		if not, ok := strings.CutPrefix(s, "!"); ok == strings.Contains(text, strings.TrimPrefix(s, "!")) {
			w.Errorf("%q in what it says, want it %v:\n%s", not+s, !ok, text)
		}
	}
	b, err = os.ReadFile(w.tool.file)
	if err != nil {
		w.Fatal(err)
	}
	if changed := string(b) != before[w.tool.file]; changed != (code == 0) {
		w.Errorf("the file changed: %v\n%s", changed, b)
	}
	if code == cli.ExitNo || code == cli.ExitUnsure {
		if !strings.Contains(text, "nothing was changed") || !strings.Contains(text, "--lock-out-anyway") {
			w.Errorf("no word of what happened or of the way out:\n%s", text)
		}
	}
}

const (
	key     = "P6NDPDL6QDS7YFP4"
	hexKey  = "3132333435363738393031323334353637383930"
	passwd  = "root:x:0:0::/root:/bin/bash\ndaemon:x:1:1::/:/usr/sbin/nologin\nann:x:1000:1000::/home/ann:/bin/bash\nBob:x:1001:1001::/home/bob:/bin/sh\nsvc:x:1002:1002::/:/usr/sbin/nologin\n"
	totpTFA = `{"users":{"ann@pve":{"totp":[{"id":"a","created":1,"entry":"otpauth://totp/a?secret=P6NDPDL6QDS7YFP4"}]}}}`
)

func TestGuardHere(t *testing.T) {
	ann := readiness{ID: "ann@corp", Usable: 1}
	t.Run("everybody has one", func(t *testing.T) {
		w := newWorld(t, ann, readiness{ID: "bob@corp", Usable: 2, Pending: 1})
		w.write("user.cfg", "user:ann@corp:1:0:\nuser:bob@corp:1:1700000000:\nuser:off@corp:0:0:\nuser:old@corp:1:1699999999:\nuser:x@pve:1:0:\n")
		w.enables("corp", 0)
	})
	t.Run("a record that no login finds", func(t *testing.T) { // names are folded here
		w := newWorld(t, readiness{ID: "Ann@corp", Usable: 1}, readiness{ID: "bob@corp", Usable: -1})
		w.write("user.cfg", "user:Ann@corp:1:0:\nuser:bob@corp:1:0:\n")
		w.enables("corp", 1, "ann@corp: no second factor", "bob@corp: no usable credential")
	})
	t.Run("a user line that is not read", func(t *testing.T) {
		w := newWorld(t, ann)
		w.write("user.cfg", "\ufeffuser:bob@corp:1:0:\nuser:ann@corp:1:0:\n")
		w.enables("corp", 0, "user.cfg has lines that could change who is looked at (1)")
	})
	t.Run("who has none", func(t *testing.T) {
		w := newWorld(t, ann, readiness{ID: "bob@corp", Pending: 2}, readiness{ID: "eve@corp"}, readiness{ID: "dan@corp2", Usable: 1})
		w.write("user.cfg", "user:ann@corp:1:\nuser:bob@corp:1:\nuser:dan@corp:1:\nuser:eve@corp:1:\n")
		w.enables("corp", 1, "bob@corp: only unactivated credentials (2)", "dan@corp: no second factor", "eve@corp: no usable credential", "3 accounts", "!ann@corp")
	})
	t.Run("locked is not locked out", func(t *testing.T) {
		w := newWorld(t, readiness{ID: "ann@corp", Usable: 1, Locked: true})
		w.write("user.cfg", "user:ann@corp:1:\n")
		w.enables("corp", 0, "locked now")
	})
	t.Run("names are folded as oathverify folds them", func(t *testing.T) {
		w := newWorld(t, ann)
		w.write("user.cfg", "user:Ann@corp:1:\n")
		w.enables("corp", 0)
	})
	t.Run("but not where the case counts", func(t *testing.T) {
		w := newWorld(t, readiness{ID: "ann@pve", Usable: 1})
		w.write("user.cfg", "user:Ann@pve:1:\n")
		w.enables("pve", 1, "Ann@pve: no second factor")
	})
	t.Run("no user file", func(t *testing.T) {
		newWorld(t, ann).enables("corp", 1, "the accounts are not known", "-u")
	})
	t.Run("a user file that was named is missing", func(t *testing.T) {
		w := newWorld(t, ann)
		w.tool.users = w.path("none")
		w.enables("corp", 111, "none")
	})
	t.Run("nobody is listed", func(t *testing.T) {
		w := newWorld(t, ann)
		w.write("user.cfg", "user:x@pve:1:\n")
		w.enables("corp", 0, "nobody's factor could be looked at")
	})
	t.Run("mfactl does not answer", func(t *testing.T) {
		w := newWorld(t)
		w.write("user.cfg", "user:ann@corp:1:\n")
		w.tool.ready = func(string, string) ([]readiness, error) { return nil, notAsked(errors.New("no such file")) }
		w.enables("corp", 111, "cannot find out who has a second factor")
	})
	t.Run("by whatever way it is turned on", func(t *testing.T) {
		w := newWorld(t, readiness{ID: "bob@corp", Usable: 1})
		w.write("user.cfg", "user:ann@corp:1:\n")
		was := w.read("domains.cfg")
		if code := w.run(w.tool.set, "corp", "tfa", "type=oath"); code != 1 || w.read("domains.cfg") != was {
			t.Errorf("exit code %d: %s", code, w.talk.String())
		}
	})
}

func TestGuardOfPasswd(t *testing.T) {
	t.Run("everybody who can log in", func(t *testing.T) {
		w := newWorld(t, readiness{ID: "ann@pam", Usable: 1})
		w.write("passwd", passwd)
		w.enables("pam", 1, "root@pam: no second factor", "bob@pam: no second factor", "!ann@pam", "!daemon", "!svc")
	})
	t.Run("all have one", func(t *testing.T) {
		w := newWorld(t, readiness{ID: "ann@pam", Usable: 1}, readiness{ID: "bob@pam", Usable: 1}, readiness{ID: "root@pam", Usable: 1})
		w.write("passwd", passwd)
		w.enables("pam", 0)
	})
	t.Run("root is always there, the others can be off", func(t *testing.T) {
		w := newWorld(t, readiness{ID: "ann@pam", Usable: 1})
		w.write("passwd", passwd)
		w.write("user.cfg", "user:root@pam:0:0:\nuser:bob@pam:0:0:\n")
		w.enables("pam", 1, "root@pam", "!bob@pam")
	})
	t.Run("even without a passwd file", func(t *testing.T) {
		newWorld(t, readiness{ID: "ann@pam", Usable: 1}).enables("pam", 1, "root@pam")
	})
}

func TestGuardOfPVE(t *testing.T) {
	// Under /etc/pve neither mfactl nor passwd is asked.
	tests := []struct {
		name, realm, users, tfa string
		code                    int
		says                    []string
	}{
		{"a key that PVE takes", "pve", "user:ann@pve:1:0:::::" + key + ":\nuser:bob@pve:1:0:::::" + hexKey + ":\n", "", 0, nil},
		{"one usable key of two", "pve", "user:ann@pve:1:0:::::bogus " + key + ":\n", "", 0, nil},
		{"no key", "pve", "user:ann@pve:1:0::::::\n", "", 1, []string{"ann@pve: no key in user.cfg; no TOTP entry in tfa.cfg"}},
		{"lower case", "pve", "user:ann@pve:1:0:::::p6ndpdl6qds7yfp4:\n", "", 1, []string{"ann@pve: in user.cfg the key is in lower case", "!p6nd"}},
		{"padding", "pve", "user:ann@pve:1:0:::::P6NDPDL6QDS7YF==:\n", "", 1, []string{"padded", "!P6ND"}},
		{"32 characters", "pve", "user:ann@pve:1:0:::::" + key + key + ":\n", "", 1, []string{"has 32 base32 characters", "!P6ND"}},
		{"see tfa.cfg, which has one", "pve", "user:ann@pve:1:0:::::x!oath:\n", totpTFA, 0, nil},
		{"see tfa.cfg, which has none", "pve", "user:bob@pve:1:0:::::x:\n", totpTFA, 1, []string{"bob@pve: user.cfg says x, see tfa.cfg; no TOTP"}},
		{"names are not folded", "pve", "user:Ann@pve:1:0:::::x:\n", totpTFA, 1, []string{"Ann@pve"}},
		{"disabled entry", "pve", "user:ann@pve:1:0:::::x:\n", strings.Replace(totpTFA, `"created"`, `"enable":false,"created"`, 1), 1, []string{"disabled"}},
		{"an entry without a period", "pve", "user:ann@pve:1:0:::::x:\n", strings.Replace(totpTFA, "?secret", "?period=0&secret", 1), 1, []string{"PVE can compute no code"}},
		{"locked", "pve", "user:ann@pve:1:0:::::x:\n", strings.Replace(totpTFA, `{"totp"`, `{"totp-locked":true,"totp"`, 1), 1, []string{"locked", "unlock"}},
		{"locked, with a key", "pve", "user:ann@pve:1:0:::::" + key + ":\n", strings.Replace(totpTFA, `{"totp"`, `{"totp-locked":true,"totp"`, 1), 1, []string{"ann@pve: TOTP is locked in tfa.cfg"}},
		{"recovery alone", "pve", "user:ann@pve:1:0:::::x:\n", `{"users":{"ann@pve":{"recovery":{"secret":"ab","entries":[null],"created":1}}}}`, 1, []string{"nothing but recovery codes"}},
		{"another kind", "pve", "user:ann@pve:1:0:::::x:\n", `{"users":{"ann@pve":{"webauthn":[{"id":"a","created":1,"entry":{}}]}}}`, 1, []string{"but no TOTP"}},
		{"used entry", "pve", "user:ann@pve:1:0:::::x:\n", `{"users":{"ann@pve":{"totp":[{"id":"a","created":1,"entry":{"totp":"otpauth://totp/a?secret=P6NDPDL6QDS7YFP4","last-count":5}}]}}}`, 0, nil},
		{"tfa.cfg of nonsense", "pve", "user:ann@pve:1:0:::::" + key + ":\n", "{", 1, []string{"PVE cannot read it", "not known who would be locked out"}},
		{"disabled, expired", "pve", "user:ann@pve:0:0::::::\nuser:bob@pve:1:1::::::\nuser:eve@pve:1:0:::::" + key + ":\n", "", 0, nil},
		{"root without a line", "pam", "user:ann@pve:1:0::::::\n", "", 1, []string{"root@pam"}},
		{"root with a key", "pam", "user:root@pam:1:0:::::" + key + ":\n", "", 0, nil},
		{"root is off", "pam", "user:root@pam:0:0::::::\nuser:ann@pam:1:0:::::" + key + ":\n", "", 0, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.write("passwd", passwd)
			w.pveFiles(tt.users, tt.tfa)
			w.enables(tt.realm, tt.code, tt.says...)
			if tt.code == 0 {
				if _, err := os.Stat(w.path("pve/domains.cfg.lock")); err == nil {
					t.Error("a lock file under /etc/pve")
				}
			}
		})
	}
}

func TestGuardOfPVEWithoutItsFiles(t *testing.T) {
	w := newWorld(t)
	w.pveFiles("", "")
	w.write("elsewhere.cfg", "user:ann@pve:1:0:::::"+key+":\n")
	if err := os.Remove(w.path("pve/user.cfg")); err != nil {
		t.Fatal(err)
	}
	// A configuration of ours names another user file: not the one PVE reads.
	w.write("none.toml", "[paths]\nusers = \""+w.path("elsewhere.cfg")+"\"\n")
	w.enables("pve", 1, "the accounts are not known")
	w.enables("pam", 1, "the accounts are not known")
	w.tool.users = w.path("elsewhere.cfg")
	w.enables("pve", 0)

	w = newWorld(t)
	w.pveFiles("user:ann@pve:1:0:::::"+key+":\n", "")
	if err := os.MkdirAll(w.path("pve/priv/tfa.cfg"), 0o755); err != nil { // there, but not to be read
		t.Fatal(err)
	}
	w.enables("pve", 1, "not known who would be locked out")
}

func TestGuardOfYubico(t *testing.T) {
	w := newWorld(t)
	w.pveFiles("user:ann@pve:1:0:::::"+key+":\n", "")
	w.write("value", "type=yubico,id=1,key=abcd\n")
	stdin, err := os.Open(w.path("value"))
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	w.stdin = stdin
	if code := w.run(w.tool.set, "pve", "tfa", "-"); code != 1 || !strings.Contains(w.talk.String(), "not known") {
		t.Errorf("exit code %d: %s", code, w.talk.String())
	}
	if strings.Contains(w.talk.String(), "abcd") {
		t.Error("the API key is in what it says")
	}
}

func TestLockOutAnyway(t *testing.T) {
	w := newWorld(t)
	w.tool.lockOut = true
	w.enables("corp", 0, "nobody looked whether")
}

func TestUndoNamesWhoIsLockedOut(t *testing.T) {
	w := newWorld(t, readiness{ID: "ann@corp", Usable: 1})
	w.write("user.cfg", "user:ann@corp:1:\nuser:bob@corp:1:\n")
	w.tool.lockOut = true
	w.enables("corp", 0)
	w.tool.lockOut = false
	for _, run := range []func(*cli.Context) error{w.tool.disable} {
		if code := w.run(run, "corp"); code != 0 {
			t.Fatal(w.talk.String())
		}
	}
	if code := w.run(w.tool.undo); code != 0 || !strings.Contains(w.talk.String(), "locked out: bob@corp: no second factor") || strings.Contains(w.talk.String(), "locked out: ann") {
		t.Errorf("exit code %d: %s", code, w.talk.String())
	}
	if !strings.Contains(w.read("domains.cfg"), "type=oath") {
		t.Error("undo was stopped")
	}
	w.tool.ready = func(string, string) ([]readiness, error) { return nil, errors.New("gone") }
	w.run(w.tool.undo)
	if code := w.run(w.tool.undo); code != 0 || !strings.Contains(w.talk.String(), "could not be found out") {
		t.Errorf("exit code %d: %s", code, w.talk.String())
	}
}

// check of a file of Proxmox VE names who cannot log in.
func TestCheckNamesLockedOut(t *testing.T) {
	w := newWorld(t)
	w.write("domains.cfg", "pam: pam\n\tcomment a\n\npve: pve\n\tcomment b\n\ttfa type=oath\n\n")
	w.pveFiles("user:ann@pve:1:0:::::x:\nuser:bob@pve:1:0::::::\nuser:off@pve:0:0::::::\n", totpTFA)
	if code := w.run(w.tool.check); code != 1 || !strings.Contains(w.out.String(), "user.cfg:2: error: PVE asks \"bob@pve\"") || strings.Contains(w.out.String(), "off@pve") || strings.Contains(w.out.String(), "ann@pve") {
		t.Errorf("exit code %d: %s", code, w.out.String())
	}
}

// The users of Proxmox VE's file are Proxmox VE's, whatever our configuration says.
func TestCheckReadsTheUsersOfPVE(t *testing.T) {
	w := newWorld(t)
	w.write("domains.cfg", "pve: pve\n\ttfa type=oath\n")
	w.pveFiles("user:ann@pve:1:0:::::x:\nuser:bob@pve:1:0::::::\n", totpTFA)
	w.write("elsewhere.cfg", "user:eve@pve:1:0::::::\n")
	w.write("none.toml", "[paths]\nusers = \""+w.path("elsewhere.cfg")+"\"\n")
	if code := w.run(w.tool.check); code != 1 || !strings.Contains(w.out.String(), "bob@pve") || strings.Contains(w.out.String(), "eve@pve") {
		t.Errorf("exit code %d: %s", code, w.out.String())
	}
}

// oathverify reads no file of just anybody, so check names it.
func TestCheckNamesTheOwner(t *testing.T) {
	tool := newWorld(t).tool
	for uid, want := range map[int]string{0: "", os.Geteuid(): "", os.Geteuid() + 1: "file-owner"} {
		got := ""
		for _, f := range tool.domainsFaults("domains.cfg", realm.Parse(nil), realmfile.Info{UID: uint32(uid)}) {
			got += f.Code
		}
		if got != want {
			t.Errorf("uid %d: %q, want %q", uid, got, want)
		}
	}
}

// A section that lacks a property asks for nothing; to set the property turns on
// the factor that stands there already.
func TestGuardOfAFactorThatBegins(t *testing.T) {
	w := newWorld(t)
	w.write("domains.cfg", "ad: pam\n\tdomain a.example\n\ttfa type=oath\n")
	w.pveFiles("", "")
	before := w.read("pve/domains.cfg")
	if code := w.run(w.tool.set, "pam", "server1", "a.example"); code != 1 || !strings.Contains(w.talk.String(), "root@pam: no key") || w.read("pve/domains.cfg") != before {
		t.Errorf("exit code %d: %s", code, w.talk.String())
	}
	w.tool.lockOut = true
	if code := w.run(w.tool.set, "pam", "server1", "a.example"); code != 0 || w.read("pve/domains.cfg") == before {
		t.Errorf("exit code %d: %s", code, w.talk.String())
	}
}

// A realm that is not in our file asks for a factor; to put it there says that
// it does so no more.
func TestSetSaysWhatBegins(t *testing.T) {
	const says = "asks for no second factor"
	w := newWorld(t)
	w.write("domains.cfg", "")
	for _, tt := range []struct {
		value string
		want  bool
	}{{"one", true}, {"two", false}} {
		if code := w.run(w.tool.set, "pam", "comment", tt.value); code != 0 || strings.Contains(w.talk.String(), says) != tt.want {
			t.Errorf("%s: exit code %d: %s", tt.value, code, w.talk.String())
		}
	}
}
