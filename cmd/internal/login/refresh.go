package login

import "time"

// patience is how long a person may take for his answer before the realm file is
// read again.
const patience = 100 * time.Millisecond

// refresh finds out once more what the realm asks, where the person took his time:
// whoever was at his prompt while a factor became required has to give one.
func (l *Login) refresh() {
	if time.Since(l.begun) < patience {
		return
	}
	l.Site.Realms = l.Site.Realms.Again()
	l.ask()
}
