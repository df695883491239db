package pmxcfstest

import (
	"context"
	"os"
	"path"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// Mount mounts the file system at the folder dir, with the folders and the link
// that it always has. It takes root; the error says what is missing.
//
// Programs that the test starts inherit nothing of it. If one of them kept the
// device open, whoever waits for an answer would wait on when the test is dead.
func (f *FS) Mount(dir string) (unmount func() error, err error) {
	none := time.Duration(0)
	root := &node{fs: f, dir: true}
	syscall.ForkLock.RLock() // until the device is closed on exec
	server, err := fs.Mount(dir, root, &fs.Options{
		EntryTimeout: &none, AttrTimeout: &none,
		MountOptions: fuse.MountOptions{
			DirectMountStrict: true, AllowOther: true, EnableLocks: true,
			FsName: "/dev/fuse", Name: "fuse", Options: []string{"default_permissions"},
		},
	})
	if err == nil {
		err = closeOnExec("/dev/fuse")
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, err
	}
	return func() error {
		err := server.Unmount()
		if err != nil { // somebody is in there; let nothing stay behind
			err = syscall.Unmount(dir, syscall.MNT_DETACH)
		}
		return err
	}, nil
}

// closeOnExec marks the descriptors of a device, which the library opens without.
func closeOnExec(device string) error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && to == device {
			fd, err := strconv.Atoi(e.Name())
			if err != nil {
				return err
			}
			syscall.CloseOnExec(fd)
		}
	}
	return nil
}

// A node is a file, folder or link. Its name is in the tree that the library
// keeps.
type node struct {
	fs.Inode
	fs  *FS
	dir bool
	to  string // of a link

	mu    sync.Mutex
	data  []byte
	times time.Time
	open  int
}

// name is where the node is, as "priv/lock".
func (n *node) name() string { return n.Path(nil) }

// in is the name of a child.
func (n *node) in(child string) string { return path.Join(n.name(), child) }

// OnAdd makes what is always there.
func (n *node) OnAdd(ctx context.Context) {
	if !n.IsRoot() {
		return
	}
	local := &node{fs: n.fs, to: "nodes/one"}
	n.AddChild("local", n.NewPersistentInode(ctx, local, fs.StableAttr{Mode: syscall.S_IFLNK}), true)
	for at, names := range map[*node][]string{n: {"priv", "nodes"}} {
		for _, name := range names {
			at.AddChild(name, at.NewPersistentInode(ctx, &node{fs: n.fs, dir: true}, fs.StableAttr{Mode: syscall.S_IFDIR}), true)
		}
	}
	lock := &node{fs: n.fs, dir: true}
	priv := n.GetChild("priv")
	priv.AddChild("lock", priv.NewPersistentInode(ctx, lock, fs.StableAttr{Mode: syscall.S_IFDIR}), true)
}

func (n *node) fill(out *fuse.Attr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.dir && private(n.name()):
		out.Mode = syscall.S_IFDIR | 0o700
	case n.dir:
		out.Mode = syscall.S_IFDIR | 0o755
	case n.to != "":
		out.Mode = syscall.S_IFLNK | 0o777
	default:
		out.Mode = syscall.S_IFREG | fileMode(n.name())
	}
	n.fs.mu.Lock()
	if n.fs.lost {
		out.Mode &^= 0o222
	}
	n.fs.mu.Unlock()
	out.Gid, out.Size, out.Nlink = Group, uint64(len(n.data)), 1
	at := n.times.Truncate(time.Second) // it keeps no finer times
	out.SetTimes(&at, &at, &at)
}

// Getattr implements fs.NodeGetattrer, and so on.
func (n *node) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	n.fill(&out.Attr)
	return 0
}

func (n *node) Setattr(_ context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	name := n.name()
	if mode, ok := in.GetMode(); ok {
		if errno := n.fs.chmod(name, mode); errno != 0 {
			return errno
		}
	}
	uid, uok := in.GetUID()
	gid, gok := in.GetGID()
	if !uok {
		uid = ^uint32(0)
	}
	if !gok {
		gid = ^uint32(0)
	}
	if errno := n.fs.chown(name, uid, gid); errno != 0 {
		return errno
	}
	if size, ok := in.GetSize(); ok {
		if errno := n.resize(name, size); errno != 0 {
			return errno
		}
	}
	if at, ok := in.GetMTime(); ok {
		if errno := n.setTime(name, at); errno != 0 {
			return errno
		}
	}
	n.fill(&out.Attr)
	return 0
}

