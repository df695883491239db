package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
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
				in.file(path, info, owner, 0o077)
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
	if info, err := os.Lstat(c.Paths.Audit); err == nil {
		in.file(c.Paths.Audit, info, owner, 0o037)
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

// file looks at one file or folder. Root may own what is another's, too.
func (in *inspector) file(path string, info fs.FileInfo, owner uint32, forbidden fs.FileMode) {
	mode := info.Mode()
	switch {
	case mode&fs.ModeSymlink != 0, !mode.IsRegular() && !mode.IsDir():
		in.add(finding{Check: "stray-file", File: path, Message: "it is neither a file nor a folder"})
		return
	case mode.Perm()&forbidden != 0:
		in.add(finding{Check: "file-mode", File: path, Message: fmt.Sprintf("mode %04o lets others in: chmod %s it, and ask who could have read it",
			mode.Perm(), rightMode(mode, forbidden))})
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != owner {
		in.add(finding{Check: "file-owner", File: path, Message: fmt.Sprintf("it belongs to uid %d, the store to uid %d", st.Uid, owner)})
	}
}

func rightMode(mode, forbidden fs.FileMode) string {
	return fmt.Sprintf("%04o", mode.Perm()&^forbidden)
}
