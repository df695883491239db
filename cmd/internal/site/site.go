// Package site opens what oathkit.toml names: the store, the realm file and the
// audit log. It is where the programs' shared rules about a site live: whose
// name is meant, which realm asks for a factor, and who may write a file that
// decides over logins.
package site

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/audit"
	"oathkit/pkg/config"
	"oathkit/pkg/store/filestore"
	"oathkit/pkg/verify"
)

// DefaultConfig is the configuration file that is read when none is named.
const DefaultConfig = "/etc/oathkit/oathkit.toml"

// maxConfig bounds a configuration file, in bytes.
const maxConfig = 1 << 20

// A Site is one configuration with what it names, opened.
type Site struct {
	Config config.Config
	Store  *filestore.Store
	Realms Realms
	log    audit.Log
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
	s.Store, err = filestore.Open(cfg.Paths.Store, filestore.Options{})
	return s, err
}

// LoadConfig reads the configuration alone.
func LoadConfig(path string, named bool) (config.Config, error) {
	b, err := ReadTrusted(path, maxConfig)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return config.Default(), nil
	}
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

// ReadTrusted reads a file that decides over logins, at most limit bytes. A file
// that somebody besides root and the caller could have written is refused.
func ReadTrusted(path string, limit int64) ([]byte, error) {
	// Without O_NONBLOCK a FIFO in the file's place would hang every login.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := trusted(path, info); err != nil {
		return nil, err
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%s: is longer than %d bytes", path, limit)
	}
	b := make([]byte, info.Size()+1)
	n := 0
	for n < len(b) {
		m, err := f.Read(b[n:])
		n += m
		if err != nil || m == 0 {
			break
		}
	}
	if int64(n) != info.Size() {
		return nil, fmt.Errorf("%s: changed while it was being read: try again", path)
	}
	return b[:n], nil
}

func trusted(path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s: is no regular file", path)
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return cli.Unsure("%s: has mode %04o, so others than its owner can write it", path, mode).Hint("chmod go-w %s, after a look at what it says", path)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if ok && st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return cli.Unsure("%s: belongs to user id %d, who is neither root nor the one that runs this", path, st.Uid).Hint("chown root %s, after a look at what it says", path)
	}
	return nil
}
