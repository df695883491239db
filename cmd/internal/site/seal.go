package site

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"

	"oathkit/cmd/internal/trusted"
	"oathkit/pkg/config"
	"oathkit/pkg/mfa"
	"oathkit/pkg/store/filestore"
	"oathkit/pkg/store/sealfile"
)

// Credential is the name of the file of keys in the folder of credentials that
// systemd gives a service (systemd.exec(5), LoadCredential=).
const Credential = "oathkit.seal"

// maxSealFile bounds the file of keys, in bytes.
const maxSealFile = 64 << 10

// SealFile is the file of keys under which secrets are kept: the configured one,
// else that among systemd's credentials if it is there; empty means in clear.
func SealFile(c *config.Config) string {
	if c.Seal.KeyFile != "" {
		return c.Seal.KeyFile
	}
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); filepath.IsAbs(dir) {
		path := filepath.Join(dir, Credential)
		if _, err := os.Lstat(path); err == nil {
			return path
		}
	}
	return ""
}

// ReadSealFile returns the text of a file of keys, which nobody but its owner
// and group may read.
func ReadSealFile(path string) ([]byte, error) {
	b, err := trusted.ReadFile(path, maxSealFile)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if perm := info.Mode().Perm(); perm&0o007 != 0 {
		return nil, fmt.Errorf("%s: has mode %04o, so everybody can read the keys; run: chmod 0600 %s, and make a new key with mfactl seal --rotate", path, perm, path)
	}
	return b, nil
}

// sealer is what seals the secrets in the records; nil where they are kept in
// clear.
func sealer(c *config.Config) (mfa.Sealer, error) {
	path := SealFile(c)
	if path == "" {
		return nil, nil
	}
	return sealfile.Sealer(path, func() ([]byte, error) { return ReadSealFile(path) }, rand.Reader)
}

// openStore opens the store that the configuration names.
func (s *Site) openStore(create bool) error {
	sealer, err := sealer(&s.Config)
	if err != nil {
		return err
	}
	s.Store, err = filestore.Open(s.Config.Paths.Store, filestore.Options{Create: create, Sealer: sealer})
	return err
}

// CreateStore opens the store, and makes it where there is none.
func (s *Site) CreateStore() error { return s.openStore(true) }
