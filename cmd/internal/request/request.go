// Package request reads how hosts ask whether a login is good, and writes how
// they want the answer: OpenVPN's file (openvpn(8), auth-user-pass-verify with
// via-file), the environment of FreeRADIUS (rlm_exec), descriptor 3 of
// checkpassword (https://cr.yp.to/checkpwd/interface.html), two lines (Apache's
// mod_authnz_external) and squid's lines (basic authentication helpers).
//
// Promised: what is read is bounded, and what is not in the host's form is an
// error, which never holds what was read; nothing that a person wrote gets into
// an answer. Left out: reading descriptors and files, and every judgement.
package request

import (
	"fmt"
	"io"
)

// A Request is a name and what came with it. It prints as [secret].
type Request struct {
	User string // as the person gave it; any bytes

	Secret string // password and code as one string; empty where they came apart

	Apart          bool // the host asked for them one by one
	Password, Code string
}

// Format does not tell the secret, whatever the verb.
func (Request) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[secret]") }
