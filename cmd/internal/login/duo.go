package login

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"oathkit/cmd/internal/cli"
	"oathkit/cmd/internal/trusted"
	"oathkit/pkg/config"
	"oathkit/pkg/duo/pipe"
	"oathkit/pkg/mfa"
	"oathkit/pkg/verify"
)

// The methods by which a person can be asked, beside mail and text messages of
// our own. An empty one means a code if there is one, and else what Duo thinks
// best.
const (
	ByPasscode = pipe.Passcode
	ByPush     = pipe.Push
	ByPhone    = pipe.Phone
	BySMS      = pipe.SMS
)

// kindDuo is what an answer was that Duo judged.
const kindDuo = string(mfa.Duo)

// The reasons of a result for which Duo was asked. Those of a factor are
// "duo-", the method, and of a refusal Duo's own word: "duo-push-fraud".
const (
	reasonBypass      = "duo-bypass"      // not required: Duo lets this user in as he is
	reasonUnreachable = "duo-unreachable" // not required: failmode is "safe"
	reasonDuoDenied   = "duo-denied"      // rejected, whatever he presents
	reasonDuoEnroll   = "duo-enroll"      // not enrolled, at Duo
	reasonDuoSent     = "duo-sent"        // sent: new passcodes, by Duo
	reasonDuoGone     = "duo-gone"        // rejected: the credential was removed while Duo was asked
	reasonEmpty       = "empty"           // rejected: nothing was answered
	reasonUnfit       = "no-passcode"     // rejected: too long for one, or with control characters
)

// errAskDuo ends a transaction without a change: Duo is to be asked instead.
var errAskDuo = errors.New("somebody else is to judge")

// realmFactor says whether the realm's factor is Duo. A type that is not known
// lets nobody in, and leaves other realms alone.
func (l *Login) realmFactor() (duo bool, err error) {
	switch f := l.Site.Config.Factor(l.Realm); f {
	case config.FactorOATH:
		return false, nil
	case config.FactorDuo:
		return true, nil
	default:
		return false, cli.Unsure("the configuration gives realm %q the factor %q, which this version does not know, so nobody gets in there", l.Realm, f).
			Hint(`[realm.%s] factor may be "oath" or "duo"`, l.Realm)
	}
}

// duoOf is the user's credential that says that Duo is asked.
func duoOf(u mfa.User) *mfa.Credential {
	if c := ofKind(u, mfa.Duo); c != nil && c.Activated {
		return c
	}
	return nil
}

// AsksDuo says whether Duo has a say in this login. Of a user who cannot be read
// the decision says what is wrong.
func (l *Login) AsksDuo() bool {
	duo, err := l.realmFactor()
	if err != nil || duo {
		return duo
	}
	u, err := l.Site.Store.View(context.Background(), l.ID)
	return err == nil && duoOf(u) != nil
}

// forDuo says whether an answer of a user with a credential of kind duo is Duo's
// to judge: it is no code but a wish to be asked, or he has nothing else whose
// code it could be.
func forDuo(u mfa.User, method, code string) bool {
	if duoOf(u) == nil || method == string(mfa.Email) {
		return false
	}
	if method, code = wish(method, code); method != ByPasscode {
		return true
	}
	if recoveryTail(code) == len(code) {
		return false
	}
	for i := range u.Record.Credentials {
		if c := &u.Record.Credentials[i]; c.Activated && c.Kind != mfa.Duo {
			return false
		}
	}
	return true
}

// first is for the first code of a credential that such a user has got besides:
// it is activated by that, as ever. Whatever else it is Duo judges, and counts.
func (l *Login) first(u mfa.User, code string) (verify.Result, mfa.User) {
	for i := range u.Record.Credentials {
		if !u.Record.Credentials[i].Activated {
			if r, after := verify.Decide(u, code, l.now, l.Policy); r.Verdict == verify.Accepted {
				return r, after
			}
			break
		}
	}
	return verify.Result{}, u
}

// wish is the method that an answer stands for: its name in place of a code, for
// hosts that have one field, or nothing at all, which leaves it to Duo.
func wish(method, code string) (string, string) {
	if method != "" && method != ByPasscode {
		return method, ""
	}
	switch word := strings.ToLower(strings.TrimSpace(code)); word {
	case ByPush, ByPhone, BySMS:
		return word, ""
	case "":
		if method == "" {
			return pipe.Auto, ""
		}
	}
	return ByPasscode, code
}

