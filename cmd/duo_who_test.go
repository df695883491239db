package cmd

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/duo/duotest"
)

// talk is a login in converse, whose answers are given beforehand.
func (l *lab) talk(user string, answers ...string) run {
	l.t.Helper()
	head := "user " + user + "\n\n"
	for _, a := range answers {
		head += "answer " + a + "\n"
	}
	return l.run(head, "oathverify", "converse", "--any-realm")
}

// In a realm whose factor is Duo nothing else lets in, whoever asks: not a code of
// the user's own either, nor a recovery code.
func TestDuoAloneInItsRealm(t *testing.T) {
	l, s := newDuoLab(t, "prompts = 1")
	k := newToken(t, 1)
	toml := l.read("oathkit.toml") // he had codes before the realm got its factor
	l.write("oathkit.toml", strings.Replace(toml, `factor = "duo"`, `factor = "oath"`, 1))
	l.enrol("alice@pve", k, 0)
	l.write("oathkit.toml", toml)
	codes := strings.Fields(l.must("", "mfactl", "codes", "alice@pve"))
	l.must("", "mfactl", "add", "--type", "duo", "alice@pve")
	away(20 * time.Second)
	for i, code := range []string{k.totp(0), codes[0]} {
		if r := l.talk("alice@pve", code); r.code != 1 || !strings.HasSuffix(r.out, "verdict refused\n") {
			t.Errorf("%d in converse: exit code %d\n%s", i, r.code, r.out)
		}
		if r := l.run(code+"\n", "oathverify", "alice@pve"); r.code != 1 {
			t.Errorf("%d: exit code %d", i, r.code)
		}
	}
	if n := len(s.Requests()); n != 8 {
		t.Errorf("Duo had %d requests, want 8: %v", n, s.Paths())
	}
	if r := l.talk("alice@pve", "111111"); r.code != 0 {
		t.Errorf("a passcode: exit code %d\n%s", r.code, r.out)
	}
}

// A device that a user gets beside Duo is activated by its first code in a talk as
// anywhere, and a guess at it counts like one at a passcode.
func TestDuoFirstCodeInATalk(t *testing.T) {
	l, s := newDuoLab(t, "prompts = 1")
	s.Know("fred", duotest.User{Devices: []duotest.Device{duotest.Phone()}, Passcodes: []string{"777777"}})
	f := newToken(t, 2)
	l.must("", "mfactl", "add", "--type", "duo", "fred@pam")
	l.must(f.key.Base32()+"\n", "mfactl", "add", "--type", "hotp", "fred@pam")
	if r := l.talk("fred@pam", f.hotp()); r.code != 0 {
		t.Errorf("the first code: exit code %d\n%s%v", r.code, r.out, s.Paths())
	}
	if r := l.talk("fred@pam", f.hotp()); r.code != 0 {
		t.Errorf("the second code: exit code %d\n%s%v", r.code, r.out, s.Paths())
	}
	if log := l.read("audit.jsonl"); strings.Count(log, `"verdict":"accepted"`) != 2 || strings.Contains(log, `"kind":"duo","reason"`) {
		t.Errorf("the audit log has\n%s", log)
	}
}

// Where no program checks passwords nobody has proved anything, so a wish for a
// push, a call or messages reaches no phone.
func TestDuoRingsForNoStranger(t *testing.T) {
	l, s := newDuoLab(t)
	for _, secret := range []string{"x,push", "x,phone", "x,sms", "push", "PUSH ", "", ","} {
		if r := l.run("alice@pve\n"+secret+"\n", "oathverify", "pipe", "--any-realm"); r.code != 1 {
			t.Errorf("%q: exit code %d\n%s", secret, r.code, r.err)
		}
	}
	if n := len(s.Requests()); n != 0 {
		t.Errorf("strangers have made %d requests: %v", n, s.Paths())
	}
	if log := l.read("audit.jsonl"); strings.Count(log, `"reason":"password-not-checked"`) != 7 {
		t.Errorf("the audit log has\n%s", log)
	}
	if r := l.run("alice@pve\nx,111111\n", "oathverify", "pipe", "--any-realm"); r.code != 0 {
		t.Errorf("a passcode: exit code %d\n%s", r.code, r.err)
	}
}

