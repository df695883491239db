package realm

// Problems returns the places where the file does not do what it seems to say.
func (d *Domains) Problems() []Problem { return nil }

// SizeProblem returns the problem of a file under /etc/pve that is n bytes long.
func SizeProblem(n int) (Problem, bool) { return Problem{}, false }

func signedDigits(value string) bool { return false }
