package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"oathkit/pkg/config/oathtable"
)

func path(p *string, value any) error {
	s, ok := value.(string)
	switch {
	case !ok:
		return fmt.Errorf("must be an absolute path in quotes, not %s", oathtable.Show(value))
	case !filepath.IsAbs(s):
		return fmt.Errorf("must be an absolute path, not %s", oathtable.Show(value))
	case strings.ContainsFunc(s, unicode.IsControl):
		return errors.New("must not contain control characters")
	}
	*p = filepath.Clean(s)
	return nil
}

func duration(p *time.Duration, value any, low, high time.Duration) error {
	s, ok := value.(string)
	if !ok {
		return fmt.Errorf(`must be a time in quotes, such as "30s", "10m" or "1h", not %s`, oathtable.Show(value))
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf(`must be a time such as "30s", "10m" or "1h", not %s`, oathtable.Show(value))
	}
	if d < low || d > high {
		return fmt.Errorf("must be from %v to %v, not %v", low, high, d)
	}
	if d%time.Second != 0 {
		return fmt.Errorf("must be whole seconds, not %v", d)
	}
	*p = d
	return nil
}

func boolean(p *bool, value any) error {
	v, ok := value.(bool)
	if !ok {
		return fmt.Errorf("must be true or false, not %s", oathtable.Show(value))
	}
	*p = v
	return nil
}

// oneOf is one of two words.
func oneOf(p *string, value any, a, b string) error {
	if value != a && value != b {
		return fmt.Errorf("must be %q or %q, not %s", a, b, oathtable.Show(value))
	}
	*p = value.(string)
	return nil
}

// maxWords is how many words a command may have.
const maxWords = 64

// command is a program and its arguments, as execve takes them: no shell reads
// them.
func command(p *[]string, value any) error {
	list, ok := value.([]any)
	if !ok {
		return fmt.Errorf(`must be an array of strings, a program and its arguments, such as ["/usr/sbin/sendmail", "-t", "-i"], not %s`, oathtable.Show(value))
	}
	if len(list) == 0 || len(list) > maxWords {
		return fmt.Errorf("must have a program and at most %d arguments, not %d words", maxWords-1, len(list))
	}
	words := make([]string, len(list))
	for i, item := range list {
		s, ok := item.(string)
		switch {
		case !ok:
			return fmt.Errorf("must be an array of strings, and word %d of it is %s", i+1, oathtable.Show(item))
		case i == 0 && !filepath.IsAbs(s):
			return fmt.Errorf("must begin with the absolute path of a program, not %s", oathtable.Show(s))
		case strings.ContainsFunc(s, unicode.IsControl):
			return fmt.Errorf("must not contain control characters, as word %d does", i+1)
		}
		words[i] = s
	}
	*p = words
	return nil
}

// address is an e-mail address by its looks. Whether it is one is for package
// deliver to say.
func address(p *string, value any) error {
	s, ok := value.(string)
	name, host, at := strings.Cut(s, "@")
	odd := func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`@<>()[],;:\"`, r) }
	if !ok || !at || name == "" || host == "" || len(s) > 254 || strings.ContainsFunc(name+host, odd) {
		return fmt.Errorf(`must be an e-mail address alone, such as "oathkit@example.org", not %s`, oathtable.Show(value))
	}
	*p = s
	return nil
}
