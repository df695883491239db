// Package realm says what a domains file means: which realms there are, which
// of them ask for a second factor, and where the file says something else than
// it seems to say. It also makes the edits that realmctl offers, from bytes to
// bytes.
//
// Two readings of a file live here side by side. The effective view is what
// Proxmox VE, the reader of record, makes of it (pve-access-control 9.1,
// pve-common 9.2): it drops whatever it does not understand and goes on, so
// that every mistake near a `tfa` line means login without a second factor. The
// other reading is a person's: any line that looks like `TYPE : NAME` begins
// its realm, and any line whose first word is tfa, in whatever spelling, is a
// wish for a factor (see Wish). Required takes both together, so that no
// mistake opens anything.
//
// The package knows no user, no file and no lock: it works on bytes. What
// Proxmox VE's API allows beyond what its parser reads (32 characters of a realm
// id, say) is reported by Problems, and not enforced.
package realm

import (
	"fmt"
	"sync"

	"oathkit/pkg/section"
)

// MaxPVE is the size in bytes that a file under /etc/pve cannot pass (pmxcfs).
const MaxPVE = 1 << 20

// Domains is a parsed domains file.
type Domains struct {
	file *section.File

	eyeOnce sync.Once
	wishes  []Wish

	cleanOnce sync.Once
	clean     bool // see isClean

	faultsOnce       sync.Once
	errors, warnings int // see faults
}

// A Realm is one realm of the effective view.
type Realm struct {
	ID      string
	Type    string // "pam", "pve", "ldap", "ad" or "openid"; forced for the ids pam and pve
	InFile  bool   // a section of the file defines it; pam and pve exist without one
	Line    int    // the line of its header, 0 when it is not in the file
	Default bool   // the realm that the login form offers first
	Comment string // decoded; pam and pve have one even when the file gives none
	TFA     *TFA   // nil when Proxmox VE asks for no second factor
	TFALine int    // the line that sets TFA, 0 when there is none

	// CaseSensitive says that names which differ in case are different users.
	// In pam, ldap and ad realms they are not, unless an ldap or ad realm says
	// `case-sensitive 1`.
	CaseSensitive bool

	// Missing is the first required property that the section lacks, or "".
	// Proxmox VE then takes over nothing of the section: the realm does not
	// exist, and pam and pve are as if they were not in the file.
	Missing string

	// Properties are all properties that Proxmox VE takes over, in the order
	// of the file, with the values as they are stored.
	Properties []Property
}

// Property returns the stored value of a property.
func (r Realm) Property(key string) (Property, bool) {
	for _, p := range r.Properties {
		if p.Key == key {
			return p, true
		}
	}
	return Property{}, false
}

// A Property is one line of a realm's section.
type Property struct {
	Key   string
	Value string // as stored: a comment is percent-encoded; "1" for a boolean without a value
	Line  int
}

// Shown returns the value with secrets replaced by `[secret]`: an LDAP
// password, an OpenID client key, the API key inside a tfa value.
func (p Property) Shown() string { return shown(p.Key, p.Value) }

// Format prints the property without its secrets, whatever the verb.
func (p Property) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "%s %s", p.Key, p.Shown()) }

// Parse reads a domains file. It never fails: see Problems for what is wrong
// with it. The bytes must not change while the result is in use.
func Parse(b []byte) *Domains { return &Domains{file: section.Parse(b)} }

// ParseOld reads a domains file as Proxmox VE did before August 2019.
func ParseOld(b []byte) *Domains { return &Domains{file: section.ParseOld(b)} }

// Bytes returns the bytes that were parsed, not a copy.
func (d *Domains) Bytes() []byte { return d.file.Bytes() }

// Severity says how bad a problem is.
type Severity string

// An Error can change who gets in; a Warning cannot, or not with the Proxmox VE
// of today.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// A Problem is a place where the file does not do what it seems to say.
type Problem struct {
	Line     int      `json:"line"` // 0 when it is about the whole file
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`    // a stable word, listed in domains.cfg(5)
	Message  string   `json:"message"` // what the reader sees, against what the file seems to say
	Mend     string   `json:"mend"`    // what to do about it
}
