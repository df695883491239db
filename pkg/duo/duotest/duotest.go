// Package duotest is a server for tests that answers as Duo's Auth API does
// (https://duo.com/docs/authapi): over TLS, with a certificate of an authority
// of its own, on loopback. It shares no code with package duo, so that the two
// judge each other.
//
// Requests are held to Duo's rules: a signature of HMAC-SHA-1 or HMAC-SHA-512
// over date, method, host, path and parameters; the date of X-Duo-Date, else of
// Date, at most five minutes away; the host with or without its port. What is
// wrong is refused with Duo's codes. Users, and what their phones say, are the
// test's; so are faults: answers that are late, broken or untrue.
package duotest

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"
)

// The keys that clients of the server have.
const (
	IKey = "DITESTTESTTESTTESTTE"
	SKey = "tEsTkEyOfThEtEsTsErVeRtEsTkEyOfThEtEsTsE"
)

// A Device is one of a user's.
type Device struct {
	ID           string   `json:"device"`
	Type         string   `json:"type"`
	Name         string   `json:"name"`
	Number       string   `json:"number,omitempty"`
	Capabilities []string `json:"capabilities"`
}

// Phone is a device that can do everything.
func Phone() Device {
	return Device{"DPTESTPHONE000000001", "phone", "", "XXX-XXX-0100", []string{"auto", "push", "sms", "phone", "mobile_otp"}}
}

// A User is what the service knows of somebody.
type User struct {
	Preauth string // auth, allow, deny or enroll; empty means auth
	Message string // the status message of Preauth
	Portal  string // the address for who may enrol
	Devices []Device

	Passcodes []string      // each good once
	Phone     string        // what the user does when asked: allow, deny, fraud, or nothing
	After     time.Duration // how long the user takes
}

// A Fault is done to one request instead of what was to be answered, or before it.
type Fault struct {
	Delay  time.Duration
	Status int    // instead of 200; 0 leaves the answer as it is, unless Body is set
	After  string // the header Retry-After
	Body   string // instead of the answer's; the word TXID in it is the transaction asked about
	Break  Break
}

// A Break is how a connection ends.
type Break int

// The ways in which a connection ends.
const (
	Whole      Break = iota // it does not
	Reset                   // without an answer
	HalfBody                // within the answer's body
	HalfClosed              // the server says no more, and goes on listening
)

// A Request is one that came and was signed as it should be.
type Request struct {
	Path   string
	Params url.Values
	Agent  string
	Digest string // sha1 or sha512; empty where nothing was signed
	Length int64  // of the body; -1 where it came in chunks
}

// A Server runs until its test ends.
type Server struct {
	Host string // 127.0.0.1 and the port
	Port string
	CA   []byte // the certificate of its authority, in PEM

	now  func() time.Time
	stop chan struct{}

	mu       sync.Mutex
	users    map[string]*User
	faults   map[string][]Fault
	requests []Request
	pending  map[string]*pending
	count    int
}

// Serve starts a server. The clock is the one that dates are held against.
func Serve(t testing.TB, now func() time.Time) *Server {
	t.Helper()
	ca, leaf, err := certificates(now())
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{
		Host: l.Addr().String(), CA: ca, now: now, stop: make(chan struct{}),
		users: map[string]*User{}, faults: map[string][]Fault{}, pending: map[string]*pending{},
	}
	_, s.Port, _ = net.SplitHostPort(s.Host)
	h := &http.Server{
		Handler: s, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: time.Minute,
		// Package http would answer a half-closed connection by itself.
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := h.Serve(tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{leaf}, MinVersion: tls.VersionTLS12}))
		if !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("duotest: %v", err)
		}
	}()
	t.Cleanup(func() {
		close(s.stop)
		h.Close()
		<-done
	})
	return s
}

// Know makes somebody a user, or changes what is known of one.
func (s *Server) Know(name string, u User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users[name] = &u
}

// Fault does these to the next requests of a path, one to each.
func (s *Server) Fault(path string, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[path] = append(s.faults[path], faults...)
}

// Requests are those that came so far and were signed as they should be.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// Paths are the paths of Requests, for a test that wants to know in what order
// it was asked.
func (s *Server) Paths() []string {
	var paths []string
	for _, r := range s.Requests() {
		paths = append(paths, r.Path)
	}
	return paths
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	params, err := parameters(w, r)
	if err != nil {
		fail(w, 40000, err.Error())
		return
	}
	req := Request{Path: r.URL.Path, Params: params, Agent: r.UserAgent(), Length: r.ContentLength}
	if r.URL.Path != "/auth/v2/ping" {
		var code int
		var why string
		if req.Digest, code, why = s.verify(r, params); code != 0 {
			fail(w, code, why)
			return
		}
	}
	s.mu.Lock()
	s.requests = append(s.requests, req)
	var fault Fault
	if queue := s.faults[req.Path]; len(queue) > 0 {
		fault, s.faults[req.Path] = queue[0], queue[1:]
	}
	s.mu.Unlock()
	if !s.sleep(r, fault.Delay) {
		return
	}
	if fault != (Fault{Delay: fault.Delay}) {
		fault.answer(w, params)
		return
	}
	s.answer(w, r, params)
}

// sleep waits, and says whether anybody is still there.
func (s *Server) sleep(r *http.Request, d time.Duration) bool {
	if d == 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
	case <-s.stop:
	}
	return false
}

// reply answers well.
func reply(w http.ResponseWriter, response any) {
	write(w, http.StatusOK, map[string]any{"stat": "OK", "response": response})
}

// fail refuses a request. The first three digits of the code are the status.
func fail(w http.ResponseWriter, code int, message string) {
	write(w, code/100, map[string]any{"stat": "FAIL", "code": code, "message": message})
}

func write(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	_, _ = w.Write(b)
}
