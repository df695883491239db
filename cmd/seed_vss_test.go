package cmd

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"oathkit/pkg/oath"
)

// The transcripts of vss-cli's "account set mfa mk" and "rm", line by line, on
// the real program in a real terminal. What is not ours there (the endpoint,
// the name of the user, the frame of the server's messages) is left out.
func TestSeedVSS(t *testing.T) {
	l := newEnrolLab(t)
	l.withPassword("open sesame")
	c := talkTo(t, l.enroll("mk", "AUTHENTICATOR"))
	c.answer("Password: ", "open sesame")
	c.answer("\nRepeat for confirmation: ", "open sesame")
	c.answer("\nDo you have a phone to scan a QR Code to generate TOTP codes? [y/N]: ", "y")
	c.expect("\nPlease, scan the QR code with any authenticator App\n(DUO, Google Authenticator, Authy, etc) or password manager.\n")
	picture := c.answer("Do you like to display the security key? [y/N]: ", "y")
	c.expect("Use the following key if you are unable to scan the QR Code:\n")
	key := c.expect("\n")
	c.expect("Recovery codes are used to access your account in\nthe event you cannot get two-factor authentication codes.\n")
	codes := strings.Split(c.answer("\nWould you like to save the codes into a text file? [y/N]: ", "y"), "\n")
	c.expect("Written jm_ITS Private Cloud_recovery_codes.txt with recovery codes.\n")
	// Nothing is kept before the proof.
	if u := l.show("jm@pam"); u.found {
		t.Errorf("before the proof there is %+v", u)
	}
	k := keyOf(t, key)
	c.answer("Enter the 6-digit Code to verify enrolment was successful: ", k.totp(-1))
	c.expect("\nTOTP has been enabled\n")
	c.end(0)

	if got := scanShown(t, picture); got != "otpauth://totp/ITS%20Private%20Cloud:jm@pam?secret="+key+"&issuer=ITS%20Private%20Cloud" {
		t.Errorf("the QR code says %q", got)
	}
	if len(codes) != 8 {
		t.Errorf("recovery codes are %q, want 8", codes)
	}
	for _, code := range codes {
		if !regexp.MustCompile(`^([a-z2-7]{4}-){3}[a-z2-7]{4}$`).MatchString(code) {
			t.Errorf("%q is no recovery code", code)
		}
	}
	file := l.path("jm_ITS Private Cloud_recovery_codes.txt")
	if b, err := os.ReadFile(file); err != nil || string(b) != strings.Join(codes, "\n")+"\n" {
		t.Errorf("saved is %q, %v", b, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
		t.Errorf("%s: %v, %v", file, info.Mode(), err)
	}
	l.mustBe("jm@pam", 1, 8)

	// What it gave lets in, once.
	if r := l.run(k.totp(0)+"\n", "oathverify", "jm@pam"); r.code != 0 {
		t.Errorf("a code: exit code %d: %s", r.code, r.err)
	}
	for _, want := range []int{0, 1} {
		if r := l.run(codes[0]+"\n", "oathverify", "jm@pam"); r.code != want {
			t.Errorf("a recovery code: exit code %d, want %d: %s", r.code, want, r.err)
		}
	}

	c = talkTo(t, l.enroll("rm"))
	c.answer("Current code or recovery code: ", k.totp(1))
	c.answer("\nPassword: ", "open sesame")
	c.answer("\nRepeat for confirmation: ", "open sesame")
	c.expect("\nConfirmation email sent.\n")
	c.expect("You should have received an email with a confirmation token.\n")
	c.answer("Please, paste the token to continue: ", l.mailed(regexp.MustCompile(`([a-z2-7]{4}-){7}[a-z2-7]{4}`)))
	c.expect("\nTOTP has been disabled\n")
	c.end(0)
	if u := l.show("jm@pam"); u.found {
		t.Errorf("after the removal there is %+v", u)
	}
	l.nothingTold(append(codes, key)...)
}

// An enrolLab is a lab with mail and text messages, which end in files.
type enrolLab struct{ *lab }

func newEnrolLab(t *testing.T) enrolLab {
	t.Helper()
	l := enrolLab{newLab(t)}
	l.write("user.cfg", "user:jm@pam:1:0:J:M:jm@example.org:::\nuser:root@pam:1:0::::::\n")
	l.script("sendmail", `cat >"$0.mail" && echo "$*" >"$0.args" && env >"$0.env"`)
	l.script("sms", `cat >"$0.text" && echo "$*" >"$0.args" && env >"$0.env"`)
	l.configure("[oath]\nissuer = \"ITS Private Cloud\"\n" + fmt.Sprintf("[deliver.email]\ncommand = [%q, \"-t\", \"-i\"]\nfrom = \"noreply@example.org\"\n[deliver.sms]\ncommand = [%q]\n",
		l.path("sendmail"), l.path("sms")))
	// The store is made by the administrator's first command.
	l.must("", "mfactl", "enable", "first@pam")
	l.must("", "mfactl", "disable", "first@pam")
	return l
}

// configure adds to the configuration.
func (l enrolLab) configure(text string) {
	l.t.Helper()
	l.write("oathkit.toml", l.read("oathkit.toml")+text)
}

func (l enrolLab) script(name, body string) {
	l.t.Helper()
	if err := os.WriteFile(l.path(name), []byte("#!/bin/sh\n"+body+"\n"), 0o700); err != nil {
		l.t.Fatal(err)
	}
}

// withPassword gives the site a program that knows one password, for everybody
// whom it is asked about by name.
func (l enrolLab) withPassword(password string) {
	l.t.Helper()
	l.script("checkpassword", fmt.Sprintf(`given=$(tr '\0' ' ' <&3)
[ "$given" = "jm %s 0 " ] || exit 1
exec "$@"`, password))
	l.configure(fmt.Sprintf("[login]\npassword = [%q]\n", l.path("checkpassword")))
}

// mailed is what matches in the last mail.
func (l enrolLab) mailed(what *regexp.Regexp) string {
	l.t.Helper()
	return l.found("sendmail.mail", what)
}

func (l enrolLab) found(file string, what *regexp.Regexp) string {
	l.t.Helper()
	text := what.FindString(l.read(file))
	if text == "" {
		l.t.Fatalf("%s has no %v:\n%s", file, what, l.read(file))
	}
	return text
}

// A shown user is what "mfactl show --json" says of him.
type shownUser struct {
	found        bool
	RecoveryLeft int `json:"recovery_left"`
	Credentials  []struct {
		ID        string
		Type      string
		Algorithm string
		Digits    int
		Activated bool
	}
}

func (l enrolLab) show(user string) shownUser {
	l.t.Helper()
	r := l.run("", "mfactl", "show", "--json", user)
	var u shownUser
	if r.code != 0 {
		return u
	}
	if err := json.Unmarshal([]byte(r.out), &u); err != nil {
		l.t.Fatal(err)
	}
	u.found = true
	return u
}

// mustBe wants a user with so many credentials, all activated, and recovery
// codes.
func (l enrolLab) mustBe(user string, credentials, recovery int) {
	l.t.Helper()
	u := l.show(user)
	for _, c := range u.Credentials {
		if !c.Activated {
			l.t.Errorf("credential %s (%s) is not activated", c.ID, c.Type)
		}
	}
	if len(u.Credentials) != credentials || u.RecoveryLeft != recovery {
		l.t.Errorf("%s has %d credentials and %d recovery codes, want %d and %d", user, len(u.Credentials), u.RecoveryLeft, credentials, recovery)
	}
}

// nothingTold wants none of the secrets in the audit log, and none in the
// arguments and the environment of what was run.
func (l enrolLab) nothingTold(secrets ...string) {
	l.t.Helper()
	for _, name := range []string{"audit.jsonl", "sendmail.args", "sendmail.env", "sms.args", "sms.env"} {
		b, err := os.ReadFile(l.path(name))
		if err != nil && name == "audit.jsonl" {
			l.t.Error(err)
		}
		for _, secret := range secrets {
			if strings.Contains(string(b), secret) {
				l.t.Errorf("%s holds %q", name, secret)
			}
		}
	}
}

// keyOf is the token that somebody has who typed that key.
func keyOf(t testing.TB, key string) *token {
	t.Helper()
	k, err := oath.ParseKey(key)
	if err != nil {
		t.Fatalf("%q is no key: %v", key, err)
	}
	return &token{key: k}
}

// scanShown reads the QR code in what a terminal showed.
func scanShown(t *testing.T, shown string) string {
	t.Helper()
	if !strings.HasPrefix(shown, "\x1b[?1049h") {
		t.Errorf("the QR code is not on the alternate screen: %.40q", shown)
	}
	var lines []string
	for line := range strings.Lines(shown) {
		line = line[strings.LastIndexByte(line, 'J')+1:]
		if strings.ContainsAny(line, "█▄▀") {
			lines = append(lines, line)
		}
	}
	return scanText(t, strings.Join(lines, ""))
}
