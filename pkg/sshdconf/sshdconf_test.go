package sshdconf

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// base is what "sshd -T" prints of what is judged, by default.
const base = `usepam yes
permitrootlogin without-password
pubkeyauthentication yes
hostbasedauthentication no
gssapiauthentication no
kerberosauthentication no
passwordauthentication yes
kbdinteractiveauthentication yes
permitemptypasswords no
authenticationmethods any
forcecommand none
disableforwarding no
permittunnel no
permituserenvironment no
acceptenv LANG
subsystem sftp /usr/lib/openssh/sftp-server
`

// files is a Source.
type files map[string]string

func (f files) ReadFile(path string) ([]byte, error) {
	if text, ok := f[path]; ok {
		return []byte(text), nil
	}
	return nil, fs.ErrNotExist
}

func (f files) Glob(pattern string) ([]string, error) {
	var list []string
	for path := range f {
		if ok, err := filepath.Match(pattern, path); err != nil {
			return nil, err
		} else if ok {
			list = append(list, path)
		}
	}
	slices.Sort(list)
	return list, nil
}

// with is base with some lines replaced.
func with(lines ...string) Settings {
	s := ParseSettings(base)
	for _, line := range lines {
		for key, values := range ParseSettings(line) {
			s[key] = values
		}
	}
	return s
}

func show(list []Finding) string {
	var b strings.Builder
	for _, f := range list {
		kind := "warning"
		if f.Error {
			kind = "error"
		}
		fmt.Fprintf(&b, "%s:%d %s %s\n", f.File, f.Line, kind, f.Code)
	}
	return b.String()
}

func TestJudge(t *testing.T) {
	const main = "/etc/ssh/sshd_config"
	const both = "authenticationmethods publickey,keyboard-interactive:pam"
	const shell = "forcecommand /usr/local/sbin/oathverify shell"
	for _, c := range []struct {
		name     string
		settings []string
		pam      bool
		want     string
		flags    string // AsksPAM, Forced, FirstFactor
	}{
		{"default", nil, true, "error sshd-methods", "- - -"},
		{"key and code", []string{both, "permitrootlogin no"}, true, "", "pam - first"},
		{"root cannot give a code", []string{both}, true, "warning sshd-root", "pam - first"},
		{"without PAM", []string{both, "usepam no"}, true, "error sshd-no-way", "pam - first"},
		{"a password without PAM", []string{"usepam no", "pubkeyauthentication no"}, true, "error sshd-use-pam", "- - -"},
		{"the method is off", []string{both, "kbdinteractiveauthentication no", "permitrootlogin no"}, true, "error sshd-no-way", "pam - first"},
		{"one list without", []string{both + " publickey,hostbased publickey", "permitrootlogin no"}, true, "error sshd-methods", "- - -"},
		{"a list that is off", []string{both + " publickey,hostbased", "permitrootlogin no"}, true, "", "pam - first"},
		{"a password through PAM", []string{"pubkeyauthentication no", "kbdinteractiveauthentication no", "permitrootlogin yes"}, true, "", "pam - -"},
		{"a password that Kerberos judges", []string{"pubkeyauthentication no", "kerberosauthentication yes", "permitrootlogin yes"}, true, "error sshd-methods", "- - -"},
		{"tickets", []string{"pubkeyauthentication no", "gssapiauthentication yes", "permitrootlogin yes"}, true, "error sshd-methods", "- - -"},
		{"another device", []string{"authenticationmethods keyboard-interactive:skey"}, true, "error sshd-methods", "- - -"},
		{"an unknown method", []string{"authenticationmethods smoke-signals", "permitrootlogin no"}, true, "error sshd-methods", "- - -"},
		{"forced", []string{shell, "disableforwarding yes"}, false, "", "- forced -"},
		{"forced with forwarding", []string{shell}, false, "error sshd-forwarding", "- forced -"},
		{"forced with a tunnel", []string{shell, "disableforwarding yes", "permittunnel yes"}, false, "error sshd-forwarding", "- forced -"},
		{"forced with an environment", []string{shell, "disableforwarding yes", "permituserenvironment LANG"}, false, "error sshd-environment", "- forced -"},
		{"forced with commands of the user", []string{shell, "disableforwarding yes", "permituserrc yes"}, false, "warning sshd-user-rc", "- forced -"},
		{"forced with variables", []string{shell, "disableforwarding yes", "acceptenv LANG L*"}, false, "error sshd-environment", "- forced -"},
		{"forced with internal-sftp", []string{shell, "disableforwarding yes", "subsystem sftp internal-sftp"}, false, "warning sshd-subsystem", "- forced -"},
		{"forced with a configuration", []string{"forcecommand exec /x/oathverify -c /f shell", "disableforwarding yes"}, false, "", "- forced -"},
		{"forced to something else", []string{"forcecommand /usr/local/sbin/oathverify shell || /bin/sh"}, false, "error sshd-methods", "- - -"},
		{"forced to a code alone", []string{"forcecommand /usr/local/sbin/oathverify pam shell", both, "permitrootlogin no"}, true, "", "pam - first"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &File{Path: main, Blocks: []Block{{}}}
			j := Judge(f.Global(with(c.settings...)), c.pam)
			want := ""
			if c.want != "" {
				want = main + ":0 " + c.want + "\n"
			}
			got := show(j.Findings)
			if got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
			if strings.Contains(c.want, "no-way") {
				return // it does not matter how
			}
			flags := []string{"-", "-", "-"}
			for i, on := range []bool{j.AsksPAM, j.Forced, j.FirstFactor} {
				if on {
					flags[i] = [...]string{"pam", "forced", "first"}[i]
				}
			}
			if got := strings.Join(flags, " "); got != c.flags {
				t.Errorf("got %s, want %s", got, c.flags)
			}
		})
	}
}