// judgeDuo has Duo judge an answer and says what became of it.
func (l *Login) judgeDuo(method, code string, amend func(*verify.Result)) (verify.Result, error) {
	method, code = wish(method, code)
	switch {
	case l.alone && method != ByPasscode:
		// Nobody has proved anything yet: any stranger could have phones ring
		// until somebody presses the wrong button.
		return l.Refuse(reasonUnchecked)
	case method == string(mfa.Email):
		return l.Refuse(reasonNoMethod)
	}
	code = strings.TrimSpace(code)
	if why := unfit(method, code); why != "" {
		return l.Refuse(why)
	}
	r, err := l.present(pipe.Request{Ask: pipe.Login, Method: method, Passcode: code}, func(string) {})
	if err != nil {
		return r, l.Fail(err)
	}
	if amend != nil {
		amend(&r)
	}
	return l.record(r)
}

// unfit is why an answer is refused without anybody being asked about it; empty if
// it is not. It is no guess, so it is not counted.
func unfit(method, code string) string {
	switch {
	case method != ByPasscode || pipe.CanBePasscode(code):
		return ""
	case code == "":
		return reasonEmpty
	}
	return reasonUnfit
}

// present passes a factor on to Duo and keeps what its answer means for the
// lock-out. A passcode, which can be guessed, is counted as wrong before anybody
// is asked, and taken back when it was not. No lock is held meanwhile: a person
// takes a minute to find a phone.
func (l *Login) present(q pipe.Request, tell func(string)) (verify.Result, error) {
	guess := q.Method == ByPasscode
	var epoch [16]byte
	if guess {
		r, passed, err := l.passOn(q.Passcode)
		if err != nil || !passed {
			return r, err
		}
		epoch = l.User.Record.Epoch
	}
	r, _, err := l.runDuo(q, tell)
	refused := err == nil && guess && r.Verdict == verify.Rejected && strings.HasPrefix(r.Reason, "duo-"+ByPasscode)
	if guess && !refused || r.OK {
		uerr := l.Update(func(u mfa.User) (mfa.User, error) {
			if guess {
				u = verify.TakeBack(u, l.now, epoch)
			}
			if r = l.stillAsked(u, r); r.Verdict == verify.Accepted {
				u = verify.Succeed(u, l.now)
			}
			l.User = u
			return u, nil
		})
		err = errors.Join(err, uerr)
	}
	if err != nil {
		return verify.Result{Verdict: verify.Error}, err
	}
	return r, nil
}

// passOn counts a passcode, unless it need not be passed on: because the user is
// locked, or because it is the first code of a credential of his own. Both are
// found out under the same lock, so that of many guesses at once no more are
// judged by either than one by one.
func (l *Login) passOn(code string) (r verify.Result, passed bool, err error) {
	duo, err := l.realmFactor()
	if err != nil {
		return verify.Result{Verdict: verify.Error}, false, err
	}
	err = l.Update(func(u mfa.User) (mfa.User, error) {
		passed = false
		if !duo && duoOf(u) != nil {
			if r, l.User = l.first(u, code); r.OK {
				return l.User, nil
			}
		}
		r, l.User, passed = verify.PassOn(u, l.now, l.Policy)
		return l.User, nil
	})
	return r, passed, err
}

// stillAsked is a result of Duo's, unless the credential by which it was asked
// was taken from the user meanwhile: then its answer is nobody's any more.
func (l *Login) stillAsked(u mfa.User, r verify.Result) verify.Result {
	if duo, err := l.realmFactor(); err == nil && duo {
		return r
	}
	if c := duoOf(u); r.OK && (c == nil || c.ID != l.duoAsked) {
		l.Said = ""
		return verify.Result{Verdict: verify.Rejected, Reason: reasonDuoGone}
	}
	return r
}

// runDuo runs oath-duo for one request, and reads its verdict by what the
// configuration says.
func (l *Login) runDuo(q pipe.Request, tell func(string)) (verify.Result, []pipe.Device, error) {
	unsure := verify.Result{Verdict: verify.Error}
	argv, err := l.oathDuo()
	if err != nil {
		return unsure, nil, err
	}
	l.duoAsked = l.duoCredential()
	q.User, _, _ = mfa.SplitID(l.ID)
	q.Address = l.Attempt.address()
	l.Said = ""
	v, err := pipe.Ask(context.Background(), argv, l.Site.Config.Duo.Timeout, q, tell)
	if err != nil {
		return unsure, nil, cli.Unsure("Duo was not asked: %w", err)
	}
	r, err := l.resultOf(v, q.Method)
	return r, v.Devices, err
}

