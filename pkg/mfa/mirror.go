package mfa

// Mirror gives a user the keys that a user.cfg has for him now, for a login that
// is judged by them. The record that comes of it is a mirror: it keeps what was
// used of each key and the failures, and its credentials are activated, for who
// has a key there is asked for it. A key that still is there keeps what was used
// of it, whatever became of the realm's digits and step. One that is there no more
// is gone. As it may come back, the others are good for no time before its last code
// that was used, and a key that is new for none before that of any.
//
// A user who has a record of his own is judged by that alone: a key that was
// taken from him here must not be good because it is still written there. Without
// keys he is like one without a record: what is returned is User{ID: u.ID}, and
// what is stored should stay.
func Mirror(u User, keys []ImportedCredential, o ImportOptions) (User, error) {
	switch {
	case u.Enrolled() && u.Record.Source != UserFile:
		return u, nil
	case len(keys) == 0:
		return User{ID: u.ID}, nil
	}
	n := u
	if !u.Enrolled() {
		var err error
		if n, err = blank(u.ID, o); err != nil {
			return u, err
		}
		n.Record.Source = UserFile
	}
	n.Record.Credentials = make([]Credential, 0, len(keys))
	var fresh []string
	for i := range keys {
		k := &keys[i]
		if n.Record.withKey(k.Key) >= 0 || len(n.Record.Credentials) >= MaxCredentials {
			continue
		}
		c, err := k.credential(n.Record, o)
		if err != nil {
			return u, err
		}
		if at := u.Record.withKey(k.Key); at >= 0 {
			c.ID, c.Created = u.Record.Credentials[at].ID, u.Record.Credentials[at].Created
		} else {
			fresh = append(fresh, c.ID)
		}
		c.Activated = true
		n.Record.Credentials = append(n.Record.Credentials, c)
	}
	old := u.State.For(u.Record)
	n.State = n.State.For(n.Record)
	all, gone := old.used(State{}), old.used(n.State)
	for _, id := range fresh { // or they would be taken for ones whose counter was lost
		n.State = n.State.WithCounter(Counter{ID: binaryID(id), Kind: TOTP, Next: all.Next, Lost: all.Lost})
	}
	for i := range n.Record.Credentials {
		c := &n.State.Counters[i]
		c.Next, c.Lost = max(c.Next, gone.Next), c.Lost || gone.Lost
	}
	return n, n.Record.Check()
}

// used is a counter of TOTP behind all that was used of the credentials that the
// other state does not have, or a lost one where that is not known of each.
func (s State) used(other State) Counter {
	n := Counter{Kind: TOTP}
	for _, c := range s.Counters {
		if c.Kind == TOTP && other.place(c.ID) < 0 {
			n.Next, n.Lost = max(n.Next, c.Next), n.Lost || c.Lost
		}
	}
	return n
}
