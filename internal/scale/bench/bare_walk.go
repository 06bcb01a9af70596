// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/binary"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// bareWalk is the least that a program can do to learn the size of every file: list each directory, ask for each file, add up. It
// remembers nothing, counts no accounts and gives up at the first error.
func bareWalk(docroot string) (total int64, err error) {
	root, err := unix.Open(docroot, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(root) //nolint:errcheck // it was only read
	var (
		sum     atomic.Int64
		failed  atomic.Pointer[error]
		names   = make(chan []string, 16)
		workers sync.WaitGroup
	)
	for range 2 {
		workers.Go(func() {
			buffers := [8][]byte{}
			for batch := range names {
				for _, name := range batch {
					n, err := bareDirectory(root, name, buffers[:])
					if err != nil {
						failed.Store(&err)
					}
					sum.Add(n)
				}
			}
		})
	}
	var batch []string
	err = bareEntries(root, make([]byte, 32<<10), func(name string, directory bool) error {
		if directory {
			if batch = append(batch, name); len(batch) == 64 {
				names <- batch
				batch = nil
			}
		}
		return nil
	})
	names <- batch
	close(names)
	workers.Wait()
	if first := failed.Load(); first != nil {
		return 0, *first
	}
	return sum.Load(), err
}

func bareDirectory(parent int, name string, buffers [][]byte) (total int64, err error) {
	fd, err := unix.Openat(parent, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd) //nolint:errcheck // it was only read
	if buffers[0] == nil {
		buffers[0] = make([]byte, 8<<10)
	}
	err = bareEntries(fd, buffers[0], func(name string, directory bool) error {
		if directory {
			n, err := bareDirectory(fd, name, buffers[1:])
			total += n
			return err
		}
		var st unix.Stat_t
		if err := unix.Fstatat(fd, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return err
		}
		total += st.Size
		return nil
	})
	return total, err
}

func bareEntries(fd int, buf []byte, tell func(name string, directory bool) error) error {
	for {
		n, err := unix.Getdents(fd, buf)
		if err != nil || n == 0 {
			return err
		}
		for rest := buf[:n]; len(rest) > 0; {
			record := rest[:binary.NativeEndian.Uint16(rest[16:])]
			rest = rest[len(record):]
			name := record[19:]
			name = name[:bytes.IndexByte(name, 0)]
			if string(name) == "." || string(name) == ".." {
				continue
			}
			if err := tell(string(name), record[18] == unix.DT_DIR); err != nil {
				return err
			}
		}
	}
}
