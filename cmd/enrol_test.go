package cmd

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"oathkit/pkg/oath"
)

// enroll is oathenroll for jm, as the owner of the store runs it.
func (l enrolLab) enroll(args ...string) *exec.Cmd {
	return l.command("oathenroll", append([]string{"--user", "jm@pam"}, args...)...)
}

func sixDigits() *regexp.Regexp { return regexp.MustCompile(`\b[0-9]{6}\b`) }

func tokens() *regexp.Regexp { return regexp.MustCompile(`([a-z2-7]{4}-){7}[a-z2-7]{4}`) }

// begin goes through "mk AUTHENTICATOR" up to the proof, without a file. With a
// code it is the one of a user who has a factor already.
func (l enrolLab) begin(c *chat, code string) *token {
	l.t.Helper()
	if code != "" {
		c.answer("Current code or recovery code: ", code)
	}
	c.answer("TOTP codes? [y/N]: ", "n")
	c.answer("security key? [y/N]: ", "y")
	c.expect("to scan the QR Code:\n")
	k := keyOf(l.t, c.expect("\n"))
	c.answer("text file? [y/N]: ", "n")
	c.expect("Enter the 6-digit Code to verify enrolment was successful: ")
	return k
}

// enrolled gives jm an app and returns its key.
func (l enrolLab) enrolled() *token {
	l.t.Helper()
	k := newToken(l.t, 7)
	l.enrol("jm@pam", k, oath.TOTP)
	return k
}

// Whatever ends an enrolment before the right code leaves everything as it was:
// nothing for somebody new, and for others what they had.
func TestEnrolEndsBeforeTheProof(t *testing.T) {
	ends := map[string]func(c *chat){
		"wrong code": func(c *chat) {
			c.send("000000\r")
			c.expect("\noathenroll: error: wrong code: the enrolment was not verified, and nothing has been activated\n")
			c.end(1)
		},
		"no code":     func(c *chat) { c.send("\r"); c.end(1) },
		"interrupted": func(c *chat) { c.send("\x03"); c.end(111) },
		"terminated": func(c *chat) {
			if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Error(err)
			}
			c.end(111)
		},
		"killed": func(c *chat) {
			if err := c.cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
			c.end(-1)
		},
	}
	for name, end := range ends {
		t.Run(name+", new", func(t *testing.T) {
			l := newEnrolLab(t)
			c := talkTo(t, l.enroll("mk", "AUTHENTICATOR"))
			l.begin(c, "")
			end(c)
			if u := l.show("jm@pam"); u.found {
				t.Errorf("there is %+v", u)
			}
			if files, _ := filepath.Glob(l.path("*recovery_codes*")); len(files) > 0 {
				t.Errorf("there is %v", files)
			}
		})
		t.Run(name+", known", func(t *testing.T) {
			l := newEnrolLab(t)
			k := l.enrolled()
			l.must("", "mfactl", "codes", "jm@pam")
			c := talkTo(t, l.enroll("mk", "AUTHENTICATOR"))
			l.begin(c, k.totp(0))
			before := l.must("", "mfactl", "show", "--json", "jm@pam")
			end(c)
			if after := l.must("", "mfactl", "show", "--json", "jm@pam"); after != before {
				t.Errorf("it was\n%sand is\n%s", before, after)
			}
			l.mustBe("jm@pam", 1, 10)
		})
	}
}

// A factor that is there must be shown before another one is made, before new
// codes and before the removal. Wrong answers are counted.
func TestEnrolAsksForTheFactorFirst(t *testing.T) {
	l := newEnrolLab(t)
	k := l.enrolled()
	recovery := strings.Fields(l.must("", "mfactl", "codes", "jm@pam"))
	for i, args := range [][]string{{"mk", "AUTHENTICATOR"}, {"mk", "EMAIL"}, {"mk", "SMS", "--phone", "+123456"}, {"codes"}, {"rm"}} {
		c := talkTo(t, l.enroll(args...))
		c.answer("Current code or recovery code: ", "000000")
		c.expect("wrong code, or too many tries")
		c.end(1)
		if r := l.must("", "mfactl", "show", "jm@pam"); !strings.Contains(r, fmt.Sprintf("failures:  %d in a row", i+1)) {
			t.Errorf("%v: not counted:\n%s", args, r)
		}
	}
	l.mustBe("jm@pam", 1, 10)
	if _, err := os.Stat(l.path("sendmail.mail")); err == nil {
		t.Error("mail was sent")
	}

	// A recovery code does it, once; the codes that come then void the others.
	for _, tt := range []struct {
		code int
		want string
	}{{0, "Recovery codes are used"}, {1, "wrong code, or too many tries"}} {
		c := talkTo(t, l.enroll("codes"))
		c.answer("Current code or recovery code: ", recovery[len(recovery)-1])
		c.expect(tt.want)
		if tt.code == 0 {
			c.answer("text file? [y/N]: ", "n")
		}
		c.end(tt.code)
	}
	l.mustBe("jm@pam", 1, 8)
	// A second app stands beside the first.
	c := talkTo(t, l.enroll("mk", "AUTHENTICATOR"))
	second := l.begin(c, k.totp(0))
	c.send(second.totp(0) + "\r")
	c.end(0)
	l.mustBe("jm@pam", 2, 8)
	// The code that proved it is used up.
	if r := l.run(second.totp(0)+"\n", "oathverify", "jm@pam"); r.code != 1 {
		t.Errorf("the code of the proof: exit code %d", r.code)
	}
}

