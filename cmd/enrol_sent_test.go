package cmd

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"oathkit/pkg/deliver/mailtest"
)

// throughMSMTP has the site's mail go through msmtp to a server on loopback.
func (l enrolLab) throughMSMTP(t *testing.T) *mailtest.Server {
	t.Helper()
	need(t, "msmtp")
	msmtp, err := exec.LookPath("msmtp")
	if err != nil {
		t.Fatal(err)
	}
	server := mailtest.Serve(t)
	text := l.read("oathkit.toml")
	old := fmt.Sprintf("[%q, \"-t\", \"-i\"]", l.path("sendmail"))
	l.write("oathkit.toml", strings.Replace(text, old,
		fmt.Sprintf("[%q, \"--host=%s\", \"--port=%s\", \"--read-envelope-from\", \"-t\", \"-i\"]", msmtp, server.Host, server.Port), 1))
	return server
}

// next is the code or token in the next mail, which must be jm's.
func next(t *testing.T, s *mailtest.Server, subject string) (code string) {
	t.Helper()
	m := s.Next(t)
	head, body := m.Parse(t)
	if len(m.To) != 1 || m.To[0] != "jm@example.org" || head.Header.Get("Subject") != subject {
		t.Errorf("a mail to %q about %q", m.To, head.Header.Get("Subject"))
	}
	what := sixDigits()
	if subject == "Confirmation token" {
		what = tokens()
	}
	if code = what.FindString(body); code == "" {
		t.Fatalf("no code in\n%s", body)
	}
	return code
}

// A life with codes by e-mail, through msmtp: enrolment, a login with a code
// that was asked for, and the removal.
func TestEnrolByEmail(t *testing.T) {
	l := newEnrolLab(t)
	server := l.throughMSMTP(t)
	c := talkTo(t, l.enroll("mk", "EMAIL"))
	c.expect("Recovery codes are used to access your account in\nthe event you cannot get two-factor authentication codes.\n")
	codes := strings.Split(c.answer("\nWould you like to save the codes into a text file? [y/N]: ", "n"), "\n")
	if len(codes) != 8 {
		t.Errorf("recovery codes are %q", codes)
	}
	c.expect("Verification code requested\n")
	next(t, server, "Verification code")
	// A recovery code that was just shown proves nothing.
	c.answer("Enter the 6-digit Code to verify enrolment was successful: ", codes[0])
	c.end(1)
	if u := l.show("jm@pam"); u.found {
		t.Errorf("there is %+v", u)
	}
	c = talkTo(t, l.enroll("mk", "EMAIL"))
	c.answer("text file? [y/N]: ", "n")
	proof := next(t, server, "Verification code")
	c.answer("enrolment was successful: ", proof)
	c.expect("\nTOTP has been enabled\n")
	c.end(0)
	l.mustBe("jm@pam", 1, 8)
	if u := l.show("jm@pam"); len(u.Credentials) != 1 || u.Credentials[0].Type != "email" {
		t.Errorf("there is %+v", u)
	}

	// get-token needs no terminal, and not twice in half a minute.
	if r := finish(t, l.enroll("get-token")); r.code != 0 || r.err != "Verification code requested\n" {
		t.Errorf("get-token: %+v", r)
	}
	login := next(t, server, "Verification code")
	if r := finish(t, l.enroll("get-token")); r.code != 1 || !strings.Contains(r.err, "it is too soon for another one: wait ") {
		t.Errorf("get-token at once: %+v", r)
	}
	for _, tt := range []struct {
		code string
		exit int
	}{{proof, 1}, {login, 0}, {login, 1}} {
		c = talkTo(t, l.enroll("verify"))
		c.answer("Code: ", tt.code)
		c.end(tt.exit)
	}
	// The code that a removal asks for is sent, too.
	c = talkTo(t, l.enroll("rm"))
	c.expect("Verification code requested\n")
	c.answer("Current code or recovery code: ", next(t, server, "Verification code"))
	c.expect("Confirmation email sent.\n")
	token := next(t, server, "Confirmation token")
	c.answer("Please, paste the token to continue: ", token)
	c.expect("\nTOTP has been disabled\n")
	c.end(0)
	l.nothingTold(proof, login, token, codes[0])
}