// Where no program checks passwords, whom Duo lets in without a factor has proved
// nothing at all, and that is no way in; nor is it that Duo cannot be reached.
func TestDuoBypassesNoPassword(t *testing.T) {
	l, s := newDuoLab(t, `failmode = "safe"`)
	hook := func(secret string) run { return l.run("in@pve\n"+secret+"\n", "oathverify", "pipe", "--any-realm") }
	for _, secret := range []string{"x,123456", "x123456", "x", ",", "x,push"} {
		if r := hook(secret); r.code != 1 {
			t.Errorf("%q: exit code %d\n%s", secret, r.code, r.err)
		}
	}
	s.Fault("/auth/v2/preauth", duotest.Fault{Status: 503})
	if r := hook("x,123456"); r.code != 1 || strings.Contains(r.err, "gets in") {
		t.Errorf("Duo is out of order: exit code %d\n%s", r.code, r.err)
	}
	l.must("123456\n", "oathverify", "in@pve") // whose caller has seen to the password
}

// Whose credential is taken away while the phone rings does not get in by it.
func TestDuoRemovedMeanwhile(t *testing.T) {
	for _, how := range []string{"disable", "remove", "replace"} {
		t.Run(how, func(t *testing.T) {
			l, s := newDuoLab(t)
			s.Know("carol", duotest.User{Devices: []duotest.Device{duotest.Phone()}, Phone: "allow", After: 5 * time.Second})
			id := l.credentialOf("carol@pam")
			got := make(chan run)
			go func() { got <- l.run("", "oathverify", "--json", "--method", "push", "carol@pam") }()
			for end := time.Now().Add(30 * time.Second); len(s.Requests()) < 3 && time.Now().Before(end); {
				time.Sleep(20 * time.Millisecond)
			}
			switch how {
			case "disable":
				l.must("", "mfactl", "disable", "carol@pam")
			default:
				l.must("", "mfactl", "remove", "carol@pam", id)
				if how == "replace" {
					l.must("", "mfactl", "add", "--type", "duo", "carol@pam")
				}
			}
			if r := <-got; r.code != 1 || !strings.Contains(r.out, `"verdict": "rejected"`) {
				t.Errorf("exit code %d\n%s%s", r.code, r.out, r.err)
			}
			if log := l.read("audit.jsonl"); !strings.Contains(log, `"verdict":"rejected","reason":"duo-gone"`) {
				t.Errorf("the audit log has\n%s", log)
			}
		})
	}
}

// A yes of Duo's that cannot be kept, or not be written to the audit log where
// none may be lost, is none.
func TestDuoYesIsKeptFirst(t *testing.T) {
	l, s := newDuoLab(t)
	s.Know("carol", duotest.User{Devices: []duotest.Device{duotest.Phone()}, Phone: "allow", After: 3 * time.Second, Passcodes: []string{"555555"}})
	got := make(chan run)
	go func() { got <- l.run("", "oathverify", "--json", "--method", "push", "carol@pam") }()
	for end := time.Now().Add(30 * time.Second); len(s.Requests()) < 3 && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
	damaged := 0
	err := filepath.WalkDir(l.path("store"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !strings.Contains(path, "carol") || !e.Type().IsRegular() {
			return err
		}
		damaged++
		return os.WriteFile(path, []byte("x"), 0o600)
	})
	if err != nil || damaged == 0 {
		t.Fatalf("%d files of the store were damaged: %v", damaged, err)
	}
	if r := <-got; r.code != 111 || !strings.Contains(r.out, `"verdict": "error"`) {
		t.Errorf("in a damaged store: exit code %d\n%s%s", r.code, r.out, r.err)
	}
	if log := l.read("audit.jsonl"); strings.Contains(log, `"verdict":"accepted"`) {
		t.Errorf("the audit log has\n%s", log)
	}
	toml := l.read("oathkit.toml")
	l.write("oathkit.toml", strings.Replace(toml, l.path("audit.jsonl"), "/dev/full", 1)+"[audit]\nrequired = true\n")
	for _, user := range []string{"alice@pve", "in@pve"} {
		if r := l.run("", "oathverify", "--json", "--method", "push", user); r.code != 111 || strings.Contains(r.out, "accepted") {
			t.Errorf("%s without an audit log: exit code %d\n%s%s", user, r.code, r.out, r.err)
		}
	}
}

