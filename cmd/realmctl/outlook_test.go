package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// Who runs this: the kernel's word, then sudo's, then the process's.
func TestWhoRunsThis(t *testing.T) {
	const passwd = "root:x:0:0::/root:/bin/bash\n#x:x:1000:1::/:/bin/sh\nann:x:1000:1000::/home/ann:/bin/bash\nbob:x:1001:1001::/home/bob:/bin/sh\nops:x:400:400::/:/bin/bash\nsvc:x:401:401::/:/usr/sbin/nologin\n"
	for _, tt := range []struct {
		name  string
		login string
		uid   int
		env   string
		want  string
	}{
		{"root on the console", "0", 0, "USER=root", "[{root true}]"},
		{"the kernel knows, whatever sudo and su say", "1000", 0, "SUDO_UID=1001 SUDO_USER=bob USER=bob", "[{ann true}]"},
		{"an account below 1000 that logged in", "400", 0, "", "[{ops true}]"},
		{"sudo, where the kernel does not know", "", 0, "SUDO_UID=1001 SUDO_USER=bob USER=root", "[{bob true}]"},
		{"sudo's number counts, not its name", "", 0, "SUDO_UID=1001 SUDO_USER=ann", "[{bob true}]"},
		{"a user of a directory", "7000", 0, "SUDO_UID=7000 SUDO_USER=eve", "[{eve false}]"},
		{"a user of a directory whom nobody names", "7000", 0, "", "[{root true}]"},
		{"root by sudo from root", "", 0, "SUDO_UID=0 SUDO_USER=root", "[{root true}]"},
		{"su without a login id", "", 0, "USER=ann", "[{root true} {ann true}]"},
		{"a name that is nobody's", "", 0, "USER=alice", "[{root true}]"},
		{"a service", "", 401, "", "[]"},
	} {
		env := map[string]string{}
		for _, e := range strings.Fields(tt.env) {
			name, value, _ := strings.Cut(e, "=")
			env[name] = value
		}
		s := session{env: func(name string) string { return env[name] }, loginUID: tt.login, uid: tt.uid}
		if got := fmt.Sprint(s.people([]byte(passwd))); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func (w *world) loggedInAs(uid string) {
	w.tool.session = &session{env: func(string) string { return "" }, loginUID: uid}
}

// Whoever runs it is looked at too, in the user file or not, and one that is
// locked now is locked out: he is not there to unlock himself.
func TestGuardLooksAtWhoRunsIt(t *testing.T) {
	all := []readiness{{ID: "root@pam", Usable: 1}, {ID: "bob@pam", Usable: 1}}
	for _, tt := range []struct {
		name, users string
		ann         []readiness
		code        int
		says        string
	}{
		{"no factor", "", nil, 1, "your own (ann@pam) among them"},
		{"switched off in the user file, which oathverify does not ask", "user:ann@pam:0:\n", nil, 1, "your own (ann@pam) among them"},
		{"locked now", "", []readiness{{ID: "ann@pam", Usable: 1, Locked: true}}, 1, "ann@pam: the second factor is locked now"},
		{"a factor", "", []readiness{{ID: "ann@pam", Usable: 1}}, 0, "!your own"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, append(tt.ann, all...)...)
			w.write("passwd", passwd)
			w.write("user.cfg", tt.users)
			w.loggedInAs("1000")
			w.enables("pam", tt.code, tt.says)
		})
	}
	t.Run("another user who is locked now is not locked out", func(t *testing.T) {
		w := newWorld(t, append([]readiness{{ID: "ann@pam", Usable: 1, Locked: true}}, all...)...)
		w.write("passwd", passwd)
		w.write("user.cfg", "")
		w.loggedInAs("0")
		w.enables("pam", 0, "ann@pam has a second factor, but it is locked now")
	})
	t.Run("a user of a directory in its realm", func(t *testing.T) {
		w := newWorld(t, readiness{ID: "eve@corp", Usable: 1})
		w.write("user.cfg", "user:eve@corp:1:\n")
		w.tool.session = &session{env: func(name string) string {
			return map[string]string{"SUDO_UID": "7000", "SUDO_USER": "dan"}[name]
		}, loginUID: "7000"}
		w.enables("corp", 1, "your own (dan@corp) among them")
	})
}

