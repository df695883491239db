package cmd

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"oathkit/pkg/mfa"
	"oathkit/pkg/store/filestore"
)

// gateway makes the lab's way to send text messages, and mail, a script that
// keeps what it gets in the folder sent, a file a number or one for mail.
func (l *lab) gateway(body string) {
	l.t.Helper()
	if body == "" {
		body = "cat >\"$0.d/${1:-mail}\"\n"
	}
	l.write("gateway", "#!/bin/sh\n"+body)
	if err := os.Chmod(l.path("gateway"), 0o700); err != nil {
		l.t.Fatal(err)
	}
	if err := os.Mkdir(l.path("gateway.d"), 0o700); err != nil && !os.IsExist(err) {
		l.t.Fatal(err)
	}
	if conf := l.read("oathkit.toml"); !strings.Contains(conf, "[deliver") {
		l.write("oathkit.toml", conf+fmt.Sprintf("[oath]\nissuer = \"Office\"\n[deliver.sms]\ncommand = [%q]\n[deliver.email]\ncommand = [%q]\n",
			l.path("gateway"), l.path("gateway")))
	}
}

// receiver gives the user a credential whose codes are sent.
func (l *lab) receiver(user string, kind mfa.Kind, address string) {
	l.t.Helper()
	s, err := filestore.Open(l.path("store"), filestore.Options{Create: true})
	if err != nil {
		l.t.Fatal(err)
	}
	defer s.Close()
	err = s.Update(context.Background(), user, func(u mfa.User) (mfa.User, error) {
		after, _, err := mfa.Add(u, mfa.EnableOptions{Kind: kind, Address: address, Now: time.Now(), Random: rand.Reader})
		return after, err
	})
	if err != nil {
		l.t.Fatal(err)
	}
}

// sent is the code in the message that somebody got.
func (l *lab) sent(to string) string {
	l.t.Helper()
	code := regexp.MustCompile(`\b[0-9]{6}\b`).FindAllString(l.read("gateway.d/"+to), -1)
	if len(code) != 1 {
		l.t.Fatalf("%d codes in the message:\n%s", len(code), l.read("gateway.d/"+to))
	}
	return code[0]
}

// --method sends a code and answers no; the code is good once, and activates.
func TestSentCode(t *testing.T) {
	for kind, address := range map[mfa.Kind]string{mfa.SMS: "+4512345678", mfa.Email: "alice@example.org"} {
		t.Run(string(kind), func(t *testing.T) {
			l := newLab(t)
			l.gateway("")
			l.receiver("alice@pve", kind, address)
			r := l.run("", "oathverify", "--json", "--method", string(kind), "alice@pve")
			if r.code != 1 || !strings.Contains(r.out, `"verdict": "sent"`) || !strings.Contains(r.out, `"ok": false`) {
				t.Fatalf("exit code %d\n%s%s", r.code, r.out, r.err)
			}
			to := map[mfa.Kind]string{mfa.SMS: address, mfa.Email: "mail"}[kind]
			code, message := l.sent(to), l.read("gateway.d/"+to)
			if !strings.Contains(message, "Your verification code for Office is "+code+"\n") {
				t.Errorf("the message is\n%s", message)
			}
			if kind == mfa.Email && !strings.Contains(message, "\nTo: "+address+"\n") && !strings.HasPrefix(message, "To: "+address+"\n") {
				t.Errorf("the mail is\n%s", message)
			}
			// Asked for again at once, the code that was sent is still the one.
			if err := os.Remove(l.path("gateway.d/" + to)); err != nil {
				t.Fatal(err)
			}
			r = l.run("", "oathverify", "--json", "--method", string(kind), "alice@pve")
			if r.code != 1 || !strings.Contains(r.out, `"verdict": "sent"`) || strings.Contains(r.out, `"retry_after": 0`) {
				t.Errorf("again: exit code %d\n%s%s", r.code, r.out, r.err)
			}
			if _, err := os.Stat(l.path("gateway.d/" + to)); err == nil {
				t.Error("a second message was sent within moments")
			}
			l.must(code+"\n", "oathverify", "alice@pve")
			if r := l.run(code+"\n", "oathverify", "alice@pve"); r.code != 1 {
				t.Errorf("the code is good twice")
			}
			if log := l.read("audit.jsonl"); strings.Contains(log, code) || !strings.Contains(log, `"event":"send","user":"alice@pve"`) {
				t.Errorf("the audit log is\n%s", log)
			}
		})
	}
}

