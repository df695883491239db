package cmd

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// An installation puts everything in its place, keeps a configuration that is
// there, and can be taken away again but for what the administrator may have
// written.
func TestInstall(t *testing.T) {
	need(t, "make")
	root := t.TempDir()
	makeTarget := func(target string) string {
		t.Helper()
		cmd := exec.Command("make", "-C", "..", target, "DESTDIR="+root, "PREFIX=/usr")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("make %s: %v\n%s", target, err, out)
		}
		return string(out)
	}
	makeTarget("install")
	for path, mode := range map[string]fs.FileMode{
		"usr/bin/oathkeygen":                                 0o755,
		"usr/bin/oath-qrencode":                              0o755,
		"usr/bin/oathenroll":                                 0o755,
		"usr/share/doc/oathkit/configs/sudoers.d/oathenroll": 0o644,
		"usr/share/doc/oathkit/configs/pam.d/module/sshd":    0o644,
		"usr/sbin/oathverify":                                0o755,
		"usr/sbin/realmctl":                                  0o755,
		"usr/sbin/oath-duo":                                  0o755,
		"usr/sbin/mfactl":                                    0o755,
		"usr/share/man/man1/oathkeygen.1":                    0o644,
		"usr/share/man/man5/oathkit.toml.5":                  0o644,
		"usr/share/man/man8/realmctl.8":                      0o644,
		"usr/share/bash-completion/completions/realmctl":     0o644,
		"usr/share/zsh/site-functions/_realmctl":             0o644,
		"usr/share/fish/vendor_completions.d/realmctl.fish":  0o644,
		"usr/share/doc/oathkit/README.md":                    0o644,
		"usr/lib/sysusers.d/oathkit.conf":                    0o644,
		"etc/oathkit/oathkit.toml":                           0o644,
		"etc/logrotate.d/oathkit":                            0o644,
		"var/lib/oathkit":                                    0o700 | fs.ModeDir,
		"var/log/oathkit":                                    0o700 | fs.ModeDir,
		"usr/lib/systemd/system/oathkit-trial@.path":         0o644,
		"usr/lib/systemd/system/oathkit-trial@.service":      0o644,
	} {
		info, err := os.Lstat(filepath.Join(root, path))
		if err != nil {
			t.Error(err)
		} else if info.Mode() != mode {
			t.Errorf("%s has mode %v, want %v", path, info.Mode(), mode)
		}
	}

	unit, err := os.ReadFile(filepath.Join(root, "usr/lib/systemd/system/oathkit-trial@.service"))
	if err != nil || !strings.Contains(string(unit), "\nExecStart=/usr/sbin/realmctl -f %f tfa expire --wait\n") {
		t.Errorf("the unit does not start the installed program: %v\n%s", err, unit)
	}

	ours := filepath.Join(root, "etc/oathkit/oathkit.toml")
	const changed = "[oath]\nbits = 256\n"
	if err := os.WriteFile(ours, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	makeTarget("install")
	if b, err := os.ReadFile(ours); err != nil || string(b) != changed {
		t.Errorf("the configuration has become %q, %v", b, err)
	}
	// The installed file is one that the programs take.
	out, err := exec.Command(filepath.Join(root, "usr/bin/oathkeygen"), "-c", ours).Output()
	if err != nil || len(strings.TrimSpace(string(out))) != 52 {
		t.Errorf("oathkeygen with that configuration: %q, %v", out, err)
	}

	makeTarget("uninstall")
	var left []string
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			left = append(left, strings.TrimPrefix(path, root+"/"))
		}
		return err
	})
	if want := []string{"etc/logrotate.d/oathkit", "etc/oathkit/oathkit.toml"}; err != nil || !slices.Equal(left, want) {
		t.Errorf("left are %v, %v, want %v", left, err, want)
	}
}

// The PAM module is installed where it was built, knows the program of that
// installation, and stays while a service needs it.
func TestInstallPAMModule(t *testing.T) {
	p := newPAMLab(t)
	target := func(target string) (string, error) {
		out, err := exec.Command("make", "-C", "..", target, "DESTDIR="+p.path("root"), "PREFIX=/usr",
			"PAMDIR=/usr/lib/security", "PAMODULE="+p.path("built.so")).CombinedOutput()
		return string(out), err
	}
	for _, name := range []string{"pam", "install"} {
		if out, err := target(name); err != nil {
			t.Fatalf("make %s: %v\n%s", name, err, out)
		}
	}
	module := p.path("root/usr/lib/security/pam_oathkit.so")
	b, err := os.ReadFile(module)
	if err != nil || !strings.Contains(string(b), "\x00/usr/sbin/oathverify\x00") {
		t.Errorf("the module is not for /usr/sbin/oathverify, %v", err)
	}
	if info, err := os.Stat(module); err != nil || info.Mode() != 0o644 {
		t.Errorf("%v, %v", info, err)
	}
	if err := os.Mkdir(p.path("root/etc/pam.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	p.write("root/etc/pam.d/sshd", "auth required pam_oathkit.so\n", 0o644)
	if out, err := target("uninstall"); err == nil || !strings.Contains(out, "root/etc/pam.d/sshd") {
		t.Errorf("uninstalled under a service: %s", out)
	}
	if _, err := os.Stat(p.path("root/usr/sbin/oathverify")); err != nil {
		t.Error(err)
	}
	p.write("root/etc/pam.d/sshd", "# auth required pam_oathkit.so\n", 0o644)
	if out, err := target("uninstall"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := os.Stat(module); !os.IsNotExist(err) {
		t.Error(err)
	}
}

// Where no package can be installed .ci/run says so and goes on to make check.
func TestCIWithoutPackages(t *testing.T) {
	need(t, "bash")
	bin := t.TempDir()
	for _, prog := range []string{"bash", "cat", "dirname", "env", "grep", "mktemp", "rm", "sed", "sort"} {
		path, err := exec.LookPath(prog)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(bin, prog)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(bin, "make"), []byte("#!/bin/bash\necho \"ok  \tmade $* with CI=$CI\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("../.ci/run")
	cmd.Env = []string{"PATH=" + bin}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "there is no apt-get, so no package is installed") || !strings.Contains(string(out), "made check GOTESTFLAGS=-v with CI=true") {
		t.Errorf("%v\n%s", err, out)
	}
}
