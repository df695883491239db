package cmd

import "testing"

// Who was asked for a code while the keys were changed gets in with it.
func TestKeysChangeDuringALogin(t *testing.T) {
	l := newEnrolLab(t)
	l.configure("[seal]\nkey_file = \"" + l.path("seal.keys") + "\"\n")
	l.must("", "mfactl", "seal", "--rotate")
	k := l.enrolled()
	c := talkTo(t, l.command("oathverify", "jm@pam"))
	c.expect("One-time code: ")
	l.must("", "mfactl", "seal", "--rotate")
	c.send(k.totp(0) + "\r")
	c.end(0)
}
