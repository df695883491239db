package cmd

import (
	"os/exec"
	"regexp"
)

// enroll is oathenroll for jm, as the owner of the store runs it.
func (l enrolLab) enroll(args ...string) *exec.Cmd {
	return l.command("oathenroll", append([]string{"--user", "jm@pam"}, args...)...)
}

func sixDigits() *regexp.Regexp { return regexp.MustCompile(`\b[0-9]{6}\b`) }
