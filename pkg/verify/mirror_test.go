package verify_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"oathkit/pkg/mfa"
	"oathkit/pkg/oath"
	"oathkit/pkg/verify"

	"pgregory.net/rapid"
)

// However keys come and go in a user.cfg, and the realm's step with them, one code
// lets in once. A code of a key that is there is good if its time is after all that
// was used.
func TestMirroredCodesAreGoodOnce(t *testing.T) {
	var pool []oath.Key
	for i := range byte(10) { // more than a user may have
		k, err := oath.KeyFromBytes([]byte{i, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
		if err != nil {
			t.Fatal(err)
		}
		pool = append(pool, k)
	}
	type used struct {
		key, period int
		step        uint64
	}
	rapid.Check(t, func(t *rapid.T) {
		random := rand.NewChaCha8([32]byte{1})
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		policy := verify.Policy{Window: 1, Required: true, Lockout: verify.DefaultLockout()}
		stored, before := mfa.User{ID: "joe@pve"}, map[used]bool{}
		var last time.Time // the end of the latest step that was used
		period, present := 30, []int{0}
		for range rapid.IntRange(1, 40).Draw(t, "events") {
			switch rapid.IntRange(0, 3).Draw(t, "event") {
			case 0:
				present = rapid.SliceOfNDistinct(rapid.IntRange(0, len(pool)-1), 0, len(pool), rapid.ID[int]).Draw(t, "keys")
			case 1:
				now = now.Add(time.Duration(rapid.IntRange(0, 100).Draw(t, "seconds")) * time.Second)
			case 2:
				period = rapid.SampledFrom([]int{30, 60}).Draw(t, "period")
			}
			var keys []mfa.ImportedCredential
			for _, i := range present {
				keys = append(keys, mfa.ImportedCredential{Key: pool[i], Digits: 8, Period: period})
			}
			u, err := mfa.Mirror(stored, keys, mfa.ImportOptions{Window: 1, Now: now, Random: random})
			if err != nil {
				t.Fatal(err)
			}
			if !u.Enrolled() {
				continue // and what is stored stays
			}
			of := rapid.IntRange(0, len(pool)-1).Draw(t, "key")
			at := used{of, period, oath.StepAt(now, period) + uint64(rapid.IntRange(0, 2).Draw(t, "offset")) - 1}
			code := string(oath.NewCoder(pool[of], oath.SHA1, 8).AppendCode(nil, at.step))
			r, after := verify.Decide(u, code, now, policy)
			has := false
			for i := range u.Record.Credentials {
				has = has || u.Record.Credentials[i].Key.Equal(pool[of])
			}
			begins := time.Unix(int64(at.step)*int64(period), 0)
			good := has && !begins.Before(last) && r.Verdict != verify.Locked
			if good && !r.OK || r.OK && (before[at] || !has) {
				t.Fatalf("%+v: %s (%s); key there %v, used before %v, last %v", at, r.Verdict, r.Reason, has, before[at], last)
			}
			if r.OK {
				before[at] = true
				if end := begins.Add(time.Duration(period) * time.Second); end.After(last) {
					last = end
				}
			}
			stored = after
		}
	})
}
