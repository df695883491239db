package doctor

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// maxFile bounds a file that is read, in bytes.
const maxFile = 4 << 20

// readFile reads a file that must be an ordinary one: a named pipe would wait,
// and a device never end.
func readFile(name string) ([]byte, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("is no regular file")}
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = &fs.PathError{Op: "read", Path: name, Err: fmt.Errorf("is larger than %d bytes", maxFile)}
	}
	return b, err
}

// path is where a file is that is called so below the root. Links lead to where
// they lead there.
func (x *exam) path(name string) string {
	if x.Root == "" {
		return name
	}
	return x.Root + x.walk(name, func(string) {})
}

// maxLinks is how many links in a path the kernel follows.
const maxLinks = 40

// walk goes to a file as the kernel does, and visits everything on the way that
// decides where it comes to: folders, links, and the file. It returns the file's
// path below the root, without links.
func (x *exam) walk(name string, visit func(string)) string {
	at, links := "/", 0
	visit(at)
	for rest := strings.Split(name, "/"); len(rest) > 0; {
		part := rest[0]
		rest = rest[1:]
		next := filepath.Join(at, part)
		if next == at {
			continue
		}
		visit(next)
		target, err := os.Readlink(x.Root + next)
		if err != nil {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return next + "\x00" // which no file is called
		}
		if strings.HasPrefix(target, "/") {
			at = "/"
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return at
}

// glob finds files by a pattern of their names below the root.
func (x *exam) glob(pattern string) ([]string, error) {
	quoted := strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(x.Root)
	paths, err := filepath.Glob(quoted + strings.TrimPrefix(x.path(pattern), x.Root))
	for i := range paths {
		paths[i] = strings.TrimPrefix(paths[i], x.Root)
	}
	return paths, err
}

// exists says whether there is a file, as far as can be seen.
func (x *exam) exists(name string) bool {
	_, err := os.Stat(x.path(name))
	return !errors.Is(err, fs.ErrNotExist)
}

// unrooted names files as they are below the root.
func (x *exam) unrooted(s string) string {
	if x.Root == "" {
		return s
	}
	return strings.ReplaceAll(s, x.Root+"/", "/")
}

// lookAtFiles looks at the files that PAM reads.
func (x *exam) lookAtFiles() {
	for _, name := range x.service.Files {
		x.trusted(name, "whoever can write a file of PAM decides who gets in")
	}
}

// trusted looks at who can write a file, or what leads to it.
func (x *exam) trusted(name, harm string) {
	x.walk(name, func(p string) { x.writable(p, harm) })
}

// writable says who besides root, and besides who asks, can write a file. Of a
// link it counts whose it is.
func (x *exam) writable(name, harm string) {
	info, err := os.Lstat(x.Root + name)
	if err != nil {
		x.add(name, 0, Unsure, "file-mode", x.unrooted(err.Error()), "run it as root")
		return
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return
	}
	if st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		x.add(name, 0, Error, "file-owner", fmt.Sprintf("it belongs to uid %d: %s", st.Uid, harm), "chown root "+name+", after a look at what is in it")
	}
	perm := info.Mode().Perm()
	sticky := info.IsDir() && info.Mode()&os.ModeSticky != 0 // others cannot replace what is in it
	link := info.Mode()&os.ModeSymlink != 0
	if !sticky && !link && (perm&0o002 != 0 || perm&0o020 != 0 && st.Gid != 0) {
		x.add(name, 0, Error, "file-mode", fmt.Sprintf("it has mode %04o: %s", perm, harm), "chmod go-w "+name+", after a look at what is in it")
	}
}
