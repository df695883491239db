package cmd

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"

	"oathkit/pkg/oath"
)

// readers are pairs of a recipient, as --encrypt-to takes it, and who can read.
func readers(t *testing.T) map[string]age.Identity {
	t.Helper()
	x, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	h, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	list := map[string]age.Identity{x.Recipient().String(): x, h.Recipient().String(): h}
	need(t, "ssh-keygen")
	for _, kind := range []string{"ed25519", "rsa"} {
		file := filepath.Join(t.TempDir(), kind)
		if out, err := exec.Command("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "alice's laptop", "-f", file).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen: %v\n%s", err, out)
		}
		secret, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		id, err := agessh.ParseIdentity(secret)
		if err != nil {
			t.Fatal(err)
		}
		public, err := os.ReadFile(file + ".pub")
		if err != nil {
			t.Fatal(err)
		}
		list[string(public)] = id
	}
	return list
}

// A sheet is all that is printed, is readable to its recipient alone, and has
// everything that the user needs: the key, as text and QR code, and recovery
// codes that are good.
func TestSheet(t *testing.T) {
	l := newLab(t)
	for recipient, identity := range readers(t) {
		kind, _, _ := strings.Cut(recipient, " ")
		t.Run(kind[:min(len(kind), 11)], func(t *testing.T) {
			armored := l.must("", "mfactl", "enable", "--issuer", "Office", "--encrypt-to", recipient, "alice@pve")
			if !strings.HasPrefix(armored, armor.Header+"\n") || !strings.HasSuffix(armored, "\n"+armor.Footer+"\n") {
				t.Errorf("there is more than the sheet:\n%s", armored)
			}
			plain, err := age.Decrypt(armor.NewReader(strings.NewReader(armored)), identity)
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(plain)
			if err != nil {
				t.Fatal(err)
			}
			checkSheet(t, l, string(b))
			l.must("", "mfactl", "disable", "--lock-out-anyway", "alice@pve")
		})
	}
}

func checkSheet(t *testing.T, l *lab, text string) {
	t.Helper()
	uri := regexp.MustCompile(`(?m)^uri: +(otpauth://.*)$`).FindStringSubmatch(text)
	if uri == nil {
		t.Fatalf("no URI in\n%s", text)
	}
	u, err := oath.ParseURI(uri[1])
	if err != nil || u.Issuer != "Office" || u.Account != "alice@pve" {
		t.Errorf("URI: %v, %v", u, err)
	}
	key := regexp.MustCompile(`(?m)^key: +([A-Z2-7 ]+)$`).FindStringSubmatch(text)
	if key == nil || strings.ReplaceAll(key[1], " ", "") != u.Key.Base32() {
		t.Error("the key is not that of the URI")
	}
	if list := l.must("", "mfactl", "list", "--show-keys"); !strings.Contains(list, u.Key.Base32()) {
		t.Error("the key is not that of the store")
	}
	if scanned := scanText(t, text[strings.Index(text, "█"):]); scanned != uri[1] {
		t.Errorf("the QR code reads %q", scanned)
	}
	codes := regexp.MustCompile(`(?m)^    ([a-z2-7]{4}(?:-[a-z2-7]{4}){3})$`).FindAllStringSubmatch(text, -1)
	if len(codes) != 10 {
		t.Fatalf("%d recovery codes", len(codes))
	}
	k := &token{key: u.Key}
	l.must(k.totp(0)+"\n", "oathverify", "alice@pve")
	for _, c := range codes[8:] {
		l.must(c[1]+"\n", "oathverify", "alice@pve")
	}
}

// Reset prints a sheet, too; on the way nothing else shows what is in it.
func TestSheetOfReset(t *testing.T) {
	l := newLab(t)
	x, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	l.must("", "mfactl", "enable", "alice@pve")
	r := l.run("", "mfactl", "reset", "--encrypt-to", x.Recipient().String(), "alice@pve")
	key := strings.Fields(l.must("", "mfactl", "list", "--show-keys"))
	if r.code != 0 || !strings.HasPrefix(r.out, armor.Header) || strings.Contains(r.out+r.err, key[len(key)-1]) {
		t.Errorf("exit code %d\n%s%s", r.code, r.out, r.err)
	}
}

// What is no recipient is not repeated, and nobody is enabled.
func TestSheetForNobody(t *testing.T) {
	l := newLab(t)
	x, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	secret := string(pem.EncodeToMemory(&pem.Block{Type: "OPENSSH PRIVATE KEY", Bytes: private}))
	good := x.Recipient().String()
	for _, bad := range []string{"", "age1", good[:20], x.String(), secret, "ssh-ed25519 AAAA", "ssh-dss AAAA", "alice", good + "\n" + good} {
		r := l.run("", "mfactl", "enable", "--encrypt-to", bad, "alice@pve")
		if r.code != 2 || r.out != "" {
			t.Errorf("%.10q: exit code %d, printed %q, said %s", bad, r.code, r.out, r.err)
		}
		if len(bad) > 10 && strings.Contains(r.err, bad) {
			t.Errorf("%.10q is repeated:\n%s", bad, r.err)
		}
	}
	if r := l.run("", "mfactl", "enable", "--json", "--encrypt-to", good, "alice@pve"); r.code != 2 {
		t.Errorf("with --json: exit code %d", r.code)
	}
	if r := l.run("", "mfactl", "show", "alice@pve"); r.code == 0 {
		t.Errorf("enabled all the same:\n%s", r.out)
	}
}
