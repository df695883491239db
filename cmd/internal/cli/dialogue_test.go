package cli

import "testing"

func TestYesNo(t *testing.T) {
	for in, want := range map[string][2]bool{
		"y": {true, true}, "Yes": {true, true}, " y ": {true, true},
		"n": {false, true}, "NO": {false, true}, "": {false, true},
		"maybe": {false, false}, "yn": {false, false}, "1": {false, false},
	} {
		if yes, ok := YesNo(in); [2]bool{yes, ok} != want {
			t.Errorf("%q: got %v, %v", in, yes, ok)
		}
	}
}
