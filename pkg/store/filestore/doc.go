// Package filestore keeps users in files: the default [store.Store].
//
// # Layout
//
// The store is a folder, 0700, of root or of a service account, whose files get
// its owner; whoever owns it, and root, can use it. In it are
//
//	store          says that this is a store; nobody's logins lock and flush here
//	00 to ff       folders, 0700: a hash of the user id decides
//	00/ID.json     the record of a user, 0600, JSON: what people decide; his
//	               secrets in it are sealed if there is a [mfa.Sealer]
//	00/ID.state    his state, 0600: what each login changes, and his lock
//	00/.*.new      the temporary of a write; a leftover is removed by the next one
//
// where ID is the user id with the bytes that a file name should not have as %XX.
// Anything else, a file that others can read or write, or that is another's, is
// refused by name, not worked around. A folder that should be a store and has no
// file "store" is an error even for somebody who has no record: a file system
// that is not mounted must not make everybody a user without a factor.
//
// The state is two slots of 512 bytes that are written in turn, in place (see
// package durable); a login writes one of them and flushes once. Their blocks
// are there from the beginning, so a full disk does not stop logins (on btrfs
// and ZFS, which never write in place, it does). The state file says nothing by
// being there and is never removed. It must be on a local file system.
//
// # Locks
//
// Whoever updates a user holds flock on his state file. A name that has none is
// locked by one byte of the file "store" that a hash of the name picks. A state
// file is made only under that lock of the name and appears whole and locked. A
// wait ends after 10 seconds with [store.ErrBusy]. [Store.View] and [Store.List]
// lock nothing.
//
// # What a crash leaves
//
// These are the system calls of each kind of update, in order, close aside (ID
// and SHARD stand for the user's own names), and what a crash between a line and
// the next leaves: of the process alone, or of the machine, when each write or
// name that was not synced may be there, or not, or a write in part. Tests stop
// at every line in all these ways and compare the lines with what is called.
//
// A login:
//
//	openat SHARD
//	openat ID.state
//	flock ID.state
//	fstat ID.state
//	pread ID.state
//	openat ID.json
//	fstat ID.json
//	pread ID.json           up to here all is as before
//	pwrite ID.state 512     the slot is new, or it is the one before that counts: nobody was told
//	fdatasync ID.state      the slot is new; now yes may be said
//
// A login of nobody, which costs the same flush and leaves nothing:
//
//	openat SHARD
//	openat store
//	fstat store
//	pread store
//	fcntl store
//	openat SHARD
//	pwrite store
//	fdatasync store
//
// A login that activates, or any other update that keeps all that the state
// hangs on, changes the state and then the record:
//
//	openat SHARD
//	openat ID.state
//	flock ID.state
//	fstat ID.state
//	pread ID.state
//	openat ID.json
//	fstat ID.json
//	pread ID.json
//	pwrite ID.state 512
//	fdatasync ID.state      the code is used up, the record as before
//	fstatat ID.json
//	unlinkat .ID.json.new
//	openat .ID.json.new     a temporary lies there, from here on
//	fchmod .ID.json.new
//	pwrite .ID.json.new
//	fsync .ID.json.new
//	renameat .ID.json.new ID.json     the record is the old one or the new one
//	fsync SHARD             the new one
//
// Reset, and any update that changes the epoch or the recovery set or removes a
// credential, changes the record and then the state. What the old state says of
// what is gone is void under the new record, so that neither order of the two on
// the disk brings back a used code or an old lock:
//
//	openat SHARD
//	openat ID.state
//	flock ID.state
//	fstat ID.state
//	pread ID.state
//	openat ID.json
//	fstat ID.json
//	pread ID.json
//	fstatat ID.json
//	unlinkat .ID.json.new
//	openat .ID.json.new
//	fchmod .ID.json.new
//	pwrite .ID.json.new
//	fsync .ID.json.new
//	renameat .ID.json.new ID.json     the record is the old one or the new one
//	fsync SHARD             the new one, under which the old state is void
//	pwrite ID.state 512
//	fdatasync ID.state      both are new
//
// Enable, of a name that never had a record:
//
//	openat SHARD
//	openat store
//	fstat store
//	pread store
//	fcntl store
//	openat SHARD
//	mkdirat SHARD           an empty folder, from here on
//	openat SHARD
//	fsync .
//	unlinkat .ID.state.new
//	openat .ID.state.new    a temporary lies there
//	fchmod .ID.state.new
//	flock .ID.state.new
//	pwrite .ID.state.new
//	fsync .ID.state.new
//	renameat .ID.state.new ID.state   a state without a record, which means nothing
//	fsync SHARD
//	fstatat ID.json
//	unlinkat .ID.json.new
//	openat .ID.json.new     a temporary lies there
//	fchmod .ID.json.new
//	pwrite .ID.json.new
//	fsync .ID.json.new
//	renameat .ID.json.new ID.json     the user is there or not
//	fsync SHARD             the user is there
//
// For a name that had a record before, the state is there: both its slots are
// written, one after the other with a flush each, then the folder is synced and
// the record written as above. Rebuild does the same without the record.
//
// Disable; Delete is the same without reading:
//
//	openat SHARD
//	openat ID.state
//	flock ID.state
//	fstat ID.state
//	pread ID.state
//	openat ID.json
//	fstat ID.json
//	pread ID.json
//	unlinkat .ID.json.new
//	unlinkat ID.json        the user is there or not
//	fsync SHARD             he is gone; his state stays, and is void for the next of his name
//
// Reseal writes a record as above, without the state.
//
// Where root works in another's store, fchown stands before each fchmod and
// behind mkdirat.
//
// A record is lost by none of this, and neither is a state, with one exception:
// a process that is killed between pwrite and fdatasync of a slot, then a power
// cut in the very next flush of the same user, on a disk that tears within a
// sector of 512 bytes, can leave two torn slots. Then, as after a state was
// removed by hand, updates fail with [store.ErrStateLost] until `mfactl unlock`.
//
// # What time tells
//
// Somebody who has no record costs a flush, waits for others who try the same
// name, and reads as many bytes as somebody who has one. Reading and parsing the
// record (some 10 us), trying keys on the code, and cold caches are not made up
// for; a flush takes 100 us to 10 ms and varies by more than that.
package filestore
