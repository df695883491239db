package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/oathconf"
	"oathkit/pkg/account"
	"oathkit/pkg/config"
	"oathkit/pkg/realm/realmfile"
)

// loadConfig reads the configuration.
func (t *tool) loadConfig() (config.Config, error) {
	path := t.configPath()
	b, err := oathconf.Read(path, t.config != "")
	if err != nil {
		return config.Config{}, err
	}
	return config.Parse(path, b)
}

// configPath is the configuration's file.
func (t *tool) configPath() string {
	if t.config == "" {
		return oathconf.DefaultPath
	}
	return t.config
}

// domainsPath is FILE. The configuration is read only where -f names none.
func (t *tool) domainsPath() (string, error) {
	if t.file != "" {
		return t.file, nil
	}
	cfg, err := t.loadConfig()
	if err != nil {
		return "", cli.Unsure("%w", err).Hint("mend it, or name the domains file: realmctl -f FILE")
	}
	return cfg.Paths.Domains, nil
}

// usersPath is USERFILE for a domains file. A broken configuration stops it only
// where the domains file was not named either; named says that somebody asked
// for this file, which then has to be there.
func (t *tool) usersPath(c *cli.Context, domains string) (path string, named bool, err error) {
	if t.users != "" {
		return t.users, true, nil
	}
	cfg, err := t.loadConfig()
	switch {
	case err != nil && t.file == "":
		return "", false, cli.Unsure("%w", err).Hint("mend it, or name the files: realmctl -f FILE -u USERFILE")
	case err != nil:
		c.Warn("going on without the configuration: %v", err)
	case cfg.Paths.Users != "":
		return cfg.Paths.Users, true, nil
	}
	return filepath.Join(filepath.Dir(domains), "user.cfg"), false, nil
}

// isPVE says whether Proxmox VE reads the file.
func (t *tool) isPVE(path string) bool { return realmfile.Below(path, t.pve) }

// readFile reads a whole file.
func readFile(path string) ([]byte, error) {
	b, _, err := realmfile.Read(path)
	return b, readError(err)
}

// readError adds the way out to an error of reading a file.
func readError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrPermission):
		return cli.Unsure("%w", err).Hint("run it as root, or as the owner of the file")
	}
	return cli.Unsure("%w", err)
}

// readDomains reads FILE.
func (t *tool) readDomains() (path string, b []byte, info realmfile.Info, err error) {
	path, err = t.domainsPath()
	if err != nil {
		return "", nil, info, err
	}
	b, info, err = realmfile.Read(path)
	return path, b, info, t.noDomains(path, err)
}

// noDomains is readError for the domains file.
func (t *tool) noDomains(path string, err error) error {
	switch {
	case !errors.Is(err, fs.ErrNotExist):
		return readError(err)
	case t.isPVE(path):
		return cli.Unsure("%w", err).Hint("is the cluster file system mounted? systemctl start pve-cluster, or pmxcfs -l on a node cut off from the others")
	}
	f := cli.Unsure("%w", err)
	if pve := filepath.Join(t.pve, "domains.cfg"); t.file == "" && exists(pve) {
		f.Hint("this machine has Proxmox VE's: realmctl -f %s", pve)
	}
	return f.Hint("-f names another file; an empty one has the realms pam and pve: touch %s", path)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// readUsers reads USERFILE. found is false when it is not there and nobody asked
// for it.
func (t *tool) readUsers(path string, named bool) (users account.Users, found bool, err error) {
	b, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return account.ParseUsers(nil), false, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return account.Users{}, false, cli.Unsure("%w", err).Hint("-u names another user file")
	}
	if err != nil {
		return account.Users{}, false, err
	}
	return account.ParseUsers(b), true, nil
}

// loginUID is who logged in to the session that this process belongs to, as a
// decimal number; "" where the kernel does not know.
func loginUID() string {
	b, err := os.ReadFile("/proc/self/loginuid")
	n, perr := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 32)
	if err != nil || perr != nil || n == 1<<32-1 {
		return ""
	}
	return strconv.FormatUint(n, 10)
}