func TestEnrolPassword(t *testing.T) {
	l := newEnrolLab(t)
	l.withPassword("open sesame")
	c := talkTo(t, l.enroll("mk", "AUTHENTICATOR"))
	c.answer("Password: ", "open sesame")
	c.answer("Repeat for confirmation: ", "open says me")
	c.expect("the two entered passwords do not match")
	c.end(1)
	c = talkTo(t, l.enroll("mk", "AUTHENTICATOR"))
	c.answer("Password: ", "guessed")
	c.answer("Repeat for confirmation: ", "guessed")
	c.expect("wrong password")
	c.end(1)
	l.script("checkpassword", "echo down >&2; exit 111")
	c = talkTo(t, l.enroll("mk", "AUTHENTICATOR"))
	c.answer("Password: ", "open sesame")
	c.answer("Repeat for confirmation: ", "open sesame")
	c.expect("oathenroll: error: ")
	c.end(111)
	if strings.Contains(c.shown(), "open sesame") {
		t.Errorf("the password is shown:\n%s", c.shown())
	}
	l.nothingTold("open sesame", "guessed")
}

// An app that takes no notice of SHA256 and 8 digits is found out, and what it
// does can be kept.
func TestEnrolAppIgnored(t *testing.T) {
	l := newEnrolLab(t)
	text := l.read("oathkit.toml")
	l.write("oathkit.toml", strings.Replace(text, "[oath]\n", "[oath]\nalgorithm = \"SHA256\"\ndigits = 8\n", 1))
	for _, tt := range []struct {
		answer string
		exit   int
	}{{"n", 1}, {"y", 0}} {
		c := talkTo(t, l.enroll("mk", "AUTHENTICATOR"))
		c.answer("TOTP codes? [y/N]: ", "n")
		c.answer("security key? [y/N]: ", "y")
		c.expect("to scan the QR Code:\n")
		k := keyOf(t, c.expect("\n"))
		c.answer("text file? [y/N]: ", "n")
		c.answer("Enter the 8-digit Code to verify enrolment was successful: ", k.totp(0))
		c.expect("The code is right, but for SHA1 with 6 digits: the app ignored that the key is for SHA256 with 8 digits.\n")
		c.answer("Would you like to use what the app does? [y/N]: ", tt.answer)
		c.end(tt.exit)
		switch u := l.show("jm@pam"); {
		case tt.exit == 1 && u.found:
			t.Errorf("there is %+v", u)
		case tt.exit == 0 && (len(u.Credentials) != 1 || u.Credentials[0].Algorithm != "SHA1" || u.Credentials[0].Digits != 6 || !u.Credentials[0].Activated):
			t.Errorf("there is %+v", u)
		}
	}
}

// The token removes once. A wrong one, one of an earlier enrolment and none at
// all remove nothing.
func TestEnrolRemoval(t *testing.T) {
	l := newEnrolLab(t)
	ask := func(code string) *chat {
		c := talkTo(t, l.enroll("rm"))
		if code != "" {
			c.answer("Current code or recovery code: ", code)
		}
		return c
	}
	k := l.enrolled()
	c := ask(k.totp(0))
	c.expect("\nConfirmation email sent.\nYou should have received an email with a confirmation token.\n")
	first := l.mailed(tokens())
	if mail := l.read("sendmail.mail"); !strings.Contains(mail, "To: jm@example.org\n") || !strings.Contains(mail, "From: noreply@example.org\n") {
		t.Errorf("the mail is\n%s", mail)
	}
	wrong := "aaaa" + first[4:]
	c.answer("Please, paste the token to continue: ", wrong)
	c.expect("wrong token, or too many tries")
	c.end(1)
	l.mustBe("jm@pam", 1, 0)
	// Another one so soon is refused.
	c = ask(k.totp(1))
	c.expect("it is too soon for another one: wait ")
	c.end(1)
	// The administrator resets; the token is void with what it was for.
	l.must("", "mfactl", "reset", "jm@pam")
	c = ask("")
	c.answer("Please, paste the token to continue: ", first)
	c.expect("wrong token, or too many tries")
	c.end(1)
	if u := l.show("jm@pam"); !u.found {
		t.Error("the old token has removed the new factor")
	}
	l.must("", "mfactl", "disable", "jm@pam")
	// What is not activated goes by the token alone; blanks do not matter.
	l.must("", "mfactl", "enable", "jm@pam")
	c = ask("")
	c.expect("\nYou should")
	c.answer("to continue: ", " "+strings.ToUpper(strings.ReplaceAll(l.mailed(tokens()), "-", " ")))
	c.expect("\nTOTP has been disabled\n")
	c.end(0)
	c = talkTo(t, l.enroll("rm"))
	c.expect("you have no second factor")
	c.end(1)
	l.nothingTold(first, wrong)
}