// A mail that is refused fails the enrolment, with the command's own words.
func TestEnrolEmailRefused(t *testing.T) {
	l := newEnrolLab(t)
	server := l.throughMSMTP(t)
	server.Reject("550 nobody here")
	c := talkTo(t, l.enroll("mk", "EMAIL"))
	c.answer("text file? [y/N]: ", "y")
	c.expect("nobody here")
	c.end(111)
	if u := l.show("jm@pam"); u.found {
		t.Errorf("there is %+v", u)
	}
	if _, err := os.Stat(l.path("jm_ITS Private Cloud_recovery_codes.txt")); !os.IsNotExist(err) {
		t.Errorf("void codes are left: %v", err)
	}
	l.enrolled()
	c = talkTo(t, l.command("oathenroll", "--user", "ann@pam", "mk", "EMAIL"))
	c.expect("no e-mail address of ann@pam is known")
	c.end(1)
	if r := l.run("", "oathenroll", "--user", "jm@pam", "get-token"); r.code != 1 || !strings.Contains(r.err, "your codes are not sent") {
		t.Errorf("get-token: %+v", r)
	}
}

// A number is enrolled through the gateway's script, which gets the number as
// its argument and the text on standard input.
func TestEnrolBySMS(t *testing.T) {
	l := newEnrolLab(t)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"mk", "SMS"}, "--phone is required when using SMS"},
		{[]string{"mk", "SMS", "--phone", "call me"}, "a phone number has"},
		{[]string{"mk", "EMAIL", "--phone", "123456"}, `option "--phone" goes with SMS`},
		{[]string{"mk", "PIGEON"}, "it must be AUTHENTICATOR, EMAIL or SMS"},
	} {
		if r := l.run("", "oathenroll", tt.args...); r.code != 2 || !strings.Contains(r.err, tt.want) {
			t.Errorf("%v: %+v", tt.args, r)
		}
	}
	c := talkTo(t, l.enroll("mk", "SMS", "--phone", "+1 416 555 0100"))
	c.answer("text file? [y/N]: ", "n")
	c.expect("Verification code requested\n")
	code := l.found("sms.text", sixDigits())
	c.answer("enrolment was successful: ", code)
	c.end(0)
	if got := l.read("sms.args"); got != "+14165550100\n" {
		t.Errorf("the gateway is asked for %q", got)
	}
	l.nothingTold(code)
	l.mustBe("jm@pam", 1, 8)
	// Another number takes the place of the first, with a code of that.
	if r := finish(t, l.enroll("get-token")); r.code != 0 {
		t.Fatalf("get-token: %+v", r)
	}
	login := l.found("sms.text", sixDigits())
	c = talkTo(t, l.enroll("mk", "SMS", "--phone", "+14165550199"))
	c.expect("it is too soon for another one")
	c.answer("Current code or recovery code: ", login) // which is for a login
	c.expect("wrong code, or too many tries")
	c.end(1)
	if r := l.run(login+"\n", "oathverify", "jm@pam"); r.code != 0 {
		t.Fatalf("a login: %+v", r)
	}
	c = talkTo(t, l.enroll("mk", "SMS", "--phone", "+14165550199"))
	c.expect("Verification code requested\n")
	if got := l.read("sms.args"); got != "+14165550100\n" {
		t.Errorf("the current code goes to %q", got)
	}
	c.answer("Current code or recovery code: ", l.found("sms.text", sixDigits()))
	c.answer("text file? [y/N]: ", "n")
	c.expect("Verification code requested\n")
	c.answer("enrolment was successful: ", l.found("sms.text", sixDigits()))
	c.end(0)
	if got := l.read("sms.args"); got != "+14165550199\n" {
		t.Errorf("the new code goes to %q", got)
	}
	l.mustBe("jm@pam", 1, 8)

	l.script("sms", "cat >\"$0.text\"; echo \"no credit, cannot send $(cat \"$0.text\")\" >&2; exit 7")
	c = talkTo(t, l.command("oathenroll", "--user", "ann@pam", "mk", "SMS", "--phone", "123456"))
	c.answer("text file? [y/N]: ", "n")
	c.expect("no credit, cannot send")
	c.end(111)
	if code := l.found("sms.text", sixDigits()); strings.Contains(c.shown(), code) || !strings.Contains(c.shown(), "exit code 7") {
		t.Errorf("%s is shown, or the exit code is not:\n%s", code, c.shown())
	}
}

