package cmd

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// editorsFile is a domains file with a realm for each editor, in a folder of its
// own, and one for a stranger.
func editorsFile(t *testing.T, editors int) string {
	t.Helper()
	var b strings.Builder
	for e := range editors {
		fmt.Fprintf(&b, "# of editor %d\npve: editor%d\n\tcomment round 0\n\ttfa type=oath\n\n", e, e)
	}
	b.WriteString("pve: stranger\n\tcomment round 0\n")
	path := filepath.Join(t.TempDir(), "domains.cfg")
	if err := os.WriteFile(path, []byte(b.String()), 0o640); err != nil {
		t.Fatal(err)
	}
	return path
}

// round is what the file says of the round that an editor's realm is in, and
// whether it is the whole file.
func round(t *testing.T, file, realm string) (n int, whole bool) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Error(err)
		return -1, false
	}
	_, text, ok := strings.Cut(string(b), "pve: "+realm+"\n\tcomment round ")
	if !ok {
		t.Errorf("no realm %s in %q", realm, b)
		return -1, false
	}
	if _, err := fmt.Sscanf(text, "%d\n", &n); err != nil {
		t.Errorf("%s: %v in %q", realm, err, b)
	}
	return n, strings.Contains(string(b), "pve: stranger\n\tcomment round ") && strings.HasPrefix(string(b), "# of editor 0\n")
}

// Editors at once, each a process for each edit, each with a realm of its own: an
// edit that was made is in the file from then on, at every moment.
func TestRealmctlLosesNoUpdate(t *testing.T) {
	const editors = 4
	each := rounds(100, 10000) / editors
	file := editorsFile(t, editors)
	var wg sync.WaitGroup
	for e := range editors {
		wg.Go(func() {
			realm := fmt.Sprintf("editor%d", e)
			for i := 1; i <= each && !t.Failed(); i++ {
				args := []string{"set", realm, "comment", fmt.Sprintf("round %d", i)}
				if out, err := exec.Command(filepath.Join(bin, "realmctl"), append([]string{"-f", file}, args...)...).CombinedOutput(); err != nil {
					t.Errorf("%v: %v\n%s", args, err, out)
				}
				if n, whole := round(t, file, realm); n != i || !whole {
					t.Errorf("%s is in round %d of the file, not %d (whole: %v)", realm, n, i, whole)
				}
			}
		})
	}
	wg.Wait()
	for e := range editors {
		if n, _ := round(t, file, fmt.Sprintf("editor%d", e)); n != each {
			t.Errorf("editor %d ended in round %d, want %d", e, n, each)
		}
	}
	onlyTheFile(t, file)
}

// onlyTheFile says that nothing lies beside the file but its lock and its backup.
func onlyTheFile(t *testing.T, file string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(entries) != 3 {
		t.Errorf("%v, %v", entries, err)
	}
}

// stranger is a program that knows no lock: it makes a file of the one that is
// there and renames it into place. It ends with 1 when what it wrote is gone from
// the file for ten seconds.
const stranger = `
i=0
while [ "$i" -lt "$2" ]; do
	i=$((i + 1))
	sed "/^pve: stranger/,/^$/s/comment round .*/comment round $i/" "$1" >"$3"
	mv "$3" "$1"
	tries=0
	until tail -n 1 "$1" 2>/dev/null | grep -q "comment round $i\$"; do
		tries=$((tries + 1))
		if [ "$tries" -gt 1000 ]; then echo "round $i is lost"; exit 1; fi
		sleep 0.01
	done
	sleep 0.005
done`

// Beside editors of ours a stranger renames files of its own into place. Nothing
// that he wrote is lost, ever. What they wrote can only be lost by him, who had
// read the file before and wrote it after: then he is in a later round.
func TestRealmctlAgainstRename(t *testing.T) {
	const editors = 2
	file := editorsFile(t, editors)
	rename := exec.Command("sh", "-c", stranger, "stranger", file, fmt.Sprint(rounds(60, 10000)), filepath.Join(t.TempDir(), "new"))
	var said strings.Builder
	rename.Stdout, rename.Stderr = &said, &said
	if err := rename.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- rename.Wait() }()
	done := make(chan struct{})
	var wg sync.WaitGroup
	kept, overwritten := make([]int, editors), make([]int, editors)
	for e := range editors {
		wg.Go(func() {
			realm := fmt.Sprintf("editor%d", e)
			for i := 1; !t.Failed(); i++ {
				select {
				case <-done:
					return
				case <-time.After(time.Duration(i%5) * time.Millisecond):
				}
				before, _ := round(t, file, "stranger")
				out, err := exec.Command(filepath.Join(bin, "realmctl"), "-f", file, "set", realm, "comment", fmt.Sprintf("round %d", i)).CombinedOutput()
				if err != nil {
					t.Errorf("%v\n%s", err, out)
				}
				n, _ := round(t, file, realm)
				after, _ := round(t, file, "stranger")
				// While an edit that came too late is taken back, the file
				// may show what was there before, for a moment.
				for try := 0; try < 5 && n != i && after == before; try++ {
					time.Sleep(time.Millisecond)
					n, _ = round(t, file, realm)
					after, _ = round(t, file, "stranger")
				}
				switch {
				case n == i:
					kept[e]++
				case after == before:
					t.Errorf("%s is in round %d, not %d, and nobody else wrote", realm, n, i)
				default:
					overwritten[e]++
				}
			}
		})
	}
	if err := <-ended; err != nil {
		t.Errorf("the stranger: %v: %s", err, said.String())
	}
	close(done)
	wg.Wait()
	t.Logf("edits that stayed: %v; that the stranger wrote over: %v", kept, overwritten)
	for e, n := range kept {
		if n == 0 {
			t.Errorf("no edit of editor %d stayed", e)
		}
	}
	onlyTheFile(t, file)
}
