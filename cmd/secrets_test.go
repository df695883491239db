package cmd

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"oathkit/pkg/oath"
)

// A walk runs commands under strace and keeps what anybody on the machine, or
// whoever reads the logs, could have seen of them: arguments and environment of
// every process, what was sent to syslog, and all errors.
type walk struct {
	enrolLab
	secrets map[string]string // what must not be seen, by what it is
	seen    map[string]string // what could be seen, by where
}

func (w *walk) secret(what, value string) {
	if len(value) < 6 {
		w.t.Fatalf("%s is no secret: %q", what, value)
	}
	w.secrets[what] = value
}

// key keeps a key in all its spellings.
func (w *walk) key(what, base32 string) *token {
	w.t.Helper()
	k, err := oath.ParseKey(base32)
	if err != nil {
		w.t.Fatalf("%s: %v", what, err)
	}
	w.secret(what+" in base32", k.Base32())
	w.secret(what+" in hex", k.Hex())
	w.secret(what+" as bytes", string(k.Bytes()))
	return &token{key: k}
}

// code is the present code of a key, which is used up by the next step.
func (w *walk) code(what string, k *token) string {
	code := k.totp(0)
	w.secret(what, code)
	return code + "\n"
}

// step runs a program of ours; its exit code must be one of those.
func (w *walk) step(codes []int, stdin, prog string, args ...string) string {
	w.t.Helper()
	cmd := w.command(prog, args...)
	if prog == "oathkeygen" || prog == "oath-qrencode" || stdin == stateless {
		cmd.Args = append(cmd.Args[:1], args...)
	}
	trace := w.path(fmt.Sprintf("trace.%d", len(w.seen)))
	// Without a terminal of its own no step waits for an answer.
	cmd.Args = append([]string{"strace", "-f", "-v", "-s", "100000", "-e", "trace=execve,sendto,sendmsg", "-o", trace, "setsid", "-w", cmd.Path}, cmd.Args[1:]...)
	var err error
	if cmd.Path, err = exec.LookPath("strace"); err != nil {
		w.t.Fatal(err)
	}
	if stdin == stateless {
		stdin = w.secrets["a code"] + "\n"
	}
	cmd.Stdin = strings.NewReader(stdin)
	r := finish(w.t, cmd)
	if !slices.Contains(codes, r.code) {
		w.t.Fatalf("%s %v: exit code %d\n%s%s", prog, args, r.code, r.out, r.err)
	}
	name := fmt.Sprintf("%d: %s %v", len(w.seen), prog, args)
	w.seen[name] = w.read(filepath.Base(trace)) + r.err
	if !strings.Contains(w.seen[name], "execve(") {
		w.t.Fatalf("%s: strace saw nothing", name)
	}
	if err := os.Remove(trace); err != nil {
		w.t.Fatal(err)
	}
	return r.out
}

// stateless stands for a code that is judged without a store, and so without -c.
const stateless = "stateless"

// found says which secrets are in a text, in whatever spelling and case.
func (w *walk) found(text string) (list []string) {
	plain := strings.ToLower(strings.NewReplacer(" ", "", "-", "", "\n", "").Replace(text))
	for what, value := range w.secrets {
		if regexp.MustCompile(`^[0-9]{6}$`).MatchString(value) {
			if regexp.MustCompile(`\b` + value + `\b`).MatchString(text) {
				list = append(list, what)
			}
			continue
		}
		bare := strings.ToLower(strings.NewReplacer(" ", "", "-", "").Replace(value))
		if strings.Contains(text, value) || strings.Contains(plain, bare) {
			list = append(list, what)
		}
	}
	return list
}

// check looks through all that could be seen, and through the files.
func (w *walk) check() {
	w.t.Helper()
	w.seen["the audit log"] = w.read("audit.jsonl")
	for where, text := range w.seen {
		for _, what := range w.found(text) {
			w.t.Errorf("%s: %s is seen", where, what)
		}
	}
	err := filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil || info.Mode().Perm()&0o044 == 0 {
			return err
		}
		b, err := os.ReadFile(path)
		for _, what := range w.found(string(b)) {
			w.t.Errorf("%s has mode %v, and %s is in it", path, info.Mode(), what)
		}
		return err
	})
	if err != nil {
		w.t.Error(err)
	}
}

