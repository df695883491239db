package account_test

import (
	"fmt"
	"slices"
	"testing"

	"oathkit/pkg/account"
)

func TestParsePasswd(t *testing.T) {
	const file = `root:x:0:0:root:/root:/bin/bash
toor:x:0:0:second root:/root:
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
sync:x:4:65534:sync:/bin:/bin/sync
backup:x:34:34:backup:/var/backups:/bin/sh
systemd-x:x:998:998::/:/bin/bash
ann:x:1000:1000:Ann,,,:/home/ann:/bin/bash
ann:x:1009:1009:second entry of a name:/home/ann:/bin/bash
bob:x:1001:1001::/home/bob:/bin/false
eve:x:1002:1002::/home/eve:/usr/bin/true
git:x:1003:1003::/home/git:/usr/bin/git-shell
dan:x:1004:1004::/home/dan:/usr/bin/zsh` + "\r" + `
big:x:4294967294:1::/:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/bin/sh
# a comment:x:1005:1005::/:/bin/sh
+:::::/bin/sh
-mal:x:1006:1006::/:/bin/sh
broken
half:x:ten:10::/:/bin/sh
:x:1007:1007::/:/bin/sh
short:x:1008:1008
`
	var got []string
	for _, l := range account.ParsePasswd([]byte(file)) {
		got = append(got, fmt.Sprintf("%s %d %d", l.Name, l.UID, l.Line))
	}
	want := []string{"root 0 1", "toor 0 2", "ann 1000 7", "git 1003 11", "dan 1004 12", "big 4294967294 13", "short 1008 21"}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}
