package realmfile

import "oathkit/pkg/internal/durable"

// SetHook lets tests stand before the file's system calls.
func (f *File) SetHook(h durable.Hook) { f.hook = h }