func (n *node) resize(name string, size uint64) syscall.Errno {
	if errno := n.fs.write(name, int64(min(size, MaxFile+1))); errno != 0 {
		return errno
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.data = append(n.data[:min(uint64(len(n.data)), size)], make([]byte, size-min(uint64(len(n.data)), size))...)
	return 0
}

func (n *node) setTime(name string, at time.Time) syscall.Errno {
	if errno := n.fs.change("utime", name); errno != 0 {
		return errno
	}
	if n.dir && isLock(name) && at.Unix() == 0 {
		gone, errno := n.fs.release(name)
		if gone {
			base, parent := n.Parent()
			parent.RmChild(base)
		}
		return errno
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.times = at
	return 0
}

func (n *node) Open(_ context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	if flags&(syscall.O_WRONLY|syscall.O_RDWR|syscall.O_TRUNC) != 0 {
		if errno := n.fs.change("open", n.name()); errno != 0 {
			return nil, 0, errno
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open++
	return n, fuse.FOPEN_DIRECT_IO, 0
}

// Flush is what close(2) waits for; Release comes at any time later.
func (n *node) Flush(context.Context, fs.FileHandle) syscall.Errno {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open--
	return 0
}

func (n *node) Read(_ context.Context, _ fs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	n.mu.Lock()
	defer n.mu.Unlock()
	from := min(int64(len(n.data)), off)
	return fuse.ReadResultData(append([]byte(nil), n.data[from:min(from+int64(len(dest)), int64(len(n.data)))]...)), 0
}

func (n *node) Write(_ context.Context, _ fs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	end := off + int64(len(data))
	if errno := n.fs.write(n.name(), end); errno != 0 {
		return 0, errno
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if grow := end - int64(len(n.data)); grow > 0 {
		n.data = append(n.data, make([]byte, grow)...)
	}
	copy(n.data[off:], data)
	n.times = n.fs.now()
	return uint32(len(data)), 0
}

func (n *node) Create(ctx context.Context, name string, _, _ uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	if errno := n.fs.change("create", n.in(name)); errno != 0 {
		return nil, nil, 0, errno
	}
	child := &node{fs: n.fs, times: n.fs.now(), open: 1}
	inode := n.NewPersistentInode(ctx, child, fs.StableAttr{Mode: syscall.S_IFREG})
	n.AddChild(name, inode, true)
	child.fill(&out.Attr)
	return inode, child, fuse.FOPEN_DIRECT_IO, 0
}

func (n *node) Mkdir(ctx context.Context, name string, _ uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	if errno := n.fs.change("mkdir", n.in(name)); errno != 0 {
		return nil, errno
	}
	n.fs.lock(n.in(name))
	child := &node{fs: n.fs, dir: true, times: n.fs.now()}
	inode := n.NewPersistentInode(ctx, child, fs.StableAttr{Mode: syscall.S_IFDIR})
	n.AddChild(name, inode, true)
	child.fill(&out.Attr)
	return inode, 0
}

func (n *node) Unlink(_ context.Context, name string) syscall.Errno {
	return n.fs.change("unlink", n.in(name))
}

func (n *node) Rmdir(_ context.Context, name string) syscall.Errno {
	if child := n.GetChild(name); child != nil && len(child.Children()) > 0 {
		return syscall.ENOTEMPTY
	}
	return n.fs.change("rmdir", n.in(name))
}

// Rename notes when the file that goes is still open: libfuse would keep it
// under another name, which every node of the cluster sees.
func (n *node) Rename(_ context.Context, name string, to fs.InodeEmbedder, newName string, flags uint32) syscall.Errno {
	if flags != 0 {
		return n.fs.never(syscall.EINVAL, "rename with flags", n.in(name))
	}
	target := to.EmbeddedInode().GetChild(newName)
	if target != nil {
		if old, ok := target.Operations().(*node); ok {
			old.mu.Lock()
			open := old.open
			old.mu.Unlock()
			if open > 0 {
				_ = n.fs.never(0, "rename over a file that is open "+strconv.Itoa(open)+" times", newName)
			}
		}
	}
	return n.fs.change("rename", n.in(name))
}

func (n *node) Symlink(_ context.Context, _, name string, _ *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	return nil, n.fs.never(syscall.EACCES, "symlink", n.in(name))
}

func (n *node) Link(_ context.Context, _ fs.InodeEmbedder, name string, _ *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	return nil, n.fs.never(syscall.ENOSYS, "link", n.in(name))
}

func (n *node) Readlink(context.Context) ([]byte, syscall.Errno) { return []byte(n.to), 0 }

func (n *node) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno { return syscall.ENOSYS }

func (n *node) Setlk(context.Context, fs.FileHandle, uint64, *fuse.FileLock, uint32) syscall.Errno {
	return n.fs.never(syscall.ENOSYS, "lock", n.name())
}

func (n *node) Setlkw(context.Context, fs.FileHandle, uint64, *fuse.FileLock, uint32) syscall.Errno {
	return n.fs.never(syscall.ENOSYS, "lock", n.name())
}

func (n *node) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno {
	out.Bsize, out.Blocks, out.Bfree, out.Bavail = 4096, 1<<15, 1<<14, 1<<14
	return 0
}
