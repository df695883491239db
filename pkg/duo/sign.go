package duo

import (
	"crypto/hmac"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
)

// encode writes parameters as the signature wants them: sorted by name, and
// escaped as RFC 3986 has it. It is a form (application/x-www-form-urlencoded),
// too, so what is sent is what was signed.
func encode(params map[string]string) string {
	pairs := make([]string, 0, len(params))
	for name, value := range params {
		pairs = append(pairs, escape(name)+"="+escape(value))
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// authorization is the header of a request with these parameters, as encode
// writes them, and with this date, as the header Date has it.
func (s Secret) authorization(ikey, date, method, host, path, params string) string {
	mac := hmac.New(sha512.New, []byte(s.key))
	for i, line := range [...]string{date, strings.ToUpper(method), strings.ToLower(host), path, params} {
		if i > 0 {
			mac.Write([]byte{'\n'})
		}
		mac.Write([]byte(line))
	}
	sum := ikey + ":" + hex.EncodeToString(mac.Sum(nil))
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(sum))
}
