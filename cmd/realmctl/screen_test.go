package main

import (
	"strings"
	"testing"
)

// A diff on a terminal moves no cursor and shows no password; elsewhere it is a patch.
func TestDiffOnATerminal(t *testing.T) {
	const old = "ldap: corp\n\tserver1 a\n\tbase_dn x\n\tuser_attr uid\n\tcomment \x1b[31mred\x1b]0;title\x07\n\tpassword  hunter2\n\tcapath /x\n"
	w := newWorld(t)
	w.write("domains.cfg", old)
	w.tool.dryRun = true
	for screen, want := range map[bool]string{
		true:  " \tcomment ?[31mred?]0;title?\n \tpassword [secret]\n \tcapath /x\n+\tverify 1\n",
		false: " \tcomment \x1b[31mred\x1b]0;title\x07\n \tpassword  hunter2\n \tcapath /x\n+\tverify 1\n",
	} {
		w.tool.screen = screen
		if code := w.run(w.tool.set, "corp", "verify", "1"); code != 0 || !strings.HasSuffix(w.out.String(), want) {
			t.Errorf("on a terminal %v: exit code %d:\n%q\n%s", screen, code, w.out.String(), w.talk.String())
		}
	}
}