// Nothing secret is in the arguments or the environment of a process, in the
// audit log, in syslog, in an error, or in a file that others can read, whatever
// command is run, and whether it goes well or not.
func TestSecretsStaySecret(t *testing.T) {
	need(t, "strace")
	w := &walk{newEnrolLab(t), map[string]string{}, map[string]string{}}
	w.mustSee()
	away(20 * time.Second)
	w.walkKeys()
	w.walkAdministration()
	w.walkSending()
	w.walkEnrolment()
	w.walkExchange()
	w.walkFaults()
	w.check()
	t.Logf("%d commands, %d secrets", len(w.seen), len(w.secrets))
}

// mustSee proves that the walk would see a secret in each of the places.
func (w *walk) mustSee() {
	w.t.Helper()
	w.secret("a canary", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
	w.step([]int{1}, "", "mfactl", "show", "jbsw-y3dp-ehpk-3pxp-jbsw-y3dp-ehpk-3pxp@pam")
	for where, text := range w.seen {
		if len(w.found(text)) == 0 {
			w.t.Fatalf("%s: the canary is not found in\n%s", where, text)
		}
		delete(w.seen, where)
	}
	delete(w.secrets, "a canary")
	w.write("audit.jsonl", "")
}

// walkKeys is what anybody runs.
func (w *walk) walkKeys() {
	key := strings.TrimSpace(w.step([]int{0}, "", "oathkeygen"))
	k := w.key("a fresh key", key)
	uri := strings.TrimSpace(w.step([]int{0}, key+"\n", "oath-qrencode", "-t", "uri", "-a", "alice@pam", "-i", "Office"))
	w.step([]int{0}, uri+"\n", "oath-qrencode", "-o", w.path("key.png"))
	w.step([]int{0}, key+"\n", "oath-qrencode", "-t", "svg", "-o", w.path("key.svg"), "-a", "a", "-i", "b")
	w.step([]int{1, 2, 111}, key[:15]+"!"+key[15:]+"\n", "oath-qrencode", "-a", "a", "-i", "b")
	w.write("keys", key+"\n")
	w.secret("a code", k.totp(0))
	w.step([]int{0}, stateless, "oathverify", "-k", w.path("keys"))
	w.write("broken", key[:20]+"!"+"\n")
	w.step([]int{111}, stateless, "oathverify", "-k", w.path("broken"))
}

// walkAdministration is what root runs, sealed and in clear.
func (w *walk) walkAdministration() {
	one := []int{0, 1}
	var made struct{ Blob string }
	get := func(what, out string) *token {
		if err := json.Unmarshal([]byte(out), &made); err != nil {
			w.t.Fatal(err)
		}
		return w.key(what, made.Blob)
	}
	alice := get("alice's key", w.step([]int{0}, "", "mfactl", "enable", "--json", "alice@pam"))
	w.step([]int{0}, "\n", "oathverify", "--enrol", "alice@pam")
	w.step([]int{0}, w.code("alice's code", alice), "oathverify", "--json", "alice@pam")
	w.step([]int{1}, w.secrets["alice's code"]+"\n", "oathverify", "--explain", "alice@pam")
	for i, code := range strings.Fields(w.step([]int{0}, "", "mfactl", "codes", "alice@pam")) {
		w.secret(fmt.Sprintf("recovery code %d", i), code)
	}
	w.step([]int{0}, w.secrets["recovery code 3"]+"\n", "oathverify", "alice@pam")
	w.step([]int{1}, w.secrets["recovery code 3"]+"\n", "oathverify", "--explain", "alice@pam")

	added := w.key("an added key", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
	w.step([]int{0}, added.key.Base32()+"\n", "mfactl", "add", "--json", "alice@pam")
	w.step([]int{1}, added.key.Hex()+"\n", "mfactl", "add", "alice@pam")
	w.step([]int{1}, added.key.Base32()+"1\n", "mfactl", "add", "bob@pam")
	w.step([]int{1}, "otpauth://totp/x?secret="+added.key.Base32()+"&digits=99\n", "mfactl", "add", "bob@pam")
	w.step([]int{0}, "", "mfactl", "list", "--show-keys", "--json")
	for _, args := range [][]string{{"list"}, {"show", "alice@pam"}, {"ready"}, {"audit"}, {"audit", "--json"}, {"unlock", "alice@pam"}} {
		if out := w.step(one, "", "mfactl", args...); len(w.found(out)) > 0 {
			w.t.Errorf("mfactl %v prints %v", args, w.found(out))
		}
	}
	w.write("oathkit.toml", w.read("oathkit.toml")+fmt.Sprintf("[seal]\nkey_file = %q\n", w.path("seal.keys")))
	for range 2 {
		w.step([]int{0}, "", "mfactl", "seal", "--rotate")
	}
	for i, line := range regexp.MustCompile(`(?m)^[^#].*=$`).FindAllString(w.read("seal.keys"), -1) {
		w.secret(fmt.Sprintf("seal key %d", i), line)
	}
	w.step([]int{0}, "", "mfactl", "remove", "alice@pam", w.list("alice@pam")[1])
	get("alice's new key", w.step([]int{0}, "", "mfactl", "reset", "--json", "alice@pam"))
	w.step([]int{0}, "", "mfactl", "restored")
	w.step([]int{0}, "", "realmctl", "list")
	w.step([]int{0, 1}, "", "realmctl", "tfa", "enable", "pam")
	w.step([]int{0}, "", "realmctl", "tfa", "disable", "pam")
	w.step([]int{0}, "", "mfactl", "disable", "alice@pam")
}

// list is the ids of the user's credentials.
func (w *walk) list(user string) (ids []string) {
	for _, c := range w.credentials(user).Credentials {
		ids = append(ids, c.ID)
	}
	return ids
}

// walkSending is the way of a code to a phone, when all goes well and when not.
func (w *walk) walkSending() {
	w.write("domains.cfg", labRealms)
	w.script("sms", `umask 077; cat >"$0.text"`)
	w.receiver("carol@pam", "sms", "+4512345678")
	w.step([]int{1}, "", "oathverify", "--method", "sms", "carol@pam")
	w.secret("carol's code", sixDigits().FindString(w.read("sms.text")))
	w.step([]int{0}, w.secrets["carol's code"]+"\n", "oathverify", "carol@pam")
	w.script("sms", `umask 077; tee "$0.text" >&2; exit 1`)
	w.receiver("dave@pam", "sms", "+4587654321")
	w.step([]int{111}, "", "oathverify", "--json", "--method", "sms", "dave@pam")
	w.secret("dave's code", sixDigits().FindString(w.read("sms.text")))
}

// walkEnrolment is what a user runs.
func (w *walk) walkEnrolment() {
	w.withPassword("open sesame")
	w.secret("the password", "open sesame")
	args := []string{"--user", "jm@pam", "--batch", "mk", "AUTHENTICATOR", "--scan", "y", "--show-key", "y", "--save", "y"}
	lines := strings.Fields(w.step([]int{1}, "open sesame\nopen sesame\n000000\n", "oathenroll", args...))
	w.key("jm's key", lines[1])
	for i, code := range lines[2:] {
		w.secret(fmt.Sprintf("jm's recovery code %d", i), code)
	}
	w.step([]int{1}, "wrong sesame\nwrong sesame\n000000\n", "oathenroll", args...)

	k := w.key("jm's other key", "MZXW6YTBOI3DGNBVGY3TQOJQMZXW6YTB")
	w.step([]int{0}, k.key.Base32()+"\n", "mfactl", "add", "jm@pam")
	w.secret("jm's first code", k.totp(-1))
	w.step([]int{0}, k.totp(-1)+"\n", "oathverify", "jm@pam")
	for i, code := range strings.Fields(w.step([]int{0}, w.code("jm's code", k)+"open sesame\nopen sesame\n", "oathenroll", "--user", "jm@pam", "--batch", "codes", "--save", "n")) {
		w.secret(fmt.Sprintf("jm's newer recovery code %d", i), code)
	}
	w.step([]int{1}, w.secrets["jm's newer recovery code 0"]+"\nopen sesame\nopen sesame\nwrong-token\n", "oathenroll", "--user", "jm@pam", "--batch", "rm")
	w.secret("jm's token", w.mailed(tokens()))
	if err := os.Chmod(w.path("sendmail.mail"), 0o600); err != nil { // the test's own
		w.t.Fatal(err)
	}
	w.receiver("erin@pam", "email", "erin@example.org")
	w.step([]int{1}, "", "oathverify", "--method", "email", "erin@pam")
	w.secret("erin's code", w.mailed(sixDigits()))
}

// walkExchange is what comes from Proxmox VE and goes there.
func (w *walk) walkExchange() {
	k := w.key("an imported key", "MFRGGZDFMZTWQ2LK")
	const hash = "fd37d359ffbd1fce921035c09a386ae02e67c6e39ea3b8f608777daed41756c4"
	w.secret("the hash of an imported code", hash)
	w.write("tfa.cfg", `{"users":{"ina@pam":{"totp":[{"id":"a","created":1,"entry":{"totp":"otpauth://totp/ina?secret=`+k.key.Base32()+
		`","last-count":5}}],"recovery":{"secret":"0123456789abcdef","entries":["`+hash+`"],"created":1}}}}`)
	w.write("user.cfg", "user:ina@pam:1:0:::::"+k.key.Base32()+":\nuser:ino@pam:1:0:::::"+k.key.Base32()+"1:\n")
	for _, args := range [][]string{
		{"import", "-n", "--from", "pve-tfa", w.path("tfa.cfg")},
		{"import", "--json", "--from", "pve-tfa", w.path("tfa.cfg")},
		{"import", "--from", "pve-user", w.path("user.cfg")},
	} {
		if out := w.step([]int{0, 1}, "", "mfactl", args...); len(w.found(out)) > 0 {
			w.t.Errorf("mfactl %v prints %v", args, w.found(out))
		}
	}
	w.write("tfa.cfg", strings.Replace(w.read("tfa.cfg"), "&", "", 1)+" "+k.key.Base32())
	w.step([]int{1}, "", "mfactl", "import", "--from", "pve-tfa", w.path("tfa.cfg"))
	w.write("tfa.cfg", "ina@pam:oath:"+k.key.Base32()+"\n")
	w.step([]int{1}, "", "mfactl", "import", "--from", "pve-tfa", w.path("tfa.cfg"))
	w.step([]int{0, 1}, "", "mfactl", "export", "--to", "pve-tfa", "-o", w.path("out.cfg"))
	w.step([]int{0, 1}, "", "mfactl", "export", "--to", "pve-user", "-o", w.path("out.user"), w.path("user.cfg"))
}

// walkFaults is a site on which nothing works.
func (w *walk) walkFaults() {
	record, err := filepath.Glob(w.path("store/*/carol*.json"))
	if err != nil || len(record) != 1 {
		w.t.Fatal(record, err)
	}
	text, err := os.ReadFile(record[0])
	if err != nil {
		w.t.Fatal(err)
	}
	spoilt := strings.Replace(string(text), `"kind"`, `"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"`, 1)
	w.secret("a key in a spoilt record", "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
	if err := os.WriteFile(record[0], []byte(spoilt), 0o600); err != nil {
		w.t.Fatal(err)
	}
	for _, args := range [][]string{{"show", "carol@pam"}, {"list"}, {"audit"}, {"seal"}, {"restored"}, {"reset", "carol@pam"}, {"codes", "carol@pam"}} {
		w.step([]int{1, 111}, "", "mfactl", args...)
	}
	w.step([]int{111}, "123123\n", "oathverify", "carol@pam")
	w.write("seal.keys", w.secrets["seal key 0"]+"x\n")
	w.step([]int{111}, "123123\n", "oathverify", "carol@pam")
	w.step([]int{111}, "", "mfactl", "seal", "--rotate")
	for _, name := range []string{"key", "key_file"} {
		w.write("oathkit.toml", "[seal]\n"+name+" = \""+w.secrets["seal key 0"]+"\"\n")
		w.step([]int{111}, "", "mfactl", "list")
	}
	w.step([]int{2, 111}, "", "mfactl", "enable", "--encrypt-to", "nobody", "x@pam")
}
