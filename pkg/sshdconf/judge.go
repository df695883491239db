package sshdconf

import (
	"fmt"
	"strings"
)

// A Finding is something that sshd's configuration does.
type Finding struct {
	Place
	Code    string
	Error   bool // somebody gets in without a code, or nobody gets in
	Message string
	Mend    string
}

// A Judgment is what one Variant lets people do.
type Judgment struct {
	Findings []Finding
	// AsksPAM is set where every way in goes through PAM.
	AsksPAM bool
	// Forced is set where every session begins with "oathverify shell".
	Forced bool
	// FirstFactor is set where every way through PAM needs a key, a ticket or
	// a host, too.
	FirstFactor bool
}

// Judge judges a Variant. pam says that the PAM service asks for a code.
func Judge(v Variant, pam bool) Judgment {
	j := judge{v: v}
	j.Forced = forced(v.Settings)
	ways := j.ways()
	asks := pam && v.Settings.yes("usepam")
	j.AsksPAM, j.FirstFactor = asks, true
	open := 0
	for _, way := range ways {
		through, first := throughPAM(way, v.Settings)
		switch {
		case !j.enabled(way):
			continue
		case !through || !asks:
			j.AsksPAM = false
			j.around(way, through)
		case !first:
			j.FirstFactor = false
		}
		open++
	}
	if open == 0 {
		j.add("authenticationmethods", "sshd-no-way", true,
			"none of the ways in AuthenticationMethods is open, so nobody gets in", "switch on the methods that it names, KbdInteractiveAuthentication yes for one")
	}
	j.FirstFactor = j.FirstFactor && j.AsksPAM
	if len(j.Findings) == 0 {
		j.root(ways)
	}
	if j.Forced {
		j.force()
	}
	return j.Judgment
}

type judge struct {
	Judgment
	v Variant
}

func (j *judge) add(keyword, code string, serious bool, message, mend string) {
	if whose := j.v.whose(); whose != "" {
		message = "for connections that match " + whose + ": " + message
	}
	j.Findings = append(j.Findings, Finding{j.v.place(keyword), code, serious, message, mend})
}

// ways are the lists of methods of which one has to be gone through: those of
// AuthenticationMethods, or else every method alone.
func (j *judge) ways() [][]string {
	value := strings.TrimSpace(j.v.Settings.get("authenticationmethods"))
	var ways [][]string
	for list := range strings.FieldsSeq(value) {
		if list == "any" {
			ways = nil
			break
		}
		ways = append(ways, strings.Split(list, ","))
	}
	if ways == nil {
		for _, method := range []string{"publickey", "hostbased", "gssapi-with-mic", "keyboard-interactive", "password"} {
			ways = append(ways, []string{method})
		}
	}
	return ways
}

// enabled says whether every method of a way is switched on. One that is not
// known here is.
func (j *judge) enabled(way []string) bool {
	s := j.v.Settings
	for _, method := range way {
		name, device, _ := strings.Cut(method, ":")
		on := true
		switch name {
		case "publickey":
			on = s.yes("pubkeyauthentication")
		case "hostbased":
			on = s.yes("hostbasedauthentication")
		case "gssapi-with-mic", "gssapi-keyex":
			on = s.yes("gssapiauthentication")
		case "password":
			on = s.yes("passwordauthentication")
		case "keyboard-interactive":
			on = s.yes("kbdinteractiveauthentication") && (device != "" && device != "pam" || s.yes("usepam"))
		case "none":
			on = s.yes("permitemptypasswords")
		}
		if !on {
			return false
		}
	}
	return true
}

// throughPAM says whether a way goes through PAM's auth stack, and whether it
// needs something else, too.
func throughPAM(way []string, s Settings) (through, first bool) {
	for _, method := range way {
		switch name, device, _ := strings.Cut(method, ":"); {
		case name == "keyboard-interactive" && (device == "" || device == "pam"):
			through = true
		case name == "password":
			// Kerberos judges passwords before PAM does.
			through = through || !s.yes("kerberosauthentication")
		case name == "publickey" || name == "hostbased" || strings.HasPrefix(name, "gssapi"):
			first = true
		}
	}
	return through, first
}

