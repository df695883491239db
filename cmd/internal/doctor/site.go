package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"oathkit/cmd/internal/site"
	"oathkit/pkg/config"
)

// configOf is the configuration of a line, and its name below the root.
func (x *exam) configOf(l *line) (config.Config, string, error) {
	name, named := x.Config, x.Named
	if l.config != "" {
		name, named = l.config, true
	}
	at := name
	if l.config != "" || !x.Named { // what is given to doctor itself is not below the root
		at = x.path(name)
	}
	cfg, err := site.LoadConfig(at, named)
	return cfg, name, err
}

// loginPassword says whether a program is named that checks passwords.
func (x *exam) loginPassword(l *line) bool {
	cfg, _, err := x.configOf(l)
	return err == nil && len(cfg.Login.Password) > 0
}

// asksNobody says whether there may be users of whom the line's realm requires
// no code.
func (x *exam) asksNobody(l *line) bool {
	cfg, _, err := x.configOf(l)
	if err != nil {
		return false // nobody gets in
	}
	_, required := site.ReadRealms(x.path(cfg.Paths.Domains)).Required(l.realm)
	return !required
}

// site looks at what one of our lines leads to.
func (x *exam) site(i int) {
	s, l := x.steps[i], x.lines[i]
	x.module(s.Path, s.File, s.Line)
	if l.exec {
		x.program(l, s.File, s.Line)
	}
	cfg, name, err := x.configOf(l)
	if err != nil {
		x.add(s.File, s.Line, Error, "config", x.unrooted(err.Error())+": nobody gets in", "mend "+name)
		return
	}
	if x.exists(name) {
		x.trusted(name, "whoever writes the configuration decides who gets in")
	}
	realms := site.ReadRealms(x.path(cfg.Paths.Domains))
	switch why, required := realms.Required(l.realm); {
	case realms.Err() != nil:
		x.add(cfg.Paths.Domains, 0, Warning, "realm-file", x.unrooted(why), "")
	case !required:
		x.add(s.File, s.Line, Warning, "realm-asks-nobody",
			fmt.Sprintf("realm %q asks nobody for a factor in %s: only users who have activated one are asked", l.realm, cfg.Paths.Domains),
			"realmctl tfa enable "+l.realm)
	}
	if x.exists(cfg.Paths.Domains) {
		x.trusted(cfg.Paths.Domains, "whoever writes the realm file decides who is asked")
	}
	x.store(cfg.Paths.Store)
}

// store looks at the folder of records.
func (x *exam) store(name string) {
	const mend = "mfactl enable makes the store; a file system may not be mounted"
	info, err := os.Stat(x.path(name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		x.add(name, 0, Error, "store", "there is no store, so nobody gets in who needs a code", mend)
		return
	case err != nil:
		x.add(name, 0, Unsure, "store", err.Error(), "run it as root")
		return
	case !x.exists(filepath.Join(name, "store")):
		x.add(name, 0, Error, "store", "the folder is no store, so nobody gets in who needs a code", mend)
	}
	if info.Mode().Perm()&0o077 != 0 {
		x.add(name, 0, Error, "store-mode",
			fmt.Sprintf("the store has mode %04o: others can read the secrets, or write them", info.Mode().Perm()), "chmod 0700 "+name)
	}
	x.trusted(filepath.Dir(name), "whoever can write a folder above the store can put another in its place")
}

// module looks at the module of a line.
func (x *exam) module(name, file string, at int) {
	const harm = "whoever can write a module decides who gets in"
	if strings.HasPrefix(name, "/") {
		if !x.exists(name) {
			x.add(file, at, Error, "module-missing", fmt.Sprintf("there is no module %s, so the line always fails", name), "make pam builds it, make install puts it in place")
			return
		}
		x.trusted(name, harm)
		return
	}
	found := false
	for _, pattern := range []string{
		"/lib/*/security/", "/usr/lib/*/security/", "/lib/security/", "/lib64/security/", "/usr/lib/security/", "/usr/lib64/security/",
	} {
		paths, _ := filepath.Glob(x.path(pattern + name))
		for _, p := range paths {
			found = true
			x.trusted("/"+strings.TrimPrefix(strings.TrimPrefix(p, x.Root), "/"), harm)
		}
	}
	if !found {
		x.add(file, at, Error, "module-missing", fmt.Sprintf("there is no module %s in any folder of PAM, so the line always fails", name), "make pam builds it, make install puts it in place")
	}
}

// program looks at what pam_exec runs.
func (x *exam) program(l *line, file string, at int) {
	for i, word := range l.program {
		ours := filepath.Base(word) == "oathverify"
		if i > 0 && !ours {
			continue
		}
		if !strings.HasPrefix(word, "/") {
			x.add(file, at, Error, "program", fmt.Sprintf("%q is no absolute path: pam_exec looks nowhere else, so nobody gets in", word), "name the program by its absolute path")
			continue
		}
		info, err := os.Stat(x.path(word))
		switch {
		case err != nil:
			x.add(file, at, Error, "program", fmt.Sprintf("the program cannot be run, so nobody gets in: %s", x.unrooted(err.Error())), "name the program by its absolute path")
		case !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0:
			x.add(file, at, Error, "program", fmt.Sprintf("%s is no program, so nobody gets in", word), "chmod 0755 "+word)
		default:
			x.trusted(word, "whoever can write the program decides who gets in")
		}
		if ours {
			return
		}
	}
}

// lookAtFiles looks at the files that PAM reads.
func (x *exam) lookAtFiles() {
	for _, name := range x.service.Files {
		x.trusted(name, "whoever can write a file of PAM decides who gets in")
	}
}

// trusted looks at who can write a file or a folder, and what leads to it.
func (x *exam) trusted(name, harm string) {
	names := []string{name}
	if x.Root == "" {
		if real, err := filepath.EvalSymlinks(name); err == nil && real != name {
			names = append(names, real)
		}
	}
	for _, n := range names {
		for p := filepath.Clean(n); ; p = filepath.Dir(p) {
			x.writable(p, harm)
			if p == "/" || p == "." {
				break
			}
		}
	}
}

// writable says who besides root, and besides who asks, can write a file.
func (x *exam) writable(name, harm string) {
	info, err := os.Stat(x.path(name))
	if err != nil {
		x.add(name, 0, Unsure, "file-mode", x.unrooted(err.Error()), "run it as root")
		return
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return
	}
	if st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		x.add(name, 0, Error, "file-owner", fmt.Sprintf("it belongs to uid %d: %s", st.Uid, harm), "chown root "+name+", after a look at what is in it")
	}
	perm := info.Mode().Perm()
	sticky := info.IsDir() && info.Mode()&os.ModeSticky != 0 // others cannot replace what is in it
	if !sticky && (perm&0o002 != 0 || perm&0o020 != 0 && st.Gid != 0) {
		x.add(name, 0, Error, "file-mode", fmt.Sprintf("it has mode %04o: %s", perm, harm), "chmod go-w "+name+", after a look at what is in it")
	}
}

// unrooted names files as they are below the root.
func (x *exam) unrooted(s string) string {
	if x.Root == "" {
		return s
	}
	return strings.ReplaceAll(s, strings.TrimSuffix(x.Root, "/")+"/", "/")
}
