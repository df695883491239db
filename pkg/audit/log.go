package audit

import "fmt"

// A Log is where events go: the file at Path or, when that cannot be written,
// syslog. It may be used from several goroutines and processes at once.
type Log struct {
	Path   string // the file; its folder must exist
	Socket string // syslog's socket; empty means SyslogSocket
	Tag    string // the program's name, for syslog
}

// Write writes the event down. The error says that the file could not be
// written, and whether syslog has the event in its stead; whether that matters
// is for the caller to say.
func (l Log) Write(e Event) error {
	err := Append(l.Path, e)
	if err == nil {
		return nil
	}
	if serr := Syslog(l.Socket, l.Tag, e); serr != nil {
		return fmt.Errorf("cannot write the audit log: %w; syslog does not have the event either: %w", err, serr)
	}
	return fmt.Errorf("cannot write the audit log: %w; syslog has the event", err)
}
