// Package config reads oathkit.toml: values only, from bytes. It opens nothing
// and knows no default file.
//
// The file is TOML 1.0 (read with github.com/BurntSushi/toml) and is read
// strictly: an unknown table or key, a value of the wrong type or out of range,
// and a key given twice are errors that name the line, show it with a caret, and
// where a name is unknown say which known one is nearest. Names are
// case-sensitive. What the file does not say has the value of Default. Keys are
// described in configs/oathkit.toml and oathkit.toml(5).
//
// Left out: including other files, and the environment.
package config

import (
	"errors"
	"fmt"
	"time"

	"oathkit/pkg/config/oathtable"

	"github.com/BurntSushi/toml"
)

// Config is what oathkit.toml says, with the defaults filled in.
type Config struct {
	OATH    OATH
	Paths   Paths
	Verify  Verify
	Lockout Lockout
	Enroll  Enroll
	Seal    Seal
	Login   Login
	Realms  map[string]Realm // by their names; those that are not in it are as Realm's zero value
	Duo     Duo
	Deliver Deliver
	Audit   Audit
}

// OATH is [oath]: the defaults for new keys and credentials.
type OATH = oathtable.Table

// Paths is [paths]: absolute names of files and folders.
type Paths struct {
	Domains string // the realms, in section-config format
	Users   string // user lines; empty means user.cfg beside Domains
	Store   string // the folder of records
	Audit   string // the log of events, one JSON object a line
}

// Verify is [verify]: how a code is judged.
type Verify struct {
	Window int    // TOTP steps before and after the present one, 0 to 10
	Keys   string // KeysInStore or KeysInUserFile
}

// Where the keys are by which a user is judged who has no record of his own.
const (
	KeysInStore    = "store"    // nowhere
	KeysInUserFile = "user.cfg" // in the file of user lines
)

// Lockout is [lockout]: what wrong answers cost.
type Lockout struct {
	Free     int           // wrong answers in a row without any delay, 1 to LockAt
	Delay    time.Duration // the first delay; it doubles with every further one
	MaxDelay time.Duration // the longest delay, Delay to 24 hours
	LockAt   int           // wrong answers in a row that lock, Free to 100
}

// Enroll is [enroll]: what a new user gets.
type Enroll struct {
	RecoveryCodes int           // how many in a set, 1 to 16
	Grace         time.Duration // how long an enabled user may log in without a code where the realm requires one; at most 90 days
}

// Seal is [seal].
type Seal struct {
	KeyFile string // the keys under which secrets are kept; empty means in clear
}

// Login is [login].
type Login struct {
	Password []string // a checkpassword-compatible program and its arguments; none means that passwords are not checked
}

// Realm is [realm.NAME].
type Realm struct {
	Factor string // the type of the second factor; empty means FactorOATH
}

// The types of factors that a realm may have. What else a file says is kept: a
// realm whose type nobody knows lets nobody in, and the others go on.
const (
	FactorOATH = "oath" // codes, of the records in the store
	FactorDuo  = "duo"  // Duo's service
)

// Factor is the type of the second factor in a realm.
func (c *Config) Factor(realm string) string {
	if f := c.Realms[realm].Factor; f != "" {
		return f
	}
	return FactorOATH
}

// Duo is [duo].
type Duo struct {
	Host           string        // of Duo's API, perhaps with a port
	IKey           string        // the integration key
	SKeyFile       string        // the file of the secret key
	UserAgent      string        // empty means the program's own
	UsernameFormat string        // has one "%s", for the user's name without the realm
	PushInfo       string        // what the phone shows besides, as a=b&c=d; may be empty
	Failmode       string        // FailSecure or FailSafe
	Timeout        time.Duration // of one login at Duo, 5 seconds to 5 minutes
	Prompts        int           // tries of a person who is asked, 1 to 10
	Autopush       bool          // whoever can be asked by push or phone is, before any question
	CAFile         string        // who may vouch for Host, in PEM; empty means Duo's own authorities
	Proxy          string        // "http://HOST:PORT" of a proxy that is asked to CONNECT; empty means none
}

// Complete says whether a login at Duo can be tried.
func (d *Duo) Complete() bool { return d.Host != "" && d.IKey != "" && d.SKeyFile != "" }

// What Duo.Failmode may be.
const (
	FailSecure = "secure" // nobody gets in while Duo cannot be reached
	FailSafe   = "safe"   // who is to be asked for a factor gets in without one while Duo cannot be reached
)

// Deliver is how codes get to a person: [deliver.email] and [deliver.sms].
type Deliver struct {
	Email Email
	SMS   SMS
}

// Email is [deliver.email].
type Email struct {
	Command []string      // reads a mail on its standard input; none means that no mail is sent
	From    string        // the sender's address; empty leaves it to the command
	Timeout time.Duration // after which the command is killed, 1 second to 5 minutes
}

// SMS is [deliver.sms].
type SMS struct {
	Command []string      // gets the number as one more argument and the text on its standard input; none means that no text message is sent
	Timeout time.Duration // after which the command is killed, 1 second to 5 minutes
}

// Audit is [audit].
type Audit struct {
	Required bool // an event that cannot be written makes the answer "could not find out"
}

// Error is a fault with its line and column.
type Error = oathtable.Error

