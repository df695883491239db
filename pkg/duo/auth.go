package duo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// A Factor is what a user presents, or wants to be asked by. Every verb of
// package fmt prints it as [secret].
type Factor struct {
	Method   string // Passcode, Push, Phone, SMS or Auto
	Passcode string // with Passcode
	Device   string // with the others: "auto", or a Device's ID; empty means "auto"
	Info     string // with Push: what the phone shows besides, as a=b&c=d; may be empty
	Address  string // where the user is; may be empty
}

// Format prints [secret], whatever the verb.
func (Factor) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

func (f Factor) params(user string) (map[string]string, error) {
	m := params("username", user, "factor", f.Method, "ipaddr", f.Address)
	switch f.Method {
	case Passcode:
		if f.Passcode == "" {
			return nil, errors.New("there is no passcode")
		}
		m["passcode"] = f.Passcode
		return m, nil
	case Push, Phone, SMS, Auto:
	default:
		return nil, fmt.Errorf("%q is no factor of Duo's", f.Method)
	}
	m["device"] = "auto"
	if f.Device != "" {
		m["device"] = f.Device
	}
	if f.Info != "" && (f.Method == Push || f.Method == Auto) {
		m["pushinfo"] = f.Info
	}
	return m, nil
}

// An Answer is how a factor was received.
type Answer struct {
	Result  string // Allow or Deny; of a transaction that is not over, Waiting
	Status  string // Duo's word for it: allow, deny, fraud, timeout, sent, pushed, …
	Message string // for the user, clean
}

const authPath = "/auth/v2/auth"

// Auth presents a factor and waits for the answer: with anything but a passcode
// until the user has reacted.
func (c *Client) Auth(ctx context.Context, user string, factor Factor) (Answer, error) {
	m, err := factor.params(user)
	if err != nil {
		return Answer{}, err
	}
	f, err := c.ask(ctx, http.MethodPost, authPath, m, true)
	if err != nil {
		return Answer{}, err
	}
	a, err := readAnswer(f, user)
	if err == nil && a.Result == Waiting {
		err = errors.New("nobody asked to be told later")
	}
	if err != nil {
		return Answer{}, c.invalid(authPath, err)
	}
	return a, nil
}

// readAnswer takes nothing for a yes but "allow", in an answer about the user
// that does not contradict itself.
func readAnswer(f fields, user string) (Answer, error) {
	var a Answer
	var err error
	if a.Result, err = f.text("result"); err != nil {
		return Answer{}, err
	}
	switch a.Result {
	case Allow, Deny, Waiting:
	default:
		return Answer{}, fmt.Errorf("the result is %q", Clean(a.Result))
	}
	if err := f.about("username", user); err != nil {
		return Answer{}, err
	}
	if a.Status, err = f.text("status"); err != nil {
		return Answer{}, err
	}
	if a.Message, err = f.text("status_msg"); err != nil {
		return Answer{}, err
	}
	a.Status, a.Message = Clean(a.Status), Clean(a.Message)
	if a.Result == Allow {
		switch a.Status {
		case "deny", "fraud", "locked_out", "timeout", "sent", "calling", "answered", "pushed", "push_failed":
			return Answer{}, fmt.Errorf("the result is %q and the status %q", a.Result, a.Status)
		}
	}
	return a, nil
}

// A Transaction is a factor that was presented, and whose answer is asked for.
// It is not for several goroutines at once.
type Transaction struct {
	c        *Client
	user, id string
	over     bool
}

// Begin presents a factor without waiting for the answer.
func (c *Client) Begin(ctx context.Context, user string, factor Factor) (*Transaction, error) {
	m, err := factor.params(user)
	if err != nil {
		return nil, err
	}
	m["async"] = "1"
	f, err := c.ask(ctx, http.MethodPost, authPath, m, true)
	if err != nil {
		return nil, err
	}
	id, err := f.text("txid")
	if err == nil {
		err = f.about("username", user)
	}
	if err == nil {
		err = c.note(id)
	}
	if err != nil {
		return nil, c.invalid(authPath, err)
	}
	return &Transaction{c: c, user: user, id: id}, nil
}

// note takes a transaction as new. One that began before is somebody's answer
// already.
func (c *Client) note(id string) error {
	if !isToken(id) {
		return errors.New("it names no transaction")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen[id] {
		return fmt.Errorf("transaction %q is not new", id)
	}
	c.seen[id] = true
	return nil
}

// Status asks for the answer, which is Waiting until the user has reacted. Duo
// holds the call back until there is news. A transaction has one answer: after
// that every further Status is an error.
func (t *Transaction) Status(ctx context.Context) (Answer, error) {
	const path = "/auth/v2/auth_status"
	if t.over {
		return Answer{}, errors.New("the transaction is over")
	}
	f, err := t.c.ask(ctx, http.MethodGet, path, params("txid", t.id), true)
	if err != nil {
		return Answer{}, err
	}
	a, err := readAnswer(f, t.user)
	if err == nil {
		err = f.about("txid", t.id)
	}
	if err != nil {
		t.over = true
		return Answer{}, t.c.invalid(path, err)
	}
	t.over = a.Result != Waiting
	return a, nil
}

// breath is the pause between two questions whose answers were the same.
const breath = time.Second

// Wait asks until there is an answer. What the user should know meanwhile is
// told, each message once.
func (t *Transaction) Wait(ctx context.Context, tell func(message string)) (Answer, error) {
	for before := ""; ; {
		a, err := t.Status(ctx)
		switch {
		case err != nil || a.Result != Waiting:
			return a, err
		case a.Message != before:
			before = a.Message
			tell(a.Message)
		default:
			if err := t.c.config.Wait(ctx, breath); err != nil {
				return Answer{}, unreachable(err)
			}
		}
	}
}
