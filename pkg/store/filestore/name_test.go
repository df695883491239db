package filestore

import (
	"fmt"
	"strings"
	"testing"

	"oathkit/pkg/mfa"
)

func TestFiles(t *testing.T) {
	for id, want := range map[string]string{
		"alice@pam":     "alice@pam",
		"Alice@PAM":     "Alice@PAM",
		"a.b-c_d+e@x.y": "a.b-c_d+e@x.y",
		".a@b":          "%2Ea@b",
		"-a@b":          "%2Da@b",
		"a/b@c":         "a%2Fb@c",
		"50%@c":         "50%25@c",
		"%2F@c":         "%252F@c",
		"ü@c":           "%C3%BC@c",
		"a\\b*~'\"$@c":  "a%5Cb%2A%7E%27%22%24@c",
	} {
		record, state := Files(id)
		shard, name, _ := strings.Cut(record, "/")
		if !isShard(shard) || name != want+".json" || state != shard+"/"+want+".state" {
			t.Errorf("%q is kept in %q and %q, want .../%s", id, record, state, want)
		}
	}
}

// The users are spread over all folders.
func TestShards(t *testing.T) {
	const users = 100_000
	count := make(map[string]int)
	for i := range users {
		count[placeOf(fmt.Sprintf("user%d@pam", i)).shard]++
	}
	for shard, n := range count {
		if !isShard(shard) || n > 2*users/256 {
			t.Errorf("%d of %d users are in %q", n, users, shard)
		}
	}
	if len(count) != 256 {
		t.Errorf("%d shards are used", len(count))
	}
}

// Every id has a name of its own, which is a good file name and leads back.
func FuzzEscape(f *testing.F) {
	for _, id := range []string{"", "alice@pam", ".", "..", "-", "%", "%41", "%2e", "a/b", "\x00\xff", "ü", strings.Repeat("/", 64)} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		name := escape(id)
		back, ok := unescape(name)
		if back != id || !ok {
			t.Fatalf("%q is %q is %q, %v", id, name, back, ok)
		}
		if strings.ContainsAny(name, "/\x00") || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "-") {
			t.Fatalf("%q is %q", id, name)
		}
		if len(id) <= mfa.MaxID && len(temp(name+stateEnd)) > 255 {
			t.Fatalf("%q makes a name of %d bytes", id, len(temp(name+stateEnd)))
		}
		// Read as a name: it leads back too, or is nobody's.
		if as, ok := unescape(id); ok && escape(as) != id {
			t.Fatalf("the name %q is %q is %q", id, as, escape(as))
		}
	})
}
