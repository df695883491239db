package duotest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// A verdict is how a factor is answered.
type verdict struct {
	Result  string `json:"result"`
	Status  string `json:"status"`
	Message string `json:"status_msg"`
}

// pending is a transaction whose answer is not known yet, or not fetched.
type pending struct {
	user  *User
	told  bool // the first status was fetched
	since time.Time
	first verdict
	last  verdict
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, params url.Values) {
	post := r.Method == http.MethodPost
	switch path := r.URL.Path; {
	case !post && (path == "/auth/v2/ping" || path == "/auth/v2/check"):
		reply(w, map[string]int64{"time": s.now().Unix()})
	case post && path == "/auth/v2/preauth":
		s.preauth(w, params)
	case post && path == "/auth/v2/auth":
		s.auth(w, r, params)
	case !post && path == "/auth/v2/auth_status":
		s.status(w, r, params)
	case post && path == "/auth/v2/enroll":
		s.enroll(w, params)
	case post && path == "/auth/v2/enroll_status":
		s.enrollStatus(w, params)
	default:
		fail(w, 40401, "Resource not found")
	}
}

func (s *Server) user(name string) (*User, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := s.users[name]
	return u, ok
}

func (s *Server) preauth(w http.ResponseWriter, params url.Values) {
	name := params.Get("username")
	if name == "" {
		fail(w, 40002, "Invalid request parameters")
		return
	}
	u, ok := s.user(name)
	switch {
	case !ok:
		reply(w, map[string]string{
			"result": "enroll", "status_msg": "Enroll an authentication device to proceed",
			"enroll_portal_url": "https://api-test.duosecurity.com/portal?code=1234567890abcdef",
		})
	case u.Preauth == "" || u.Preauth == "auth":
		reply(w, map[string]any{"result": "auth", "status_msg": "Account is active", "devices": u.Devices})
	default:
		response := map[string]string{"result": u.Preauth, "status_msg": u.Message}
		if u.Portal != "" {
			response["enroll_portal_url"] = u.Portal
		}
		reply(w, response)
	}
}

func (s *Server) auth(w http.ResponseWriter, r *http.Request, params url.Values) {
	u, ok := s.user(params.Get("username"))
	if !ok {
		fail(w, 40002, "Invalid request parameters")
		return
	}
	p := &pending{user: u, since: s.now()}
	switch factor := params.Get("factor"); {
	case u.Preauth != "" && u.Preauth != "auth":
		p.last = verdict{"deny", "deny", "Your account is not to log in"}
	case factor == "passcode":
		p.last = s.passcode(u, params.Get("passcode"))
	case !hasDevice(u, params.Get("device"), factor):
		fail(w, 40002, "Invalid request parameters")
		return
	case factor == "sms":
		p.last = verdict{"deny", "sent", "New SMS passcodes sent."}
	case factor == "push" || factor == "auto":
		p.first = verdict{"waiting", "pushed", "Pushed a login request to your device..."}
		p.last = reaction(u)
	case factor == "phone":
		p.first = verdict{"waiting", "calling", "Dialing your phone..."}
		p.last = reaction(u)
	}
	if params.Get("async") == "1" {
		s.mu.Lock()
		s.count++
		id := fmt.Sprintf("00000000-0000-4000-8000-%012d", s.count)
		s.pending[id] = p
		s.mu.Unlock()
		reply(w, map[string]string{"txid": id})
		return
	}
	if p.first == (verdict{}) || s.react(r, p) {
		reply(w, p.last)
	}
}

// passcode takes a right passcode away, so that it is good once.
func (s *Server) passcode(u *User, code string) verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(u.Passcodes, code); i >= 0 {
		u.Passcodes = slices.Delete(slices.Clone(u.Passcodes), i, i+1)
		return verdict{"allow", "allow", "Success. Logging you in..."}
	}
	return verdict{"deny", "deny", "Incorrect passcode. Please try again."}
}

// hasDevice says whether the user has the device, and that can do it.
func hasDevice(u *User, id, factor string) bool {
	return slices.ContainsFunc(u.Devices, func(d Device) bool {
		return (id == "auto" || id == d.ID) && slices.Contains(d.Capabilities, factor)
	})
}

func reaction(u *User) verdict {
	switch u.Phone {
	case "allow":
		return verdict{"allow", "allow", "Success. Logging you in..."}
	case "deny":
		return verdict{"deny", "deny", "Login request denied."}
	case "fraud":
		return verdict{"deny", "fraud", "Login request reported as fraudulent."}
	}
	return verdict{"deny", "timeout", "Login timed out."}
}

// react waits as long as the user takes.
func (s *Server) react(r *http.Request, p *pending) bool {
	return s.sleep(r, max(0, p.user.After-s.now().Sub(p.since)))
}

// status tells of a transaction first that it waits, then how it ended; that
// once.
func (s *Server) status(w http.ResponseWriter, r *http.Request, params url.Values) {
	id := params.Get("txid")
	s.mu.Lock()
	p, ok := s.pending[id]
	var first bool
	if ok {
		first, p.told = !p.told && p.first != (verdict{}), true
	}
	s.mu.Unlock()
	switch {
	case !ok:
		fail(w, 40002, "Invalid request parameters")
	case first:
		reply(w, p.first)
	case s.react(r, p):
		s.mu.Lock()
		delete(s.pending, id)
		s.mu.Unlock()
		reply(w, p.last)
	}
}

// enroll makes a user, who is done once a test gives the user devices.
func (s *Server) enroll(w http.ResponseWriter, params url.Values) {
	name := params.Get("username")
	if _, known := s.user(name); known || name == "" {
		fail(w, 40003, "username already exists")
		return
	}
	s.Know(name, User{Preauth: "enroll"})
	reply(w, map[string]any{
		"user_id": "DU" + name, "username": name, "activation_code": "duo://" + name,
		"activation_barcode": "https://" + s.Host + "/frame/qr?value=" + url.QueryEscape(name),
		"expiration":         s.now().Add(time.Hour).Unix(),
	})
}

func (s *Server) enrollStatus(w http.ResponseWriter, params url.Values) {
	name := params.Get("user_id")
	u, ok := s.user(name[min(2, len(name)):])
	switch {
	case !ok || params.Get("activation_code") != "duo://"+name[2:]:
		reply(w, "invalid")
	case len(u.Devices) == 0:
		reply(w, "waiting")
	default:
		reply(w, "success")
	}
}