// A terminal that is too small for the QR code says so, and the key is left.
func TestEnrolSmallTerminal(t *testing.T) {
	l := newEnrolLab(t)
	c := talkOn(t, 80, 20, l.enroll("mk", "AUTHENTICATOR"))
	c.answer("TOTP codes? [y/N]: ", "y")
	c.expect("The QR code needs 45 columns and 24 rows, and this terminal has 80 and 20:\n")
	c.answer("security key? [y/N]: ", "n")
	c.answer("text file? [y/N]: ", "n")
	c.answer("successful: ", "")
	c.end(1)
}

// With answers given by options the pages wait for Enter, as no question does.
func TestEnrolAnswersByOptions(t *testing.T) {
	l := newEnrolLab(t)
	c := talkTo(t, l.enroll("mk", "AUTHENTICATOR", "--scan", "y", "--show-key", "y", "--save", "n"))
	c.expect("\x1b[?1049h")
	c.answer("Press Enter to go on ", "")
	c.expect("\x1b[?1049l")
	c.expect("to scan the QR Code:\n")
	k := keyOf(t, c.expect("\n"))
	c.answer("Press Enter to go on ", "")
	c.answer("enrolment was successful: ", k.totp(0))
	c.end(0)
	l.mustBe("jm@pam", 1, 8)
}

// Whose phone is lost, or whose gateway is down, has recovery codes.
func TestEnrolGatewayDown(t *testing.T) {
	l := newEnrolLab(t)
	c := talkTo(t, l.enroll("mk", "SMS", "--phone", "123456"))
	c.expect("two-factor authentication codes.\n")
	codes := strings.Fields(c.answer("Would you like to save the codes into a text file? [y/N]: ", "n"))
	c.expect("Verification code requested\n")
	c.answer("enrolment was successful: ", l.found("sms.text", sixDigits()))
	c.end(0)
	l.script("sms", "echo down >&2; cat >\"$0.text\"; exit 1")
	c = talkTo(t, l.enroll("rm"))
	c.expect("down")
	c.answer("Current code or recovery code: ", codes[3])
	c.expect("Confirmation email sent.\n")
	c.answer("Please, paste the token to continue: ", l.mailed(tokens()))
	c.expect("\nTOTP has been disabled\n")
	c.end(0)
}

// Where no event may be lost and one is, that is said after the change was
// made, and the codes that were saved stay, for they are good.
func TestEnrolAuditLost(t *testing.T) {
	l := newEnrolLab(t)
	l.configure("[audit]\nrequired = true\n")
	if err := os.Remove(l.path("audit.jsonl")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(l.path("audit.jsonl"), 0o700); err != nil {
		t.Fatal(err)
	}
	c := talkTo(t, l.enroll("mk", "AUTHENTICATOR"))
	c.answer("TOTP codes? [y/N]: ", "n")
	c.answer("security key? [y/N]: ", "y")
	c.expect("to scan the QR Code:\n")
	k := keyOf(t, c.expect("\n"))
	c.answer("text file? [y/N]: ", "y")
	c.answer("enrolment was successful: ", k.totp(0))
	c.expect("the change was made all the same")
	c.end(111)
	l.mustBe("jm@pam", 1, 8)
	if _, err := os.Stat(l.path("jm_ITS Private Cloud_recovery_codes.txt")); err != nil {
		t.Error(err)
	}
}

// Whoever interrupts a command that hangs leaves no file of codes.
func TestEnrolInterruptedWhileSending(t *testing.T) {
	l := newEnrolLab(t)
	l.script("sms", `cat >"$0.text"; sleep 30`)
	c := talkTo(t, l.enroll("mk", "SMS", "--phone", "123456"))
	c.answer("text file? [y/N]: ", "y")
	c.expect("Written ")
	eventually(t, func() bool { _, err := os.Stat(l.path("sms.text")); return err == nil })
	c.send("\x03")
	c.expect("oathenroll: error: the program was told to end")
	c.end(111)
	if files, _ := filepath.Glob(l.path("*recovery_codes*")); len(files) > 0 || l.show("jm@pam").found {
		t.Errorf("left are %q, %+v", files, l.show("jm@pam"))
	}
}
