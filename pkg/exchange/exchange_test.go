package exchange

import (
	"math/rand/v2"
)

// dice is a repeatable source of randomness.
func dice(seed byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{seed}) }
