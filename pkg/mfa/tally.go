package mfa

import "time"

// TallyDays is how many days a tally holds: today and the 30 before, so that
// every failure of the last 30 times 24 hours is in it, whatever the hour.
const TallyDays = 31

const secondsADay = 86400

// Tally counts wrong answers by day (UTC). Counts[0] is the day Day, Counts[1]
// the one before.
type Tally struct {
	Day    int32 // days since 1970 of the newest count
	Counts [TallyDays]uint16
}

// Sum returns how many wrong answers of the last 30 days are known at a time.
func (t Tally) Sum(now time.Time) int {
	sum := 0
	for _, n := range t.At(now).Counts {
		sum += int(n)
	}
	return sum
}

// At returns the tally with today as its newest day. One whose newest day lies
// in the future, because the clock was set back, keeps its counts as if that
// day were today: none is forgotten early, none counts for longer than 31 days
// from now.
func (t Tally) At(now time.Time) Tally {
	if t == (Tally{}) {
		return t
	}
	today := day(now)
	gone := int64(today) - int64(t.Day)
	switch {
	case gone <= 0:
		t.Day = today
		return t
	case gone >= TallyDays:
		return Tally{}
	}
	shifted := Tally{Day: today}
	copy(shifted.Counts[gone:], t.Counts[:TallyDays-gone])
	if shifted.Counts == [TallyDays]uint16{} {
		return Tally{}
	}
	return shifted
}

// Add returns the tally with one more wrong answer today.
func (t Tally) Add(now time.Time) Tally {
	t = t.At(now)
	t.Day = day(now)
	if t.Counts[0] < 1<<16-1 {
		t.Counts[0]++
	}
	return t
}

// Remove returns the tally with one wrong answer less, of those that were added
// last.
func (t Tally) Remove(now time.Time) Tally {
	t = t.At(now)
	for i := range t.Counts {
		if t.Counts[i] > 0 {
			t.Counts[i]--
			break
		}
	}
	if t.Counts == [TallyDays]uint16{} {
		return Tally{}
	}
	return t
}

// Falls returns the beginning of the first day on which the sum will be below
// limit, if nothing is added; now if it is already.
func (t Tally) Falls(now time.Time, limit int) time.Time {
	t = t.At(now)
	sum := t.Sum(now)
	if sum < limit {
		return now
	}
	for i := TallyDays - 1; i >= 0; i-- {
		sum -= int(t.Counts[i])
		if sum < limit {
			return time.Unix((int64(t.Day)+int64(TallyDays-i))*secondsADay, 0).UTC()
		}
	}
	return time.Unix((int64(t.Day)+TallyDays)*secondsADay, 0).UTC()
}

func day(now time.Time) int32 {
	s := Seconds(now)
	d := s / secondsADay
	if s%secondsADay < 0 {
		d--
	}
	return int32(d)
}

// The years that times are kept within: 0 to 9999. What lies outside is a clock
// that is no clock, and must not overflow anything.
const (
	minSeconds = -62167219200
	maxSeconds = 253402300799
)

// Seconds returns a time as Unix seconds, held within the years 0 to 9999.
func Seconds(t time.Time) int64 { return min(max(t.Unix(), minSeconds), maxSeconds) }

// Milliseconds returns a time as Unix milliseconds, held within the years 0 to
// 9999.
func Milliseconds(t time.Time) int64 {
	s := t.Unix()
	if s != Seconds(t) {
		return Seconds(t) * 1000
	}
	return t.UnixMilli()
}
