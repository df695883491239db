package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"oathkit/pkg/config/oathtable"
)

// setRealm gives a realm its factor. A type that is not known is kept: see
// FactorOATH.
func (c *Config) setRealm(realm string, value any) error {
	s, ok := value.(string)
	if !ok || s == "" || len(s) > 32 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		return fmt.Errorf(`must be "oath" or "duo", not %s`, oathtable.Show(value))
	}
	if s == FactorOATH {
		return nil
	}
	if c.Realms == nil {
		c.Realms = map[string]Realm{}
	}
	c.Realms[realm] = Realm{Factor: s}
	return nil
}

// set gives a key of [duo] its value.
func (d *Duo) set(key string, value any) error {
	switch key {
	case "host":
		return hostname(&d.Host, value)
	case "ikey":
		return text(&d.IKey, value, 1, 64, " ")
	case "skey_file":
		return path(&d.SKeyFile, value)
	case "user_agent":
		return text(&d.UserAgent, value, 0, 128, "")
	case "username_format":
		return format(&d.UsernameFormat, value)
	case "push_info":
		return text(&d.PushInfo, value, 0, 1024, " ")
	case "failmode":
		return oneOf(&d.Failmode, value, FailSecure, FailSafe)
	case "timeout":
		return duration(&d.Timeout, value, 5*time.Second, 5*time.Minute)
	case "prompts":
		return oathtable.Whole(&d.Prompts, value, 1, 10)
	case "autopush":
		return boolean(&d.Autopush, value)
	case "ca_file":
		return path(&d.CAFile, value)
	case "proxy":
		return proxy(&d.Proxy, value)
	}
	return errors.New("is no key of [duo]")
}

// text is printable ASCII of so many bytes without some characters.
func text(p *string, value any, low, high int, without string) error {
	s, ok := value.(string)
	odd := func(r rune) bool { return r < ' ' || r >= 0x7f || strings.ContainsRune(without, r) }
	switch {
	case !ok:
		return fmt.Errorf("must be a string in quotes, not %s", oathtable.Show(value))
	case len(s) < low || len(s) > high:
		return fmt.Errorf("must have %d to %d bytes, not %d", low, high, len(s))
	case strings.ContainsFunc(s, odd) && without != "":
		return errors.New("must be printable ASCII without blanks")
	case strings.ContainsFunc(s, odd):
		return errors.New("must be printable ASCII")
	}
	*p = s
	return nil
}

// hostname is the name or the address of a host, perhaps with a port.
func hostname(p *string, value any) error {
	s, ok := value.(string)
	name, port, has := strings.Cut(s, ":")
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-."
	digits := strings.Trim(port, "0123456789") == "" && port != "" && len(port) <= 5
	if !ok || name == "" || len(name) > 253 || strings.Trim(name, letters) != "" || has && !digits {
		return fmt.Errorf(`must be the name of a host, such as "api-XXXXXXXX.duosecurity.com", not %s`, oathtable.Show(value))
	}
	*p = s
	return nil
}

// format has one place for the name of a user.
func format(p *string, value any) error {
	s, ok := value.(string)
	if !ok || strings.Count(s, "%s") != 1 || strings.Count(s, "%") != 1 || len(s) > 128 {
		return fmt.Errorf(`must have "%%s" in it once, for the user's name, and no other "%%", not %s`, oathtable.Show(value))
	}
	return text(p, value, 2, 128, "")
}

// proxy is the address of a proxy. A password in it would be a secret in this
// file.
func proxy(p *string, value any) error {
	s, ok := value.(string)
	rest, isHTTP := strings.CutPrefix(s, "http://")
	var host string
	if !ok || !isHTTP || !strings.Contains(rest, ":") || hostname(&host, strings.TrimSuffix(rest, "/")) != nil {
		return errors.New(`must be the address of a proxy without name and password, such as "http://proxy.example.org:3128"`)
	}
	*p = "http://" + host
	return nil
}