// The plan names everybody and why.
func TestPlan(t *testing.T) {
	w := newWorld(t, readiness{ID: "ann@corp", Usable: 2}, readiness{ID: "pending@corp", Pending: 1}, readiness{ID: "busy@corp", Usable: 1, Locked: true})
	w.write("user.cfg", "user:ann@corp:1:\nuser:bare@corp:1:\nuser:busy@corp:1:\nuser:off@corp:0:\nuser:old@corp:1:5:\nuser:pending@corp:1:\n")
	w.tool.dryRun = true
	w.enables("corp", 1, "2 accounts have no usable second factor")
	for _, want := range []string{
		"bare@corp     locked out  no second factor; mfactl enable makes one\n",
		"pending@corp  locked out  only unactivated credentials (1): no right code was given yet\n",
		"ann@corp      gets in     2 activated credentials\n",
		"busy@corp     gets in     1 activated credential, locked now\n",
		"off@corp      no account  the account is disabled\n",
		"old@corp      no account  the account has expired\n",
		"\n+\ttfa type=oath\n",
	} {
		if !strings.Contains(w.out.String(), want) {
			t.Errorf("no %q in\n%s", want, w.out.String())
		}
	}

	w.tool.json = true
	w.enables("corp", 1)
	var got struct {
		Realm    string
		Refused  bool
		DryRun   bool `json:"dry_run"`
		Unknown  string
		Diff     string
		TFA      struct{ Type string }
		Accounts []standing
	}
	if err := json.Unmarshal(w.out.Bytes(), &got); err != nil {
		t.Fatalf("%v\n%s", err, w.out.String())
	}
	reasons := map[string]string{}
	for _, a := range got.Accounts {
		reasons[a.ID] = a.State + " " + a.Reason
	}
	if !got.Refused || !got.DryRun || got.Unknown != "" || got.Realm != "corp" || got.TFA.Type != "oath" || !strings.Contains(got.Diff, "+\ttfa type=oath") ||
		fmt.Sprint(reasons) != "map[ann@corp:fine activated bare@corp:locked-out no-factor busy@corp:fine activated off@corp:off disabled old@corp:off expired pending@corp:locked-out not-activated]" {
		t.Errorf("%+v\n%v", got, reasons)
	}

	// A look that fails is part of the plan; forced, the plan still shows.
	w.tool.json, w.tool.lockOut = false, true
	w.enablesDry("corp", 0, "bare@corp     locked out")
	w.tool.users = w.path("none.cfg")
	w.enablesDry("corp", 0, "not known: cannot read")
	w.tool.lockOut = false
	w.enablesDry("corp", 111, "not known: cannot read")
}

// enablesDry runs "tfa enable -n" and wants a text in what it prints.
func (w *world) enablesDry(realm string, code int, prints string) {
	w.Helper()
	if got := w.run(w.tool.enable, realm); got != code || !strings.Contains(w.out.String(), prints) {
		w.Errorf("exit code %d, want %d, and %q in\n%s%s", got, code, prints, w.out.String(), w.talk.String())
	}
}

func TestPlanOfPVE(t *testing.T) {
	w := newWorld(t)
	w.pveFiles("user:ann@pve:1:0::::::\nuser:bob@pve:1:0:::::p6ndpdl6qds7yfp4:\nuser:dan@pve:1:0:::::"+key+" b0gus!:\nuser:eve@pve:1:0::::::\nuser:off@pve:0:0::::::\n", totpTFA)
	w.tool.dryRun = true
	w.enables("pve", 1, "2 accounts")
	for _, want := range []string{
		"ann@pve  gets in     1 TOTP entry in tfa.cfg\n",
		"bob@pve  locked out  in user.cfg the key is in lower case",
		"dan@pve  gets in     1 key in user.cfg; key 2 is neither base32 nor hexadecimal\n",
		"eve@pve  locked out  no key in user.cfg; no TOTP entry in tfa.cfg\n",
		"off@pve  no account  the account is disabled\n",
	} {
		if !strings.Contains(w.out.String(), want) {
			t.Errorf("no %q in\n%s", want, w.out.String())
		}
	}
	if strings.Contains(w.out.String(), key) || strings.Contains(w.out.String(), "p6ndpdl6qds7yfp4") {
		t.Error("a key is in the plan")
	}
}
