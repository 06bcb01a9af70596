// SPDX-License-Identifier: Apache-2.0

// Package uploads looks at the files of mod_http_upload on disk, DOCROOT/<account>/<secret>/<file>: their sizes and ages.
//
// It lists directories and asks for the attributes of files. It never opens a file, never follows a symbolic link below the
// document root, and keeps no name: a directory's name is an unsalted SHA-1 of the account, or the account itself.
// Linux only.
package uploads

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"syscall"
)

// AccountID stands for the directory of one account: equal for the same directory name as long as this process lives,
// meaningless elsewhere, and no way back to the name.
type AccountID uint64

// Account is what one account has uploaded.
type Account struct {
	ID    AccountID
	Bytes int64  // apparent size of all files
	Files []File // in no order, one at least; the slice is used again after the visit
}

// File is one uploaded file (or thumbnail).
type File struct {
	Size     int64 // apparent size, bytes
	Modified int64 // Unix time, seconds
}

// Stats sums up a walk.
type Stats struct {
	Accounts, Files int
	Bytes           int64
	Errors          int // directories and files that could not be looked at; vanished ones are none
}

// workers that read accounts. More than two gain nothing on local disks and would be felt by ejabberd.
const workers = 2

// Walker walks one document root again and again, one walk at a time.
type Walker struct{ docroot string }

// New makes a Walker.
func New(docroot string) *Walker { return &Walker{docroot: docroot} }

// Walk has every account that holds files visited, one at a time, in no order. Files that lie in the document root itself are
// no account's and are left out. A document root that is missing or can not be read is an error that wraps fs.ErrNotExist or
// fs.ErrPermission and says what to do. After an error what was visited is incomplete and must be thrown away.
// Cancelling ends a walk with the system call under way, which a file system that hangs may never finish.
func (w *Walker) Walk(ctx context.Context, visit func(Account)) (Stats, error) {
	root, err := openRoot(w.docroot)
	if err != nil {
		return Stats{}, explain(w.docroot, err)
	}
	ctx, stop := context.WithCancel(ctx)
	var (
		listed  error
		names   = make(chan string, 64)
		read    = make(chan *scan)
		readers sync.WaitGroup
	)
	readers.Go(func() {
		defer close(names)
		listed = list(ctx, root, names)
	})
	for range workers {
		readers.Go(func() { newScan(ctx).accounts(root, names, read) })
	}
	go func() {
		readers.Wait()
		close(read)
	}()
	defer func() { // also when visit panics
		stop()
		for range read { // until the readers are gone
		}
		root.close()
	}()

	var stats Stats
	for s := range read {
		stats.add(s)
		if len(s.Files) > 0 {
			visit(s.Account)
		}
		s.visited <- struct{}{}
	}
	switch {
	case ctx.Err() != nil:
		return Stats{}, fmt.Errorf("upload docroot %s: %w", w.docroot, ctx.Err())
	case listed != nil:
		return Stats{}, explain(w.docroot, listed)
	}
	return stats, nil
}

// list tells the names of the accounts' directories.
func list(ctx context.Context, root dir, names chan<- string) error {
	return root.each(make([]byte, 32<<10), func(name string, is kind) error {
		if is != directory || name == "lost+found" { // a document root may be a file system of its own
			return nil
		}
		select {
		case names <- name:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
}

func (s *Stats) add(scan *scan) {
	s.Errors += scan.Errors
	if n := len(scan.Files); n > 0 {
		s.Accounts++
		s.Files += n
		s.Bytes += scan.Bytes
	}
}

// explain names the document root, which is configuration, and the remedy.
func explain(docroot string, err error) error {
	remedy := "look at the file system"
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		remedy = "check docroot of mod_http_upload, or set it with --upload.docroot; ejabberd makes it with the first upload"
	case errors.Is(err, fs.ErrPermission):
		remedy = "let the exporter list it: `ejabberd_exporter --check` prints the lines for systemd"
	}
	return fmt.Errorf("upload docroot %s: %w: %s", docroot, err, remedy)
}
