package main

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"syscall"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/site"
	"oathkit/pkg/store"
	"oathkit/pkg/store/sealfile"
)

func (o *options) runSeal(c *cli.Context) error {
	config, err := site.LoadConfig(o.config, o.named)
	if err != nil {
		return advise(err)
	}
	file := site.SealFile(&config)
	if file == "" {
		return cli.Refused("the configuration names no file of keys, so secrets are kept in clear").
			Hint("set key_file in [seal], such as /etc/oathkit/seal.keys, and say 'mfactl seal --rotate'")
	}
	if o.rotate {
		if config.Seal.KeyFile == "" {
			return cli.Refused("%s is one of systemd's credentials, which only their source can change", file).
				Hint("put a new key before the old ones there, and say 'mfactl seal'")
		}
		id, err := sealfile.Rotate(context.Background(), file, storeWait,
			func() ([]byte, error) { return site.ReadSealFile(file) }, readers(config.Paths.Store), rand.Reader)
		if err != nil {
			return advise(cli.Unsure("no new key: %w", err))
		}
		c.Say("Key %s is new in %s; older ones stay behind it, for what they have sealed", id, file)
	}
	s, err := o.open(c, false)
	if o.rotate && errors.Is(err, store.ErrNoStore) {
		c.Say("There is no store yet: the first 'mfactl enable' makes one, sealed")
		return nil
	}
	if err != nil {
		return err
	}
	t, err := s.everyone(s.Store.Reseal)
	if err != nil {
		return err
	}
	reason := "sealed"
	if o.rotate {
		reason = "rotated"
	}
	unrecorded := s.record(target{}, "seal", "", "", reason)
	if t.failed > 0 {
		return errors.Join(cli.Unsure("not every record is sealed with the present key, see the warnings above").
			Hint("keep the older keys, mend what the warnings name, and say 'mfactl seal'"), unrecorded)
	}
	c.Say("%s sealed anew; no record needs an older key now, but backups may", plural(t.done, "record"))
	return unrecorded
}

// readers says who must be able to read a new file of keys: the owner of the
// store.
func readers(store string) sealfile.Group {
	info, err := os.Stat(store)
	if err != nil {
		return sealfile.Group{}
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return sealfile.Group{Reads: ok && os.Geteuid() == 0 && st.Uid != 0, GID: st.Gid}
}
