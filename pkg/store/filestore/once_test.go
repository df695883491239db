package filestore

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
	"oathkit/pkg/verify"
)

// What is good once, presented by many at once.
const (
	recoveryCode = "recovery"
	sentCode     = "sent"
	removalToken = "removal"
	totpCode     = "totp"
	crowd        = 32
)

var (
	midday = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	strict = verify.Policy{Window: 1, Required: true, Lockout: verify.DefaultLockout()}
)

// present is one login, or one removal.
func present(s *Store, kind, answer string) (r verify.Result, err error) {
	judge := verify.Decide
	if kind == removalToken {
		judge = verify.ConfirmRemoval
	}
	err = s.Update(context.Background(), someone, func(u mfa.User) (mfa.User, error) {
		var after mfa.User
		r, after = judge(u, answer, midday, strict)
		return after, nil
	})
	return r, err
}

// newcomer makes a user with a TOTP credential, an e-mail address and recovery
// codes, and what is good once. Whoever had the name before is gone.
func newcomer(t *testing.T, s *Store, kind string) (answer string) {
	t.Helper()
	err := s.Update(context.Background(), someone, func(mfa.User) (mfa.User, error) {
		o := mfa.EnableOptions{Now: midday, Random: rand.Reader}
		u, c, err := mfa.Enable(mfa.User{ID: someone}, o)
		if err != nil {
			return u, err
		}
		o.Kind, o.Address = mfa.Email, "alice@example.org"
		u, mail, err := mfa.Add(u, o)
		if err != nil {
			return u, err
		}
		codes, u, err := mfa.NewRecoveryCodes(u, 10, rand.Reader)
		if err != nil {
			return u, err
		}
		switch kind {
		case recoveryCode:
			answer = codes[7]
		case totpCode:
			answer = string(oath.NewCoder(c.Key, c.Algorithm, c.Digits).AppendCode(nil, oath.StepAt(midday, c.Period)))
		case sentCode:
			answer, u, err = mfa.Send(u, mail.ID, mfa.ForLogin, midday, rand.Reader)
		case removalToken:
			answer, u, err = mfa.RequestRemoval(u, midday, rand.Reader)
		}
		return u, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// patient opens a store that waits for a user as long as programs do.
func patient(t *testing.T, folder string) *Store {
	t.Helper()
	s, err := Open(folder, Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// tell is what a helper process prints of its verdict.
func tell(r verify.Result) string { return fmt.Sprintf("%s %s", r.Verdict, r.Reason) }

// answerAt is a helper process: it presents what it reads, at a time.
func answerAt(s *Store, kind, unixMilli string) error {
	answer, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	ms, err := strconv.ParseInt(unixMilli, 10, 64)
	if err != nil {
		return err
	}
	time.Sleep(time.Until(time.UnixMilli(ms)))
	r, err := present(s, kind, string(answer))
	fmt.Print(tell(r))
	return err
}

// onlyOne counts verdicts: one was accepted, the others were told why not.
func onlyOne(t *testing.T, kind string, verdicts map[string]int) {
	t.Helper()
	yes, no := "accepted "+map[string]string{recoveryCode: "recovery-code", sentCode: "sent-code", removalToken: "removed", totpCode: "right-code"}[kind],
		map[string]string{recoveryCode: "replayed recovery-code", sentCode: "replayed used-code", removalToken: "not-enrolled no-record", totpCode: "replayed used-code"}[kind]
	if len(verdicts) != 2 || verdicts[yes] != 1 || verdicts[no] != crowd-1 {
		t.Errorf("of %d with one %s: %v, want 1 %q and the rest %q", crowd, kind, verdicts, yes, no)
	}
}

func TestOnce(t *testing.T) {
	rounds := 10
	if soak() {
		rounds = 100
	}
	for _, kind := range []string{recoveryCode, sentCode, removalToken, totpCode} {
		t.Run(kind, func(t *testing.T) {
			s := patient(t, filepath.Join(t.TempDir(), "store"))
			defer s.Close()
			for range rounds {
				answer := newcomer(t, s, kind)
				verdicts := map[string]int{}
				var mu sync.Mutex
				var wg sync.WaitGroup
				for range crowd {
					wg.Go(func() {
						r, err := present(s, kind, answer)
						mu.Lock()
						defer mu.Unlock()
						if err != nil {
							t.Error(err)
						}
						verdicts[tell(r)]++
					})
				}
				wg.Wait()
				onlyOne(t, kind, verdicts)
			}
		})
	}
}

func TestOnceInProcesses(t *testing.T) {
	rounds := 2
	if soak() {
		rounds = 100
	}
	for _, kind := range []string{recoveryCode, sentCode, removalToken} {
		t.Run(kind, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "store")
			s := patient(t, folder)
			defer s.Close()
			for range rounds {
				answer := newcomer(t, s, kind)
				begin := strconv.FormatInt(time.Now().Add(200*time.Millisecond).UnixMilli(), 10)
				var said [crowd]bytes.Buffer
				var started []*exec.Cmd
				for i := range crowd {
					cmd := helper("answer", folder, kind, begin)
					cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader([]byte(answer)), &said[i], os.Stderr
					if err := cmd.Start(); err != nil {
						t.Fatal(err)
					}
					started = append(started, cmd)
				}
				verdicts := map[string]int{}
				for i, cmd := range started {
					if err := cmd.Wait(); err != nil {
						t.Error(err)
					}
					verdicts[said[i].String()]++
				}
				onlyOne(t, kind, verdicts)
			}
		})
	}
}

// TestOnceAndReset: what is good once and a reset at the same moment, in either
// order, and never a mix: after it the user is the one that was reset, with
// nothing of the old one.
func TestOnceAndReset(t *testing.T) {
	rounds := 25
	if soak() {
		rounds = 100
	}
	for _, kind := range []string{recoveryCode, sentCode, removalToken, totpCode} {
		t.Run(kind, func(t *testing.T) {
			s := patient(t, filepath.Join(t.TempDir(), "store"))
			defer s.Close()
			for range rounds {
				answer := newcomer(t, s, kind)
				before, err := s.View(context.Background(), someone)
				if err != nil {
					t.Fatal(err)
				}
				var wg sync.WaitGroup
				var r verify.Result
				var failed, refused error
				wg.Go(func() { r, failed = present(s, kind, answer) })
				wg.Go(func() {
					refused = s.Update(context.Background(), someone, func(u mfa.User) (mfa.User, error) {
						u, _, err := mfa.Reset(u, mfa.EnableOptions{Now: midday, Random: rand.Reader})
						return u, err
					})
				})
				wg.Wait()
				after, err := s.View(context.Background(), someone)
				if err != nil || failed != nil {
					t.Fatal(err, failed)
				}
				if kind == removalToken && r.OK { // it came first, so there was nobody to reset
					if !errors.Is(refused, mfa.ErrNotEnrolled) || after.Enrolled() {
						t.Errorf("removed, then: %v, enrolled %v", refused, after.Enrolled())
					}
					continue
				}
				if refused != nil {
					t.Fatal(refused)
				}
				// Reset came first: the answer was one more wrong one for the new
				// user; else the new user knows nothing of it.
				failures := uint16(1)
				if r.OK {
					failures = 0
				}
				if after.Record.Epoch == before.Record.Epoch || after.Record.UserID != before.Record.UserID || after.Activated() || len(after.Record.Credentials) != 1 ||
					after.State.Failures != failures || after.State.Sent != (mfa.Sent{}) || after.State.Removal != (mfa.Removal{}) || after.Record.Recovery.Left(0) != 0 {
					t.Errorf("%s: a mix: %+v", tell(r), after)
				}
			}
		})
	}
}
