package duotest

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"mime"
	"net"
	"net/http"
	"net/mail"
	"net/url"
	"sort"
	"strings"
	"time"
)

// window is how far the date of a request may be away.
const window = 5 * time.Minute

// parameters reads those of a request, from its query or its body.
func parameters(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || r.Method != http.MethodPost {
		return query, err
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/x-www-form-urlencoded" {
		return nil, errors.New("the body is no form")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
	if err != nil {
		return nil, err
	}
	return url.ParseQuery(string(body))
}

// verify says how a request was signed, or what is wrong with that in Duo's code
// and words.
func (s *Server) verify(r *http.Request, params url.Values) (digest string, code int, why string) {
	ikey, sig, ok := r.BasicAuth()
	if !ok {
		return "", 40101, "Missing request credentials"
	}
	if ikey != IKey {
		return "", 40102, "Invalid integration key in request credentials"
	}
	date := r.Header.Get("X-Duo-Date")
	if date == "" {
		date = r.Header.Get("Date")
	}
	at, err := mail.ParseDate(date)
	if err != nil {
		return "", 40104, "Missing or invalid request timestamp"
	}
	if away := s.now().Sub(at); away > window || away < -window {
		return "", 40105, "Bad request timestamp"
	}
	var algorithm func() hash.Hash
	switch len(sig) {
	case 2 * sha1.Size:
		digest, algorithm = "sha1", sha1.New
	case 2 * sha512.Size:
		digest, algorithm = "sha512", sha512.New
	default:
		return "", 40103, "Invalid signature in request credentials"
	}
	hosts := []string{r.Host}
	if name, _, err := net.SplitHostPort(r.Host); err == nil {
		hosts = append(hosts, name)
	}
	for _, host := range hosts {
		mac := hmac.New(algorithm, []byte(SKey))
		_, _ = io.WriteString(mac, Canonical(date, r.Method, host, r.URL.Path, params))
		if want := hex.EncodeToString(mac.Sum(nil)); hmac.Equal([]byte(want), []byte(sig)) {
			return digest, 0, ""
		}
	}
	return "", 40103, "Invalid signature in request credentials"
}

// Canonical is the text that is signed.
func Canonical(date, method, host, path string, params url.Values) string {
	names := make([]string, 0, len(params))
	for name := range params {
		names = append(names, name)
	}
	sort.Strings(names)
	var pairs []string
	for _, name := range names {
		values := append([]string(nil), params[name]...)
		sort.Strings(values)
		for _, value := range values {
			pairs = append(pairs, percent(name)+"="+percent(value))
		}
	}
	return date + "\n" + strings.ToUpper(method) + "\n" + strings.ToLower(host) + "\n" + path + "\n" + strings.Join(pairs, "&")
}

// percent escapes all but the unreserved characters of RFC 3986.
func percent(s string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-._~", c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}