// address is where the person is, for Duo.
func (a Attempt) address() string {
	if a.OwnWord || len(a.RHost) > maxAddress || strings.ContainsFunc(a.RHost, unicode.IsControl) {
		return ""
	}
	return a.RHost
}

// maxAddress is the longest text that can be an address, in bytes.
const maxAddress = 64

// oathDuo is how oath-duo is run: from beside this program's own file, and never
// from the search path.
func (l *Login) oathDuo() ([]string, error) {
	if !l.Site.Config.Duo.Complete() {
		return nil, cli.Unsure("the factor of %q is Duo, which is not configured, so nobody gets in by it", l.ID).
			Hint("[duo] in oathkit.toml needs host, ikey and skey_file; 'oath-duo --check' tries them")
	}
	self, err := os.Executable()
	if err == nil {
		self, err = filepath.EvalSymlinks(self)
	}
	if err != nil {
		return nil, cli.Unsure("cannot find my own file: %w", err)
	}
	program := filepath.Join(filepath.Dir(self), "oath-duo")
	switch err := trusted.Program(program); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, cli.Unsure("Duo cannot be asked: %w", err).Hint("oath-duo belongs beside oathverify")
	case err != nil:
		return nil, cli.Unsure("Duo cannot be asked: %w", err)
	}
	argv := []string{program}
	if l.named {
		path, err := filepath.Abs(l.config) // it runs in another folder
		if err != nil {
			return nil, cli.Unsure("cannot find the configuration: %w", err)
		}
		argv = append(argv, "-c", path)
	}
	return argv, nil
}

// resultOf is what a verdict of Duo's means here. Whom Duo lets in without a
// factor has proved nothing: whatever else asks him still has to be content.
func (l *Login) resultOf(v pipe.Verdict, method string) (verify.Result, error) {
	l.Said = v.Message
	r := verify.Result{Verdict: verify.Rejected, Kind: kindDuo, Credential: l.duoAsked}
	switch {
	case v.Result == pipe.Choose:
		return r, nil // the caller goes on
	case v.OK && v.Stage == pipe.AtAuth:
		r.Verdict, r.OK, r.Reason = verify.Accepted, true, "duo-"+method
		return r, nil
	case v.OK:
		return verify.Result{Verdict: verify.NotRequired, OK: true, Reason: reasonBypass}, nil
	case v.Result == pipe.Enroll:
		return verify.Result{Verdict: verify.NotEnrolled, Reason: reasonDuoEnroll}, nil
	case v.Result == pipe.Deny && v.Stage == pipe.AtPreauth:
		r.Reason = reasonDuoDenied
		return r, nil
	case v.Result == pipe.Deny && v.Status == "sent":
		r.Verdict, r.Reason = Sent, reasonDuoSent
		return r, nil
	case v.Result == pipe.Deny:
		r.Reason = "duo-" + method + "-" + statusWord(v.Status)
		return r, nil
	case v.Result == pipe.Unreachable && v.Stage == pipe.AtPreauth && l.Site.Config.Duo.Failmode == config.FailSafe:
		l.Said = ""
		if !l.alone { // or nothing at all was proved, and he does not
			l.c.Warn("%q gets in without a factor, as [duo] failmode has it: %s", l.ID, v.Detail)
		}
		return verify.Result{Verdict: verify.NotRequired, OK: true, Reason: reasonUnreachable}, nil
	}
	l.Said = ""
	return verify.Result{Verdict: verify.Error}, cli.Unsure("Duo: %s", v.Detail)
}

// duoCredential is the id of the user's credential of kind duo, where he has
// one and the decision has seen him.
func (l *Login) duoCredential() string {
	if c := duoOf(l.User); c != nil {
		return c.ID
	}
	return ""
}

// statusWord is Duo's word for a refusal, as far as it is a word.
func statusWord(s string) string {
	if s == "" || len(s) > 32 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return pipe.Deny
	}
	return s
}
