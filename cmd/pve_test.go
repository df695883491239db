package cmd

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"oathkit/pkg/oath"
	"oathkit/pkg/realm/realmfile/pmxcfstest"
)

// A pveLab is a node of Proxmox VE: for the programs that it runs, /etc has a
// passwd file with root alone, and the cluster file system is at /etc/pve. The
// test sees that one as the folder pve of the lab.
type pveLab struct {
	*lab
	fs   *pmxcfstest.FS
	late atomic.Int64 // nanoseconds that the clock of the file system is ahead
	real bool         // whether it could be mounted; else a folder stands for it
}

func newPVELab(t *testing.T) *pveLab {
	t.Helper()
	why := ""
	if os.Geteuid() != 0 {
		why = "not root"
	} else if out, err := exec.Command("unshare", "-m", "true").CombinedOutput(); err != nil {
		why = fmt.Sprintf("no mount namespace of its own: %v %s", err, out)
	}
	if why != "" {
		if os.Getenv("CI") != "" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	l := &pveLab{lab: newLab(t)}
	l.fs = pmxcfstest.New(func() time.Time { return time.Now().Add(time.Duration(l.late.Load())) })
	for _, dir := range []string{"etc/pve", "pve"} {
		if err := os.MkdirAll(l.path(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	l.write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
	l.write("etc/group", "root:x:0:\n")
	unmount, err := l.fs.Mount(l.path("pve"))
	if err != nil {
		t.Logf("a folder stands for the cluster file system: %v", err)
		if err := os.MkdirAll(l.path("pve/priv/lock"), 0o700); err != nil {
			t.Fatal(err)
		}
		l.write("pve/local", "")
		return l
	}
	l.real = true
	t.Cleanup(func() {
		if err := unmount(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// node is a shell's words as root runs them on the node, where $R is realmctl.
func (l *pveLab) node(words string, args ...string) *exec.Cmd {
	script := `mount --bind "$LAB/etc" /etc && mount --bind "$LAB/pve" /etc/pve && R=$BIN/realmctl && unset LAB BIN && ` + words
	cmd := exec.Command("unshare", append([]string{"-m", "sh", "-c", script, "sh"}, args...)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LAB=" + l.dir, "BIN=" + bin}
	return cmd
}

// realmctl runs it on the node's own realm file.
func (l *pveLab) realmctl(args ...string) run {
	l.t.Helper()
	return finish(l.t, l.node(`exec "$R" -f /etc/pve/domains.cfg "$@"`, args...))
}

// setQuorum gives the node a majority of its cluster, or takes it away.
func (l *pveLab) setQuorum(has bool) {
	l.t.Helper()
	l.fs.SetQuorum(has)
	if !l.real {
		mode := map[bool]os.FileMode{true: 0o755, false: 0o555}[has]
		if err := os.Chmod(l.path("pve/local"), mode); err != nil {
			l.t.Fatal(err)
		}
	}
}

const pveRealms = "pam: pam\n\tcomment Linux PAM standard authentication\n\npve: pve\n\tcomment Proxmox VE authentication server\n"

// The procedure of Proxmox VE's page in its own place: the key goes into user.cfg,
// the realm is switched on, the key's codes are right, and the line goes again.
func TestPVEProcedure(t *testing.T) {
	l := newPVELab(t)
	l.write("pve/domains.cfg", pveRealms)
	l.write("pve/user.cfg", "user:root@pam:1:0:::root@example.org:::\n")
	r := l.realmctl("tfa", "enable", "pam")
	if r.code != 1 || !strings.Contains(r.err, "root@pam: no key in user.cfg; no TOTP entry in tfa.cfg") || l.read("pve/domains.cfg") != pveRealms {
		t.Fatalf("no keys: exit code %d: %s", r.code, r.err)
	}
	key := l.must("", "oathkeygen", "-f", "pve")
	l.write("key", key)
	l.write("pve/user.cfg", "user:root@pam:1:0:::root@example.org::"+strings.TrimSpace(key)+":\n")
	r = l.realmctl("tfa", "enable", "pam")
	asking := strings.Replace(pveRealms, "authentication\n", "authentication\n\ttfa type=oath\n", 1)
	if r.code != 0 || l.read("pve/domains.cfg") != asking || l.read("pve/domains.cfg~") != pveRealms {
		t.Fatalf("exit code %d: %s%s", r.code, r.err, l.read("pve/domains.cfg"))
	}
	secret, err := oath.ParseKey(strings.TrimSpace(key))
	if err != nil {
		t.Fatal(err)
	}
	phone := &token{key: secret}
	if r := l.run(phone.totp(0)+"\n", "oathverify", "-k", l.path("key")); r.code != 0 {
		t.Errorf("the code: exit code %d: %s", r.code, r.err)
	}
	if r = l.realmctl("check"); r.code != 0 {
		t.Errorf("exit code %d: %s", r.code, r.out)
	}
	if r = l.realmctl("tfa", "disable", "pam"); r.code != 0 || l.read("pve/domains.cfg") != pveRealms {
		t.Errorf("exit code %d: %s", r.code, r.err)
	}
	l.onlyRefused("rename with flags ")
}

// onlyRefused says that nothing was tried that the cluster file system does not
// do, but for these: the exchange of two names has another way.
func (l *pveLab) onlyRefused(expected ...string) {
	l.t.Helper()
	for _, what := range l.fs.Refused() {
		if !slices.ContainsFunc(expected, func(s string) bool { return strings.HasPrefix(what, s) }) {
			l.t.Errorf("refused: %s", what)
		}
	}
}

// Without a majority nothing can be changed, and it says what to do.
func TestPVENoQuorum(t *testing.T) {
	l := newPVELab(t)
	asking := strings.Replace(pveRealms, "authentication\n", "authentication\n\ttfa type=oath\n", 1)
	l.write("pve/domains.cfg", asking)
	l.setQuorum(false)
	for _, args := range [][]string{{"tfa", "disable", "pam"}, {"tfa", "disable", "--all"}, {"set", "pve", "comment", "x"}} {
		r := l.realmctl(args...)
		if r.code != 111 || !strings.Contains(r.err, "too few others of its cluster; nothing was changed") || !strings.Contains(r.err, "pvecm expected 1") {
			t.Errorf("%v: exit code %d: %s", args, r.code, r.err)
		}
	}
	if r := l.realmctl("list"); r.code != 0 || l.read("pve/domains.cfg") != asking {
		t.Errorf("list: exit code %d: %s", r.code, r.err)
	}
	l.setQuorum(true)
	if r := l.realmctl("tfa", "disable", "pam"); r.code != 0 || l.read("pve/domains.cfg") != pveRealms {
		t.Errorf("exit code %d: %s", r.code, r.err)
	}
}

// A lock is respected while its owner may live. One that a dead owner left is
// released by the cluster file system when it is two minutes old.
func TestPVEStaleLock(t *testing.T) {
	l := newPVELab(t)
	l.write("pve/domains.cfg", pveRealms)
	lock := l.path("pve/priv/lock/file-domains_cfg")
	if err := os.Mkdir(lock, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := l.node(`exec "$R" -f /etc/pve/domains.cfg set pve comment new`)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		t.Errorf("it did not wait: %v", err)
	case <-time.After(500 * time.Millisecond):
	}
	if l.read("pve/domains.cfg") != pveRealms {
		t.Error("it edited behind the lock")
	}
	if l.real {
		l.late.Store(int64(pmxcfstest.LockTime + time.Second))
	} else if err := os.Remove(lock); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil || !strings.Contains(l.read("pve/domains.cfg"), "comment new") {
		t.Errorf("%v, %s", err, l.read("pve/domains.cfg"))
	}
	if _, err := os.Stat(lock); err == nil {
		t.Error("the lock is left")
	}
}

// Where the cluster file system is not mounted, a file in its place is not what
// Proxmox VE reads.
func TestPVENotMounted(t *testing.T) {
	l := newPVELab(t)
	l.write("etc/pve/domains.cfg", "pam: pam\n\ttfa type=oath\n")
	cmd := l.node(`umount /etc/pve && exec "$R" -f /etc/pve/domains.cfg tfa disable pam`)
	if r := finish(t, cmd); r.code != 111 || !strings.Contains(r.err, "not mounted") || !strings.Contains(r.err, "nothing was changed") {
		t.Errorf("exit code %d: %s", r.code, r.err)
	}
	if got := l.read("etc/pve/domains.cfg"); got != "pam: pam\n\ttfa type=oath\n" {
		t.Errorf("%q", got)
	}
}

// pveEditor is how Proxmox VE itself edits a file: it takes the lock, makes a new
// file of the one that is there, and renames it into place.
const pveEditor = `i=0; tries=0; while [ $i -lt "$2" ]; do
	until mkdir /etc/pve/priv/lock/file-domains_cfg 2>/dev/null; do
		tries=$((tries + 1)); [ $tries -lt 5000 ] || { echo "never got the lock"; exit 1; }
		touch -c -d @0 /etc/pve/priv/lock/file-domains_cfg 2>/dev/null; sleep 0.01
	done
	tries=0
	i=$((i + 1))
	sed "/^pve: $1\$/,/^\$/s/round .*/round $i/" /etc/pve/domains.cfg >/etc/pve/domains.cfg.tmp.$$ &&
		mv /etc/pve/domains.cfg.tmp.$$ /etc/pve/domains.cfg || exit 1
	rmdir /etc/pve/priv/lock/file-domains_cfg
	sleep 0.02
done`

// ourEditor is the same with realmctl. The lock has no queue: who has bad luck
// tries again.
const ourEditor = `i=0; tries=0; while [ $i -lt "$2" ]; do
	if "$R" -f /etc/pve/domains.cfg set "$1" comment "round $((i + 1))"; then
		i=$((i + 1))
	else
		tries=$((tries + 1)); [ $tries -lt 20 ] || exit 1
	fi
	grep -A 1 -x "pve: $1" /etc/pve/domains.cfg | grep -qx "	comment round $i" || { echo "round $i is lost"; exit 1; }
done`

// Editors at once on the cluster file system, ours and Proxmox VE's, where the lock
// is a folder.
func TestPVEEditorsLoseNoUpdate(t *testing.T) {
	const editors = 3
	each := rounds(8, 500)
	l := newPVELab(t)
	var b strings.Builder
	for e := range editors {
		fmt.Fprintf(&b, "pve: editor%d\n\tcomment round 0\n\n", e)
	}
	l.write("pve/domains.cfg", b.String())
	var wg sync.WaitGroup
	for e := range editors {
		wg.Go(func() {
			script := ourEditor
			if e == 0 {
				script = pveEditor
			}
			if out, err := l.node(script, fmt.Sprintf("editor%d", e), fmt.Sprint(each)).CombinedOutput(); err != nil {
				t.Errorf("editor %d: %v: %s", e, err, out)
			}
		})
	}
	wg.Wait()
	want := strings.ReplaceAll(b.String(), "round 0", fmt.Sprintf("round %d", each))
	if got := l.read("pve/domains.cfg"); got != want {
		t.Errorf("%s", got)
	}
	// Others read the file meanwhile.
	l.onlyRefused("rename with flags ", "utime ", "rename over ")
}