// Nothing is sent to whoever has no such factor, or is locked; to him it looks as
// every refusal does.
func TestNothingIsSent(t *testing.T) {
	l := newLab(t)
	l.gateway("")
	l.receiver("alice@pve", mfa.SMS, "+4512345678")
	l.receiver("bob@pve", mfa.SMS, "+4587654321")
	for range 7 {
		l.run("000000\n", "oathverify", "bob@pve")
	}
	l.must("", "mfactl", "enable", "carol@pam")
	for _, try := range [][]string{
		{"--method", "email", "alice@pve"},
		{"--method", "push", "alice@pve"}, // Duo is not asked of her
		{"--method", "phone", "nobody@pam"},
		{"--method", "sms", "bob@pve"},
		{"--method", "sms", "carol@pam"},
		{"--method", "sms", "nobody@pve"},
		{"--method", "sms", "nobody@pam"},
		{"--method", "sms", "bad name"},
	} {
		r := l.run("", "oathverify", try...)
		if r.code != 1 || r.err != "wrong code, or too many tries\n" || r.out != "" {
			t.Errorf("%v: exit code %d\n%s%s", try, r.code, r.out, r.err)
		}
	}
	if files, _ := os.ReadDir(l.path("gateway.d")); len(files) > 0 {
		t.Errorf("sent: %v", files)
	}
	for _, try := range [][]string{{"--method", "pull", "alice@pve"}, {"--method", "sms", "--enrol", "alice@pve"}, {"--method", "sms", "-k", "file"}} {
		if r := l.run("", "oathverify", try...); r.code != 111 {
			t.Errorf("%v: exit code %d\n%s", try, r.code, r.err)
		}
	}
}

// A message that cannot be delivered is told with what the command said, without
// the code, and the code is void.
func TestUndelivered(t *testing.T) {
	l := newLab(t)
	l.gateway("tee \"$0.d/$1\" >&2\necho no credit left >&2\nexit 75\n")
	l.receiver("alice@pve", mfa.SMS, "+4512345678")
	r := l.run("", "oathverify", "--method", "sms", "alice@pve")
	code := l.sent("+4512345678")
	if r.code != 111 || !strings.Contains(r.err, "exit code 75") || !strings.Contains(r.err, "no credit left") {
		t.Errorf("exit code %d\n%s", r.code, r.err)
	}
	if strings.Contains(r.err+r.out+l.read("audit.jsonl"), code) {
		t.Errorf("the code is told:\n%s", r.err)
	}
	if r := l.run(code+"\n", "oathverify", "alice@pve"); r.code != 1 {
		t.Errorf("the code is good: exit code %d", r.code)
	}
	l.gateway("")
	r = l.run("", "oathverify", "--json", "--method", "sms", "alice@pve")
	if r.code != 1 || !strings.Contains(r.out, `"verdict": "locked"`) {
		t.Errorf("at once again: exit code %d\n%s", r.code, r.out)
	}

	m := newLab(t)
	m.receiver("alice@pve", mfa.SMS, "+4512345678")
	if r := m.run("", "oathverify", "--method", "sms", "alice@pve"); r.code != 111 || !strings.Contains(r.err, "no command in [deliver.sms]") {
		t.Errorf("without a command: exit code %d\n%s", r.code, r.err)
	}
}

// On a terminal the code is sent before it is asked for.
func TestSentAtPrompt(t *testing.T) {
	l := newLab(t)
	l.gateway("")
	l.receiver("alice@pve", mfa.SMS, "+4512345678")
	exit, shown := converse(t, l.command("oathverify", "alice@pve"), "One-time code: ", "000000\r")
	if exit != 1 || !strings.Contains(shown, "a code has been sent to you") {
		t.Errorf("exit code %d, shown %q", exit, shown)
	}
	l.must(l.sent("+4512345678")+"\n", "oathverify", "alice@pve")
}

// One sent code, presented by many at once, lets exactly one in.
func TestOneSentCode(t *testing.T) {
	l := newLab(t)
	l.gateway("")
	const many = 32
	for i := range rounds(5, 100) {
		user, phone := fmt.Sprintf("u%d@pve", i), fmt.Sprintf("+45%08d", i)
		l.receiver(user, mfa.SMS, phone)
		l.run("", "oathverify", "--method", "sms", user)
		n := count(l.atOnce(repeat(user, many), repeat(l.sent(phone), many)))
		if n[0] != 1 || n[1] != many-1 {
			t.Fatalf("exit codes %v, want one 0 and %d of 1", n, many-1)
		}
	}
}

// Of many who ask for a code at once one message is sent, and its code is good.
func TestOneMessage(t *testing.T) {
	l := newLab(t)
	l.gateway("cat >\"$0.d/$$\"\n")
	l.receiver("alice@pve", mfa.SMS, "+4512345678")
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() { l.run("", "oathverify", "--method", "sms", "alice@pve") })
	}
	wait.Wait()
	files, err := os.ReadDir(l.path("gateway.d"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%d messages, %v", len(files), err)
	}
	l.must(l.sent(files[0].Name())+"\n", "oathverify", "alice@pve")
}

// A sent code and a reset at the same moment: either order, and afterwards
// nothing of before.
func TestSentCodeAndReset(t *testing.T) {
	l := newLab(t)
	l.gateway("")
	seen := map[int]int{}
	for i := range rounds(10, 100) {
		user, phone := fmt.Sprintf("u%d@pve", i), fmt.Sprintf("+45%08d", i)
		l.receiver(user, mfa.SMS, phone)
		before := l.credentials(user)
		l.run("", "oathverify", "--method", "sms", user)
		code := l.sent(phone)
		login, reset := l.loginAndReset(user, code, time.Duration(i%5)*time.Millisecond)
		seen[login.code]++
		if r := l.run(code+"\n", "oathverify", user); r.code != 1 {
			t.Errorf("the sent code is good after all: exit code %d", r.code)
		}
		l.checkReset(user, before, reset.out, newToken(t, i))
	}
	t.Logf("the code came first %d times, the reset %d times", seen[0], seen[1])
}
