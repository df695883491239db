// Package site opens what oathkit.toml names: the store, the realm file and the
// audit log. It is where the programs' shared rules about a site live: whose
// name is meant, which realm asks for a factor, and who may write a file that
// decides over logins.
package site

import (
	"os"
	"strconv"
	"strings"
	"time"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/oathconf"
	"oathkit/pkg/audit"
	"oathkit/pkg/config"
	"oathkit/pkg/store/filestore"
	"oathkit/pkg/verify"
)

// DefaultConfig is the configuration file that is read when none is named.
const DefaultConfig = oathconf.DefaultPath

// A Site is one configuration with what it names, opened.
type Site struct {
	Config config.Config
	Store  *filestore.Store
	Realms Realms
	log    audit.Log
	users  userFile // see KeyHolders
}

// Open reads the configuration and opens what it names. A default file that is
// missing means defaults; with named set the file must exist. The tag is the
// program's name in syslog. When only the store cannot be opened, the site is
// returned beside the error, so that the failure can be recorded.
func Open(path string, named bool, tag string) (*Site, error) {
	cfg, err := LoadConfig(path, named)
	if err != nil {
		return nil, err
	}
	s := &Site{Config: cfg, Realms: ReadRealms(cfg.Paths.Domains), log: audit.Log{Path: cfg.Paths.Audit, Tag: tag}}
	return s, s.openStore(false)
}

// LoadConfig reads the configuration alone.
func LoadConfig(path string, named bool) (config.Config, error) {
	b, err := oathconf.Read(path, named)
	if err != nil {
		return config.Config{}, err
	}
	return config.Parse(path, b)
}

// Policy is what the configuration and the realm file ask of a login in the
// realm.
func (s *Site) Policy(realmID string) verify.Policy {
	c := &s.Config
	why, required := s.Realms.Required(realmID)
	p := verify.Policy{
		Window: c.Verify.Window, Required: required, RequiredBy: why, Grace: c.Enroll.Grace,
		Lockout: verify.DefaultLockout(),
	}
	p.Lockout.Free, p.Lockout.LockAt = c.Lockout.Free, c.Lockout.LockAt
	p.Lockout.Delay, p.Lockout.MaxDelay = c.Lockout.Delay, c.Lockout.MaxDelay
	return p
}

// FactorWhy is, of a realm whose factor is not codes, what asks everybody in it
// for that, in words for an administrator.
func (s *Site) FactorWhy(realmID string) string {
	return "[realm." + realmID + "] factor in the configuration"
}

// Record writes the event to the audit log. Where that fails the context's
// standard error says so; the failure is returned only when the configuration
// says that no event may be lost.
func (s *Site) Record(c *cli.Context, e audit.Event) error {
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	err := s.log.Write(e)
	if err == nil {
		return nil
	}
	if s.Config.Audit.Required {
		return cli.Unsure("%w", err).Hint("[audit] required is true, so nobody gets in while this lasts")
	}
	c.Warn("%v", err)
	return nil
}

// LoginUID is who logged in to the session that this process belongs to, as a
// decimal number, which sudo and su do not change; empty where the kernel does not
// know.
func LoginUID() string {
	b, err := os.ReadFile("/proc/self/loginuid")
	n, perr := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 32)
	if err != nil || perr != nil || n == 1<<32-1 {
		return ""
	}
	return strconv.FormatUint(n, 10)
}