// What cannot be a passcode is a no like any other, and not a fault of the site.
func TestDuoUnfitPasscodes(t *testing.T) {
	l, s := newDuoLab(t, "prompts = 1")
	for _, text := range []string{strings.Repeat("1", 129), "1\x01", "1\xff"} {
		if r := l.run(text+"\n", "oathverify", "alice@pve"); r.code != 1 || !strings.Contains(r.err, "wrong code, or too many tries") {
			t.Errorf("%q: exit code %d\n%s", text, r.code, r.err)
		}
	}
	if r := l.talk("alice@pve", strings.Repeat("1", 129)); r.code != 1 || !strings.HasSuffix(r.out, "verdict refused\n") {
		t.Errorf("in converse: exit code %d\n%s", r.code, r.out)
	}
	if got := strings.Join(s.Paths(), " "); got != "/auth/v2/preauth" {
		t.Errorf("Duo was asked %s", got)
	}
	if log := l.read("audit.jsonl"); strings.Count(log, `"verdict":"rejected","reason":"no-passcode"`) != 4 {
		t.Errorf("the audit log has\n%s", log)
	}
}

// What Duo said of one answer is not said of the next.
func TestDuoSaysItOnce(t *testing.T) {
	l, s := newDuoLab(t)
	s.Know("fred", duotest.User{Devices: []duotest.Device{duotest.Phone()}})
	f := newToken(t, 2)
	l.must("", "mfactl", "add", "--type", "duo", "fred@pam")
	l.must(f.key.Base32()+"\n", "mfactl", "add", "--type", "hotp", "fred@pam")
	const wrong = "warn Incorrect passcode. Please try again.\n"
	if r := l.talk("fred@pam", "000000", f.hotp()); r.code != 0 || strings.Count(r.out, wrong) != 1 || strings.Contains(r.out, "tell Incorrect") {
		t.Errorf("a right code: exit code %d\n%s", r.code, r.out)
	}
	if r := l.talk("alice@pve", "000000", "", ""); r.code != 1 || strings.Count(r.out, wrong) != 1 || strings.Count(r.out, "warn wrong code") != 2 {
		t.Errorf("empty answers: exit code %d\n%s", r.code, r.out)
	}
}

// The host's own question is asked behind Duo's list, too.
func TestDuoPrompt(t *testing.T) {
	l, _ := newDuoLab(t)
	r := l.run("user alice@pve\n\nanswer 111111\n", "oathverify", "converse", "--any-realm", "--prompt", "Which? ")
	if r.code != 0 || !strings.Contains(r.out, "\nask Which? \n") || strings.Contains(r.out, "Passcode or number") {
		t.Errorf("exit code %d\n%s", r.code, r.out)
	}
}

// credentialOf is the id of a user's only credential.
func (l *lab) credentialOf(user string) string {
	l.t.Helper()
	shown := l.must("", "mfactl", "show", user)
	for line := range strings.Lines(shown) {
		if id, _, _ := strings.Cut(line, " "); len(id) == 32 {
			return id
		}
	}
	l.t.Fatalf("no credential in\n%s", shown)
	return ""
}

// An oath-duo that somebody else could have put there is not run.
func TestDuoOfSomebodyElse(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("a file can be given away by root alone")
	}
	l, _ := newDuoLab(t)
	evil := "#!/bin/sh\necho '" + `{"ok":true,"result":"allow","stage":"auth","user":"alice","message":"","status":"allow","detail":"","devices":null}` + "'\n"
	b, err := os.ReadFile(filepath.Join(bin, "oathverify"))
	if err != nil {
		t.Fatal(err)
	}
	own, theirs := l.path("oathverify"), l.path("oath-duo")
	for path, text := range map[string]string{own: string(b), theirs: evil} {
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(theirs, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	cmd := l.command("oathverify", "--method", "push", "alice@pve")
	cmd.Path = own
	if r := finish(t, cmd); r.code != 111 || !strings.Contains(r.err, "oath-duo: belongs to uid 65534, neither root nor you") {
		t.Errorf("exit code %d\n%s", r.code, r.err)
	}
}
