package cmd

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

const (
	qrKey = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
	// qrURI has 111 bytes, which fit 80 columns and 24 rows.
	qrURI = "otpauth://totp/git.example.org:alice@example.org?secret=" + qrKey + "&issuer=git.example.org"
)

// A screen is what a program did on a terminal.
type screen struct {
	code int
	text string
}

// onTerminal runs a program of ours on a terminal of this size. Standard input
// is stdin, or the terminal with typed, when that is not empty.
func onTerminal(t *testing.T, columns, rows uint16, stdin, typed string, prog string, args ...string) screen {
	t.Helper()
	tty, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	if err := pty.Setsize(tty, &pty.Winsize{Cols: columns, Rows: rows}); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(prog, args...)
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "USER=alice", "TERM=xterm")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 1}
	if typed != "" {
		cmd.Stdin = slave
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	// The answer is typed once the question is there and the echo off, as by a
	// person, who is slower than the program.
	var seen bytes.Buffer
	buf := make([]byte, 4096)
	for {
		n, err := tty.Read(buf)
		seen.Write(buf[:n])
		if typed != "" && bytes.Contains(seen.Bytes(), []byte(": ")) {
			for echoes(t, tty) {
				time.Sleep(time.Millisecond)
			}
			if _, err := io.WriteString(tty, typed); err != nil {
				t.Fatal(err)
			}
			typed = ""
		}
		if err != nil {
			break // EIO: the last one has closed the terminal
		}
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return screen{cmd.ProcessState.ExitCode(), strings.ReplaceAll(seen.String(), "\r\n", "\n")}
}

func echoes(t *testing.T, tty *os.File) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

func qrencode(args ...string) (string, []string) {
	return filepath.Join(bin, "oath-qrencode"), append([]string{"-c", os.DevNull}, args...)
}

// picture puts the half blocks in a text on pixels, light on dark, as a dark
// terminal does.
func picture(t *testing.T, text string) image.Image {
	t.Helper()
	var lines [][]rune
	for line := range strings.Lines(text) {
		if line = strings.TrimSuffix(line, "\n"); strings.Trim(line, " ▀▄█") == "" && line != "" {
			lines = append(lines, []rune(line))
		}
	}
	if len(lines) == 0 {
		t.Fatalf("no QR code in:\n%s", text)
	}
	const scale = 4
	img := image.NewGray(image.Rect(0, 0, scale*len(lines[0]), 2*scale*len(lines)))
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			r := lines[y/(2*scale)][x/scale]
			if r == '█' || r == '▀' && y/scale%2 == 0 || r == '▄' && y/scale%2 == 1 {
				img.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	return img
}

// scan reads the QR code in an image file with zbarimg.
func scan(t *testing.T, file string) string {
	t.Helper()
	need(t, "zbarimg")
	out, err := exec.Command("zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", file).Output()
	if err != nil {
		t.Fatalf("zbarimg: %v", err)
	}
	return strings.TrimSuffix(string(out), "\n")
}

func scanText(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, picture(t, text)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "screen.png")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return scan(t, file)
}

func TestQROnTerminal(t *testing.T) {
	prog, args := qrencode()
	s := onTerminal(t, 80, 24, qrURI+"\n", "", prog, args...)
	if s.code != 0 {
		t.Fatalf("exit code %d:\n%s", s.code, s.text)
	}
	if n := strings.Count(s.text, "\n"); n != 23 {
		t.Errorf("%d rows, want 23 and the prompt's", n)
	}
	if got := scanText(t, s.text); got != qrURI {
		t.Errorf("the screen reads %q, want %q", got, qrURI)
	}
}

func TestQRTooLargeForTerminal(t *testing.T) {
	for _, tt := range []struct {
		columns, rows uint16
		args          []string
		want          string
	}{
		{80, 23, nil, "needs 45 columns and 24 rows with the prompt; this terminal has 80 and 23"},
		{44, 50, nil, "needs 45 columns and 24 rows with the prompt; this terminal has 44 and 50"},
		{80, 50, []string{"-t", "ansi"}, "needs 90 columns and 46 rows with the prompt; this terminal has 80 and 50"},
		{90, 45, []string{"-t", "ascii"}, "needs 90 columns and 46 rows with the prompt; this terminal has 90 and 45"},
		{80, 24, []string{"--level", "H"}, "needs 65 columns and 34 rows with the prompt; this terminal has 80 and 24"},
	} {
		prog, args := qrencode(tt.args...)
		s := onTerminal(t, tt.columns, tt.rows, qrURI, "", prog, args...)
		if s.code != 1 || !strings.Contains(s.text, "oath-qrencode: error: the QR code "+tt.want+"\n") {
			t.Errorf("%v: exit code %d:\n%s\nwant %s", tt.args, s.code, s.text, tt.want)
		}
		if strings.ContainsAny(s.text, "█#\x1b") || strings.Contains(s.text, qrKey) {
			t.Errorf("%v: something of the key is shown:\n%s", tt.args, s.text)
		}
		if !strings.Contains(s.text, "hint: enlarge the terminal") {
			t.Errorf("%v: no way out:\n%s", tt.args, s.text)
		}
	}
	// A key that was made for a screen that is too small is not shown either.
	prog, args := qrencode("-g", "-a", "alice")
	if s := onTerminal(t, 20, 10, "", "", prog, args...); s.code != 1 || strings.Contains(s.text, "OATH key ID") {
		t.Errorf("exit code %d:\n%s", s.code, s.text)
	}
	// A terminal that does not know its size is not judged.
	prog, args = qrencode()
	if s := onTerminal(t, 0, 0, qrURI, "", prog, args...); s.code != 0 {
		t.Errorf("exit code %d:\n%s", s.code, s.text)
	}
}

func TestQRFileFromTerminal(t *testing.T) {
	file := filepath.Join(t.TempDir(), "qr.png")
	prog, args := qrencode("-o", file)
	if s := onTerminal(t, 20, 10, qrURI, "", prog, args...); s.code != 0 || s.text != "" {
		t.Fatalf("exit code %d:\n%s", s.code, s.text)
	}
	if got := scan(t, file); got != qrURI {
		t.Errorf("the file reads %q, want %q", got, qrURI)
	}
	prog, args = qrencode("-t", "png")
	if s := onTerminal(t, 80, 24, qrURI, "", prog, args...); s.code != 2 || !strings.Contains(s.text, "hint: write it to a file: -o FILE") {
		t.Errorf("exit code %d:\n%s", s.code, s.text)
	}
}

// TestQRKeyIsNotEchoed types the key.
func TestQRKeyIsNotEchoed(t *testing.T) {
	prog, args := qrencode("-i", "Example", "-a", "alice")
	s := onTerminal(t, 80, 40, "", qrKey+"\n", prog, args...)
	if s.code != 0 || !strings.HasPrefix(s.text, "key or otpauth URI: ") {
		t.Fatalf("exit code %d:\n%s", s.code, s.text)
	}
	if strings.Contains(s.text, qrKey) {
		t.Errorf("the key is shown:\n%s", s.text)
	}
	if got, want := scanText(t, s.text), "otpauth://totp/Example:alice?secret="+qrKey+"&issuer=Example"; got != want {
		t.Errorf("the screen reads %q, want %q", got, want)
	}
}

// TestQRScript runs the script as its reader would, and wants the key in no
// argument list.
func TestQRScript(t *testing.T) {
	dir := t.TempDir()
	spy := "#!/bin/sh\nprintf '%s\\n' \"$0\" \"$@\" >>" + filepath.Join(dir, "arguments") + "\nexec " + bin + "/${0##*/} \"$@\"\n"
	for _, prog := range []string{"oathkeygen", "oath-qrencode"} {
		if err := os.WriteFile(filepath.Join(dir, prog), []byte(spy), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s := onTerminal(t, 80, 40, "", "", "env", "PATH="+dir+":"+os.Getenv("PATH"), "../scripts/oath-qrencode.sh")
	if s.code != 0 {
		t.Fatalf("exit code %d:\n%s", s.code, s.text)
	}
	_, line, ok := strings.Cut(s.text, "OATH key ID for user alice@")
	if !ok {
		t.Fatalf("no key on the screen:\n%s", s.text)
	}
	if !strings.HasPrefix(s.text, "\x1b[") {
		t.Error("the screen was not cleared")
	}
	line, _, _ = strings.Cut(line, "\n")
	host, key, _ := strings.Cut(line, ": ")
	if len(key) != 16 {
		t.Errorf("the key has %d characters, want 16", len(key))
	}
	got := scanText(t, s.text)
	if !strings.HasPrefix(got, "otpauth://totp/PVE:alice@") || !strings.Contains(got, "?secret="+key+"&issuer=PVE") {
		t.Errorf("the screen reads %q, for %q on %q", got, key, host)
	}
	arguments, err := os.ReadFile(filepath.Join(dir, "arguments"))
	if err != nil || len(arguments) == 0 {
		t.Fatalf("no arguments were seen: %v", err)
	}
	if bytes.Contains(arguments, []byte(key)) {
		t.Errorf("the key is among the arguments:\n%s", arguments)
	}
}

// TestQRClosedPipe wants a reader that went away to be noticed.
func TestQRClosedPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	prog, args := qrencode("-t", "utf8")
	cmd := exec.Command(prog, args...)
	var talk strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(qrURI), w, &talk
	_ = cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != 111 || !strings.Contains(talk.String(), "cannot write standard output") {
		t.Errorf("exit code %d:\n%s", code, talk.String())
	}
}
