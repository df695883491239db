package main

import (
	"io"
	"syscall"
)

// A file is standard output where it is a regular file. A disk that fills up
// takes the part of a write that still fits, which may end within a key; that
// piece could pass for a shorter key, so it is cut off.
type file struct {
	regular bool
	end     int64 // where the last write that held ended
}

func stdoutFile() file {
	var st syscall.Stat_t
	if err := syscall.Fstat(1, &st); err != nil || st.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return file{}
	}
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, 1, syscall.F_GETFL, 0)
	if errno != 0 {
		return file{}
	}
	end := st.Size
	if flags&syscall.O_APPEND == 0 {
		at, err := syscall.Seek(1, 0, io.SeekCurrent)
		if err != nil {
			return file{}
		}
		end = at
	}
	return file{regular: true, end: end}
}

// dropPart cuts off the beginning of a line after a write of n bytes failed.
// Lines are line bytes long. A file that does not look as that write left it
// has another writer, and is left alone.
func (f file) dropPart(line, n int) {
	if !f.regular {
		return
	}
	var st syscall.Stat_t
	at, err := syscall.Seek(1, 0, io.SeekCurrent)
	if err != nil || syscall.Fstat(1, &st) != nil {
		return
	}
	taken := at - f.end
	if st.Size != at || taken <= 0 || taken >= int64(n) {
		return
	}
	_ = syscall.Ftruncate(1, at-taken%int64(line))
}
