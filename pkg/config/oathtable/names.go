package oathtable

import (
	"fmt"
	"strings"
)

// keysOf returns the keys of a table, and whether oathkit.toml has that table.
func keysOf(table string) ([]string, bool) {
	switch table {
	case "oath":
		return []string{"issuer", "algorithm", "digits", "period", "bits"}, true
	case "paths":
		return []string{"domains", "users", "store", "audit"}, true
	case "verify":
		return []string{"window", "keys"}, true
	case "lockout":
		return []string{"free", "delay", "max_delay", "lock_at"}, true
	case "enroll":
		return []string{"recovery_codes", "grace"}, true
	case "seal":
		return []string{"key_file"}, true
	case "login":
		return []string{"password"}, true
	case RealmTable:
		return []string{"factor"}, true
	case "duo":
		return []string{
			"host", "ikey", "skey_file", "user_agent", "username_format", "push_info",
			"failmode", "timeout", "prompts", "autopush", "ca_file", "proxy",
		}, true
	case "deliver.email":
		return []string{"command", "from", "timeout"}, true
	case "deliver.sms":
		return []string{"command", "timeout"}, true
	case "audit":
		return []string{"required"}, true
	}
	return nil, false
}

// RealmTable is the name of every table [realm.…] here: there is one for each
// realm that needs it, under the realm's own name.
const RealmTable = "realm.NAME"

// isGroup says whether a name holds tables, and no keys of its own.
func isGroup(name string) bool { return name == "deliver" || name == "realm" }

// isRealm says whether a name is a realm's: a letter, then at least one of
// letters, digits, ".", "-" and "_".
func isRealm(name string) bool {
	isLetter := func(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
	if len(name) < 2 || !isLetter(name[0]) {
		return false
	}
	for i := 1; i < len(name); i++ {
		if c := name[i]; !isLetter(c) && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// TableOf returns the name of the table that path is or is in, and of how many
// pieces it is. Of a group alone it returns the group; ok is false where there
// is no such table.
func TableOf(path []string) (table string, pieces int, ok bool) {
	switch {
	case strings.Contains(path[0], "."): // in quotes, and so not the dot of a name
		return path[0], 1, false
	case !isGroup(path[0]):
		_, ok = keysOf(path[0])
		return path[0], 1, ok
	case len(path) == 1:
		return path[0], 1, true
	case path[0] == "realm" && isRealm(path[1]):
		return RealmTable, 2, true
	}
	table = path[0] + "." + path[1]
	_, ok = keysOf(table)
	return table, 2, ok
}

// Tables returns the names of the tables of oathkit.toml, in the order of the
// annotated file.
func Tables() []string {
	return []string{"oath", "paths", "verify", "lockout", "enroll", "seal", "login", RealmTable, "duo", "deliver.email", "deliver.sms", "audit"}
}

// Keys returns the keys of a table in the order of the annotated file; none for
// a table that oathkit.toml does not have.
func Keys(table string) []string {
	keys, _ := keysOf(table)
	return keys
}

// CheckName says whether oathkit.toml has this table or key; path is the name
// in pieces. The error names the nearest that it does have.
func CheckName(path []string) error {
	table, n, ok := TableOf(path)
	switch {
	case !ok && path[0] == "realm":
		return fmt.Errorf("%q is no realm: a letter, then at least one of letters, digits, \".\", \"-\" and \"_\"", path[1])
	case !ok:
		return fmt.Errorf("unknown table %q%s", table, nearest(table))
	case len(path) <= n:
		return nil
	}
	for _, k := range Keys(table) {
		if k == path[n] && len(path) == n+1 {
			return nil
		}
		if k == path[n] {
			return fmt.Errorf("%s.%s is a value and has no keys of its own", table, k)
		}
	}
	return fmt.Errorf("unknown key %q in [%s]%s", path[n], table, nearestKey(table, path[n]))
}

// nearest advises on an unknown name at the top of the file: a table like it,
// or the table that the key belongs to.
func nearest(name string) string {
	if _, ok := keysOf(name); ok { // as one piece, in quotes
		return fmt.Sprintf(": write [%s], without quotes", name)
	}
	last := name[strings.LastIndexByte(name, '.')+1:]
	for _, table := range Tables() {
		for _, k := range Keys(table) {
			if k == last {
				return fmt.Sprintf(": the key %q belongs below [%s]", last, table)
			}
		}
	}
	return didYouMean(name, Tables(), "the tables are "+strings.Join(Tables(), ", "))
}

func nearestKey(table, name string) string {
	if advice := didYouMean(name, Keys(table), ""); advice != "" {
		return advice
	}
	for _, other := range Tables() {
		for _, k := range Keys(other) {
			if k == name {
				return fmt.Sprintf(": it belongs below [%s]", other)
			}
		}
	}
	return ": its keys are " + strings.Join(Keys(table), ", ")
}

// didYouMean names the candidate that is fewest edits away, if that is near
// enough to be a slip of the hand; otherwise it gives the fallback.
func didYouMean(name string, candidates []string, fallback string) string {
	best, bestName := len(name)/3+2, ""
	for _, c := range candidates {
		if d := distance(strings.ToLower(name), c); d < best {
			best, bestName = d, c
		}
	}
	switch {
	case bestName != "":
		return fmt.Sprintf(": did you mean %q?", bestName)
	case fallback != "":
		return ": " + fallback
	}
	return ""
}

// distance is the number of bytes to insert, delete or change to turn a into b
// (Levenshtein). Long names are not near anything.
func distance(a, b string) int {
	if len(a) > 40 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
