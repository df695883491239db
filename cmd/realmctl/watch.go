package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"oathkit/cmd/internal/cli"
	"oathkit/pkg/realm"
)

// clock is that of this machine.
func (t *tool) clock() clock {
	if t.time != nil {
		return *t.time
	}
	line := func(path string) string {
		b, _ := os.ReadFile(path)
		return strings.TrimSpace(string(b))
	}
	t.time = &clock{
		now: t.now, running: sinceBoot,
		boot: line("/proc/sys/kernel/random/boot_id"), machine: line("/etc/machine-id"),
	}
	return *t.time
}

// sinceBoot is how long the machine runs, its sleep included.
func sinceBoot() (time.Duration, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0, fmt.Errorf("cannot read the time since the start of the machine: %w", err)
	}
	return time.Duration(ts.Nano()), nil
}

// watchWait is how long the process that ends a trial may take to come up.
const watchWait = 20 * time.Second

// watch leaves a process behind that ends the trial of the file: this program
// itself, whatever lies under its name by now, in a session of its own, so that
// the end of the terminal does not reach it, without environment. It returns once
// that process has seen the trial.
func (t *tool) watch(path string) error {
	if t.watcher != nil {
		return t.watcher(path)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	cmd := exec.Command("/proc/self/exe", "-f", path, "tfa", "expire", "--wait")
	cmd.Args[0] = "realmctl"
	cmd.Env = []string{}
	cmd.Dir = "/"
	cmd.Stdout = w
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	w.Close()
	if err != nil {
		return fmt.Errorf("cannot start the process that ends the trial: %w", err)
	}
	if err = r.SetReadDeadline(time.Now().Add(watchWait)); err == nil {
		_, err = bufio.NewReader(r).ReadString('\n')
	}
	if err != nil {
		_ = cmd.Process.Kill()
		return errors.New("the process that ends the trial did not come up")
	}
	return cmd.Process.Release()
}

// shownTFA is a tfa value without its secrets.
func shownTFA(value string) string {
	return cli.Printable(realm.Property{Key: "tfa", Value: value}.Shown())
}