// around says that a way leads past the code.
func (j *judge) around(way []string, through bool) {
	if j.Forced {
		return // asked in the session
	}
	name := strings.Join(way, ",")
	switch {
	case !j.v.Settings.yes("usepam"):
		j.add("usepam", "sshd-use-pam", true,
			fmt.Sprintf("UsePAM is not yes, so whoever logs in with %s is asked for no code by PAM", name), "UsePAM yes")
	case !through:
		mend := "AuthenticationMethods " + name + ",keyboard-interactive:pam"
		if strings.HasPrefix(name, "keyboard-interactive:") || strings.Contains(name, "password") {
			mend = "AuthenticationMethods publickey,keyboard-interactive:pam"
		}
		j.add("authenticationmethods", "sshd-methods", true,
			fmt.Sprintf("whoever logs in with %s never comes to PAM and is asked for no code", name), mend)
	}
}

// root looks for a way by which root could give a code.
func (j *judge) root(ways [][]string) {
	s := j.v.Settings
	value := s.get("permitrootlogin")
	if j.Forced || value != "without-password" && value != "prohibit-password" && value != "forced-commands-only" {
		return
	}
	for _, way := range ways {
		if through, _ := throughPAM(way, s); !through && j.enabled(way) {
			return
		}
	}
	j.add("permitrootlogin", "sshd-root", false,
		"PermitRootLogin "+value+" refuses root the method in which the code is asked for, so root cannot log in", "PermitRootLogin no says so, and PermitRootLogin yes asks root for key and code")
}

// forced says whether the forced command is "oathverify shell" and nothing else.
func forced(s Settings) bool {
	v := s["forcecommand"]
	if len(v) == 0 || strings.ContainsAny(v[0], ";&|<>`$(){}*?\\\"'\n~#!") {
		return false
	}
	w := strings.Fields(v[0])
	if len(w) > 0 && w[0] == "exec" {
		w = w[1:]
	}
	if len(w) < 2 || !strings.HasPrefix(w[0], "/") || !strings.HasSuffix(w[0], "/oathverify") {
		return false
	}
	for i := 1; i < len(w); i++ {
		switch {
		case w[i] == "-c" || w[i] == "--config":
			i++
		case strings.HasPrefix(w[i], "-"):
		default:
			return w[i] == "shell"
		}
	}
	return false
}

// force looks for what goes around a forced command.
func (j *judge) force() {
	s := j.v.Settings
	if !s.yes("disableforwarding") {
		j.add("disableforwarding", "sshd-forwarding", true,
			"ForceCommand asks for the code in the session, and forwarding needs no session: ssh -N -L goes around it", "DisableForwarding yes")
	}
	if v := s.get("permittunnel"); v != "no" && v != "" {
		j.add("permittunnel", "sshd-forwarding", true, "PermitTunnel "+v+" opens a tunnel without a session, so without a code", "PermitTunnel no")
	}
	if v := s.get("permituserenvironment"); v != "no" && v != "" {
		j.add("permituserenvironment", "sshd-environment", true,
			"PermitUserEnvironment "+v+" sets variables before the forced command runs, LD_PRELOAD among them: they can replace it", "PermitUserEnvironment no")
	}
	if s.yes("permituserrc") {
		j.add("permituserrc", "sshd-user-rc", false,
			"sshd runs ~/.ssh/rc before the forced command: whoever could write it once gets in without a code", "PermitUserRC no")
	}
	for _, line := range s["acceptenv"] {
		for pattern := range strings.FieldsSeq(line) {
			if name := replaces(pattern); name != "" {
				j.add("acceptenv", "sshd-environment", true,
					fmt.Sprintf("AcceptEnv %s lets the client set %s, with which the forced command can be replaced", pattern, name), "AcceptEnv LANG LC_*")
			}
		}
	}
	for _, sub := range s["subsystem"] {
		if name, prog, _ := strings.Cut(strings.TrimSpace(sub), " "); strings.HasPrefix(strings.TrimSpace(prog), "internal-sftp") {
			j.add("subsystem", "sshd-subsystem", false,
				fmt.Sprintf("Subsystem %s is internal-sftp, which is no program that a forced command could run: %s does not work", name, name),
				"Subsystem "+name+" /usr/lib/openssh/sftp-server")
		}
	}
}

// replaces is a variable that a pattern of AcceptEnv lets in and that changes
// what a shell runs.
func replaces(pattern string) string {
	for _, name := range []string{"LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "BASH_ENV", "ENV", "ZDOTDIR", "SHELLOPTS", "PS4", "PATH"} {
		if match(pattern, name) {
			return name
		}
	}
	return ""
}

// match compares a name with a pattern of * and ?.
func match(pattern, name string) bool {
	switch {
	case pattern == "":
		return name == ""
	case pattern[0] == '*':
		return match(pattern[1:], name) || name != "" && match(pattern, name[1:])
	case name == "":
		return false
	}
	return (pattern[0] == '?' || pattern[0] == name[0]) && match(pattern[1:], name[1:])
}
