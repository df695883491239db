package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"oathkit/cmd/internal/site"
)

// files looks at who can read and write what the site keeps: everything in the
// store is its owner's alone, the audit log can be written by nobody else.
func (in *inspector) files() {
	c := &in.s.Config
	owner, ok := in.owner(c.Paths.Store)
	if !ok {
		return
	}
	err := filepath.WalkDir(c.Paths.Store, func(path string, d fs.DirEntry, err error) error {
		if err == nil {
			var info fs.FileInfo
			if info, err = d.Info(); err == nil {
				in.file(path, info, owner)
			}
		}
		if err != nil && !os.IsNotExist(err) { // a user was disabled meanwhile
			in.add(finding{Check: "unreadable", File: path, Message: err.Error()})
		}
		return nil
	})
	if err != nil {
		in.add(finding{Check: "unreadable", File: c.Paths.Store, Message: err.Error()})
	}
	for _, path := range []string{c.Paths.Audit, site.SealFile(c)} {
		if info, err := os.Lstat(path); err == nil {
			in.shared(path, info, owner)
		}
	}
}

func (in *inspector) owner(path string) (uint32, bool) {
	info, err := os.Lstat(path)
	if err != nil {
		in.add(finding{Check: "unreadable", File: path, Message: err.Error()})
		return 0, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return st.Uid, ok
}

// file looks at a file or folder of the store.
func (in *inspector) file(path string, info fs.FileInfo, owner uint32) {
	if !info.Mode().IsRegular() && !info.IsDir() {
		in.add(finding{Check: "stray-file", File: path, Message: "it is neither a file nor a folder"})
		return
	}
	in.mode(path, info, 0o077)
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != owner {
		in.add(finding{Check: "file-owner", File: path, Message: fmt.Sprintf("it belongs to uid %d, the store to uid %d", st.Uid, owner)})
	}
}

// shared looks at a file that root may own for the owner of the store, and that
// a group may read.
func (in *inspector) shared(path string, info fs.FileInfo, owner uint32) {
	in.mode(path, info, 0o037)
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 && st.Uid != owner {
		in.add(finding{Check: "file-owner", File: path, Message: fmt.Sprintf("it belongs to uid %d, neither root nor uid %d like the store", st.Uid, owner)})
	}
}

func (in *inspector) mode(path string, info fs.FileInfo, forbidden fs.FileMode) {
	if mode := info.Mode().Perm(); mode&forbidden != 0 && info.Mode()&fs.ModeSymlink == 0 {
		in.add(finding{Check: "file-mode", File: path, Message: fmt.Sprintf("mode %04o lets others in: chmod %04o it, and ask who could have read it",
			mode, mode&^forbidden)})
	}
}
