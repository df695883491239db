package login

import (
	"context"
	"fmt"
	"io"
	"strings"

	"oathkit/pkg/mfa"
	"oathkit/pkg/password"
	"oathkit/pkg/verify"
)

// A Secret is what a person gave where password and code come at once. It prints
// as [secret].
type Secret struct {
	Password string // where the host has it apart from the code
	Code     string
	Combined string // password and code as one string, the code last; then the other two are empty
	Method   string // as for Login.JudgeBy
}

// Format does not tell the secret, whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[secret]") }

// What became of a password, in the audit log.
const (
	passwordHeld      = "held"
	passwordWrong     = "wrong"
	passwordUnchecked = "not checked"
)

// The reasons of a refusal that no code is to blame for.
const (
	reasonPassword  = "wrong-password"
	reasonUnchecked = "password-not-checked" // the code alone would not have been asked for, so nothing was proved
)

// JudgeWhole decides on a login of which nobody else has seen a part. The
// password must hold, where a program is configured that says so, and the code
// as ever. Who is asked for no code gets in by his password, and where that is
// not checked not at all. Whether the one or the other was wrong is for the audit
// log alone.
func (l *Login) JudgeWhole(s Secret) (verify.Result, error) {
	duo, err := l.realmFactor()
	if err != nil {
		return verify.Result{Verdict: verify.Error}, l.Fail(err)
	}
	l.refresh()
	u, err := l.view()
	if err != nil {
		return verify.Result{Verdict: verify.Error}, l.Fail(err)
	}
	readings := s.readings(u, l.Policy)
	switch {
	case duo: // and nothing else
		readings = s.duoReadings()
	case duoOf(u) != nil && s.Combined != "":
		readings = append(s.duoReadings(), readings...)
	}
	if len(l.Site.Config.Login.Password) == 0 {
		return l.judgeCodeAlone(s.Method, readings)
	}
	for _, r := range readings {
		held, err := l.checkPassword(r.Password)
		switch {
		case err != nil:
			return verify.Result{Verdict: verify.Error}, l.Fail(err)
		case held:
			l.password = passwordHeld
			r, err := l.JudgeBy(s.Method, r.Code)
			l.Said = "" // or it would tell that the password was right
			return r, err
		}
	}
	return l.refusePassword()
}

// judgeCodeAlone is for a site that checks no passwords: no code, no login.
func (l *Login) judgeCodeAlone(method string, readings []Secret) (verify.Result, error) {
	l.password, l.alone = passwordUnchecked, true
	var codes []string
	for _, r := range readings {
		if r.Code != "" {
			codes = append(codes, r.Code)
		}
	}
	if codes == nil {
		codes = []string{""}
	}
	return l.judge(method, codes, func(r *verify.Result) {
		if r.OK && r.Verdict != verify.Accepted {
			*r = verify.Result{Verdict: verify.Rejected, Reason: reasonUnchecked}
		}
	})
}

// checkPassword asks the configured program. It knows people by their name in
// the realm that the host lets in, which is pam if it says nothing; somebody of
// another realm is asked for by his whole id, lest his namesake be meant.
func (l *Login) checkPassword(given string) (bool, error) {
	who := l.ID
	if own := l.Attempt.Realm; l.Realm == own || own == "" && l.Realm == "pam" {
		who, _, _ = mfa.SplitID(l.ID)
	}
	askable := password.Askable(who, given)
	if !askable {
		// No password is wrong in the time of one. How much of a secret is
		// the password depends on who has which codes, and is nobody's business.
		given = "no password at all"
	}
	held, err := password.Check(context.Background(), l.Site.Config.Login.Password, who, given)
	return held && askable, err
}

// refusePassword takes the time of a wrong code, and counts nothing: who does not
// know the password cannot lock its owner out.
func (l *Login) refusePassword() (verify.Result, error) {
	l.password = passwordWrong
	if err := l.Update(func(u mfa.User) (mfa.User, error) { return u, nil }); err != nil {
		return verify.Result{Verdict: verify.Error}, l.Fail(err)
	}
	return l.Refuse(reasonPassword)
}

// readings are the passwords and codes that a secret may be, the likeliest first
// and at least one. A combined one is split by what the user's codes look like:
// all of it is the password where he is asked for none.
func (s Secret) readings(u mfa.User, p verify.Policy) []Secret {
	if s.Combined == "" {
		return []Secret{s}
	}
	if !u.Enrolled() && !p.Required {
		return []Secret{{Password: s.Combined}}
	}
	var list []Secret
	if u.Enrolled() && !u.Activated() && (!p.Required || p.Grace > 0) {
		list = append(list, Secret{Password: s.Combined}) // pending, perhaps
	}
	if n := recoveryTail(s.Combined); n > 0 {
		return append(list, s.cut(n))
	}
	for _, digits := range lengths(u) {
		if isDigits(tail(s.Combined, digits)) {
			list = append(list, s.cut(digits))
		}
	}
	if len(list) == 0 || list[len(list)-1].Code == "" {
		// No code of his ends it. It is judged all the same, so that a wrong
		// one costs what it costs.
		list = append(list, s.cut(min(lengths(u)[0], len(s.Combined))))
	}
	return list
}

// duoReadings are those of somebody of whom Duo is asked: all of the secret may
// be the password, and Duo's passcode be behind it or behind a comma, as hosts of
// Duo have it; the words of the methods, too.
func (s Secret) duoReadings() []Secret {
	if s.Combined == "" {
		return []Secret{s}
	}
	list := []Secret{{Password: s.Combined}}
	if i := strings.LastIndexByte(s.Combined, ','); i >= 0 {
		list = append(list, Secret{Password: s.Combined[:i], Code: s.Combined[i+1:]})
	}
	for digits := 6; digits <= 8; digits++ {
		if isDigits(tail(s.Combined, digits)) {
			list = append(list, s.cut(digits))
		}
	}
	return list
}

func (s Secret) cut(n int) Secret {
	at := len(s.Combined) - n
	return Secret{Password: s.Combined[:at], Code: s.Combined[at:]}
}

// lengths are the numbers of digits that the user's codes may have, the longest
// first. Who has no credential is treated as one who has the usual one.
func lengths(u mfa.User) []int {
	var list []int
	for digits := 10; digits >= 6; digits-- {
		for i := range u.Record.Credentials {
			if u.Record.Credentials[i].Digits == digits {
				list = append(list, digits)
				break
			}
		}
	}
	if len(list) == 0 {
		return []int{6}
	}
	return list
}

func tail(s string, n int) string {
	if len(s) < n {
		return ""
	}
	return s[len(s)-n:]
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// recoveryTail is the length of the recovery code that ends s, as it is printed:
// four groups of four, with dashes, in base32 or, if it came from Proxmox VE, in
// hex. 0 if none does.
func recoveryTail(s string) int {
	const length = 19
	code := tail(s, length)
	if code == "" {
		return 0
	}
	base32, hex := true, true
	for i := range length {
		c := code[i] | 0x20 // in lower case
		switch letter, digit := c >= 'a' && c <= 'z', code[i] >= '0' && code[i] <= '9'; {
		case i%5 == 4:
			if code[i] != '-' {
				return 0
			}
		case letter:
			hex = hex && c <= 'f'
		case digit:
			base32 = base32 && code[i] >= '2' && code[i] <= '7'
		default:
			return 0
		}
	}
	if !base32 && !hex {
		return 0
	}
	return length
}
