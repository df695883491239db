package main

import (
	"fmt"
	"maps"
	"slices"

	"oathkit/pkg/config"
	"oathkit/pkg/realm"
)

// asksDuo says whether Duo is the factor of a realm. A configuration that cannot
// be read says nothing.
func (t *tool) asksDuo(r realm.Realm) bool {
	cfg, err := t.loadConfig()
	return err == nil && cfg.Factor(r.ID) == config.FactorDuo
}

// factorFaults are what is wrong with the factors that the configuration gives
// realms.
func factorFaults(path string, cfg config.Config, d *realm.Domains) []fault {
	var faults []fault
	add := func(severity realm.Severity, code, mend, format string, args ...any) {
		faults = append(faults, fault{path, 0, string(severity), code, fmt.Sprintf(format, args...), mend})
	}
	for _, id := range slices.Sorted(maps.Keys(cfg.Realms)) {
		factor := cfg.Realms[id].Factor
		switch {
		case factor != config.FactorDuo:
			add(realm.Error, "unknown-factor", fmt.Sprintf("write \"oath\" or \"duo\" in [realm.%s]", id),
				"the factor of realm %q is %q, which this version does not know, so oathverify lets nobody in there", id, factor)
		case !cfg.Duo.Complete():
			add(realm.Error, "no-duo", "give [duo] its host, ikey and skey_file, and try 'oath-duo --check'",
				"the factor of realm %q is Duo, which is not configured, so oathverify lets nobody in there", id)
		}
		if _, ok := d.Lookup(id); !ok {
			add(realm.Warning, "unknown-realm", "mend its name, or add the realm to the domains file",
				"[realm.%s] gives a factor to a realm that the domains file does not have", id)
		}
	}
	return faults
}
