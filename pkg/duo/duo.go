// Package duo asks Duo Security's service about a person: the Auth API, version
// 2 (https://duo.com/docs/authapi), over HTTPS, signed with HMAC-SHA-512.
//
// What is promised: every call ends at its deadline; a call that was told to
// come later (429) is made again, whole and signed anew, as long as the deadline
// allows; a server whose certificate leads to none of the pinned roots is not
// talked to; "allow" is a yes only where the answer is well-formed, literally
// says so, and speaks of nobody else and of no other transaction; what the
// service says in words comes back on one line without control characters. The
// secret key signs, and is in no error, and every verb of package fmt prints it,
// and passcodes, as [secret].
//
// Left out: the other APIs, remembered devices, and the proxies of the
// environment.
package duo

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// A Secret is a secret key. Every verb of package fmt prints it as [secret].
type Secret struct{ key string }

const hidden = "[secret]"

// Format prints [secret], whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// The length of a secret key, in bytes. Duo's have 40.
const (
	minSecret = 20
	maxSecret = 128
)

// ReadSecret reads the text of a file that holds a secret key and nothing else
// but blanks around it. The error does not repeat what was read.
func ReadSecret(b []byte) (Secret, error) {
	key := strings.TrimSpace(string(b))
	odd := func(r rune) bool { return r <= ' ' || r >= 0x7f }
	switch {
	case key == "":
		return Secret{}, errors.New("there is no secret key in it")
	case len(key) < minSecret || len(key) > maxSecret || strings.ContainsFunc(key, odd):
		return Secret{}, fmt.Errorf("holds no secret key: it must be one word of %d to %d characters, alone in the file", minSecret, maxSecret)
	}
	return Secret{key}, nil
}

// DefaultTimeout is for how long a call goes on where nothing else is said: a
// person has to find a phone meanwhile.
const DefaultTimeout = time.Minute

// A Config says whom to ask, and as whom.
type Config struct {
	Host      string // of the API, as Duo's Admin Panel shows it; a port may follow
	IKey      string // the integration key, which is no secret
	SKey      Secret
	UserAgent string         // empty means "oathkit"
	Timeout   time.Duration  // of one call, repetitions and all; 0 means DefaultTimeout
	Roots     *x509.CertPool // who may vouch for Host; nil means PinnedRoots
	Proxy     *url.URL       // of an HTTP proxy that is asked to CONNECT; nil means none

	Now    func() time.Time // dates the requests; Duo takes those of five minutes around
	Random io.Reader        // spreads repetitions; nil means that they are not spread
	// Wait waits for d or until ctx ends, and says why it ended; nil means a timer.
	Wait func(ctx context.Context, d time.Duration) error
}

// A Client calls the API. It is safe for several goroutines at once.
type Client struct {
	config Config
	http   http.Client

	mu   sync.Mutex
	seen map[string]bool // transactions that began
}

// New makes a client. It opens no connection.
func New(config Config) (*Client, error) {
	switch {
	case config.Host == "" || strings.ContainsAny(config.Host, "/@?# \t"):
		return nil, fmt.Errorf("the host %q is no name of a host", config.Host)
	case config.IKey == "":
		return nil, errors.New("there is no integration key")
	case config.SKey.key == "":
		return nil, errors.New("there is no secret key")
	case config.Now == nil:
		return nil, errors.New("there is no clock")
	}
	if config.UserAgent == "" {
		config.UserAgent = "oathkit"
	}
	if config.Timeout <= 0 {
		config.Timeout = DefaultTimeout
	}
	if config.Roots == nil {
		config.Roots = PinnedRoots()
	}
	if config.Wait == nil {
		config.Wait = wait
	}
	transport := &http.Transport{
		TLSClientConfig:    &tls.Config{RootCAs: config.Roots, MinVersion: tls.VersionTLS12},
		DisableCompression: true,
		// Nothing from the environment: who sets a variable must not choose the way.
		Proxy:       func(*http.Request) (*url.URL, error) { return config.Proxy, nil },
		DialContext: (&net.Dialer{Timeout: dialTimeout}).DialContext,
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
			if resp.StatusCode != http.StatusOK {
				return &proxyError{resp.StatusCode}
			}
			return nil
		},
	}
	return &Client{
		config: config,
		seen:   map[string]bool{},
		http: http.Client{
			Transport: transport,
			// Duo sends nobody elsewhere.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// dialTimeout is how long one address of the host may take to answer, so that
// there is time for the next.
const dialTimeout = 15 * time.Second

// Close gives up idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A proxyError is a proxy that does not connect us.
type proxyError struct{ status int }

func (e *proxyError) Error() string {
	return fmt.Sprintf("the proxy answered with status %d", e.status)
}

// ErrUnreachable means that Duo gave no answer: no connection, none in time,
// none before it broke, or one that says that the service is out of order
// (status 500 and above). A server that nobody trusted vouches for, one that
// refuses us, and one that answers nonsense were reached.
var ErrUnreachable = errors.New("the service cannot be reached")

// An Error is an answer by which Duo refused the call itself.
type Error struct {
	Status  int    // of HTTP
	Code    int    // Duo's, whose first three digits are Status; 0 where it gave none
	Message string // on one line
	Detail  string // on one line; may be empty
}

func (e *Error) Error() string {
	s := fmt.Sprintf("status %d", e.Status)
	if e.Code != 0 {
		s = fmt.Sprintf("code %d", e.Code)
	}
	if e.Message != "" {
		s += ": " + e.Message
	}
	if e.Detail != "" {
		s += " (" + e.Detail + ")"
	}
	return s
}
