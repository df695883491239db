package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"oathkit/pkg/account"
	"oathkit/pkg/realm"
)

// Keys that are in two files are named, never shown.
func TestCheckNamesCopiedKeys(t *testing.T) {
	const entry = `{"id":"a","created":1,"entry":{"totp":"otpauth://totp/a?secret=SECRET&digits=6","last-count":5}}`
	tfaOf := func(user, secret string) string {
		return `"` + user + `":{"totp":[` + strings.Replace(entry, "SECRET", secret, 1) + `]}`
	}
	const hexed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" // hexKey in base32
	w := newWorld(t)
	w.pveFiles("user:ann@pve:1:0:::::"+key+":\nuser:bob@pve:1:0:::::"+hexKey+","+key+":\nuser:dan@pve:1:0:::::"+key+":\nuser:eve@pve:1:0:::::x:\n",
		`{"users":{`+tfaOf("ann@pve", key)+`,`+tfaOf("bob@pve", hexed)+`,`+tfaOf("dan@pve", hexed)+`,`+tfaOf("eve@pve", key)+`}}`)
	check := func(code int) string {
		t.Helper()
		if got := w.run(w.tool.check); got != code {
			t.Errorf("exit code %d, want %d: %s%s", got, code, w.out.String(), w.talk.String())
		}
		text := w.out.String()
		if strings.Contains(text, key) || strings.Contains(text, hexKey) || strings.Contains(text, hexed) {
			t.Errorf("a key is in what it says:\n%s", text)
		}
		return text
	}
	text := check(0)
	for _, want := range []string{
		"user.cfg:1: warning: PVE has copied 1 key of \"ann@pve\" to " + w.path("pve/priv/tfa.cfg"),
		"user.cfg:2: warning: PVE has copied 1 key of \"bob@pve\"",
		"pveum user tfa delete ann@pve",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "dan@pve") || strings.Contains(text, "eve@pve") {
		t.Errorf("others are named:\n%s", text)
	}

	// A copy of the files elsewhere is looked at likewise, and need not be whole.
	w.tool.file = w.path("copy/domains.cfg")
	w.write("copy/domains.cfg", w.read("pve/domains.cfg"))
	w.write("copy/user.cfg", w.read("pve/user.cfg"))
	if text := check(0); strings.Contains(text, "copied") {
		t.Errorf("copied where there is no tfa.cfg:\n%s", text)
	}
	w.write("copy/priv/tfa.cfg", w.read("pve/priv/tfa.cfg"))
	if text := check(0); strings.Count(text, "has copied") != 2 {
		t.Errorf("not two keys:\n%s", text)
	}
}

// The numbers that list gives of Proxmox VE's files.
func TestListCountsForPVE(t *testing.T) {
	w := newWorld(t)
	w.pveFiles("user:ann@pve:1:0:::::x:\nuser:bob@pve:1:0:::::"+key+":\nuser:dan@pve:1:0::::::\nuser:off@pve:0:0:::::"+key+":\nuser:eve@corp:1:0::::::\n",
		strings.Replace(totpTFA, `{"totp"`, `{"totp-locked":true,"totp"`, 1))
	list := func(want ...string) {
		t.Helper()
		if code := w.run(w.tool.list); code != 0 {
			t.Errorf("exit code %d: %s", code, w.talk.String())
		}
		for _, s := range want {
			found := false
			for line := range strings.Lines(w.out.String()) {
				found = found || strings.HasPrefix(strings.Join(strings.Fields(line), " "), s)
			}
			if !found {
				t.Errorf("no %q in\n%s%s", s, w.out.String(), w.talk.String())
			}
		}
	}
	list("pve pve - - 3 1 1 ours", "corp ldap - - 1 0 0", "pam pam - - 1 0 0 local")
	w.write("pve/priv/tfa.cfg", "nonsense")
	list("pve pve - - 3 ? ? ours", "pam pam - - 1 ? ? local")
	w.write("pve/domains.cfg", "pve: pve\n\ttfa type=yubico,id=1,key=abc\n\n")
	list("pve pve - yubico 3 ? ?")
	w.tool.users = w.path("none")
	list("pve pve - yubico ? ? ?", "pam pam - - ? ? ?")
}

// The manual lists what check says of more than a line of the domains file.
func TestManualListsTheCodes(t *testing.T) {
	manual, err := os.ReadFile("../../man/man8/realmctl.8")
	if err != nil {
		t.Fatal(err)
	}
	users := account.ParseUsers([]byte("user:x\nuser:a@pve:1:x:\nuser:b@pve:no:20301231:\nuser:b@pve:off:20301231::::" + key + "::\n# x\nUser:\n" +
		"user:c@nope:1:0:::::v2-AA:\nuser:d@pve:1:0:::::" + strings.ToLower(key) + ":\n"))
	codes := []string{"file-mode", "file-owner", "locked-out", "tfa-cfg", "copied-key"}
	for _, f := range userFaults("user.cfg", users, realm.Parse(nil)) {
		codes = append(codes, f.Code)
	}
	slices.Sort(codes)
	codes = slices.Compact(codes)
	if len(codes) != 16 {
		t.Errorf("not all of them: %q", codes)
	}
	for _, code := range codes {
		if !regexp.MustCompile(`(?m)^\.It Sy .*\b` + code + `\b`).Match(manual) {
			t.Errorf("realmctl(8) does not list %s", code)
		}
	}
}
