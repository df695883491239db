package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oathkit/cmd/internal/cli"

	"github.com/creack/pty"
)

// The test binary stands for mfactl when it is called with this.
const asProgram = "MFACTL_TEST_RUN"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(cli.Main(command()))
	}
	os.Exit(m.Run())
}

// onTerminal runs mfactl on a terminal of this size, types the answer when the
// prompt is there, and returns all that the terminal showed.
func onTerminal(t *testing.T, columns, rows uint16, answer string, args ...string) string {
	t.Helper()
	shown, err := terminalRun(t, newSite(t), columns, rows, answer, args...)
	if err != nil {
		t.Errorf("%v: %v\n%s", args, err, shown)
	}
	return shown
}

// terminalRun does that on a given site, and returns how mfactl ended, too.
func terminalRun(t *testing.T, config string, columns, rows uint16, answer string, args ...string) (string, error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, append([]string{"-c", config}, args...)...)
	cmd.Env = []string{asProgram + "=1"}
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: columns, Rows: rows})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	stop := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()
	var shown strings.Builder
	b := make([]byte, 4096)
	for {
		n, err := terminal.Read(b)
		shown.Write(b[:n])
		if answer != "" && strings.HasSuffix(shown.String(), "URI: ") {
			if _, err := io.WriteString(terminal, answer+"\n"); err != nil {
				t.Fatal(err)
			}
			answer = ""
		}
		if err != nil { // the other end is closed
			break
		}
	}
	return shown.String(), cmd.Wait()
}

// newSite makes a site in which nobody needs a factor.
func newSite(t *testing.T) (config string) {
	t.Helper()
	dir := t.TempDir()
	config = filepath.Join(dir, "oathkit.toml")
	text := fmt.Sprintf("[oath]\nissuer = \"Office\"\n[paths]\ndomains = %q\nstore = %q\naudit = %q\n",
		filepath.Join(dir, "domains.cfg"), filepath.Join(dir, "store"), filepath.Join(dir, "audit.jsonl"))
	for name, text := range map[string]string{config: text, filepath.Join(dir, "domains.cfg"): "pam: pam\n\tcomment local\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return config
}

func TestQRFitsTheTerminal(t *testing.T) {
	tests := []struct {
		columns, rows uint16
		drawn         bool
	}{
		{80, 25, true},
		{41, 22, true},
		{40, 25, false},
		{80, 20, false},
	}
	for _, tt := range tests {
		shown := onTerminal(t, tt.columns, tt.rows, "", "enable", "alice@pam")
		if drawn := strings.Contains(shown, "████ ▄▄▄▄▄ █"); drawn != tt.drawn {
			t.Errorf("%d columns, %d rows: QR code drawn: %v\n%s", tt.columns, tt.rows, drawn, shown)
		}
		if warned := strings.Contains(shown, "warning: no QR code: it needs "); warned == tt.drawn {
			t.Errorf("%d columns, %d rows: warned: %v\n%s", tt.columns, tt.rows, warned, shown)
		}
		if !strings.Contains(shown, "\nkey: ") || !strings.Contains(shown, "successfully enabled") {
			t.Errorf("%d columns, %d rows: no key\n%s", tt.columns, tt.rows, shown)
		}
	}
}

// The key that is typed does not appear on the terminal.
func TestAddAsksWithoutEcho(t *testing.T) {
	shown := onTerminal(t, 80, 24, "gezd gnbv gy3t qojq gezd gnbv gy3t qojq", "add", "alice@pam")
	if !strings.Contains(shown, "has been added for the user alice@pam") {
		t.Errorf("not added:\n%s", shown)
	}
	if strings.Contains(strings.ToLower(shown), "gezd") {
		t.Errorf("the key is on the screen:\n%s", shown)
	}
}

// Exported keys get to a terminal only when that is said.
func TestExportShowsNoKeys(t *testing.T) {
	site := newSite(t)
	if shown, err := terminalRun(t, site, 80, 24, "gezd gnbv gy3t qojq gezd gnbv gy3t qojq", "add", "alice@pam"); err != nil {
		t.Fatal(err, shown)
	}
	users := filepath.Join(t.TempDir(), "user.cfg")
	if err := os.WriteFile(users, []byte("user:alice@pam:1:\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const hex = "3132333435363738393031323334353637383930"
	for _, args := range [][]string{{"export", "--to", "pve-user", users}, {"export", "--to", "pve-tfa"}} {
		shown, err := terminalRun(t, site, 80, 24, "", args...)
		if err == nil || !strings.Contains(shown, "would be shown on the terminal") || strings.Contains(shown, hex) {
			t.Errorf("%v: %v\n%s", args, err, shown)
		}
	}
	if shown, err := terminalRun(t, site, 80, 24, "", "export", "--to", "pve-user", "--show-keys", users); err != nil || !strings.Contains(shown, hex) {
		t.Errorf("%v\n%s", err, shown)
	}
}
