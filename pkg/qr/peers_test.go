package qr

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"rsc.io/qr/coding"
)

// need skips the test without a program of Debian's, except in CI.
func need(t *testing.T, program, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	switch {
	case err == nil:
		return path
	case os.Getenv("CI") != "":
		t.Fatalf("%s is missing: apt-get install %s", program, pkg)
	}
	t.Skipf("%s is missing: apt-get install %s", program, pkg)
	return ""
}

// TestAgainstQrencode compares with qrencode over 1,000 URIs at each level:
// never a larger version, and where version and segments are the same, the same
// modules after unmasking.
func TestAgainstQrencode(t *testing.T) {
	qrencode := need(t, "qrencode", "qrencode")
	uris := 1000
	if testing.Short() {
		uris = 50
	}
	for level := L; level <= H; level++ {
		r := rand.New(rand.NewPCG(9, uint64(level)))
		jobs := make(chan string)
		var tally comparison
		var all sync.WaitGroup
		for range runtime.NumCPU() {
			all.Go(func() {
				for uri := range jobs {
					if err := tally.compare(qrencode, uri, level); err != nil {
						t.Errorf("%v: %s: %v", level, uri, err)
					}
				}
			})
		}
		for range uris {
			jobs <- randomURI(r)
		}
		close(jobs)
		all.Wait()
		t.Logf("level %v: %d URIs, %d in a smaller version, %d with the same segments, %d of them with the same mask",
			level, uris, tally.smaller, tally.same, tally.sameMask)
		if tally.same < uris/4 || tally.smaller == 0 && uris == 1000 {
			t.Errorf("level %v: only %d of %d could be compared, %d were smaller", level, tally.same, uris, tally.smaller)
		}
	}
}

type comparison struct {
	sync.Mutex
	smaller, same, sameMask int
}

func (tally *comparison) compare(qrencode, uri string, level Level) error {
	ours, err := Encode([]byte(uri), level)
	if err != nil {
		return err
	}
	cmd := exec.Command(qrencode, "-t", "ASCII", "-m", "0", "-l", level.String(), "-o", "-")
	cmd.Stdin = strings.NewReader(uri)
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("qrencode: %w", err)
	}
	theirs, err := seeASCII(out, Style{})
	if err != nil {
		return err
	}
	their, err := read(theirs)
	if err != nil || string(their.text) != uri || their.level != level {
		return fmt.Errorf("qrencode's symbol reads %q at level %v: %v", their.text, their.level, err)
	}
	our, err := read(matrixOf(ours))
	if err != nil || string(our.text) != uri {
		return fmt.Errorf("our symbol reads %q: %v", our.text, err)
	}
	tally.Lock()
	defer tally.Unlock()
	switch {
	case our.version > their.version:
		return fmt.Errorf("version %d, qrencode has %d", our.version, their.version)
	case our.version < their.version:
		tally.smaller++
		return nil
	case fmt.Sprint(our.segments) != fmt.Sprint(their.segments):
		return nil
	}
	tally.same++
	if our.mask == their.mask {
		tally.sameMask++
	}
	return sameUnmasked(ours, theirs, their.mask)
}

// sameUnmasked compares all modules but the format information, which names the
// mask, after taking both masks off.
func sameUnmasked(c *Code, theirs matrix, mask int) error {
	plan, err := coding.NewPlan(coding.Version(c.Version), coding.Level(c.Level), coding.Mask(mask))
	if err != nil {
		return err
	}
	for y, row := range plan.Pixel {
		for x, p := range row {
			us, they := c.Black(x, y), theirs[y][x]
			switch p.Role() {
			case coding.Format:
				if c.Mask != mask {
					continue
				}
			case coding.Data, coding.Check, coding.Extra:
				us = us != coding.Mask(c.Mask).Invert(y, x)
				they = they != coding.Mask(mask).Invert(y, x)
			}
			if us != they {
				return fmt.Errorf("module %d,%d (%v) differs from qrencode's", x, y, p.Role())
			}
		}
	}
	return nil
}

// TestScanners has every form decoded by two independent readers, from pixels.
func TestScanners(t *testing.T) {
	dir := t.TempDir()
	var want []string
	var files []string
	for level := L; level <= H; level++ {
		for _, text := range []string{
			"otpauth://totp/PVE:root@pve.example.org?secret=P6NDPDL6QDS7YFP4",
			typical,
			"otpauth://hotp/%C3%9Cbung:a%20b@example.org?secret=" + strings.Repeat("JBSWY3DP", 12) + "&issuer=%C3%9Cbung&algorithm=SHA512&digits=8&counter=18446744073709551615",
		} {
			c, err := Encode([]byte(text), level)
			if err != nil {
				t.Fatal(err)
			}
			for _, form := range forms {
				for _, invert := range []bool{false, true} {
					img := seenBy(t, c, form.name, invert)
					name := fmt.Sprintf("%s of %v, invert %v", form.name, c, invert)
					if got := zxing(t, name, img); got != text {
						t.Errorf("gozxing reads %s as %q, want %q", name, got, text)
					}
					want = append(want, text)
					files = append(files, writePNG(t, dir, len(files), img))
				}
			}
			// The PNG goes to zbarimg as we wrote it, too.
			own := filepath.Join(dir, fmt.Sprintf("own%d.png", len(files)))
			if err := os.WriteFile(own, c.AppendPNG(nil, Style{Quiet: 4, Module: 4}), 0o600); err != nil {
				t.Fatal(err)
			}
			want, files = append(want, text), append(files, own)
		}
	}
	zbarimg := need(t, "zbarimg", "zbar-tools")
	cmd := exec.Command(zbarimg, append([]string{"--quiet", "--raw", "-Sdisable", "-Sqrcode.enable"}, files...)...)
	var talk bytes.Buffer
	cmd.Stderr = &talk
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("zbarimg: %v\n%s", err, talk.Bytes())
	}
	got := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(got) != len(want) {
		t.Fatalf("zbarimg reads %d of %d pictures", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("zbarimg reads picture %d as %q, want %q", i, got[i], want[i])
		}
	}
}

// seenBy draws a form and puts on pixels what the reader of that form sees.
// What was inverted for a screen of the other kind is seen on such a screen.
func seenBy(t *testing.T, c *Code, name string, invert bool) image.Image {
	t.Helper()
	s := Style{Quiet: 4, Module: 4, Invert: invert}
	for _, form := range forms {
		if form.name == name {
			m, err := form.see(form.draw(c, nil, s), s)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			return m.picture(4)
		}
	}
	t.Fatalf("no form %q", name)
	return nil
}

func writePNG(t *testing.T, dir string, i int, img image.Image) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, fmt.Sprintf("%d.png", i))
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func zxing(t *testing.T, name string, img image.Image) string {
	t.Helper()
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
	if err != nil {
		t.Errorf("gozxing cannot read %s: %v", name, err)
		return ""
	}
	return result.GetText()
}
