package duotest

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// answer does the fault.
func (f Fault) answer(w http.ResponseWriter, params url.Values) {
	status := f.Status
	if status == 0 {
		status = http.StatusOK
	}
	body := strings.ReplaceAll(f.Body, "TXID", params.Get("txid"))
	switch f.Break {
	case Whole:
		if f.After != "" {
			w.Header().Set("Retry-After", f.After)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return
	}
	conn, buf, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	switch f.Break {
	case HalfBody:
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 %d Odd\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			status, len(body), body[:len(body)/2])
	case HalfClosed:
		_ = conn.(*tls.Conn).CloseWrite()
		_, _ = io.Copy(io.Discard, buf) // until the other side has had enough
	}
}