// Default is the configuration of an empty file.
func Default() Config {
	return Config{
		OATH: oathtable.Default(),
		Paths: Paths{
			Domains: "/etc/oathkit/domains.cfg",
			Store:   "/var/lib/oathkit",
			Audit:   "/var/log/oathkit/audit.jsonl",
		},
		Verify:  Verify{Window: 1, Keys: KeysInStore},
		Lockout: Lockout{Free: 5, Delay: 30 * time.Second, MaxDelay: time.Hour, LockAt: 20},
		Enroll:  Enroll{RecoveryCodes: 10},
		Duo:     Duo{UsernameFormat: "%s", Failmode: FailSecure, Timeout: time.Minute, Prompts: 3},
		Deliver: Deliver{Email{Timeout: 30 * time.Second}, SMS{Timeout: 30 * time.Second}},
	}
}

// Parse reads the file's text b. name is the file's name for errors, which are
// *Error.
func Parse(name string, b []byte) (Config, error) {
	text, err := oathtable.Text(name, b)
	if err != nil {
		return Config{}, err
	}
	var values map[string]any
	md, err := toml.Decode(text, &values)
	if err != nil {
		return Config{}, syntax(name, text, err)
	}
	c := Default()
	for _, key := range md.Keys() {
		if err := c.take(key, values); err != nil {
			return Config{}, oathtable.At(name, text, place(text, key), err.Error())
		}
	}
	if key, err := c.consistent(values); err != nil {
		return Config{}, oathtable.At(name, text, place(text, key), err.Error())
	}
	return c, nil
}

// take gives the Config what the file says of one table or key.
func (c *Config) take(key toml.Key, values map[string]any) error {
	if err := oathtable.CheckName(key); err != nil {
		return err
	}
	name, n, _ := oathtable.TableOf(key)
	table := values
	for i := range min(n, len(key)) {
		inner, ok := table[key[i]].(map[string]any)
		if !ok {
			return fmt.Errorf("%s must be a table, written once as [%s], not %s", key[:i+1], key[:i+1], oathtable.Show(table[key[i]]))
		}
		table = inner
	}
	if len(key) <= n {
		return nil
	}
	var err error
	switch name {
	case oathtable.RealmTable:
		err = c.setRealm(key[1], table[key[n]])
	case "duo":
		err = c.Duo.set(key[n], table[key[n]])
	default:
		err = c.set(name, key[n], table[key[n]])
	}
	if err != nil {
		return fmt.Errorf("%s %w", key, err)
	}
	return nil
}

// set gives one key its value. The tables and keys are those of oathtable.Keys,
// save the ones that have a function of their own.
func (c *Config) set(table, key string, value any) error {
	switch table + "." + key {
	case "paths.domains":
		return path(&c.Paths.Domains, value)
	case "paths.users":
		if value == "" {
			c.Paths.Users = ""
			return nil
		}
		return path(&c.Paths.Users, value)
	case "paths.store":
		return path(&c.Paths.Store, value)
	case "paths.audit":
		return path(&c.Paths.Audit, value)
	case "verify.window":
		return oathtable.Whole(&c.Verify.Window, value, 0, 10)
	case "verify.keys":
		return oneOf(&c.Verify.Keys, value, KeysInStore, KeysInUserFile)
	case "lockout.free":
		return oathtable.Whole(&c.Lockout.Free, value, 1, 100)
	case "lockout.delay":
		return duration(&c.Lockout.Delay, value, time.Second, 24*time.Hour)
	case "lockout.max_delay":
		return duration(&c.Lockout.MaxDelay, value, time.Second, 24*time.Hour)
	case "lockout.lock_at":
		return oathtable.Whole(&c.Lockout.LockAt, value, 1, 100)
	case "enroll.recovery_codes":
		return oathtable.Whole(&c.Enroll.RecoveryCodes, value, 1, 16)
	case "enroll.grace":
		return duration(&c.Enroll.Grace, value, 0, 90*24*time.Hour)
	case "seal.key_file":
		return path(&c.Seal.KeyFile, value)
	case "login.password":
		return command(&c.Login.Password, value)
	case "deliver.email.command":
		return command(&c.Deliver.Email.Command, value)
	case "deliver.email.from":
		return address(&c.Deliver.Email.From, value)
	case "deliver.email.timeout":
		return duration(&c.Deliver.Email.Timeout, value, time.Second, 5*time.Minute)
	case "deliver.sms.command":
		return command(&c.Deliver.SMS.Command, value)
	case "deliver.sms.timeout":
		return duration(&c.Deliver.SMS.Timeout, value, time.Second, 5*time.Minute)
	case "audit.required":
		return boolean(&c.Audit.Required, value)
	}
	return c.OATH.Set(key, value)
}

// consistent says whether values agree with each other, and otherwise names a
// key of the file that is part of the quarrel.
func (c *Config) consistent(values map[string]any) (toml.Key, error) {
	given := func(keys ...string) toml.Key {
		table, _ := values["lockout"].(map[string]any)
		for _, k := range keys {
			if _, ok := table[k]; ok {
				return toml.Key{"lockout", k}
			}
		}
		return nil
	}
	switch l := c.Lockout; {
	case l.Free > l.LockAt:
		return given("lock_at", "free"),
			fmt.Errorf("lockout.lock_at (%d) must not be below lockout.free (%d)", l.LockAt, l.Free)
	case l.Delay > l.MaxDelay:
		return given("max_delay", "delay"),
			fmt.Errorf("lockout.max_delay (%v) must not be below lockout.delay (%v)", l.MaxDelay, l.Delay)
	}
	if d := c.Duo; !d.Complete() && d.Host+d.IKey+d.SKeyFile != "" {
		return toml.Key{"duo"}, errors.New("duo.host, duo.ikey and duo.skey_file go together, and one is missing")
	}
	if e := c.Deliver.Email; e.From != "" && e.Command == nil {
		return toml.Key{"deliver", "email", "from"}, errors.New("deliver.email.from does nothing without deliver.email.command")
	}
	return nil, nil
}
