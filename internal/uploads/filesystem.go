// SPDX-License-Identifier: Apache-2.0

package uploads

import (
	"golang.org/x/sys/unix"
)

// Filesystem is what is known of the file system that holds a document root.
type Filesystem struct {
	Size, Avail        uint64 // bytes; Avail without those reserved for root
	Inodes, InodesFree uint64 // 0 where the file system does not count inodes (btrfs)
	Device             uint64 // tells file systems apart: several document roots may lie on one
}

// FilesystemOf asks for the file system of a document root. Errors are those of Walk.
func FilesystemOf(docroot string) (Filesystem, error) {
	var st unix.Stat_t
	var fs unix.Statfs_t
	_, err := again(func() (int, error) { return 0, unix.Stat(docroot, &st) })
	if err == nil && st.Mode&unix.S_IFMT != unix.S_IFDIR {
		err = unix.ENOTDIR
	}
	if err == nil {
		_, err = again(func() (int, error) { return 0, unix.Statfs(docroot, &fs) })
	}
	if err != nil {
		return Filesystem{}, explain(docroot, err)
	}
	block := uint64(fs.Frsize)
	if block == 0 {
		block = uint64(fs.Bsize)
	}
	return Filesystem{
		Size: fs.Blocks * block, Avail: fs.Bavail * block,
		Inodes: fs.Files, InodesFree: fs.Ffree,
		Device: uint64(st.Dev), //nolint:unconvert // an int32 on some architectures
	}, nil
}
