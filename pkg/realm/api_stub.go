package realm

// (stub)

func (d *Domains) Realms() []Realm                                          { return nil }
func (d *Domains) Lookup(id string) (Realm, bool)                           { return Realm{}, false }
func (d *Domains) Default() string                                          { return "" }
func (d *Domains) Required(id string) (line int, why string, required bool) { return 0, "", true }
func (d *Domains) Problems() []Problem                                      { return nil }
func (r Realm) CaseSensitive() bool                                         { return r.MixCase }

type Wish struct {
	Realm string
	Line  int
	Text  string
}

func (d *Domains) Wishes() []Wish { return d.wishes }

type TFA struct {
	Type         string
	Digits, Step int
}

func ParseTFA(s string) (TFA, error)    { return TFA{}, nil }
func (t TFA) Value() string             { return "" }
func CheckID(s string) error            { return nil }
func EncodeText(s string) string        { return s }
func DecodeText(s string) string        { return s }
func Digest(b []byte) string            { return "" }
func SizeProblem(n int) (Problem, bool) { return Problem{}, false }

type EditError struct {
	Line    int
	Message string
	Mend    string
}

func (e *EditError) Error() string                         { return e.Message }
func EnableTFA(b []byte, id string, t TFA) ([]byte, error) { return b, nil }
func DisableTFA(b []byte, ids ...string) (out []byte, changed []string, err error) {
	return b, nil, nil
}
func DisableAllTFA(b []byte) (out []byte, changed []string) { return b, nil }
func Set(b []byte, id, key, value string) ([]byte, error)   { return b, nil }
func Unset(b []byte, id, key string) ([]byte, error)        { return b, nil }
func shown(key, value string) string                        { return value }