func TestEnrolRemovalRefused(t *testing.T) {
	l := newEnrolLab(t)
	l.must("", "mfactl", "enable", "ann@pve")
	c := talkTo(t, l.command("oathenroll", "--user", "ann@pve", "rm"))
	c.expect("removing it would lock ann@pve out: ")
	c.end(1)
	l.must("", "mfactl", "enable", "root@pam")
	c = talkTo(t, l.command("oathenroll", "--user", "root@pam", "rm"))
	c.expect("no e-mail address of root@pam is known")
	c.end(1)
	l.must("", "mfactl", "enable", "jm@pam")
	l.script("sendmail", "cat >\"$0.mail\"; echo the queue is full >&2; exit 75")
	c = talkTo(t, l.enroll("rm"))
	c.expect("75")
	c.expect("the queue is full")
	c.end(111)
	if strings.Contains(c.shown(), l.mailed(tokens())) {
		t.Errorf("the token is shown:\n%s", c.shown())
	}
	l.write("oathkit.toml", strings.Split(l.read("oathkit.toml"), "[deliver.email]")[0])
	c = talkTo(t, l.enroll("rm"))
	c.expect("the configuration names no command in [deliver.email]")
	c.end(111)
}

// Without a terminal every answer must be given, and then a script can enrol:
// it reads the key and writes the code.
func TestEnrolBatch(t *testing.T) {
	l := newEnrolLab(t)
	cmd := l.enroll("mk", "AUTHENTICATOR")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if r := finish(t, cmd); r.code != 2 || !strings.Contains(r.err, "no terminal to ask on") || !strings.Contains(r.err, "--batch") {
		t.Errorf("no terminal: %+v", r)
	}
	if r := l.run("", "oathenroll", "--user", "jm@pam", "--batch", "mk", "AUTHENTICATOR", "--scan", "n", "--show-key", "y"); r.code != 2 || !strings.Contains(r.err, `"--save"`) {
		t.Errorf("an answer is missing: %+v", r)
	}
	l.withPassword("open sesame")
	cmd = l.enroll("--batch", "mk", "AUTHENTICATOR", "--scan", "y", "--show-key", "y", "--save", "y")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(l.path("printed"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	var talk strings.Builder
	cmd.Stdout, cmd.Stderr = out, &talk
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write([]byte("open sesame\nopen sesame\n")); err != nil {
		t.Fatal(err)
	}
	var lines []string
	eventually(t, func() bool {
		lines = strings.Split(l.read("printed"), "\n")
		return len(lines) > 10
	})
	if !strings.HasPrefix(lines[0], "otpauth://totp/") || !strings.Contains(lines[0], lines[1]) {
		t.Errorf("printed is %q", lines)
	}
	if _, err := in.Write([]byte(keyOf(t, lines[1]).totp(0) + "\n")); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if talk.String() != "Written jm_ITS Private Cloud_recovery_codes.txt with recovery codes.\nTOTP has been enabled\n" {
		t.Errorf("said is %q", talk.String())
	}
	l.mustBe("jm@pam", 1, 8)
	if !strings.HasPrefix(l.read("jm_ITS Private Cloud_recovery_codes.txt"), lines[2]+"\n") {
		t.Errorf("printed is %q", lines)
	}
	// A script that ends too soon enrols nothing.
	if r := l.run(strings.Repeat("open sesame\n", 2), "oathenroll", "--user", "ann@pam", "--batch", "mk", "AUTHENTICATOR", "--scan", "n", "--show-key", "y", "--save", "n"); r.code != 1 {
		t.Errorf("ann has no such password: %+v", r)
	}
}

// The name of the codes file leads nowhere else, and no file is overwritten.
func TestEnrolCodesFile(t *testing.T) {
	l := newEnrolLab(t)
	l.write("oathkit.toml", strings.Replace(l.read("oathkit.toml"), "ITS Private Cloud", "../a/b", 1))
	const name = "jm_.._a_b_recovery_codes.txt"
	l.write(name, "mine\n")
	c := talkTo(t, l.enroll("mk", "AUTHENTICATOR"))
	c.answer("TOTP codes? [y/N]: ", "n")
	c.answer("security key? [y/N]: ", "n")
	c.answer("text file? [y/N]: ", "y")
	c.expect(fmt.Sprintf("%q exists already, and a file is never overwritten", name))
	if err := os.Remove(l.path(name)); err != nil {
		t.Fatal(err)
	}
	c.answer("text file? [y/N]: ", "maybe")
	c.expect("Please answer y or n\n")
	c.answer("text file? [y/N]: ", "y")
	c.expect("Written " + name + " with recovery codes.\n")
	c.answer("successful: ", "1")
	c.end(1)
	if _, err := os.Stat(l.path(name)); !os.IsNotExist(err) {
		t.Errorf("void codes are left: %v", err)
	}
}
