package duo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// maxBody bounds an answer, in bytes.
const maxBody = 256 << 10

// The pauses before a call is made again that was told to come later, where Duo
// does not say how long: each twice the one before.
const (
	firstPause = time.Second
	lastPause  = 32 * time.Second
)

// A reply is an answer of the server, read whole.
type reply struct {
	status int
	after  string // the header Retry-After
	body   []byte
}

// call makes one call of the API, again while it is told to come later, and
// returns the response in Duo's envelope.
func (c *Client) call(ctx context.Context, method, path string, params map[string]string, signed bool) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	for pause := firstPause; ; pause *= 2 {
		r, err := c.once(ctx, method, path, params, signed)
		if err != nil {
			return nil, fmt.Errorf("%s at %s: %w", path, c.config.Host, err)
		}
		if r.status == http.StatusTooManyRequests && pause <= lastPause {
			if err := c.pause(ctx, r.after, pause); err == nil {
				continue
			}
		}
		response, err := open(r)
		if err != nil {
			return nil, fmt.Errorf("%s at %s: %w", path, c.config.Host, err)
		}
		return response, nil
	}
}

// pause waits as long as Duo says, else for the pause and up to a second more.
// There is an error when that would be too late, at once.
func (c *Client) pause(ctx context.Context, after string, pause time.Duration) error {
	now := c.config.Now()
	d := pause + c.jitter()
	if seconds, err := strconv.ParseUint(after, 10, 31); err == nil {
		d = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(after); err == nil {
		d = max(0, at.Sub(now))
	}
	if end, ok := ctx.Deadline(); ok && now.Add(d).After(end) {
		return context.DeadlineExceeded
	}
	return c.config.Wait(ctx, d)
}

func (c *Client) jitter() time.Duration {
	var b [2]byte
	if c.config.Random == nil {
		return 0
	}
	if _, err := io.ReadFull(c.config.Random, b[:]); err != nil {
		return 0
	}
	return time.Duration(int(b[0])<<8|int(b[1])) * time.Second / (1 << 16)
}

// once sends one request, with a date, a signature and a body of its own.
func (c *Client) once(ctx context.Context, method, path string, params map[string]string, signed bool) (reply, error) {
	encoded := encode(params)
	where := url.URL{Scheme: "https", Host: c.config.Host, Path: path}
	var body io.Reader
	switch {
	case method == http.MethodPost:
		body = strings.NewReader(encoded)
	default:
		where.RawQuery = encoded
	}
	req, err := http.NewRequestWithContext(ctx, method, where.String(), body)
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("User-Agent", c.config.UserAgent)
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if signed {
		date := c.config.Now().UTC().Format(time.RFC1123Z)
		req.Header.Set("Date", date)
		req.Header.Set("Authorization", c.config.SKey.authorization(c.config.IKey, date, method, c.config.Host, path, encoded))
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return reply{}, transportError(ctx, err)
	}
	defer resp.Body.Close()
	r := reply{status: resp.StatusCode, after: resp.Header.Get("Retry-After")}
	r.body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case ctx.Err() != nil:
		return reply{}, unreachable(ctx.Err())
	case err != nil:
		return reply{}, fmt.Errorf("the answer broke off: %w", err)
	case len(r.body) > maxBody:
		return reply{}, fmt.Errorf("the answer is longer than %d bytes", maxBody)
	}
	return r, nil
}

// transportError tells what is no answer from what is one by the wrong server.
func transportError(ctx context.Context, err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err // without the URL, which has parameters
	}
	if ctx.Err() != nil {
		return unreachable(ctx.Err())
	}
	var dial *net.OpError
	var name *net.DNSError
	var slow net.Error
	var proxy *proxyError
	switch {
	case errors.As(err, &dial) && (dial.Op == "dial" || dial.Op == "proxyconnect"),
		errors.As(err, &proxy) && proxy.status >= http.StatusInternalServerError,
		errors.As(err, &name),
		errors.As(err, &slow) && slow.Timeout(),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return unreachable(err)
	}
	return err
}

func unreachable(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: it gave no answer in time: %w", ErrUnreachable, err)
	}
	return fmt.Errorf("%w: %w", ErrUnreachable, err)
}

// open takes the response out of its envelope.
func open(r reply) (json.RawMessage, error) {
	if r.status >= http.StatusInternalServerError {
		return nil, fmt.Errorf("%w: it answered with status %d", ErrUnreachable, r.status)
	}
	fields, err := object(r.body)
	if err != nil {
		if r.status != http.StatusOK {
			return nil, &Error{Status: r.status, Message: http.StatusText(r.status)}
		}
		return nil, fmt.Errorf("the answer is none of Duo's: %w", err)
	}
	stat, err := fields.text("stat")
	switch {
	case err != nil:
		return nil, fmt.Errorf("the answer is none of Duo's: %w", err)
	case stat == "OK" && r.status == http.StatusOK && fields["response"] != nil:
		return fields["response"], nil
	case stat == "FAIL":
		return nil, failed(r.status, fields)
	}
	return nil, fmt.Errorf("the answer is none of Duo's: status %d with stat %q", r.status, Clean(stat))
}

// failed is the error that Duo describes.
func failed(status int, fields fields) error {
	e := &Error{Status: status}
	if code, err := strconv.Atoi(string(fields["code"])); err == nil {
		e.Code = code
	}
	// What is no text is left out: the answer is no in any case.
	e.Message, _ = fields.text("message")
	e.Detail, _ = fields.text("message_detail")
	e.Message, e.Detail = Clean(e.Message), Clean(e.Detail)
	return e
}
