package doctor

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

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
	return len(free(site.ReadRealms(x.path(cfg.Paths.Domains)), l)) > 0
}

// free are the realms of a line that ask nobody for a factor.
func free(realms site.Realms, l *line) []string {
	if l.anyRealm {
		return realms.Free()
	}
	if _, required := realms.Required(l.realm); required {
		return nil
	}
	return []string{l.realm}
}

// site looks at what one of our lines leads to.
func (x *exam) site(i int) {
	s, l := x.steps[i], x.lines[i]
	words := l.program
	for _, module := range x.module(s.Path, s.File, s.Line) {
		if !l.exec {
			words = helper(x.path(module))
			x.program(words, s.File, s.Line, "put the program there, or build the module for its place: make pam OATHVERIFY=PATH")
		}
	}
	if l.exec {
		x.program(l.program, s.File, s.Line, "name the program by its absolute path")
	}
	cfg, name, err := x.configOf(l)
	if errors.Is(err, fs.ErrPermission) {
		x.add(s.File, s.Line, Unsure, "config", first(x.unrooted(err.Error())), "run it as root")
		return
	}
	if err != nil {
		x.add(s.File, s.Line, Error, "config", first(x.unrooted(err.Error()))+": nobody gets in", "mend "+name)
		return
	}
	if x.exists(name) {
		x.trusted(name, "whoever writes the configuration decides who gets in")
	}
	realms := site.ReadRealms(x.path(cfg.Paths.Domains))
	why, _ := realms.Required(l.realm)
	switch err := realms.Err(); {
	case errors.Is(err, fs.ErrPermission):
		x.add(cfg.Paths.Domains, 0, Unsure, "realm-file", x.unrooted(err.Error()), "run it as root")
	case err != nil:
		x.add(cfg.Paths.Domains, 0, Warning, "realm-file", x.unrooted(why), "")
	}
	for _, id := range free(realms, l) {
		if cfg.Factor(id) != config.FactorOATH {
			continue // everybody in it is asked
		}
		x.add(s.File, s.Line, Warning, "realm-asks-nobody",
			fmt.Sprintf("realm %q asks nobody for a factor in %s: only users who have activated one are asked", id, cfg.Paths.Domains),
			"realmctl tfa enable "+id)
	}
	switch factor := cfg.Factor(l.realm); {
	case factor == config.FactorOATH:
	case factor != config.FactorDuo:
		x.add(name, 0, Error, "factor", fmt.Sprintf("the factor of realm %q is %q, which this version does not know: nobody gets in", l.realm, factor),
			fmt.Sprintf("write \"oath\" or \"duo\" in [realm.%s]", l.realm))
	case !cfg.Duo.Complete():
		x.add(name, 0, Error, "factor", fmt.Sprintf("the factor of realm %q is Duo, which is not configured: nobody gets in", l.realm),
			"give [duo] its host, ikey and skey_file, and try 'oath-duo --check'")
	default:
		x.oathDuo(words, cfg.Duo.SKeyFile, s.File, s.Line)
	}
	if x.exists(cfg.Paths.Domains) {
		x.trusted(cfg.Paths.Domains, "whoever writes the realm file decides who is asked")
	}
	x.store(cfg.Paths.Store)
	if argv := cfg.Login.Password; l.split && len(argv) > 0 {
		x.program(argv[:1], name, 0, "put the program there, or name another as password in [login]")
	}
}

// first is the first line: below it an error of the configuration shows the place.
func first(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
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
		x.add(name, 0, Unsure, "store", x.unrooted(err.Error()), "run it as root")
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

// module looks at the module of a line, and says where it is.
func (x *exam) module(name, file string, at int) []string {
	const mend = "make pam builds pam_oathkit.so, and make install puts it in place"
	found := x.modules(name)
	if len(found) == 0 {
		x.add(file, at, Error, "module-missing", fmt.Sprintf("there is no module %s, so the line always fails", name), mend)
		return nil
	}
	if own := x.modules("pam_permit.so"); len(own) > 0 && !strings.HasPrefix(name, "/") {
		// libpam looks in one folder alone, where the system's own modules are.
		first := found[0]
		found = slices.DeleteFunc(found, func(p string) bool {
			return !slices.Contains(own, filepath.Join(filepath.Dir(p), "pam_permit.so"))
		})
		if len(found) == 0 {
			x.add(file, at, Error, "module-missing",
				fmt.Sprintf("%s is not where libpam looks, which is %s, so the line always fails", first, filepath.Dir(own[0])), mend+": PAMDIR names the folder")
		}
	}
	for _, p := range found {
		x.trusted(p, "whoever can write a module decides who gets in")
	}
	return found
}

// modules are the files that a module's name can mean, on one system or another.
func (x *exam) modules(name string) []string {
	if strings.HasPrefix(name, "/") {
		if !x.exists(name) {
			return nil
		}
		return []string{name}
	}
	var found []string
	for _, folder := range []string{
		"/lib/*/security/", "/usr/lib/*/security/", "/lib/security/", "/lib64/security/", "/usr/lib/security/", "/usr/lib64/security/",
	} {
		paths, _ := x.glob(folder + name)
		found = append(found, paths...)
	}
	return found
}

// maxModule bounds a file that is surely no module of ours, in bytes.
const maxModule = 4 << 20

// helper is the program that pam_oathkit.so runs: its path was fixed when it was
// built, and is a string in it.
func helper(module string) []string {
	info, err := os.Stat(module)
	if err != nil || info.Size() > maxModule {
		return nil
	}
	b, err := readFile(module)
	end := bytes.Index(b, []byte("/oathverify\x00"))
	if err != nil || end < 0 {
		return nil
	}
	end += len("/oathverify")
	return []string{string(b[bytes.LastIndexByte(b[:end], 0)+1 : end])}
}

// oathDuo looks at what asks Duo, beside our program, and at its secret key.
func (x *exam) oathDuo(words []string, skey, file string, at int) {
	for _, word := range words {
		if filepath.Base(word) == "oathverify" && strings.HasPrefix(word, "/") {
			x.program([]string{filepath.Join(filepath.Dir(word), "oath-duo")}, file, at, "oath-duo belongs beside oathverify")
		}
	}
	if x.exists(skey) {
		x.trusted(skey, "whoever writes Duo's secret key decides whose answer is Duo's")
	} else {
		x.add(skey, 0, Error, "factor", "Duo's secret key is not there: nobody gets in", "write it there, for the owner alone: see oathkit.toml(5)")
	}
}

// program looks at what a line runs.
func (x *exam) program(words []string, file string, at int, mend string) {
	for i, word := range words {
		ours := filepath.Base(word) == "oathverify"
		if i > 0 && !ours {
			continue
		}
		if !strings.HasPrefix(word, "/") {
			x.add(file, at, Error, "program", fmt.Sprintf("%q is no absolute path, and is looked for nowhere, so nobody gets in", word), mend)
			continue
		}
		info, err := os.Stat(x.path(word))
		switch {
		case err != nil:
			x.add(file, at, Error, "program", fmt.Sprintf("the program cannot be run, so nobody gets in: %s", x.unrooted(err.Error())), mend)
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
