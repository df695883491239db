package duo

import (
	"crypto/x509"
	"net/http"

	duoapi "github.com/duosecurity/duo_api_golang"
)

// PinnedRoots are the certification authorities that Duo's official client for
// Go trusts, and no others: whoever gets a certificate from elsewhere is not
// Duo. They come from that client itself, so that they change when it does.
func PinnedRoots() *x509.CertPool {
	roots := x509.NewCertPool() // with nobody in it, should there be none to be had
	duoapi.NewDuoApi("", "", "", "", duoapi.SetTransport(func(t *http.Transport) {
		if t.TLSClientConfig != nil && t.TLSClientConfig.RootCAs != nil {
			roots = t.TLSClientConfig.RootCAs
		}
	}))
	return roots
}
