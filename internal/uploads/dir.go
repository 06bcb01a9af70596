// SPDX-License-Identifier: Apache-2.0

package uploads

import (
	"bytes"
	"encoding/binary"
	"errors"

	"golang.org/x/sys/unix"
)

// dir is an open directory. What is in it is reached through its descriptor, so that no link that somebody puts into the path
// meanwhile can lead elsewhere.
type dir int

const openFlags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC | unix.O_NONBLOCK

// openRoot opens a document root, which may be a symbolic link.
func openRoot(path string) (dir, error) { return openAt(unix.AT_FDCWD, path, openFlags) }

// open opens a directory in d, never through a link. flags are more than the usual ones.
func (d dir) open(name string, flags int) (dir, error) {
	return openAt(int(d), name, openFlags|unix.O_NOFOLLOW|flags)
}

func openAt(at int, name string, flags int) (dir, error) {
	fd, err := again(func() (int, error) { return unix.Openat(at, name, flags, 0) })
	return dir(fd), err
}

func (d dir) close() { _ = unix.Close(int(d)) }

// kind is what an entry of a directory is. Links, sockets and the like are other.
type kind int

const (
	other kind = iota
	directory
	file
)

// each tells the entries of d as getdents64 gives them; buf is used for reading, 4 KiB at least.
func (d dir) each(buf []byte, tell func(name string, is kind) error) error {
	for {
		n, err := again(func() (int, error) { return unix.Getdents(int(d), buf) })
		if err != nil || n <= 0 {
			return err
		}
		for rest := buf[:n]; len(rest) > 0; {
			// struct linux_dirent64: inode and offset (8 bytes each), length of the record (2), type (1), name, NUL
			record := rest[:binary.NativeEndian.Uint16(rest[16:])]
			rest = rest[len(record):]
			name := record[19:]
			name = name[:bytes.IndexByte(name, 0)]
			if string(name) == "." || string(name) == ".." {
				continue
			}
			if err := tell(string(name), d.kind(string(name), record[18])); err != nil {
				return err
			}
		}
	}
}

// kind translates the type in a directory entry, which some file systems do not fill in.
func (d dir) kind(name string, t byte) kind {
	switch t {
	case unix.DT_DIR:
		return directory
	case unix.DT_REG:
		return file
	case unix.DT_UNKNOWN:
		st, err := d.stat(name)
		switch {
		case err == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR:
			return directory
		case err != nil || st.Mode&unix.S_IFMT == unix.S_IFREG:
			return file // an error comes again when its size is asked, and is told then
		}
	}
	return other
}

// file asks for size and age of a file, without opening it.
func (d dir) file(name string) (File, error) {
	st, err := d.stat(name)
	switch {
	case err != nil:
		return File{}, err
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return File{}, unix.ENOENT // replaced meanwhile
	}
	modified, _ := st.Mtim.Unix()
	return File{Size: st.Size, Modified: modified}, nil
}

// modified is when entries of a directory in d last came or went, Unix time in nanoseconds.
func (d dir) modified(name string) (int64, error) {
	st, err := d.stat(name)
	if err == nil && st.Mode&unix.S_IFMT != unix.S_IFDIR {
		err = unix.ENOTDIR
	}
	return st.Mtim.Nano(), err
}

// device is the file system that holds d.
func (d dir) device() (uint64, error) {
	var st unix.Stat_t
	_, err := again(func() (int, error) { return 0, unix.Fstat(int(d), &st) })
	return uint64(st.Dev), err //nolint:unconvert // an int32 on some architectures
}

func (d dir) stat(name string) (st unix.Stat_t, err error) {
	_, err = again(func() (int, error) { return 0, unix.Fstatat(int(d), name, &st, unix.AT_SYMLINK_NOFOLLOW) })
	return st, err
}

// again repeats a call that a signal interrupted.
func again(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}
