package main

import (
	"bytes"
	"fmt"
)

// diffContext is how many unchanged lines a diff shows around a change.
const diffContext = 3

// resyncWindow is how far a diff looks for the next equal lines. An edit here
// touches single lines; where nothing agrees within the window the rest counts
// as changed, which is a longer diff but a true one.
const resyncWindow = 200

// A hunkLine is a line of a diff: ' ', '-' or '+', and the text with its ending.
type hunkLine struct {
	mark byte
	text []byte
}

// unifiedDiff is the change from old to edited as patch(1) takes it, with the
// file's name on both sides; no difference is no text.
func unifiedDiff(name string, old, edited []byte) []byte {
	if bytes.Equal(old, edited) {
		return nil
	}
	lines := diffLines(splitLines(old), splitLines(edited))
	var out bytes.Buffer
	fmt.Fprintf(&out, "--- %s\n+++ %s\n", name, name)
	oldLine, newLine := 1, 1
	for i := 0; i < len(lines); {
		if lines[i].mark == ' ' {
			i++
			oldLine++
			newLine++
			continue
		}
		start := max(0, i-diffContext)
		end := hunkEnd(lines, i)
		back := i - start
		oldCount, newCount := counts(lines[start:end])
		fmt.Fprintf(&out, "@@ -%s +%s @@\n", span(oldLine-back, oldCount), span(newLine-back, newCount))
		for _, l := range lines[start:end] {
			out.WriteByte(l.mark)
			out.Write(l.text)
			if !bytes.HasSuffix(l.text, []byte{'\n'}) {
				out.WriteString("\n\\ No newline at end of file\n")
			}
		}
		oldLine, newLine = oldLine-back+oldCount, newLine-back+newCount
		i = end
	}
	return out.Bytes()
}

// hunkEnd is where the hunk that has its first change at i ends: so many equal
// lines after a change that the next one has a hunk of its own.
func hunkEnd(lines []hunkLine, i int) int {
	last := i
	for j := i; j < len(lines) && j-last <= 2*diffContext+1; j++ {
		if lines[j].mark != ' ' {
			last = j
		}
	}
	return min(len(lines), last+1+diffContext)
}

func counts(lines []hunkLine) (old, edited int) {
	for _, l := range lines {
		if l.mark != '+' {
			old++
		}
		if l.mark != '-' {
			edited++
		}
	}
	return old, edited
}

// span is a range of lines; an empty one is named by the line before it.
func span(start, count int) string {
	switch count {
	case 0:
		return fmt.Sprintf("%d,0", start-1)
	case 1:
		return fmt.Sprint(start)
	}
	return fmt.Sprintf("%d,%d", start, count)
}

func splitLines(b []byte) [][]byte {
	lines := bytes.SplitAfter(b, []byte{'\n'})
	if n := len(lines); n > 0 && len(lines[n-1]) == 0 {
		lines = lines[:n-1]
	}
	return lines
}

// diffLines walks both files together and, where they part, finds the nearest
// place where they agree again.
func diffLines(a, b [][]byte) []hunkLine {
	lines := make([]hunkLine, 0, max(len(a), len(b)))
	for len(a) > 0 || len(b) > 0 {
		if len(a) > 0 && len(b) > 0 && bytes.Equal(a[0], b[0]) {
			lines = append(lines, hunkLine{' ', a[0]})
			a, b = a[1:], b[1:]
			continue
		}
		i, j := resync(a, b)
		for _, l := range a[:i] {
			lines = append(lines, hunkLine{'-', l})
		}
		for _, l := range b[:j] {
			lines = append(lines, hunkLine{'+', l})
		}
		a, b = a[i:], b[j:]
	}
	return lines
}

// resync returns how many lines of a and of b to pass until both agree, as few
// as possible in all.
func resync(a, b [][]byte) (i, j int) {
	for sum := 1; sum <= resyncWindow; sum++ {
		for i := min(sum, len(a)); i >= 0 && sum-i <= len(b); i-- {
			j := sum - i
			if i == len(a) && j == len(b) || i < len(a) && j < len(b) && bytes.Equal(a[i], b[j]) {
				return i, j
			}
		}
	}
	return len(a), len(b)
}
