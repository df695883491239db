package duo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// An Enrollment is how somebody becomes a user of Duo. The code lets its holder
// be that user, so every verb of package fmt prints the whole as [secret].
type Enrollment struct {
	UserID  string
	User    string
	Code    string // to activate an app with
	Barcode string // the address of an image of the code
	Expires time.Time
}

// Format prints [secret], whatever the verb.
func (Enrollment) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// Enroll makes a user at Duo. The code is good for that long, in whole seconds;
// 0 means as long as Duo likes.
func (c *Client) Enroll(ctx context.Context, user string, valid time.Duration) (Enrollment, error) {
	const path = "/auth/v2/enroll"
	m := params("username", user)
	if valid > 0 {
		m["valid_secs"] = strconv.FormatInt(int64(valid/time.Second), 10)
	}
	f, err := c.ask(ctx, http.MethodPost, path, m, true)
	if err != nil {
		return Enrollment{}, err
	}
	var e Enrollment
	for name, p := range map[string]*string{
		"user_id": &e.UserID, "username": &e.User, "activation_code": &e.Code, "activation_barcode": &e.Barcode,
	} {
		s, err := f.text(name)
		if err != nil {
			return Enrollment{}, c.invalid(path, err)
		}
		*p = Clean(s)
	}
	expires, err := f.number("expiration")
	switch {
	case err != nil:
	case !isToken(e.UserID) || e.Code == "":
		err = fmt.Errorf("it has no user or no code")
	case e.User != user:
		err = fmt.Errorf("it is about username %q, not about %q", e.User, user)
	}
	if err != nil {
		return Enrollment{}, c.invalid(path, err)
	}
	if expires > 0 {
		e.Expires = time.Unix(expires, 0)
	}
	return e, nil
}

// What EnrollStatus says. The words are Duo's.
const (
	Success = "success"
	Invalid = "invalid" // the code is too old, or was never one
)

// EnrollStatus says whether an enrollment is done: Success, Invalid or Waiting.
func (c *Client) EnrollStatus(ctx context.Context, e Enrollment) (string, error) {
	const path = "/auth/v2/enroll_status"
	response, err := c.call(ctx, http.MethodPost, path, params("user_id", e.UserID, "activation_code", e.Code), true)
	if err != nil {
		return "", err
	}
	var status string
	if json.Unmarshal(response, &status) != nil {
		return "", c.invalid(path, fmt.Errorf("it is no word"))
	}
	switch status {
	case Success, Invalid, Waiting:
		return status, nil
	}
	return "", c.invalid(path, fmt.Errorf("the result is %q", Clean(status)))
}
