package realm_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"oathkit/pkg/realm"
)

// The reader of these tests reads what Proxmox VE's own code was run on as that
// does.
func TestRecordReaderIsPVEs(t *testing.T) {
	data, err := os.ReadFile("testdata/pve.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name, Kind string
		Input      json.RawMessage
		Expected   json.RawMessage
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	r, seen := newRecordReader(), 0
	always := map[string]string{"pam": "Linux PAM standard authentication", "pve": "Proxmox VE authentication server"}
	for _, c := range cases {
		if c.Kind != "domains.cfg/parse" {
			continue
		}
		seen++
		var text string
		var want struct {
			IDs map[string]map[string]string
		}
		if err := json.Unmarshal(c.Input, &text); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(c.Expected, &want); err != nil {
			t.Fatal(err)
		}
		got := make(map[string]map[string]string)
		for id, now := range r.read([]byte(text)) {
			got[id] = nil
			if !now.void || always[id] != "" {
				got[id] = maps.Clone(now.props)
				got[id]["type"] = now.typ
			}
		}
		for id, comment := range always { // they are there even if nothing says so
			if got[id] == nil {
				got[id] = map[string]string{"type": id}
			}
			if got[id]["comment"] == "" {
				got[id]["comment"] = comment
			}
		}
		for id := range want.IDs {
			delete(want.IDs[id], "plugin")
			for key := range want.IDs[id] { // the reader knows no others
				if got[id] != nil && got[id][key] == "" && want.IDs[id]["type"] != "pam" && want.IDs[id]["type"] != "pve" && !optional[key] && key != "tfa" {
					delete(want.IDs[id], key)
				}
			}
		}
		if !maps.EqualFunc(got, want.IDs, maps.Equal[map[string]string]) {
			t.Errorf("%s: %q\nread %v\nwant %v", c.Name, text, got, want.IDs)
		}
	}
	if seen != 49 {
		t.Errorf("%d cases, want 49", seen)
	}
}

// An asked edit is one of those that realmctl makes.
type asked struct {
	op, id, key, value string
}

func (a asked) make(b []byte) (out []byte, changed []string, err error) {
	switch a.op {
	case "set":
		out, err = realm.Set(b, a.id, a.key, a.value)
	case "unset":
		out, err = realm.Unset(b, a.id, a.key)
	case "enable":
		out, err = realm.EnableTFA(b, a.id, realm.TFA{Type: "oath", Digits: 8})
	case "disable":
		out, changed, err = realm.DisableTFA(b, a.id)
	case "disable all":
		out, changed = realm.DisableAllTFA(b)
	}
	return out, changed, err
}

// prove says what an edit did that was not asked for; "" means nothing.
func (a asked) prove(r *recordReader, in []byte) string {
	out, changed, err := a.make(in)
	if err != nil {
		if out != nil {
			return fmt.Sprintf("bytes with the error %v", err)
		}
		return ""
	}
	was, is := r.read(in), r.read(out)
	switch a.op {
	case "enable":
		a.key, a.value = "tfa", "type=oath,digits=8"
	case "unset":
		a.value = ""
	case "disable", "disable all":
		return a.proveDisabled(was, is, changed, odd(in)) + a.proveLines(in, out, true)
	}
	want := maps.Clone(was)
	now, ok := want[a.id]
	if !ok {
		now = recordRealm{typ: a.id}
	}
	now.props = maps.Clone(now.props)
	if now.props == nil {
		now.props = make(map[string]string)
	}
	switch {
	case a.op != "unset":
		now.props[a.key] = a.value
	default:
		delete(now.props, a.key)
	}
	if ok || a.op != "unset" {
		want[a.id] = now
	}
	if !equal(is, want) {
		return fmt.Sprintf("read is %v, want %v", is, want)
	}
	return a.proveLines(in, out, a.op == "unset")
}

func equal(a, b map[string]recordRealm) bool {
	return maps.EqualFunc(a, b, func(x, y recordRealm) bool { return x.typ == y.typ && maps.Equal(x.props, y.props) })
}

// odd says whether a line with tfa can be more than a property: a carriage return
// inside it, which a person takes for two lines, or a header of a type that is not
// known. When such a line goes, something else may mean what it did not before.
func odd(b []byte) bool {
	return regexp.MustCompile(`\r[^\n]|(?im)^[^\n]?[^\n]?[^\n]?tfa[^\n]*:`).Match(b)
}

// proveDisabled: no asked realm has a factor, and nothing else changed, but for
// the factor of realms that were named. Beside an odd line more may change, all of
// it named.
func (a asked) proveDisabled(was, is map[string]recordRealm, changed []string, odd bool) string {
	for id, after := range is {
		before, ok := was[id]
		if (a.op == "disable all" || a.id == id) && after.props["tfa"] != "" {
			return fmt.Sprintf("realm %s asks for a factor", id)
		}
		named := slices.Contains(changed, id) || after.void || (id == "pam" || id == "pve") && len(after.props) == 0
		if asks := before.props["tfa"] != after.props["tfa"]; asks && !named {
			return fmt.Sprintf("realm %s asks otherwise and is not named", id)
		}
		one, two := maps.Clone(before.props), maps.Clone(after.props)
		delete(one, "tfa")
		delete(two, "tfa")
		if (!ok || before.typ != after.typ || !maps.Equal(one, two)) && !(odd && named) {
			return fmt.Sprintf("realm %s was %v, is %v", id, before, after)
		}
	}
	for id := range was {
		if _, ok := is[id]; !ok && !(odd && slices.Contains(changed, id)) {
			return fmt.Sprintf("realm %s is gone", id)
		}
	}
	return ""
}

// onlyWent says what is wrong if after is not before without lines of the key. A
// carriage return inside a line may show as two lines, of which the other stays;
// whether that one or an equal line further down is what is left cannot be seen,
// so both are tried.
func onlyWent(before, after []string, key string) string {
	if len(before) == 0 {
		if len(after) > 0 {
			return fmt.Sprintf("%q is new", after)
		}
		return ""
	}
	l := before[0]
	wrong := fmt.Sprintf("%q is lost", l)
	if len(after) > 0 && l == after[0] {
		if wrong = onlyWent(before[1:], after[1:], key); wrong == "" {
			return ""
		}
	}
	if mentions(l, key) {
		if onlyWent(before[1:], after, key) == "" {
			return ""
		}
		if len(after) > 0 && strings.Contains(l, "\r") && without(l, after[0]) {
			return onlyWent(before[1:], after[1:], key)
		}
	}
	return wrong
}

// proveLines: whatever is not the asked property's line is the same, byte for
// byte, and in the same order.
func (a asked) proveLines(in, out []byte, less bool) string {
	key := a.key
	if strings.HasPrefix(a.op, "disable") {
		key = "tfa"
	}
	before, after := split(in), split(out)
	for len(before) > 0 && len(after) > 0 && before[0] == after[0] {
		before, after = before[1:], after[1:]
	}
	for len(before) > 0 && len(after) > 0 && before[len(before)-1] == after[len(after)-1] {
		before, after = before[:len(before)-1], after[:len(after)-1]
	}
	if less { // lines of the key went, and nothing came
		return onlyWent(before, after, key)
	}
	if len(before) == 1 && len(after) > 1 && !strings.HasSuffix(before[0], "\n") && strings.TrimRight(after[0], "\r\n") == strings.TrimRight(before[0], "\r") {
		before, after = nil, after[1:] // the last line got its end
	}
	if len(before) == 1 && !mentions(before[0], key) || len(before) > 1 {
		return fmt.Sprintf("%q is lost", before)
	}
	for _, l := range after {
		if t := strings.Join(strings.Fields(l), " "); t != "" && t != key+" "+a.value && t != a.id+": "+a.id {
			return fmt.Sprintf("%q is new", l)
		}
	}
	return ""
}

func split(b []byte) []string {
	lines := strings.SplitAfter(string(b), "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// mentions says whether a line may be about a property: its name is in it, with
// what cannot be seen left out.
func mentions(line, key string) bool {
	seen := regexp.MustCompile(`[^!-~]`).ReplaceAllString(line, "")
	return strings.Contains(strings.ToLower(seen), key)
}

// without says whether what is left of a line are parts of it between carriage
// returns.
func without(line, left string) bool {
	ends := func(r rune) bool { return r == '\r' || r == '\n' }
	all, some := strings.FieldsFunc(line, ends), strings.FieldsFunc(left, ends)
	for _, l := range some {
		if !slices.Contains(all, l) {
			return false
		}
	}
	return len(some) > 0 || regexp.MustCompile(`\r[^\n]`).MatchString(line)
}

// someFile draws a file of lines that mean something, right and wrong.
func someFile() *rapid.Generator[[]byte] {
	right := []string{
		"pam: pam\n", "pve: pve\n", "ldap: corp\n\tserver1 a\n\tbase_dn dc=x\n\tuser_attr uid\n", "openid: sso\n\tissuer-url x\n\tclient-id y\n",
		"ad: win\n\tserver1 a\n\tdomain b\n", "\n", "\n", "\n", "\ttfa type=oath\n", "\tcomment x\n", "\tdefault 1\n", "# note\n",
		"\ttfa step=60,type=oath,digits=7\n", "        tfa   type=yubico,id=1,key=k  \n", "PAM:pam  \n", "\tcomment x y\n", "\t# note\n",
	}
	wrong := []string{
		"pam : pam\n", " pve: pve\n", "foo: corp\n", "a:pam: pam\n", "pam: pam # x\n", "ldap: pve\n\tserver1 a\n", "pam: PAM\n", "x\n", "0\n", " \n", "\r\n",
		"pam: pam\r\n", "pve: pve\r\n\ttfa type=oath\r\n", "\ttfa type=totp\n", "tfa type=oath\n", "\tTFA: yes\n", "\ttfa\n", "tfa: pam\n", "\tnote: pve\n",
		"\u00a0tfa type=oath\n", "\xef\xbb\xbfpam: pam\n", "\ttfa type=oath\rpve: pve\r", "\tcomment\n", "\tcomment a\r\ttfa type=oath\n", "\tfoo bar\n", "\x00",
		"\ttfa type=oath # x\n", "ldap: corp\n\tserver1 a\n", "pam: pam", "\ttfa type=oath,,digits=+6\n", "\v\ftfa\vtype=oath\n", "\tdefault\n", "\tdefault yes\n",
		"\ttfa digits=6\n", "\ttfa type=oath,digits=9\n", "\ttfa type=oath,step=9\n", "\ttfa type=oath,step=99999999999999999999\n", "\ttfa type=oath, digits=6\n",
		"\ttfa type=oath,id=" + strings.Repeat("x", 120) + "\n", "openid: sso\n\tissuer-url x\n\tclient-id y\n\ttfa type=oath\n",
	}
	return rapid.Custom(func(t *rapid.T) []byte {
		lines := rapid.SampledFrom(right)
		if rapid.IntRange(0, 3).Draw(t, "faults") > 0 {
			lines = rapid.SampledFrom(slices.Concat(right, wrong))
		}
		return []byte(strings.Join(rapid.SliceOfN(lines, 0, 30).Draw(t, "lines"), ""))
	})
}

func someEdit() *rapid.Generator[asked] {
	return rapid.Custom(func(t *rapid.T) asked {
		a := asked{
			op:  rapid.SampledFrom([]string{"set", "set", "unset", "enable", "disable", "disable all"}).Draw(t, "op"),
			id:  rapid.SampledFrom([]string{"pam", "pve", "corp", "win", "sso", "PAM"}).Draw(t, "realm"),
			key: rapid.SampledFrom([]string{"tfa", "comment", "default", "server1"}).Draw(t, "key"),
		}
		a.value = map[string]string{"tfa": "type=oath,step=60", "comment": "new", "default": "0", "server1": "b.example"}[a.key]
		return a
	})
}

// check draws more often than the library does by itself, and in a soak far more.
func check(t *testing.T, property func(*rapid.T)) {
	t.Helper()
	times := 20
	if os.Getenv("SOAK") != "" {
		times = 2000
	}
	for range times {
		rapid.Check(t, property)
	}
}

// For any file and any edit: all bytes but the asked line are the same, and
// Proxmox VE sees the asked difference and no other.
func TestRecordSeesWhatWasAsked(t *testing.T) {
	r := newRecordReader()
	done := 0
	check(t, func(t *rapid.T) {
		in, a := someFile().Draw(t, "file"), someEdit().Draw(t, "edit")
		if wrong := a.prove(r, in); wrong != "" {
			out, _, _ := a.make(in)
			t.Fatalf("%+v of\n%q makes\n%q: %s", a, in, out, wrong)
		}
		if out, _, err := a.make(in); err == nil && string(out) != string(in) {
			done++
		}
	})
	if done < 100 {
		t.Errorf("only %d edits changed anything", done)
	}
}

// The two readers agree on any file, as far as the slow one judges values.
func TestRecordAndViewAgree(t *testing.T) {
	r := newRecordReader()
	check(t, func(t *rapid.T) {
		in := someFile().Draw(t, "file")
		if wrong := disagreement(r, in); wrong != "" {
			t.Fatalf("%q: %s", in, wrong)
		}
	})
}

func disagreement(r *recordReader, in []byte) string {
	record := r.read(in)
	d := realm.Parse(in)
	for id, now := range record {
		got, ok := d.Lookup(id)
		if !ok || !got.InFile || got.Type != now.typ || (got.Missing != "") != now.void {
			return fmt.Sprintf("realm %s is %+v, and %+v", id, got, now)
		}
		if asks := now.props["tfa"] != "" && !now.void; asks != (got.TFA != nil) {
			return fmt.Sprintf("realm %s is asked for a factor: %v, and %v", id, got.TFA, asks)
		}
	}
	for _, got := range d.Realms() {
		if _, ok := record[got.ID]; ok != got.InFile {
			return fmt.Sprintf("realm %s is in the file: %v, and %v", got.ID, got.InFile, ok)
		}
	}
	return ""
}

// judged says whether the slow reader judges all that is in the file: of the
// values of a directory's or an identity provider's properties it knows nothing.
func judged(r *recordReader, in []byte) bool {
	plain := regexp.MustCompile(`^[a-z]{2,40}$`)
	for _, l := range split(in) {
		m := r.property.FindStringSubmatch(strings.TrimSuffix(l, "\n"))
		if m != nil && m[1] != "tfa" && m[1] != "comment" && m[1] != "default" && !plain.MatchString(m[2]) {
			return false
		}
	}
	return true
}

// FuzzRecord makes edits of any bytes.
func FuzzRecord(f *testing.F) {
	for _, text := range []string{
		"", "pam: pam\n\tcomment a\n\npve: pve\n\ttfa type=oath\n", "pve: pve\r\n\ttfa type=oath\r\n", "pam: pam\n\tcomment a\r\ttfa type=oath",
		"pam: pam\n\n\ttfa type=oath\nldap: corp\n\tserver1 ab\n\tbase_dn cd\n\tuser_attr ef\n", "\xef\xbb\xbfpam: pam\n0\n\ttfa a\n", "pve: pve\n\ttfa type=totp\n\ttfa type=oath\n",
	} {
		for which := range uint8(32) {
			f.Add([]byte(text), which)
		}
	}
	r := newRecordReader()
	ops, ids, keys := []string{"set", "unset", "enable", "disable"}, []string{"pam", "pve", "corp", "sso"}, []string{"tfa", "comment"}
	f.Fuzz(func(t *testing.T, in []byte, which uint8) {
		if !judged(r, in) {
			return
		}
		if wrong := disagreement(r, in); wrong != "" {
			t.Fatalf("%q: %s", in, wrong)
		}
		a := asked{ops[which&3], ids[which>>2&3], keys[which>>4&1], "type=oath,step=60"}
		if a.key == "comment" {
			a.value = "new"
		}
		if which>>5 == 0 {
			a.op = "disable all"
		}
		if wrong := a.prove(r, in); wrong != "" {
			out, _, _ := a.make(in)
			t.Fatalf("%+v of\n%q makes\n%q: %s", a, in, out, wrong)
		}
	})
}
