// Package host tells what this machine is called, without asking the network.
package host

import (
	"errors"
	"os"
	"strings"
)

// Name is the host's name with its domain where that is to be had: os.Hostname
// if it has a dot, else what /etc/hosts says of it, else the bare name.
func Name() (string, error) {
	name, err := os.Hostname()
	if err != nil {
		return "", err
	}
	if name == "" {
		return "", errors.New("the host has no name")
	}
	if strings.Contains(name, ".") {
		return name, nil
	}
	hosts, err := os.ReadFile("/etc/hosts")
	if err != nil {
		return name, nil // without a domain is better than not at all
	}
	return qualify(name, hosts), nil
}

// qualify looks for a name with a domain in the lines of hosts(5) that are about
// name, and returns the first.
func qualify(name string, hosts []byte) string {
	for line := range strings.Lines(string(hosts)) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		about, dotted := false, ""
		for _, f := range fields[1:] {
			first, _, hasDomain := strings.Cut(f, ".")
			about = about || strings.EqualFold(first, name)
			if hasDomain && dotted == "" {
				dotted = f
			}
		}
		if about && dotted != "" {
			return strings.TrimSuffix(dotted, ".")
		}
	}
	return name
}