// What Match blocks change is found, with the line.
func TestMatch(t *testing.T) {
	src := files{
		"/etc/ssh/sshd_config": "Include sshd_config.d/*.conf\n# comment\nUsePAM=yes\nAuthenticationMethods publickey,keyboard-interactive:pam\n" +
			"PermitRootLogin no\nMatch User backup\n\tX11Forwarding no\nMatch Address 192.0.2.0/24 # office\n  AuthenticationMethods \"publickey\"\nMatch all\n\tAcceptEnv FOO\n",
		"/etc/ssh/sshd_config.d/a.conf": "Match Group ops\n\tAuthenticationMethods publickey,password publickey\n",
	}
	f, err := Read(src, "/etc/ssh/sshd_config")
	if err != nil {
		t.Fatal(err)
	}
	variants, ok := f.Variants(with("authenticationmethods publickey,keyboard-interactive:pam", "permitrootlogin no"))
	if !ok || len(variants) != 4 {
		t.Fatalf("%d variants, %v", len(variants), ok)
	}
	var got []string
	for _, v := range variants {
		j := Judge(v, true)
		got = append(got, v.whose()+" "+show(j.Findings))
	}
	want := []string{
		`"Match all" `,
		`"Match Group ops" and "Match all" /etc/ssh/sshd_config.d/a.conf:2 error sshd-methods` + "\n",
		`"Match Address 192.0.2.0/24" and "Match all" /etc/ssh/sshd_config:9 error sshd-methods` + "\n",
		`"Match Group ops" and "Match Address 192.0.2.0/24" and "Match all" /etc/ssh/sshd_config.d/a.conf:2 error sshd-methods` + "\n",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	var many strings.Builder
	for range MaxBlocks + 1 {
		many.WriteString("Match User x\nUsePAM no\n")
	}
	f, err = Read(files{"/x": many.String()}, "/x")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := f.Variants(with()); ok {
		t.Error("there are too many blocks to look at")
	}
	if _, err := Read(files{}, "/x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestSettings(t *testing.T) {
	if err := with().Check(); err != nil {
		t.Error(err)
	}
	if err := ParseSettings("Port 22\nsshd: no hostkeys available -- exiting.\n").Check(); !errors.Is(err, ErrSettings) {
		t.Errorf("got %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("Include x\nMatch User \"a b\" # c\nForceCommand = /bin/sh -c 'a b'\n")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := Read(files{"/etc/ssh/x": text}, "/etc/ssh/x")
		if err != nil {
			return
		}
		for _, l := range file.Lines {
			if l.Keyword == "" || l.Keyword != strings.ToLower(l.Keyword) || l.Line < 1 || l.Line > strings.Count(text, "\n")+1 || l.Block >= len(file.Blocks) {
				t.Fatalf("%+v", l)
			}
		}
		if list, ok := file.Variants(with()); ok {
			for _, v := range list {
				Judge(v, true)
			}
		}
	})
}
