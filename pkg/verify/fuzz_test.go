package verify_test

import (
	"testing"
	"time"

	"oathkit/pkg/mfa"
	"oathkit/pkg/verify"
)

// FuzzDecide judges any answer, in any state, at any time: it must come to a
// verdict, leave a state that can be kept, and say the same when asked again.
func FuzzDecide(f *testing.F) {
	d := open(f, true, mfa.EnableOptions{})
	d.add(mfa.EnableOptions{Kind: mfa.HOTP})
	f.Add(mfa.EncodeState(d.u.State), "123456", noon.Unix())
	f.Add(mfa.EncodeState(mfa.Rebuild(d.u.Record, noon, 1)), d.codes[0], int64(-1))
	end := d.u.State
	end.Counters[0].Next, end.Counters[1].Next, end.Counters[1].Candidate = mfa.MaxCounter, mfa.MaxCounter, mfa.MaxCounter
	f.Add(mfa.EncodeState(end), d.code(1, mfa.MaxCounter), int64(1)<<62)
	f.Fuzz(func(t *testing.T, b []byte, answer string, unix int64) {
		s, err := mfa.DecodeState(b)
		if err != nil {
			return
		}
		u := d.u
		u.State = s
		for _, epoch := range [][16]byte{s.Epoch, u.Record.Epoch} {
			u.State.Epoch = epoch
			now := time.Unix(unix, 0)
			r, after := verify.Decide(u, answer, now, d.p)
			if again, same := verify.Decide(u, answer, now, d.p); again != r || same.State != after.State {
				t.Errorf("%+v, then %+v", r, again)
			}
			if s, err := mfa.DecodeState(mfa.EncodeState(after.State)); err != nil || s != after.State {
				t.Errorf("the state cannot be kept: %v", err)
			}
			if replay, _ := verify.Decide(after, answer, now, d.p); r.OK && replay.OK {
				t.Errorf("%q is accepted twice: %+v, %+v", answer, r, replay)
			}
			if len(verify.Explain(u, answer, now, d.p)) == 0 {
				t.Error("nothing is explained")
			}
		}
	})
}
